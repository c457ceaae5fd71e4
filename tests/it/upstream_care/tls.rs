//! Whom an app behind TLS is trusted to be, and who we are to it.

use super::route;
use crate::harness::{App, Gateway, House, TempDir, fixture, run, serve_tls};
use std::fs::write;
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

/// An app behind TLS that lets in clients of ours alone; the names it was asked for.
fn strict_app() -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let names = Arc::new(Mutex::new(Vec::new()));
    let of_thread = Arc::clone(&names);
    let address = serve_tls(Some("clients.pem"), move |_, stream| {
        let name = stream.conn.server_name().unwrap_or_default().to_owned();
        of_thread.lock().unwrap().push(name);
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nsecure";
        let _ = stream.write_all(answer.as_bytes());
    });
    (address, names)
}

fn keys(ca: &str, cert: &str, key: &str, name: &str) -> String {
    let mut keys = String::new();
    for (name, value) in [
        ("upstream_ca", fixture(ca)),
        ("upstream_cert", fixture(cert)),
        ("upstream_key", fixture(key)),
    ] {
        if std::path::Path::new(&value).is_file() {
            keys.push_str(&format!("{name} = \"{value}\"\n"));
        }
    }
    keys + &format!("upstream_server_name = \"{name}\"\n")
}

#[test]
fn an_app_of_an_authority_of_its_own_knows_us_by_our_certificate() {
    let (address, names) = strict_app();
    let asked = |host: &str, keys: &str| {
        let url = format!("https://{host}:{}", address.port());
        House::with(App::start(), route(&[url], keys)).get("/x", "")
    };
    let good = keys("ca.pem", "client.pem", "client.key", "");
    assert_eq!(asked("localhost", &good).text(), "secure");
    assert_eq!(asked("127.0.0.1", &good).text(), "secure");
    // Under another name than the one in its address, which is what it is asked for.
    let named = keys("ca.pem", "client.pem", "client.key", "localhost");
    assert_eq!(asked("127.0.0.2", &named).text(), "secure");
    assert_eq!(*names.lock().unwrap(), ["localhost", "", "localhost"]);
    for (host, keys) in [
        ("localhost", keys("ca.pem", "-", "-", "")),
        ("localhost", keys("clients.pem", "client.pem", "client.key", "")),
        ("localhost", keys("-", "client.pem", "client.key", "")),
        ("localhost", keys("ca.pem", "app.pem", "app.key", "")),
        ("localhost", keys("ca.pem", "client.pem", "client.key", "other.test")),
        ("127.0.0.2", keys("ca.pem", "client.pem", "client.key", "")),
    ] {
        assert_eq!(asked(host, &keys).status, 502, "{host} {keys}");
    }
    assert_eq!(names.lock().unwrap().len(), 3);
}

#[test]
fn two_routes_to_one_app_do_not_share_what_one_of_them_is_trusted_with() {
    let (address, _) = strict_app();
    let url = [format!("https://localhost:{}", address.port())];
    let mut options = route(&url, &keys("ca.pem", "client.pem", "client.key", ""));
    let stranger = route(&url, &keys("ca.pem", "-", "-", ""));
    options = options.config(&stranger.config.replace("\"*\"", "\"other.test\""));
    let house = House::with(App::start(), options);
    for _ in 0..3 {
        assert_eq!(house.get("/x", "").text(), "secure");
        assert_eq!(house.ask("GET /x HTTP/1.1\r\nHost: other.test\r\n$C\r\n").status, 502);
    }
}

#[test]
fn an_app_whose_certificate_is_not_good_is_down_and_one_with_a_good_one_is_up() {
    let (address, _) = strict_app();
    let url = [format!("https://localhost:{}", address.port())];
    let quick = "health_check = \"/x\"\nhealth_interval = \"1s\"\nhealth_down_after = 1\n";
    let good = keys("ca.pem", "client.pem", "client.key", "") + quick;
    let house = House::with(App::start(), route(&url, &good));
    assert_eq!(house.get("/x", "").text(), "secure");
    assert!(!house.gateway.log().contains("is down"));
    let bad = keys("-", "client.pem", "client.key", "") + quick;
    Gateway::start(route(&url, &bad)).hear("invalid peer certificate: UnknownIssuer");
}

#[test]
fn a_file_that_cannot_be_used_is_a_fault_with_its_line() {
    let folder = TempDir::new();
    let config = folder.join("config.toml");
    let in_folder = |name: &str, text: &str| {
        write(folder.join(name), text).unwrap();
        folder.join(name).display().to_string()
    };
    let empty = in_folder("empty.pem", "");
    let odd =
        in_folder("odd.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let missing = folder.join("missing.pem").display().to_string();
    let [ca, cert, key, other] = ["ca.pem", "client.pem", "client.key", "app.key"].map(fixture);
    for (lines, line, told) in [
        (format!("upstream_ca = \"{missing}\""), 4, "route.upstream_ca: cannot be used: "),
        (format!("upstream_ca = \"{empty}\""), 4, "there is no certificate in it"),
        (format!("upstream_ca = \"{odd}\""), 4, "is no certificate"),
        (format!("upstream_ca = \"{key}\""), 4, "there is no certificate in it"),
        (format!("upstream_cert = \"{missing}\"\nupstream_key = \"{key}\""), 4, "upstream_cert: "),
        (format!("upstream_cert = \"{cert}\"\nupstream_key = \"{missing}\""), 5, "upstream_key: "),
        (format!("upstream_cert = \"{cert}\"\nupstream_key = \"{ca}\""), 5, "upstream_key: "),
        (format!("upstream_cert = \"{cert}\"\nupstream_key = \"{other}\""), 5, "does not go with"),
    ] {
        let text = format!("[[route]]\nhost = \"*\"\nupstream = \"https://a\"\n{lines}\n");
        write(&config, text).unwrap();
        let path = config.display().to_string();
        let checked = run(&["config", "check", &path], "");
        let stderr = String::from_utf8_lossy(&checked.stderr).into_owned();
        assert_eq!(checked.status.code(), Some(2), "{lines}: {stderr}");
        assert!(stderr.contains(&format!("config.toml:{line}: route.upstream_")), "{stderr}");
        assert!(stderr.contains(told) && !stderr.contains("BEGIN"), "{told}: {stderr}");
        let refused =
            Gateway::try_on(Arc::new(TempDir::new()), route(&["https://a".into()], &lines));
        assert!(refused.err().unwrap().contains(told), "{lines}");
    }
    // Everything that is wrong at once.
    let route =
        format!("[[route]]\nhost = \"*\"\nupstream = \"https://a\"\nupstream_ca = \"{missing}\"\n");
    let more = route.replace('*', "b") + &format!("[password]\nbreached = \"list:{missing}\"\n");
    write(&config, route + &more).unwrap();
    let checked = run(&["config", "check", &config.display().to_string()], "");
    let stderr = String::from_utf8_lossy(&checked.stderr).into_owned();
    for place in [":4: route.upstream_ca", ":8: route.upstream_ca", ":10: password.breached"] {
        assert!(stderr.contains(place), "{place}: {stderr}");
    }
}
