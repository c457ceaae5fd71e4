//! What a client says of traces goes no further: the gateway would believe it of its proxy.

use super::http2;
use super::proxy::{Proxy, Running, free};
use crate::harness::{App, PATIENCE, exchange};
use std::time::Instant;

const FIELDS: [(&str, &str); 5] = [
    ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ("Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ("tracestate", "theirs=1"),
    ("TRACESTATE", "theirs=2"),
    ("Baggage", "theirs=3"),
];

/// Neither the gateway, asked about a request or for a page, nor the app is told of it.
pub fn nobody_is_told_what_a_client_says(proxy: Proxy) {
    let app = App::start();
    // Lets everybody in, and keeps what it is asked.
    let gateway = App::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let running = Running::start(proxy, free(), gateway.address.port(), app.address.port());
    let fields: String = FIELDS.iter().map(|(name, said)| format!("{name}: {said}\r\n")).collect();
    for name in ["app", "login"] {
        let host = format!("{name}.example.localhost:{}", running.port);
        let request =
            format!("GET /x HTTP/1.1\r\nHost: {host}\r\n{fields}Connection: close\r\n\r\n");
        let began = Instant::now();
        // Traefik finds nothing before it has read its files.
        while exchange(running.address(), request.as_bytes()).status != 200 {
            assert!(began.elapsed() < PATIENCE, "{host}");
        }
        untold(&app, &gateway, name);
        if http2::speaks(proxy) {
            let reply = http2::ask(running.address(), &host, "/x", &FIELDS);
            assert_eq!(reply.status, 200, "{host}");
            untold(&app, &gateway, name);
        }
    }
}

fn untold(app: &App, gateway: &App, name: &str) {
    let (told, asked) = (app.take_received(), gateway.take_received());
    assert!(!asked.is_empty() && told.is_empty() != (name == "app"), "{told}{asked}");
    for received in [told, asked] {
        let received = received.to_lowercase();
        let said = ["traceparent", "tracestate", "baggage", "4bf92f35", "theirs="];
        assert!(!said.iter().any(|said| received.contains(said)), "{received}");
    }
}
