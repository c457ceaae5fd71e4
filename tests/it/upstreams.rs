//! Apps behind socket files and behind TLS.

use crate::harness::{App, Gateway, House, Options, PATIENCE, TempDir, fixture, serve_tls};
use std::io::{BufReader, Read as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::net::UnixListener;
use std::sync::{Arc, Mutex};

/// An app behind TLS; the requests it could read.
fn tls_app() -> (SocketAddr, Arc<Mutex<String>>) {
    let received = Arc::new(Mutex::new(String::new()));
    let of_thread = Arc::clone(&received);
    let address = serve_tls(None, move |head, stream| {
        of_thread.lock().unwrap().push_str(head);
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nsecure";
        let _ = stream.write_all(answer.as_bytes());
    });
    (address, received)
}

#[test]
fn an_app_behind_tls_is_asked_only_if_its_certificate_is_good() {
    let (address, received) = tls_app();
    let url = format!("https://localhost:{}", address.port());
    let house = House::with(App::start(), Options::upstream(&url));
    assert_eq!(house.get("/x", "").status, 502);
    assert_eq!(*received.lock().unwrap(), "");

    let trusting = |url: &str| {
        let mut options = Options::upstream(url);
        let bundle = fixture("ca.pem");
        options.env.push((String::from("SSL_CERT_FILE"), bundle));
        House::with(App::start(), options)
    };
    let house = trusting(&url);
    assert_eq!(house.get("/x", "").text(), "secure");
    let seen = received.lock().unwrap().to_lowercase();
    assert!(
        seen.starts_with("get /x http/1.1\r\n") && seen.contains("remote-user: ann\r\n"),
        "{seen}"
    );
    assert_eq!(trusting(&format!("https://{address}")).get("/x", "").text(), "secure");
    // A good certificate of somebody else.
    received.lock().unwrap().clear();
    assert_eq!(
        trusting(&format!("https://127.0.0.2:{}", address.port())).get("/x", "").status,
        502
    );
    assert_eq!(*received.lock().unwrap(), "");
}

#[test]
fn an_app_behind_a_socket_file_is_told_the_same() {
    let folder = TempDir::new();
    let path = folder.join("app.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut stream = BufReader::new(stream);
            tell.send(crate::harness::read_head(&mut stream)).unwrap();
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi";
            stream.get_mut().write_all(answer).unwrap();
        }
    });
    let house = House::with(App::start(), Options::upstream(&format!("unix:{}", path.display())));
    assert_eq!(house.get("/x?y", "").text(), "hi");
    let head = told.recv_timeout(PATIENCE).unwrap();
    assert!(head.starts_with("GET /x?y HTTP/1.1\r\n"), "{head}");
    for line in ["host: app.test\r\n", "remote-user: ann\r\n", "x-forwarded-for: 127.0.0.1\r\n"] {
        assert!(head.to_lowercase().contains(line), "{head}");
    }
    std::fs::remove_file(&path).unwrap();
    assert_eq!(house.get("/x", "").status, 502);
}

#[test]
fn the_gateway_itself_listens_on_a_socket_file() {
    let app = App::start();
    let folder = TempDir::new();
    let path = folder.join("gateway.sock");
    let mut options = Options::upstream(&app.url());
    options.args.extend([String::from("--listen"), format!("unix:{}", path.display())]);
    options.server = String::from("public_url = \"http://127.0.0.1:8080\"");
    let gateway = Gateway::start(options);
    let mut stream = std::os::unix::net::UnixStream::connect(&path).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    let added = gateway.json(&["user", "add", "bob"], "");
    assert!(
        added["invite_url"].as_str().is_some_and(|url| url.starts_with("http://127.0.0.1:8080/"))
    );
    assert!(std::fs::metadata(&path).is_ok(), "still there while it runs");
}
