//! A service that answers with ranges of hashes, or does not.

use super::sha1;
use crate::harness::{App, serve_tls};
use std::fmt::Write as _;
use std::io::{Read as _, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

/// How the service answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// As it should.
    Good,
    /// It reads the question and then nothing comes.
    Silent,
    /// A head, and then nothing comes.
    HalfSilent,
    /// These bytes, and the end.
    Says(&'static str),
    /// A head without end.
    EndlessHead,
    /// A range without end.
    EndlessBody,
}

/// A service with a few stolen passwords, which can be told how to answer.
pub struct Ranges {
    pub app: App,
    mood: Arc<Mutex<Mood>>,
}

impl Ranges {
    pub fn start(stolen: &[&str], padding: &[&str]) -> Self {
        let mood = Arc::new(Mutex::new(Mood::Good));
        let (of_thread, known) = (Arc::clone(&mood), Known::new(stolen, padding));
        let app = App::serving(move |head, stream| {
            let mood = *of_thread.lock().unwrap();
            answer(mood, &known, head, stream);
            if matches!(mood, Mood::Silent | Mood::HalfSilent) {
                // Until the other side has had enough.
                let _ = stream.read(&mut [0; 64]);
            }
            false
        });
        Self { app, mood }
    }

    pub fn answer(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// The section that has a gateway ask it.
    pub fn config(&self, unanswered: &str) -> String {
        config(&self.app.url(), unanswered)
    }
}

pub fn config(url: &str, unanswered: &str) -> String {
    format!(
        "[password]\nbreached = \"api\"\nbreached_api_url = \"{url}\"\n\
         breached_unanswered = \"{unanswered}\"\n"
    )
}

/// Hashes, each with how often it was found.
#[derive(Clone)]
struct Known(Vec<(String, u32)>);

impl Known {
    fn new(stolen: &[&str], padding: &[&str]) -> Self {
        let counted = |list: &[&str], count| -> Vec<(String, u32)> {
            list.iter().map(|password| (sha1(password), count)).collect()
        };
        Self([counted(stolen, 7), counted(padding, 0)].concat())
    }

    fn range(&self, prefix: &str) -> String {
        let mut lines = String::new();
        for number in 0..800 {
            write!(lines, "{number:035X}:{}\r\n", number % 2).unwrap();
        }
        for (hash, count) in self.0.iter().filter(|(hash, _)| hash.starts_with(prefix)) {
            write!(lines, "{}:{count}\r\n", &hash[5..]).unwrap();
        }
        lines
    }
}

fn answer(mood: Mood, known: &Known, head: &str, stream: &mut impl Write) {
    const OK: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n";
    let target = head.split(' ').nth(1).unwrap();
    let range = known.range(target.strip_prefix("/range/").unwrap());
    let length = range.len();
    let whole = format!("{OK}Content-Length: {length}\r\n\r\n{range}");
    // Whoever has heard enough may leave.
    let _ = match mood {
        Mood::Good => stream.write_all(whole.as_bytes()),
        Mood::Silent => Ok(()),
        Mood::HalfSilent => stream.write_all(&whole.as_bytes()[..length / 2]),
        Mood::Says(text) => stream.write_all(text.as_bytes()),
        Mood::EndlessHead => {
            let _ = stream.write_all(OK.as_bytes());
            while stream.write_all(b"X-More: and more\r\n").is_ok() {}
            Ok(())
        }
        Mood::EndlessBody => {
            let _ = stream.write_all(format!("{OK}\r\n").as_bytes());
            while stream.write_all(range.as_bytes()).is_ok() {}
            Ok(())
        }
    };
}

/// A service behind TLS; the questions it could read.
pub fn over_tls(stolen: &[&str]) -> (SocketAddr, Arc<Mutex<String>>) {
    let received = Arc::new(Mutex::new(String::new()));
    let (of_thread, known) = (Arc::clone(&received), Known::new(stolen, &[]));
    let address = serve_tls(None, move |head, stream| {
        of_thread.lock().unwrap().push_str(head);
        answer(Mood::Good, &known, head, stream);
    });
    (address, received)
}
