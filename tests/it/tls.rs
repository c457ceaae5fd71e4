//! TLS at the gateway's own addresses, with real clients.

mod certificates;
mod client;

use crate::harness::{
    App, Browser, Gateway, Options, PATIENCE, Person, TempDir, connect, exchange, free_port,
    read_head, read_reply, send_raw,
};
use certificates::Certificate;
use client::{Client, s_client, status_over};
use std::io::{BufReader, Read as _, Write as _};
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

/// A gateway that shows these certificates, before an app for every host.
fn gateway(app: &App, certificates: &[&Certificate], server: &str) -> Gateway {
    Gateway::start(options(app, certificates, server))
}

fn options(app: &App, certificates: &[&Certificate], server: &str) -> Options {
    let tables: Vec<String> = certificates.iter().map(|certificate| certificate.table()).collect();
    let route = format!("[[route]]\nhost = \"*\"\nupstream = \"{}\"\n", app.url());
    Options { server: format!("tls = [{}]\n{server}", tables.join(", ")), ..Options::default() }
        .config(&route)
}

/// Ann's cookie, for whoever signed in over TLS.
fn cookie_of_ann(gateway: &Gateway, certificate: &Certificate) -> String {
    let ann = Person::add(gateway, "ann");
    let client = Client::of(gateway, certificate);
    let server = Arc::new(move |request: &[u8]| client.exchange("127.0.0.1", request));
    let mut browser = Browser::at(&gateway.address.to_string(), server);
    browser.scheme = "https";
    ann.sign_in(&mut browser, "/_vestibule/account", 0);
    format!("__Host-vestibule={}", browser.cookies["__Host-vestibule"])
}

#[test]
fn hands_are_shaken_in_tls_1_2_and_1_3_and_in_nothing_older() {
    let certificate = Certificate::make(&["a.test"], 30);
    let gateway = gateway(&App::start(), &[&certificate], "");
    for (version, says) in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")] {
        for (alpn, chosen) in
            [("h2,http/1.1", "ALPN protocol: h2"), ("http/1.1", "ALPN protocol: http/1.1")]
        {
            let said = s_client(&gateway, &[version, "-alpn", alpn, "-servername", "a.test"]);
            assert!(said.contains(says) && said.contains(chosen), "{said}");
        }
        let said = s_client(&gateway, &[version]);
        assert!(said.contains(says) && said.contains("No ALPN negotiated"), "{said}");
    }
    for version in ["-tls1_1", "-tls1"] {
        let said = s_client(&gateway, &[version, "-cipher", "ALL:@SECLEVEL=0"]);
        assert!(said.contains(" alert ") && said.contains("Cipher is (NONE)"), "{said}");
    }
    let said = s_client(&gateway, &["-alpn", "acme-tls/1"]);
    assert!(said.contains("alert no application protocol"), "{said}");
}

/// In TLS 1.2 there are suites without forward secrecy, without encryption, without anybody's name,
/// and of ciphers that are broken. None of them is agreed on, whichever key the certificate has.
#[test]
fn no_suite_is_agreed_on_but_the_strong_ones() {
    for (kind, certificate) in
        [("ECDSA", Certificate::make(&["a.test"], 30)), ("RSA", Certificate::rsa(&["a.test"]))]
    {
        let gateway = gateway(&App::start(), &[&certificate], "");
        let shake = |suites: &str| {
            let suites = format!("{suites}:@SECLEVEL=0");
            s_client(&gateway, &["-tls1_2", "-servername", "a.test", "-cipher", &suites])
        };
        for cipher in ["AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305"] {
            let suite = format!("ECDHE-{kind}-{cipher}");
            let said = shake(&suite);
            assert!(said.contains(&format!("Cipher is {suite}")), "{said}");
        }
        for weak in [
            "ALL:COMPLEMENTOFALL:!ECDHE+AESGCM:!ECDHE+CHACHA20",
            "kRSA",
            "DHE",
            "aNULL:eNULL",
            "SHA1",
        ] {
            let said = shake(weak);
            assert!(said.contains("alert handshake failure"), "{kind} {weak}: {said}");
            assert!(said.contains("Cipher is (NONE)"), "{kind} {weak}: {said}");
        }
    }
}

#[test]
fn people_sign_in_and_reach_their_app_in_http1_and_http2() {
    let certificate = Certificate::make(&["a.test"], 30);
    let app = App::start();
    let gateway = gateway(&app, &[&certificate], "");
    let cookie = cookie_of_ann(&gateway, &certificate);
    for (version, number) in [("--http1.1", "1.1"), ("--http2", "2")] {
        app.take_received();
        let mut curl = Command::new("curl");
        let to = format!("a.test:443:{}", gateway.address);
        curl.args(["-sS", version, "--cacert", &certificate.cert(), "--connect-to", &to]);
        curl.args(["-H", &format!("Cookie: {cookie}"), "-w", " %{http_version} %{http_code}"]);
        let output = curl.arg("https://a.test/x").output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(said, format!("hello {number} 200"), "{output:?}");
        let received = app.received();
        assert!(received.contains("\r\nx-forwarded-proto: https\r\n"), "{received}");
        assert!(received.contains("\r\nremote-user: ann\r\n"), "{received}");
    }
    // Who is not signed in is sent to the portal, and told to come encrypted for a year.
    let request =
        "GET / HTTP/1.1\r\nHost: a.test\r\nSec-Fetch-Mode: navigate\r\nConnection: close\r\n\r\n";
    let reply = Client::of(&gateway, &certificate).exchange("a.test", request.as_bytes());
    assert_eq!(reply.status, 302);
    let stays = reply.header("strict-transport-security").unwrap();
    let age: u64 =
        stays.strip_prefix("max-age=").unwrap().split(';').next().unwrap().parse().unwrap();
    assert!(age >= 31_536_000, "{stays}");
}

#[test]
fn the_guard_stands_behind_tls_as_it_does_without() {
    let certificate = Certificate::make(&["a.test"], 30);
    let app = App::start();
    let gateway = gateway(&app, &[&certificate], "");
    let client = Client::of(&gateway, &certificate);
    for bad in [
        "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a.test\r\nRemote_User: root\r\n\r\n",
        "GET / HTTP/1.1\nHost: a.test\n\n",
    ] {
        assert_eq!(client.exchange("a.test", bad.as_bytes()).status, 400, "{bad}");
    }
    // Without TLS nobody is answered in HTTP.
    let plain = send_raw(gateway.address, b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
    assert!(!plain.starts_with(b"HTTP"), "{:?}", String::from_utf8_lossy(&plain));
    assert_eq!(app.received(), "");
}

#[test]
fn the_name_that_is_asked_for_chooses_the_certificate() {
    let one = Certificate::make(&["one.test"], 30);
    let two = Certificate::make(&["*.two.test", "two.test"], 30);
    let three = Certificate::make(&["deep.two.test"], 30);
    let gateway = gateway(&App::start(), &[&one, &two, &three], "");
    for (name, shown) in [
        (Some("one.test"), &one),
        (Some("ONE.test"), &one),
        (Some("two.test"), &two),
        (Some("x.two.test"), &two),
        (Some("deep.two.test"), &three),
        (Some("x.deep.two.test"), &one),
        (Some("elsewhere.test"), &one),
        (None, &one),
    ] {
        let sni = name.map_or(vec!["-noservername"], |name| vec!["-servername", name]);
        let said = s_client(&gateway, &sni);
        assert!(said.contains(&shown.subject()), "{name:?}: {said}");
    }
}

#[test]
fn a_host_with_another_certificate_than_the_name_that_was_asked_for_is_misdirected() {
    let one = Certificate::make(&["one.test", "also.test"], 30);
    let two = Certificate::make(&["*.two.test"], 30);
    let app = App::start();
    let gateway = gateway(&app, &[&one, &two], "");
    let client = Client::of_all(&gateway, &[&one, &two]);
    for (name, host, status) in [
        ("one.test", "one.test", 401),
        ("one.test", "ONE.test:8443", 401),
        ("one.test", "also.test", 401),
        // No certificate is for it, and the first is for whoever has none.
        ("one.test", "elsewhere.test", 401),
        ("one.test", "x.two.test", 421),
        ("x.two.test", "y.two.test", 401),
        ("x.two.test", "one.test", 421),
        ("x.two.test", "elsewhere.test", 421),
    ] {
        let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let reply = client.exchange(name, request.as_bytes());
        assert_eq!(reply.status, status, "{host} at {name}");
        let status_2 = client.status_in_http2(name, host);
        assert_eq!(status_2, status, "{host} at {name} in HTTP/2");
    }
    assert_eq!(app.received(), "");
}

#[test]
fn a_renewed_certificate_is_shown_to_the_next_and_open_connections_go_on() {
    let certificate = Certificate::make(&["a.test"], 30);
    let gateway = gateway(&App::start(), &[&certificate], "");
    let client = Client::of(&gateway, &certificate);
    let mut open = client.open("a.test");
    let ask = b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";
    open.get_mut().write_all(ask).unwrap();
    assert_eq!(read_reply(&mut open, false).status, 401);
    let before = certificate.subject();
    certificate.renew(&["a.test"], 60);
    gateway.hear("reloaded: the configuration ");
    let said = s_client(&gateway, &["-servername", "a.test"]);
    assert!(said.contains(&certificate.subject()) && !said.contains(&before), "{said}");
    open.get_mut().write_all(ask).unwrap();
    assert_eq!(read_reply(&mut open, false).status, 401);
}

#[test]
fn a_certificate_that_cannot_be_used_leaves_the_old_one_in_force_and_is_named() {
    let certificate = Certificate::make(&["a.test"], 30);
    let gateway = gateway(&App::start(), &[&certificate], "");
    let (other, shown) = (Certificate::make(&["b.test"], 30), certificate.subject());
    let refused = "reload refused, what was in force stays in force: ";
    for (spoilt, text, why) in [
        (certificate.cert(), String::from("no PEM"), "there is no certificate in it"),
        (certificate.cert(), std::fs::read_to_string(other.cert()).unwrap(), "does not go with"),
        (
            certificate.key(),
            std::fs::read_to_string(other.cert()).unwrap(),
            certificate.key().as_str(),
        ),
        (certificate.key(), String::new(), certificate.key().as_str()),
    ] {
        let good = std::fs::read_to_string(&spoilt).unwrap();
        std::fs::write(&spoilt, text).unwrap();
        gateway.hangup(refused);
        let log = gateway.log();
        let line = log.lines().rfind(|line| line.contains(refused)).unwrap();
        assert!(line.contains("server.tls: cannot be used: ") && line.contains(why), "{line}");
        assert!(s_client(&gateway, &["-servername", "a.test"]).contains(&shown));
        std::fs::write(&spoilt, good).unwrap();
    }
    gateway.hangup("reloaded: nothing has changed");
    // Nor does a gateway start with one.
    std::fs::write(certificate.key(), "").unwrap();
    let refusal =
        Gateway::or_refusal(Arc::new(TempDir::new()), options(&App::start(), &[&certificate], ""));
    let Err((code, said)) = refusal else { panic!("it started") };
    assert!(code == Some(2) && said.contains(&certificate.key()), "{said}");
}

#[test]
fn a_certificate_that_ends_soon_or_has_ended_is_spoken_of() {
    let (soon, fine) = (Certificate::make(&["a.test"], 3), Certificate::make(&["b.test"], 30));
    let gateway = gateway(&App::start(), &[&soon, &fine], "");
    gateway.hear("the certificate for a.test expires at 20");
    soon.renew(&["c.test"], -1);
    gateway.hear("the certificate for c.test has expired (20");
    assert!(!gateway.log().contains("the certificate for b.test"));
}

#[test]
fn whoever_is_slow_to_shake_hands_holds_nobody_and_is_let_go() {
    let certificate = Certificate::make(&["a.test"], 30);
    let gateway = gateway(&App::start(), &[&certificate], "");
    let client = Client::of(&gateway, &certificate);
    let begun = Instant::now();
    let mut slow: Vec<_> = (0..50).map(|_| connect(gateway.address)).collect();
    for (at, stream) in slow.iter_mut().enumerate() {
        // Some say nothing, some begin a record of 200 bytes.
        let beginning: &[u8] = if at % 2 == 0 { b"" } else { b"\x16\x03\x01\x00\xc8\x01" };
        stream.write_all(beginning).unwrap();
    }
    let request = b"GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n";
    for _ in 0..20 {
        assert_eq!(client.exchange("a.test", request).status, 401);
    }
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
    for stream in &mut slow {
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
    }
    assert!((9..15).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
}

#[test]
fn in_a_crowded_house_whoever_shakes_no_hands_gives_way_to_those_who_do() {
    let certificate = Certificate::make(&["a.test"], 30);
    let app = App::start();
    // Room for twenty, of which an address may have sixteen: fifteen of them at rest.
    let files = Some(128 + 8 + 9 * 20 / 4);
    let gateway = Gateway::start(Options { files, ..options(&app, &[&certificate], "") });
    let begun = Instant::now();
    let crowd: Vec<_> = (0..16).map(|_| connect(gateway.address)).collect();
    crowd.iter().for_each(|stream| stream.set_nonblocking(true).unwrap());
    let gone = || crowd.iter().filter(|stream| matches!(stream.peek(&mut [0]), Ok(0))).count();
    while gone() == 0 {
        assert!(begun.elapsed().as_secs() < 8, "they have their ten seconds");
        std::thread::yield_now();
    }
    let request = b"GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n";
    let client = Client::of(&gateway, &certificate);
    assert_eq!(client.exchange("a.test", request).status, 401);
}

#[test]
fn an_idle_http2_connection_keeps_no_hand_over_waiting() {
    let certificate = Certificate::make(&["a.test"], 30);
    let gateway = gateway(&App::start(), &[&certificate], "");
    let client = Client::of(&gateway, &certificate);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _kept = runtime.block_on(async {
        let sender = client.http2("a.test").await;
        assert_eq!(status_over(&sender, "a.test").await, 401);
        sender
    });
    gateway.signal("-QUIT");
    gateway.hear("nobody accepted for ");
    let log = gateway.log();
    let number = |before: &str, after: &str| {
        let text = log.split(before).nth(1).unwrap().split(after).next().unwrap();
        text.parse::<u64>().unwrap()
    };
    let heir = number("handed over to process ", ":").to_string();
    let _ = Command::new("kill").args(["-9", &heir]).output();
    // Whoever is undecided is waited for that long.
    let gap = number("nobody accepted for ", " ms");
    println!("nobody accepted for {gap} ms");
    assert!(gap < 3000, "nobody accepted for {gap} ms");
}

#[test]
fn plain_http_is_sent_on_to_https_and_nothing_else() {
    let certificate = Certificate::make(&["a.test"], 30);
    let (app, plain) = (App::start(), free_port());
    let route = format!("[[route]]\nhost = \"a.test\"\nupstream = \"{}\"\n", app.url());
    let server = format!("tls = {}\nhttp_redirect = [\"{plain}\"]\n", certificate.table());
    let gateway = Gateway::start(Options { server, ..Options::default() }.config(&route));
    let ask = |method: &str, host: &str| {
        let request =
            format!("{method} /x?y=%2F HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        exchange(plain, request.as_bytes())
    };
    let reply = ask("GET", "a.test:80");
    let to = format!("https://a.test:{}/x?y=%2F", gateway.address.port());
    assert_eq!((reply.status, reply.header("location")), (308, Some(to.as_str())));
    assert_eq!(reply.header("strict-transport-security"), None);
    assert_eq!(ask("HEAD", "a.test").status, 308);
    assert_eq!(ask("POST", "a.test").status, 403);
    assert_eq!(
        (ask("GET", "evil.test").status, ask("GET", "evil.test").header("location")),
        (404, None)
    );
    let login =
        "GET /_vestibule/login HTTP/1.1\r\nHost: a.test\r\nX-Forwarded-Proto: https\r\n\r\n";
    let mut stream = BufReader::new(connect(plain));
    stream.get_mut().write_all(login.as_bytes()).unwrap();
    assert_eq!(read_reply(&mut stream, false).status, 308);
    assert_eq!(app.received(), "");
}

#[test]
fn a_websocket_behind_tls_passes_both_ways_and_opens_for_nobody_without_a_session() {
    let certificate = Certificate::make(&["a.test"], 30);
    let app = App::by_hand(|mut stream| {
        assert!(read_head(&mut stream).contains("\r\nremote-user: ann\r\n"));
        stream.get_mut().write_all(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n").unwrap();
        let mut frame = [0; 9];
        stream.read_exact(&mut frame).unwrap();
        stream.get_mut().write_all(&frame).unwrap();
    });
    let gateway = gateway(&app, &[&certificate], "");
    let cookie = cookie_of_ann(&gateway, &certificate);
    let client = Client::of(&gateway, &certificate);
    let handshake = |who: &str| {
        format!(
            "GET /x HTTP/1.1\r\nHost: a.test\r\n{who}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
        )
    };
    assert_eq!(client.exchange("a.test", handshake("").as_bytes()).status, 401);
    let mut open = client.open("a.test");
    open.get_mut().write_all(handshake(&format!("Cookie: {cookie}\r\n")).as_bytes()).unwrap();
    let head = read_head(&mut open);
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    open.get_mut().write_all(b"nine bits").unwrap();
    let mut back = [0; 9];
    open.read_exact(&mut back).unwrap();
    assert_eq!(&back, b"nine bits");
}

#[test]
fn an_idle_connection_ends_with_a_farewell_when_the_gateway_stops() {
    let certificate = Certificate::make(&["a.test"], 30);
    let mut gateway = gateway(&App::start(), &[&certificate], "");
    let mut open = Client::of(&gateway, &certificate).open("a.test");
    open.get_mut().write_all(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n").unwrap();
    assert_eq!(read_reply(&mut open, false).status, 401);
    let begun = Instant::now();
    gateway.stop();
    assert!(begun.elapsed() < PATIENCE / 4);
    let mut rest = Vec::new();
    // An end without a farewell would be an error here.
    assert_eq!(open.read_to_end(&mut rest).unwrap(), 0);
}
