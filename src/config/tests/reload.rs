use super::{faults, meaning, parse, parse_with};
use crate::config::Overrides;

const TLS: &str = "[server]\ntls = { cert = \"/c.pem\", key = \"/c.key\" }\n";

fn show(text: &str) -> String {
    parse(text).unwrap_or_else(|faults| panic!("{faults}")).show()
}

#[test]
fn a_certificate_is_a_table_or_one_of_several_or_two_variables() {
    let one = "tls = { cert = \"/c.pem\", key = \"/c.key\" }";
    assert!(show(TLS).contains(one));
    assert!(show("[server.tls]\ncert = \"/c.pem\"\nkey = \"/c.key\"").contains(one));
    let two =
        "[[server.tls]]\ncert = \"/a\"\nkey = \"/b\"\n[[server.tls]]\ncert = \"/c\"\nkey = \"/d\"";
    let listed = "tls = [{ cert = \"/a\", key = \"/b\" }, { cert = \"/c\", key = \"/d\" }]";
    assert!(show(two).contains(listed));
    assert!(show(&format!("[server]\n{listed}")).contains(listed));
    let variables =
        [("VESTIBULE_SERVER__TLS__CERT", "/c.pem"), ("VESTIBULE_SERVER__TLS__KEY", "/c.key")];
    let config = parse_with("", &variables, &Overrides::default()).unwrap();
    assert!(config.show().contains(one), "{}", config.show());
    let config = parse_with(TLS, &variables[1..], &Overrides::default()).unwrap();
    assert!(config.show().contains(one), "{}", config.show());
}

#[test]
fn what_is_wrong_with_tls_is_said_with_its_key() {
    for (text, key, advice) in [
        ("[server]\ntls = \"/c.pem\"", "server.tls", "must be a table"),
        ("[server]\ntls = [\"/c.pem\"]", "server.tls", "must be a table"),
        ("[server]\ntls = { cert = \"/c\" }", "server.tls", "has no key"),
        ("[server]\ntls = { cert = \"\", key = \"/k\" }", "server.tls", "not a path"),
        ("[server]\ntls = { cert = \"/c\", key = \"/k\", kye = 1 }", "server.tls", "kye"),
        (
            "[server]\nlisten = [\"unix:/s\"]\npublic_url = \"https://a\"\ntls = { cert = \"/c\", key = \"/k\" }",
            "server.tls",
            "0.0.0.0:443",
        ),
        (
            "[server]\npublic_url = \"http://127.0.0.1\"\ntls = { cert = \"/c\", key = \"/k\" }",
            "server.public_url",
            "https://",
        ),
        ("[server]\nhttp_redirect = [\"127.0.0.1:80\"]", "server.http_redirect", "server.tls"),
        (
            "[server]\ntls = { cert = \"/c\", key = \"/k\" }\nhttp_redirect = [\"127.0.0.1:8080\"]",
            "server.http_redirect",
            "listened on",
        ),
        (
            "[server]\ntls = { cert = \"/c\", key = \"/k\" }\nhttp_redirect = [\"unix:/s\"]",
            "server.http_redirect",
            "0.0.0.0:80",
        ),
    ] {
        let faults = faults(text);
        assert!(faults.contains(key) && faults.contains(advice), "{text}: {faults}");
        assert_eq!(faults.lines().count(), 1, "{text}: {faults}");
    }
    // Where it is given, browsers come by https.
    assert_eq!(parse(TLS).unwrap().site.public_url.to_string(), "https://127.0.0.1:8080");
}

#[test]
fn a_reload_takes_all_but_what_waits_for_a_restart_and_names_that() {
    let running = parse("").unwrap();
    let all = "data_dir = \"/d\"\n[server]\nlisten = [\"127.0.0.1:1\"]\nadmin_listen = \"\"\n\
        public_url = \"https://p.example.com\"\nprefix = \"/p\"\nworkers = 3\n\
        trusted_proxies = [\"10.0.0.0/8\"]\n[session]\nidle = \"5m\"\ncookie_domain = \"example.com\"\n\
        [secrets]\nmaster_key = \"0123456789abcdef0123456789abcdef\"\n\
        [password]\nhash_workers = 4\nhash_queue = 5\nmin_length = 20\n\
        [limits]\nbody_max = \"1MiB\"\n[identity]\nuser = \"X-Who\"\n[branding]\nname = \"B\"\n\
        [access]\ndefault_policy = \"deny\"\n[[route]]\nhost = \"a.test\"\nupstream = \"http://a\"\n";
    let (over, waiting) = parse(all).unwrap().over(&running);
    assert_eq!(
        waiting.join(" "),
        "data_dir server.listen server.admin_listen server.public_url server.prefix server.workers \
         store.path secrets.master_key secrets.master_key_file session.cookie_domain password.hash_workers \
         password.hash_queue"
    );
    let taken = "[server]\ntrusted_proxies = [\"10.0.0.0/8\"]\n[session]\nidle = \"5m\"\n\
        [password]\nmin_length = 20\n\
        [limits]\nbody_max = \"1MiB\"\n[identity]\nuser = \"X-Who\"\n[branding]\nname = \"B\"\n\
        [access]\ndefault_policy = \"deny\"\n[[route]]\nhost = \"a.test\"\nupstream = \"http://a\"\n";
    assert_eq!(meaning(&over), meaning(&parse(taken).unwrap()));
    // A secret is looked at itself, since it is shown masked.
    let keyed = |key: &str| parse(&format!("[secrets]\nmaster_key = \"{key}\"")).unwrap();
    let (one, two) =
        (keyed("0123456789abcdef0123456789abcdef"), keyed("fedcba9876543210fedcba9876543210"));
    assert_eq!(two.over(&one).1, ["secrets.master_key"]);
    // Whether there is TLS at all is a matter of the sockets.
    let (over, waiting) = parse(TLS).unwrap().over(&running);
    assert_eq!(waiting, ["server.public_url", "server.tls"]);
    assert_eq!(meaning(&over), meaning(&running));
}

#[test]
fn a_configuration_is_called_alike_where_it_means_the_same_and_otherwise_where_it_does_not() {
    let digest = |text: &str| parse(text).unwrap().digest();
    let said = "[session]\nidle = \"1h\"\n";
    assert_eq!(digest(""), digest(said));
    assert_eq!(digest(said), digest(&format!("# a comment\n\n{said}")));
    assert_ne!(digest(""), digest("[session]\nidle = \"2h\"\n"));
    let key = |key: &str| digest(&format!("[secrets]\nmaster_key = \"{key}\""));
    // No secret is in it.
    assert_eq!(key("0123456789abcdef0123456789abcdef"), key("fedcba9876543210fedcba9876543210"));
}
