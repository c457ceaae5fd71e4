//! What a proxy passes on is what it asked about, however it is spelled.

use super::Scene;
use crate::harness::exchange;

const TARGETS: [&str; 44] = [
    "/public",
    "/public/x?y=/../admin",
    "/public/../admin",
    "/public/./../admin",
    "/public//../admin",
    "/x/../public",
    "//public",
    "//public/../admin",
    "/public/..",
    "/public/%2e%2e/admin",
    "/public/%252e%252e/admin",
    "/public/..%2fadmin",
    "/public/..%2Fadmin",
    "/public%2f..%2fadmin",
    "/public/..%5cadmin",
    "/public\\..\\admin",
    "/public/..;/admin",
    "/public;/../admin",
    "/public/%00/../admin",
    "/public%00",
    "/public%23/../admin",
    "/public#/../admin",
    "/public?/../admin",
    "/public%3f/../../admin",
    "/%70ublic",
    "/%61dmin",
    "/admin%2f",
    "/ADMIN",
    "/admin;x",
    "//admin",
    "/./admin",
    "/x/..//admin",
    "/public/%c0%ae%c0%ae/admin",
    "/public/|^{}\"<>`",
    "/public/\u{e9}",
    "/public/%zz",
    "/public/%0d%0aX-A:b",
    "/_vestibule/../admin",
    "/public/../_vestibule/login",
    "*",
    "public",
    "http://app.example.localhost/admin",
    "http://other.example.localhost/public",
    "//evil.test/public",
];

/// Whatever arrives at the app would be let in if it were asked about as it arrived.
pub fn what_the_app_receives_was_judged(scene: &Scene, cookie: &str) {
    scene.app.take_received();
    let mut passed = 0;
    let whole =
        ["/public", "/public/../admin"].map(|path| format!("http://{}{path}", scene.host()));
    for target in TARGETS.into_iter().chain(whole.iter().map(String::as_str)) {
        for fields in ["", cookie] {
            let reply = scene.ask("GET", target, fields, "");
            let received = scene.app.take_received();
            if received.is_empty() {
                assert_ne!(reply.status, 200, "{target}");
                continue;
            }
            passed += 1;
            let sent = received.split(' ').nth(1).unwrap();
            assert!(sent.starts_with('/'), "{target} arrived as {sent}");
            let host = received.to_lowercase();
            assert!(host.contains("\r\nhost: app.example.localhost"), "{target}: {received}");
            let verdict = verdict(scene, sent, fields);
            assert_eq!(verdict, 200, "{target} arrived as {sent}");
        }
    }
    // A proxy that lets nothing through would prove nothing.
    assert!(passed >= 12, "{passed}");
}

/// Whatever host a request names where, it is judged by the one whose app would receive it.
pub fn an_open_host_opens_no_other(scene: &Scene) {
    let (app, open) = (scene.host(), "open.example.localhost");
    for (target, fields) in [
        (format!("http://{app}/x"), format!("Host: {open}\r\n")),
        (format!("http://{open}/x"), format!("Host: {app}\r\n")),
        (String::from("/x"), format!("Host: {app}\r\nX-Forwarded-Host: {open}\r\n")),
        (String::from("/x"), format!("Host: {app}\r\nHost: {open}\r\n")),
        (String::from("/x"), format!("Host: {open}\r\nHost: {app}\r\n")),
        (String::from("/x"), format!("Host: {app}@{open}\r\n")),
        (String::from("/x"), format!("Host: {app}, {open}\r\n")),
        (String::from("/x"), format!("Host: {app}.\r\n")),
    ] {
        let request = format!("GET {target} HTTP/1.1\r\n{fields}Connection: close\r\n\r\n");
        let reply = exchange(scene.running.address(), request.as_bytes());
        assert_eq!(scene.app.take_received(), "", "{target} {fields}: {}", reply.status);
    }
}

/// What the gateway says of a request that looks like this, asked directly.
fn verdict(scene: &Scene, target: &str, fields: &str) -> u16 {
    let check = format!(
        "GET /_vestibule/authz/forward-auth HTTP/1.1\r\nHost: gateway\r\nX-Forwarded-Method: GET\r\n\
         X-Forwarded-Proto: http\r\nX-Forwarded-Host: app.example.localhost\r\n\
         X-Forwarded-Uri: {target}\r\n{fields}Connection: close\r\n\r\n"
    );
    exchange(scene.gateway.address, check.as_bytes()).status
}
