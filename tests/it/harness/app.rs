//! An app behind the gateway: it keeps every byte it receives, and answers what it is told to.

use super::http::PATIENCE;
use std::io::{BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

type Received = Arc<Mutex<Vec<u8>>>;

/// The app. It serves until the test process ends.
pub struct App {
    pub address: SocketAddr,
    received: Received,
}

impl App {
    /// Answers every request with 200 and a short text.
    pub fn start() -> Self {
        Self::answering("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
    }

    /// Answers every request with these bytes.
    pub fn answering(answer: &str) -> Self {
        let answer = answer.to_owned();
        Self::serving(move |_, stream| stream.write_all(answer.as_bytes()).is_ok())
    }

    /// Hands each request (its head, and as much of its body as came with it) to a function that
    /// writes the answer and says whether the connection goes on.
    pub fn serving(serve: impl Fn(&str, &mut TcpStream) -> bool + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let received = Received::default();
        let (of_thread, serve) = (Arc::clone(&received), Arc::new(serve));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (received, serve) = (Arc::clone(&of_thread), Arc::clone(&serve));
                std::thread::spawn(move || connection(stream, &received, &*serve));
            }
        });
        Self { address, received }
    }

    /// Hands each connection to a function that reads and writes by itself; nothing is kept.
    pub fn by_hand(serve: impl Fn(BufReader<TcpStream>) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let serve = Arc::new(serve);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                let serve = Arc::clone(&serve);
                std::thread::spawn(move || serve(BufReader::new(stream)));
            }
        });
        Self { address, received: Received::default() }
    }

    /// Where it is, as an upstream.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Everything it received so far, as text.
    pub fn received(&self) -> String {
        String::from_utf8_lossy(&self.received.lock().unwrap()).into_owned()
    }

    /// Everything it received so far; forgotten with that.
    pub fn take_received(&self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut *self.received.lock().unwrap())).into_owned()
    }
}

fn connection(
    mut stream: TcpStream,
    received: &Received,
    serve: &(dyn Fn(&str, &mut TcpStream) -> bool + Send + Sync),
) {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let (mut pending, mut buffer) = (Vec::new(), [0; 16 * 1024]);
    while let Ok(count) = stream.read(&mut buffer) {
        if count == 0 {
            return;
        }
        received.lock().unwrap().extend_from_slice(&buffer[..count]);
        pending.extend_from_slice(&buffer[..count]);
        // One request at a time; a body is read until its end before the answer.
        while let Some(length) = complete(&pending) {
            let rest = pending.split_off(length);
            let request = String::from_utf8_lossy(&pending).into_owned();
            pending = rest;
            if !serve(&request, &mut stream) {
                return;
            }
        }
    }
}

/// How long the first request in the buffer is, if it is there to its end.
fn complete(bytes: &[u8]) -> Option<usize> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
    if head.contains("transfer-encoding: chunked") {
        let close = bytes[end..].windows(5).position(|five| five == b"0\r\n\r\n")?;
        return Some(end + close + 5);
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
    (bytes.len() >= end + length).then_some(end + length)
}
