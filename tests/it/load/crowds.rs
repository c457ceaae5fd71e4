//! Crowds, each from an address of its own and with one bad habit.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// A connection from another address of this machine.
pub async fn from(host: u8, to: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(([127, 0, 0, host], 0).into())?;
    socket.connect(to).await
}

/// What became of a crowd.
#[derive(Debug, Default)]
pub struct Fate {
    pub habit: &'static str,
    /// How many connections were opened.
    pub came: usize,
    /// How long the longest of them lasted.
    pub longest: Duration,
    /// How long it might have lasted.
    pub bound: Duration,
}

/// How long each of them is away.
const PAUSE: Duration = Duration::from_secs(1);

type Visit = fn(TcpStream) -> Pin<Box<dyn Future<Output = ()> + Send>>;

/// Many who do the same.
#[derive(Clone, Copy)]
pub struct Crowd {
    habit: &'static str,
    host: u8,
    many: usize,
    /// How long one connection may last, by the gateway's own deadlines.
    bound: Duration,
    /// What one of them does until its connection ends.
    visit: Visit,
}

pub fn all() -> [Crowd; 6] {
    // Ten seconds for a head, thirty for the whole of a form, sixty for an answer to be taken; and a
    // while on a busy machine.
    let [head, form, answer] = [14, 34, 64].map(Duration::from_secs);
    [
        Crowd {
            habit: "say nothing",
            host: 2,
            many: 120,
            bound: head,
            visit: |s| Box::pin(nothing(s)),
        },
        Crowd {
            habit: "heads by the byte",
            host: 3,
            many: 60,
            bound: head,
            visit: |s| Box::pin(head_by_byte(s)),
        },
        Crowd {
            habit: "forms by the byte",
            host: 4,
            many: 60,
            bound: form,
            visit: |s| Box::pin(form_by_byte(s)),
        },
        Crowd {
            habit: "heads without end",
            host: 5,
            many: 4,
            bound: head,
            visit: |s| Box::pin(endless_head(s)),
        },
        Crowd {
            habit: "requests taken back",
            host: 6,
            many: 2,
            bound: head,
            visit: |s| Box::pin(taken_back(s)),
        },
        Crowd {
            habit: "answers unread",
            host: 7,
            many: 8,
            bound: answer,
            visit: |s| Box::pin(unread(s)),
        },
    ]
}

impl Crowd {
    /// Comes again and again for so long.
    pub async fn besiege(self, address: SocketAddr, lasts: Duration) -> Fate {
        let until = Instant::now() + lasts;
        let mut visitors = JoinSet::new();
        for _ in 0..self.many {
            visitors.spawn(self.one(address, until));
        }
        let mut fate = Fate { habit: self.habit, bound: self.bound, ..Fate::default() };
        while let Some(one) = visitors.join_next().await {
            let (came, longest) = one.unwrap();
            fate.came += came;
            fate.longest = fate.longest.max(longest);
        }
        fate
    }

    async fn one(self, address: SocketAddr, until: Instant) -> (usize, Duration) {
        let (mut came, mut longest) = (0, Duration::ZERO);
        while Instant::now() < until {
            if let Ok(stream) = from(self.host, address).await {
                came += 1;
                let since = Instant::now();
                let left = until.saturating_duration_since(since);
                let _ = timeout(left, (self.visit)(stream)).await;
                longest = longest.max(since.elapsed());
            }
            sleep(PAUSE).await;
        }
        (came, longest)
    }
}

/// Waits for the end.
async fn nothing(mut stream: TcpStream) {
    let _ = stream.read_to_end(&mut Vec::new()).await;
}

/// Says something and then a byte at a time, until the end.
async fn by_byte(mut stream: TcpStream, first: &[u8]) {
    let _ = stream.write_all(first).await;
    let mut answer = Vec::new();
    loop {
        match timeout(Duration::from_secs(1), stream.read_buf(&mut answer)).await {
            Err(_) if stream.write_all(b"x").await.is_ok() => {}
            Ok(Ok(1..)) => {}
            _ => return,
        }
    }
}

async fn head_by_byte(stream: TcpStream) {
    by_byte(stream, b"GET / HTTP/1.1\r\nHost: a\r\nX: ").await;
}

async fn form_by_byte(stream: TcpStream) {
    let head = b"POST /_vestibule/login HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\
        Content-Type: application/x-www-form-urlencoded\r\n\r\n";
    by_byte(stream, head).await;
}

async fn endless_head(mut stream: TcpStream) {
    let _ = stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n").await;
    while stream.write_all(b"X-Header: one of very many\r\n").await.is_ok() {}
}

/// How many requests were taken back.
pub static TAKEN_BACK: AtomicUsize = AtomicUsize::new(0);

/// Asks and takes it back at once, as fast as it goes.
async fn taken_back(stream: TcpStream) {
    let Ok((mut sender, connection)) = h2::client::handshake(stream).await else { return };
    let connection = tokio::spawn(connection);
    while let Ok(ready) = sender.ready().await {
        sender = ready;
        let request = http::Request::get("http://a.test/_vestibule/login").body(()).unwrap();
        let Ok((_, mut sending)) = sender.send_request(request, false) else { break };
        sending.send_reset(h2::Reason::CANCEL);
        TAKEN_BACK.fetch_add(1, Ordering::Relaxed);
        tokio::task::yield_now().await;
    }
    connection.abort();
}

/// Asks for page after page and reads none.
async fn unread(mut stream: TcpStream) {
    let request = b"GET /_vestibule/login HTTP/1.1\r\nHost: a\r\n\r\n";
    while stream.write_all(request).await.is_ok() {
        sleep(Duration::from_millis(5)).await;
    }
}
