//! The same over HTTP/2, where many requests share a connection, and people do behind a proxy.

use super::{echo, target, user};
use crate::harness::{App, H2App, House, Options, Person, h2_body, h2_connect, read_head};
use crate::harness::{PATIENCE, h2_data, h2_exchange, session_of};
use bytes::Bytes;
use h2::Reason;
use h2::client::{ResponseFuture, SendRequest};
use http::{HeaderMap, Request};
use std::collections::HashSet;
use std::io::{Read as _, Write as _};
use std::sync::{Arc, Mutex};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Somebody at a connection.
#[derive(Clone)]
struct Asker {
    name: &'static str,
    cookie: String,
    /// Where a proxy in between says they come from.
    from: &'static str,
    sender: SendRequest<Bytes>,
}

impl Asker {
    fn request(&self, method: &str, target: &str) -> http::request::Builder {
        Request::builder()
            .method(method)
            .uri(format!("http://a.test{target}"))
            .header("cookie", &self.cookie)
            .header("x-forwarded-for", self.from)
    }

    /// Begins an upload of so many bytes, of which these come.
    async fn upload(
        &self,
        target: &str,
        body: &[u8],
        end: bool,
    ) -> (ResponseFuture, h2::SendStream<Bytes>) {
        let request =
            self.request("POST", target).header("content-length", self.body(target).len());
        let mut sender = self.sender.clone().ready().await.unwrap();
        let (answer, mut sending) = sender.send_request(request.body(()).unwrap(), false).unwrap();
        sending.send_data(Bytes::copy_from_slice(body), end).unwrap();
        (answer, sending)
    }

    /// What they send, longer than a frame or two.
    fn body(&self, target: &str) -> Vec<u8> {
        format!("{} at {target};", self.name).repeat(2_000).into_bytes()
    }

    /// Checks that an answer is theirs.
    fn own(&self, headers: &HeaderMap, target: &str) {
        let told = ["x-for", "x-target"].map(|name| headers[name].to_str().unwrap());
        assert_eq!(told, [self.name, target]);
    }

    async fn gets(&self, target: &str) {
        let request = self.request("GET", target).body(()).unwrap();
        let reply = h2_exchange(&self.sender, request, b"").await.unwrap();
        let told = ["x-for", "x-target"].map(|name| reply.header(name));
        assert_eq!(told, [Some(self.name), Some(target)]);
    }

    async fn goes(&self, target: &str, manner: usize) {
        let body = self.body(target);
        match manner {
            0 => self.gets(target).await,
            // Whole.
            1 | 2 => {
                let (answer, _) = self.upload(target, &body, true).await;
                let answer = timeout(PATIENCE, answer).await.unwrap().unwrap();
                self.own(answer.headers(), target);
                let echoed = h2_body(&mut answer.into_body()).await.unwrap();
                assert!(echoed.ends_with(&body), "{target}");
            }
            // Given up in the midst of it, at once or when the app has half.
            3 | 4 => {
                let half = &body[..body.len() / 2];
                let (_answer, mut sending) = self.upload(target, half, false).await;
                if manner == 4 {
                    self.gets(&format!("{target}/meanwhile")).await;
                }
                sending.send_reset(Reason::CANCEL);
            }
            // Given up before the answer.
            5 => drop(self.upload(target, &body, true).await),
            // Given up with the first of the answer.
            _ => {
                let (answer, _) = self.upload(target, &body, true).await;
                let answer = timeout(PATIENCE, answer).await.unwrap().unwrap();
                self.own(answer.headers(), target);
                let mut receiving = answer.into_body();
                let first = h2_data(&mut receiving).await.unwrap().unwrap();
                // It may be as short as a byte.
                assert!(first.iter().zip(self.name.bytes()).all(|(a, b)| *a == b), "{target}");
            }
        }
    }
}

/// Sends hundreds of requests of two people, eight at a time.
async fn interleave(people: [Asker; 2], kind: &str) {
    let mut workers = JoinSet::new();
    for worker in 0..8 {
        let (people, kind) = (people.clone(), kind.to_owned());
        workers.spawn(async move {
            for round in 0..42 {
                let asker = &people[(worker + round) % 2];
                let target = format!("/{}/{kind}/{worker}/{round}", asker.name);
                asker.goes(&target, (worker * 3 + round) % 7).await;
            }
        });
    }
    while let Some(done) = workers.join_next().await {
        done.unwrap();
    }
}

/// Two people, each on a connection of their own, and then both on the one of a proxy in between.
async fn two_people(house: &House) {
    let bob = session_of(&Person::add(&house.gateway, "bob"), &house.gateway);
    let asker = async |name, cookie: &str, from| Asker {
        name,
        cookie: cookie.to_owned(),
        from,
        sender: h2_connect(house.gateway.address).await,
    };
    let ann = asker("ann", &house.cookie, "192.0.2.1").await;
    let bob = asker("bob", &bob, "192.0.2.2").await;
    interleave([ann.clone(), bob.clone()], "apart").await;
    let beside = Asker { sender: ann.sender.clone(), ..bob };
    interleave([ann, beside], "together").await;
}

fn believing(url: &str) -> Options {
    let server = "trusted_proxies = [\"127.0.0.1\"]".into();
    Options { server, ..Options::upstream(url) }
}

/// Checks what an app has seen: each request once, under the name and from the address of whoever
/// sent it.
fn all_their_own(seen: &[(String, String, String)]) {
    for (user, target, from) in seen {
        assert!(target.starts_with(&format!("/{user}/")), "{user}: {target}");
        assert_eq!(from, if user == "ann" { "192.0.2.1" } else { "192.0.2.2" }, "{target}");
    }
    let targets: HashSet<_> = seen.iter().map(|(_, target, _)| target).collect();
    assert_eq!(targets.len(), seen.len(), "nothing is sent twice");
    // Four of seven are whole.
    assert!(seen.len() >= 380, "{} of 672 requests reached the app", seen.len());
}

#[tokio::test]
async fn two_peoples_interleaved_and_cancelled_streams_never_mix_before_an_app_of_http_1() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let of_app = Arc::clone(&seen);
    let app = App::serving(move |request, stream| {
        let from = request.lines().find_map(|line| line.strip_prefix("x-forwarded-for: "));
        let (user, target) = (user(request).to_owned(), target(request).to_owned());
        of_app.lock().unwrap().push((user, target, from.unwrap_or_default().to_owned()));
        stream.write_all(echo(request).as_bytes()).is_ok()
    });
    let options = believing(&app.url());
    two_people(&House::with(app, options)).await;
    all_their_own(&seen.lock().unwrap());
}

#[tokio::test]
async fn two_peoples_interleaved_and_cancelled_streams_never_mix_before_an_app_of_http_2() {
    let app = H2App::start();
    let house = House::with(App::start(), believing(&format!("h2c://{}", app.address)));
    two_people(&house).await;
    let seen: Vec<_> = app
        .received()
        .into_iter()
        .map(|(_, uri, headers)| {
            let told = ["remote-user", "x-forwarded-for"];
            let [user, from] = told.map(|name| headers[name].to_str().unwrap().to_owned());
            (user, uri.path().to_owned(), from)
        })
        .collect();
    all_their_own(&seen);
}

/// An app that answers each request before it reads its body, with the name of whoever asks.
fn hasty_app() -> App {
    App::by_hand(|mut stream| {
        loop {
            let head = read_head(&mut stream);
            if head.is_empty() {
                return;
            }
            let head = head.to_lowercase();
            if stream.get_mut().write_all(echo(&head).as_bytes()).is_err() {
                return;
            }
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length = length.map_or(0, |length| length.parse().unwrap());
            let mut body = stream.by_ref().take(length);
            let read = std::io::copy(&mut body, &mut std::io::sink());
            if read.ok() != Some(length) {
                return;
            }
        }
    })
}

/// An answer that comes before the body was read: what is missing of the body would be taken from
/// the next request on the app's connection, whoever's it is.
#[tokio::test]
async fn an_early_answer_over_http_2_leaves_nothing_of_the_body_to_the_next_request() {
    let house = House::around(hasty_app());
    let bob = session_of(&Person::add(&house.gateway, "bob"), &house.gateway);
    let sender = h2_connect(house.gateway.address).await;
    let evil = "GET /smuggled HTTP/1.1\r\nHost: a\r\nRemote-User: root\r\n\r\n";
    let body = evil.repeat(1_000);
    for sent in [0, 1, evil.len(), body.len() / 2, body.len() - 1, body.len()] {
        for cancelled in [true, false] {
            let request = Request::post("http://a.test/up").header("cookie", &house.cookie);
            let request = request.header("content-length", body.len()).body(()).unwrap();
            let mut sender = sender.clone().ready().await.unwrap();
            let (answer, mut sending) = sender.send_request(request, false).unwrap();
            let answer = timeout(PATIENCE, answer).await.unwrap().unwrap();
            assert_eq!(h2_body(&mut answer.into_body()).await.unwrap(), b"ann /up ");
            // The answer is there; now comes some of the body, or all of it.
            let end = sent == body.len();
            let _ = sending.send_data(Bytes::copy_from_slice(&body.as_bytes()[..sent]), end);
            if cancelled {
                sending.send_reset(Reason::CANCEL);
            }
            for (name, cookie) in [("bob", &bob), ("ann", &house.cookie)] {
                let next = Request::get("http://a.test/next").header("cookie", cookie);
                let reply = h2_exchange(&sender, next.body(()).unwrap(), b"").await.unwrap();
                assert_eq!(reply.text(), format!("{name} /next "), "after {sent} bytes");
            }
        }
    }
}
