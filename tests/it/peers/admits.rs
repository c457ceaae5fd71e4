//! Who is let in, and what the app is told.

use super::{FORGED, PAGE, Proxy, Scene};
use crate::harness::{PATIENCE, connect, read_head};
use std::io::{BufReader, Read as _, Write as _};
use std::time::Instant;

/// Sends a stranger to the portal and back; the cookie's line of who they turn out to be.
pub fn strangers_are_sent_to_sign_in_and_come_back(scene: &Scene) -> String {
    let began = Instant::now();
    // Traefik finds no app before it has read its files, and says nothing when it has.
    let mut reply = scene.ask("GET", "/x?y=/z", PAGE, "");
    while scene.proxy == Proxy::Traefik && reply.status == 404 && began.elapsed() < PATIENCE {
        reply = scene.ask("GET", "/x?y=/z", PAGE, "");
    }
    assert_eq!(reply.status, 302, "{}", reply.text());
    let location = reply.header("location").expect("a place").to_owned();
    let port = scene.running.port;
    let rd = format!("rd=http%3A%2F%2Fapp.example.localhost%3A{port}%2Fx%3Fy%3D%2Fz");
    assert!(location.ends_with(&format!(":{port}/_vestibule/login?{rd}")), "{location}");
    // Who takes HTML and says nothing else is a person too.
    assert_eq!(scene.ask("GET", "/x", "Accept: text/html\r\n", "").status, 302);
    // What was sent is not sent again.
    assert_eq!(scene.ask("POST", "/x", PAGE, "sent").status, 303);
    for fields in
        ["", "Accept: application/json\r\n", "Accept: text/html\r\nSec-Fetch-Mode: cors\r\n"]
    {
        assert_eq!(scene.ask("GET", "/x", fields, "").status, 401, "{fields}");
    }
    assert_eq!(scene.app.take_received(), "", "nobody is in");
    scene.sign_in(&location)
}

pub fn the_app_is_told_who_it_is_by_the_gateway_alone(scene: &Scene, cookie: &str) {
    let signed_in = format!("{cookie}{FORGED}");
    for (target, fields, user) in [("/x", signed_in.as_str(), "ann"), ("/public", FORGED, "")] {
        let reply = scene.ask("POST", target, fields, "a body");
        assert_eq!(reply.status, 200, "{target}: {}", reply.text());
        let received = scene.app.take_received();
        assert!(received.ends_with("a body"), "{received}");
        let told = received.to_lowercase();
        for forged in ["root", "admins"] {
            assert!(!told.contains(forged), "{received}");
        }
        let said: Vec<&str> = told
            .lines()
            .filter_map(|line| line.strip_prefix("remote-user:"))
            .map(str::trim)
            .collect();
        // Empty, or not at all.
        assert!(said == [user] || user.is_empty() && said.is_empty(), "{received}");
        let signed = told.lines().find_map(|line| line.strip_prefix("x-vestibule-assertion:"));
        let signed = signed.unwrap_or_default().trim();
        assert_eq!(signed.split('.').count() == 3, user == "ann", "{received}");
        assert!(user == "ann" || signed.is_empty(), "{received}");
    }
    // Spellings that some server folds into those names.
    for twin in [
        "Remote_User: root",
        "REMOTE_USER: root",
        "Remote.User: root",
        "remote_groups: admins",
        "X_Vestibule_Assertion: root",
        "X.Vestibule.Assertion: root",
    ] {
        for (target, fields) in [("/x", cookie), ("/public", "")] {
            scene.ask("GET", target, &format!("{fields}{twin}\r\n"), "");
            let received = scene.app.take_received().to_lowercase();
            assert!(!received.contains("root") && !received.contains("admins"), "{received}");
        }
    }
    // What Connection names is removed by who passes on, which must not be what was added.
    for named in ["Remote-User", "Remote_User", "remote-groups, close", "Cookie"] {
        let fields = format!("{cookie}Connection: {named}\r\n");
        let reply = scene.ask("GET", "/x", &fields, "");
        let received = scene.app.take_received().to_lowercase();
        let is_told = received.contains("remote-user: ann\r\n");
        assert!(reply.status != 200 || is_told, "{named}: {} {received}", reply.status);
    }
}

pub fn rules_hold_for_the_app(scene: &Scene, cookie: &str) {
    assert_eq!(scene.ask("GET", "/admin/x", cookie, "").status, 403);
    assert_eq!(scene.ask("GET", "/admin/x", &format!("{cookie}{PAGE}"), "").status, 403);
    assert_eq!(scene.ask("GET", "/admin/x", PAGE, "").status, 302);
    assert_eq!(scene.ask("GET", "/x", "Cookie: vestibule=nonsense\r\n", "").status, 401);
    let twice = cookie.replace("theirs=1", "vestibule=nonsense");
    assert_eq!(scene.ask("GET", "/x", &twice, "").status, 401);
    // What only the proxy may say, said by its client.
    let forged = "X-Original-URL: http://app.example.localhost/public\r\nX-Original-Method: GET\r\n\
                  X-Forwarded-Uri: /public\r\nX-Forwarded-Host: app.example.localhost\r\n\
                  X-Forwarded-Method: GET\r\nX-Forwarded-Proto: http\r\nX-Forwarded-For: 10.0.0.1\r\n\
                  X-Envoy-Original-Path: /public\r\nX-Rewrite-URL: /public\r\n";
    let status = scene.ask("GET", "/admin", &format!("{cookie}{forged}"), "").status;
    assert_eq!(status, 403);
    assert_eq!(scene.ask("GET", "/x", forged, "").status, 401);
    for name in ["X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Envoy-External-Address"] {
        let said = if name == "Forwarded" { "for=203.0.113.5" } else { "203.0.113.5" };
        let status = scene.ask("GET", "/lan", &format!("{name}: {said}\r\n"), "").status;
        assert_eq!(status, 401, "{name}");
    }
    assert_eq!(scene.app.take_received(), "");
    // The endpoints are not for browsers.
    for endpoint in ["auth-request", "forward-auth", "ext-authz/public"] {
        let target = format!("/_vestibule/authz/{endpoint}");
        let reply = scene.ask("GET", &target, &format!("{cookie}{forged}"), "");
        assert_eq!((reply.status, reply.header("remote-user")), (403, None), "{endpoint}");
    }
}

pub fn programs_are_let_in_by_their_tokens(scene: &Scene) {
    let made = scene.gateway.json(&["token", "add", "job", "--user", "ann"], "");
    let token = format!("Authorization: Bearer {}\r\n", made["token"].as_str().unwrap());
    scene.app.take_received();
    assert_eq!(scene.ask("GET", "/x", &token, "").status, 200);
    // What got it in is no business of the app's; what the app asks for by itself is.
    let received = scene.app.take_received();
    let is_named = received.to_lowercase().contains("remote-user: ann\r\n");
    assert!(is_named && !received.contains("vst_"), "{received}");
    let theirs = "Authorization: Basic YXBwOnNlY3JldA==\r\n";
    assert_eq!(scene.ask("GET", "/public", theirs, "").status, 200);
    let received = scene.app.take_received();
    assert!(received.to_lowercase().contains(&theirs.to_lowercase()), "{received}");
    let fields = format!("{PAGE}Authorization: Bearer vst_nonsense\r\n");
    let reply = scene.ask("GET", "/x", &fields, "");
    assert_eq!((reply.status, reply.header("location")), (401, None));
    assert!(
        reply.header("www-authenticate").unwrap_or_default().starts_with("Bearer "),
        "{reply:?}"
    );
    assert_eq!(scene.app.take_received(), "");
}

pub fn websockets_pass(scene: &Scene, cookie: &str) {
    let handshake = |fields: &str| {
        let mut stream = connect(scene.running.address());
        let host = scene.host();
        let request = format!(
            "GET /ws HTTP/1.1\r\nHost: {host}\r\n{fields}Connection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut stream = BufReader::new(stream);
        let head = read_head(&mut stream);
        (head, stream)
    };
    let (refused, _) = handshake("");
    assert!(refused.starts_with("HTTP/1.1 401 "), "{refused}");
    assert_eq!(scene.app.take_received(), "");
    let (head, mut stream) = handshake(cookie);
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    for frame in [b"\x81\x83\x01\x02\x03\x04igz", b"\x82\x83\0\0\0\0\r\n\r"] {
        stream.get_mut().write_all(frame).unwrap();
        let mut back = [0; 9];
        stream.read_exact(&mut back).unwrap();
        assert_eq!(&back, frame);
    }
    let received = scene.app.take_received().to_lowercase();
    assert!(received.contains("remote-user: ann\r\n"), "{received}");
}
