use super::{faults, parse};

const PUBLIC: &str =
    "[server]\nlisten = [\"0.0.0.0:443\"]\npublic_url = \"https://portal.test.example\"\n";

/// The files that certificates are fetched into.
fn fetched(text: &str) -> Vec<String> {
    let config = parse(text).unwrap_or_else(|faults| panic!("{faults}"));
    config.proxy.tls.files().map(|file| file.display().to_string()).collect()
}

#[test]
fn nothing_is_fetched_unless_somebody_agrees() {
    assert_eq!(fetched(PUBLIC), Vec::<String>::new());
    assert_eq!(fetched(&format!("{PUBLIC}[acme]\nagree = false")), Vec::<String>::new());
    for said in ["email = \"a@b.example\"", "names = [\"a.example\"]"] {
        let faults = faults(&format!("{PUBLIC}[acme]\n{said}"));
        assert!(faults.contains("acme.agree") && faults.contains("terms"), "{faults}");
    }
}

#[test]
fn certificates_are_for_the_names_that_are_given_or_for_those_that_are_known() {
    let route = |host: &str| format!("[[route]]\nhost = \"{host}\"\nupstream = \"http://a\"\n");
    let routes =
        ["wiki.example", "*.apps.example", "localhost", "192.0.2.1", "portal.test.example"];
    let routes: String = routes.map(route).concat();
    let folder = "vestibule-data/acme/acme-v02.api.letsencrypt.org_directory";
    let file = |name: &str| format!("{folder}/{name}.pem");
    assert_eq!(
        fetched(&format!("{PUBLIC}[acme]\nagree = true\n{routes}")),
        [file("portal.test.example"), file("wiki.example")]
    );
    let names = "names = [\"B.example\", \"a.example\", \"b.example\"]";
    assert_eq!(
        fetched(&format!("{PUBLIC}[acme]\nagree = true\n{names}\n{routes}")),
        [file("a.example"), file("b.example")]
    );
    // What one authority gave is not taken for another's.
    let other = "directory = \"https://ca.example:8443/acme/local/directory\"";
    let folder = "vestibule-data/acme/ca.example_8443_acme_local_directory";
    assert_eq!(
        fetched(&format!("{PUBLIC}[acme]\nagree = true\n{other}")),
        [format!("{folder}/portal.test.example.pem")]
    );
}

#[test]
fn what_cannot_be_fetched_is_refused_with_what_to_write() {
    for (key, at, says) in [
        ("directory = \"http://ca.example/\"", "acme.directory", "https://"),
        ("directory = \"ca.example\"", "acme.directory", "https://"),
        ("email = \"ann\"", "acme.email", "admin@example.com"),
        ("email = \"a@b,c@d\"", "acme.email", "admin@example.com"),
        ("names = [\"*.example.com\"]", "acme.names", "no pattern"),
        ("names = [\"192.0.2.1\"]", "acme.names", "no address"),
        ("names = [\"localhost\"]", "acme.names", "login.example.com"),
        ("names = [\"a.example:443\"]", "acme.names", "no port"),
        ("ca_file = \"\\u0000\"", "acme.ca_file", "not a path"),
    ] {
        let faults = faults(&format!("{PUBLIC}[acme]\nagree = true\n{key}"));
        assert!(faults.contains(at) && faults.contains(says), "{key}: {faults}");
    }
    let plain = "[server]\nlisten = [\"0.0.0.0:80\"]\npublic_url = \"http://a.example\"\nallow_http = true\n";
    let faults = faults(&format!("{plain}[acme]\nagree = true"));
    assert!(faults.contains("server.public_url") && faults.contains("not encrypted"), "{faults}");
    // Nobody could look up what the portal is called.
    let nameless = parse("[acme]\nagree = true").unwrap().with_files().unwrap_err().to_string();
    assert!(nameless.contains("acme.names") && nameless.contains("login.example"), "{nameless}");
}
