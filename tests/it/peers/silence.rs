//! A gateway that does not answer.

use super::proxy::{Proxy, Running, free};
use crate::harness::{App, read_reply};
use std::io::{BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Nobody passes, whether nobody listens or nobody answers, and everybody is told so in time.
pub fn nobody_passes(proxy: Proxy) {
    let app = App::start();
    let hung = App::by_hand(|mut stream| {
        // Reads whatever comes until the other side has had enough.
        let mut buffer = [0; 1024];
        while !matches!(stream.read(&mut buffer), Ok(0)) {}
    });
    let down = free();
    for (gateway, most) in [(down, 10), (hung.address.port(), patience_of(proxy))] {
        let running = Running::start(proxy, free(), gateway, app.address.port());
        // One that waits for half a minute is asked once.
        let targets = if most > 20 { &["/public"][..] } else { &["/x", "/public"] };
        for target in targets {
            let (status, lasted) = ask(running.address(), target);
            assert!((400..600).contains(&status), "{proxy:?} {target}: {status}");
            assert!(lasted < Duration::from_secs(most), "{proxy:?} {target}: {lasted:?}");
        }
        assert_eq!(app.received(), "", "{proxy:?}");
    }
}

/// How many seconds it may wait. Traefik's half minute cannot be set.
const fn patience_of(proxy: Proxy) -> u64 {
    if matches!(proxy, Proxy::Traefik) { 35 } else { 15 }
}

/// Asks for the app; the status, and how long it took. Asks again where nothing is there yet.
fn ask(address: SocketAddr, target: &str) -> (u16, Duration) {
    loop {
        let began = Instant::now();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let head = format!("GET {target} HTTP/1.1\r\nHost: app.example.localhost\r\n");
        stream.write_all(format!("{head}Cookie: vestibule=x\r\n\r\n").as_bytes()).unwrap();
        let status = read_reply(&mut BufReader::new(stream), false).status;
        if status != 404 {
            return (status, began.elapsed());
        }
    }
}
