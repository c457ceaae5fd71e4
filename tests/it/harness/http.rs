//! HTTP/1.1 spoken by hand, so that anything can be said.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long a test waits before it calls the gateway hung.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// An answer.
#[derive(Debug, Default)]
pub struct Reply {
    pub status: u16,
    /// Names in lower case, in the order received.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    pub fn headers_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Sends bytes as they are and gives back everything that comes until the other side closes.
pub fn send_raw(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = connect(address);
    // The gateway may refuse before it has read everything.
    let _ = stream.write_all(bytes);
    let mut received = Vec::new();
    let _ = stream.read_to_end(&mut received);
    received
}

/// Sends one request and reads its answer; the connection is closed afterwards. Status 0 where
/// nobody listens, or the answer is not there to its end: a gateway may be killed at any moment.
pub fn exchange(address: SocketAddr, request: &[u8]) -> Reply {
    let Ok(mut stream) = TcpStream::connect(address) else { return Reply::default() };
    bound(&stream);
    let _ = stream.write_all(request);
    let is_head = request.starts_with(b"HEAD ");
    read_reply(&mut BufReader::new(stream), is_head)
}

/// A connection that gives up rather than hang a test.
pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    bound(&stream);
    stream
}

fn bound(stream: &TcpStream) {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
}

/// Reads one final answer (1xx are passed over); status 0 where the connection just ended.
pub fn read_reply<R: Read>(stream: &mut BufReader<R>, is_head: bool) -> Reply {
    loop {
        let mut reply = Reply::default();
        let Some(line) = read_line(stream) else { return reply };
        reply.status = line.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
        loop {
            let Some(line) = read_line(stream) else { return Reply::default() };
            if line.is_empty() {
                break;
            }
            let Some((name, value)) = line.split_once(':') else { return Reply::default() };
            reply.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        if (100..200).contains(&reply.status) && reply.status != 101 {
            continue;
        }
        if !is_head && ![101, 204, 304].contains(&reply.status) {
            match read_body(stream, &reply) {
                Ok(body) => reply.body = body,
                Err(_) => return Reply::default(),
            }
        }
        return reply;
    }
}

fn read_line<R: Read>(stream: &mut BufReader<R>) -> Option<String> {
    let mut line = Vec::new();
    match stream.read_until(b'\n', &mut line) {
        Ok(0) | Err(_) => None,
        Ok(_) => Some(String::from_utf8_lossy(&line).trim_end().to_owned()),
    }
}

fn read_body<R: Read>(stream: &mut BufReader<R>, reply: &Reply) -> std::io::Result<Vec<u8>> {
    let mut body = Vec::new();
    if reply.header("transfer-encoding") == Some("chunked") {
        while let Some(line) = read_line(stream) {
            let size = usize::from_str_radix(line.split(';').next().unwrap().trim(), 16).unwrap();
            let mut chunk = vec![0; size];
            stream.read_exact(&mut chunk)?;
            body.extend(chunk);
            read_line(stream);
            if size == 0 {
                return Ok(body);
            }
        }
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    if let Some(length) = reply.header("content-length") {
        body = vec![0; length.parse().unwrap()];
        stream.read_exact(&mut body)?;
    } else {
        let _ = stream.read_to_end(&mut body);
    }
    Ok(body)
}

/// Reads one head, up to its empty line; what came before the end where there is none.
pub fn read_head<R: Read>(stream: &mut BufReader<R>) -> String {
    let mut head = String::new();
    while let Some(line) = read_line(stream) {
        head.push_str(&line);
        head.push_str("\r\n");
        if line.is_empty() {
            break;
        }
    }
    head
}

/// Reads until these bytes have come; panics where the end comes first.
pub fn read_until<R: Read>(stream: &mut BufReader<R>, wanted: &str) -> String {
    let mut seen = Vec::new();
    while !seen.ends_with(wanted.as_bytes()) {
        let mut byte = [0];
        let read = stream.read(&mut byte);
        let text = || String::from_utf8_lossy(&seen).into_owned();
        assert!(matches!(read, Ok(1)), "{read:?} before {wanted:?}, after {:?}", text());
        seen.push(byte[0]);
    }
    String::from_utf8_lossy(&seen).into_owned()
}
