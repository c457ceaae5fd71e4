//! The same by HTTP/2, from those who speak it without TLS.

use super::{FORGED, Proxy, Scene};
use crate::harness::{Reply, h2_connect, h2_exchange};
use http::Request;
use std::net::SocketAddr;

/// Whether it takes HTTP/2 at a port without TLS, as its example has it.
pub const fn speaks(proxy: Proxy) -> bool {
    matches!(proxy, Proxy::Haproxy | Proxy::Traefik | Proxy::Envoy)
}

/// What is judged, and what the app is told, is the same in fields that HTTP/2 splits and orders
/// in its own way.
pub fn http_2_is_no_way_around(scene: &Scene, cookie: &str) {
    if !speaks(scene.proxy) {
        return;
    }
    // Browsers send each cookie in a field of its own.
    let crumbs: Vec<&str> = cookie.trim().trim_start_matches("Cookie: ").split("; ").collect();
    scene.app.take_received();
    for (target, cookies, status) in [
        ("/x?y", &crumbs[..], 200),
        ("/x", &[], 401),
        ("/admin", &crumbs, 403),
        ("/public", &[], 200),
        ("/public/../admin", &[], 0),
        ("/x/..//admin", &crumbs, 0),
        ("/%61dmin", &crumbs, 0),
    ] {
        let forged = FORGED.lines().map(|line| line.split_once(": ").unwrap());
        let crumbs = cookies.iter().map(|cookie| ("cookie", *cookie));
        let fields: Vec<_> = crumbs.chain(forged).collect();
        let reply = ask(scene.running.address(), &scene.host(), target, &fields);
        assert!(status == 0 || reply.status == status, "{target}: {}", reply.status);
        let received = scene.app.take_received().to_lowercase();
        assert_eq!(received.is_empty(), reply.status != 200, "{target}: {received}");
        assert!(!received.contains("root") && !received.contains("admin"), "{target}: {received}");
        if !received.is_empty() {
            assert!(received.starts_with(&format!("get {target} http/1.1\r\n")), "{received}");
            assert_eq!(
                received.contains("remote-user: ann\r\n"),
                !cookies.is_empty(),
                "{received}"
            );
        }
    }
}

/// Asks for something with these fields.
pub fn ask(address: SocketAddr, host: &str, target: &str, fields: &[(&str, &str)]) -> Reply {
    let mut request = Request::builder().uri(format!("http://{host}{target}"));
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let sender = h2_connect(address).await;
        h2_exchange(&sender, request.body(()).unwrap(), b"").await.unwrap()
    })
}
