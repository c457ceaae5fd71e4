//! Clients that do not stop asking, and what became of what they asked.

use crate::harness::{PATIENCE, read_reply};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How a client asks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Over a connection for as long as that lasts.
    KeptAlive,
    /// Over a connection of its own each time.
    Anew,
    /// For a page of the gateway's, which needs the store, over a connection of its own.
    Pages,
}

/// What became of it.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    pub answered: usize,
    /// Connections that were not taken.
    pub refused: usize,
    /// Requests that were not answered as they should be.
    pub failed: Vec<String>,
    /// Answers that no longer know who asks.
    pub strangers: usize,
    /// Requests that met the end of a connection that was kept, and were sent once more.
    pub sent_again: usize,
    pub longest: Duration,
}

impl Figures {
    pub fn assert_whole(&self) {
        let Self { refused, strangers, .. } = *self;
        assert!(refused == 0 && strangers == 0 && self.failed.is_empty(), "{self:?}");
    }
}

/// Clients at work.
pub struct Load {
    is_over: Arc<AtomicBool>,
    done: Arc<AtomicUsize>,
    clients: Vec<JoinHandle<Figures>>,
}

impl Load {
    pub fn start(address: SocketAddr, cookie: &str, kinds: &[Kind]) -> Self {
        let (is_over, done) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let client = |kind: &Kind| {
            let (is_over, done) = (Arc::clone(&is_over), Arc::clone(&done));
            let (kind, cookie) = (*kind, cookie.to_owned());
            thread::spawn(move || {
                let mut client =
                    Client { address, cookie, kind, kept: None, figures: Figures::default() };
                while !is_over.load(Ordering::SeqCst) {
                    client.ask();
                    done.fetch_add(1, Ordering::SeqCst);
                }
                client.figures
            })
        };
        let clients = kinds.iter().map(client).collect();
        Self { is_over, done, clients }
    }

    /// Waits until so many more have been answered.
    pub fn go_on(&self, more: usize) {
        let wanted = self.done.load(Ordering::SeqCst) + more;
        while self.done.load(Ordering::SeqCst) < wanted {
            thread::yield_now();
        }
    }

    pub fn end(self) -> Figures {
        self.is_over.store(true, Ordering::SeqCst);
        let mut all = Figures::default();
        for client in self.clients {
            let one = client.join().unwrap();
            all.answered += one.answered;
            all.refused += one.refused;
            all.failed.extend(one.failed);
            all.strangers += one.strangers;
            all.sent_again += one.sent_again;
            all.longest = all.longest.max(one.longest);
        }
        all
    }
}

struct Client {
    address: SocketAddr,
    cookie: String,
    kind: Kind,
    kept: Option<BufReader<TcpStream>>,
    figures: Figures,
}

impl Client {
    /// Asks once, and once more where a connection that was kept had ended before any answer.
    fn ask(&mut self) {
        let began = Instant::now();
        if let Some(kept) = self.kept.take() {
            if self.over(kept) {
                self.figures.longest = self.figures.longest.max(began.elapsed());
                return;
            }
            self.figures.sent_again += 1;
        }
        match TcpStream::connect(self.address) {
            Ok(stream) => {
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                if !self.over(BufReader::new(stream)) {
                    self.figures.failed.push(String::from("a new connection ended unanswered"));
                }
            }
            Err(_) => self.figures.refused += 1,
        }
        self.figures.longest = self.figures.longest.max(began.elapsed());
    }

    /// Asks over this; false where it ended before the first byte of an answer.
    fn over(&mut self, mut stream: BufReader<TcpStream>) -> bool {
        let target = if self.kind == Kind::Pages { "/_vestibule/account" } else { "/app" };
        let last = if self.kind == Kind::KeptAlive { "" } else { "Connection: close\r\n" };
        let cookie = &self.cookie;
        let request =
            format!("GET {target} HTTP/1.1\r\nHost: app.test\r\nCookie: {cookie}\r\n{last}\r\n");
        let sent = stream.get_mut().write_all(request.as_bytes());
        if sent.is_err() || !stream.fill_buf().is_ok_and(|bytes| !bytes.is_empty()) {
            return false;
        }
        let reply = read_reply(&mut stream, false);
        match reply.status {
            200 => self.figures.answered += 1,
            302 | 303 | 401 => self.figures.strangers += 1,
            status => self.figures.failed.push(format!("{target}: {status} {}", reply.text())),
        }
        let ends = reply.header("connection").is_some_and(|value| value.contains("close"));
        if self.kind == Kind::KeptAlive && !ends {
            self.kept = Some(stream);
        }
        true
    }
}
