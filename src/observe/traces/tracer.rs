//! What is put down of requests while they last, and the queue of what is told of them.

use super::context::{Context, SAMPLED};
use super::steps::{Step, Steps};
use super::{Passage, TraceSettings};
use crate::observe::Access;
use crate::types::RequestId;
use std::iter;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// How many ended requests may wait to be sent.
const QUEUE: usize = 8192;

/// Of a path, no more bytes than this are told: what waits is to be small.
const PATH: usize = 1024;

/// How long whoever stops waits for what is left to be sent.
const FLUSH: Duration = Duration::from_secs(3);

/// Trace identifiers of which these bits are below a border are sampled, by the custom of others.
const CHANCE: u128 = (1 << 56) - 1;

/// Tells of requests.
#[derive(Default)]
pub struct Tracer(Option<Arc<Shared>>);

struct Shared {
    /// Below it, a trace that begins here is told.
    border: u128,
    queue: mpsc::Sender<Ended>,
    flushes: mpsc::Sender<oneshot::Sender<()>>,
    sent: AtomicU64,
    dropped: AtomicU64,
}

/// What is put down of one request.
#[derive(Default)]
pub struct Trace(Option<Box<Open>>);

struct Open {
    began: Instant,
    id: RequestId,
    /// The span of the whole.
    server: Context,
    /// The span of what the app is asked.
    client: u64,
    parent: Option<u64>,
    link: Option<Context>,
    asked: Option<Instant>,
    steps: Steps,
}

/// What is told of a request that is over.
#[derive(Clone, Debug)]
pub struct Ended {
    pub(super) id: RequestId,
    pub(super) server: Context,
    pub(super) parent: Option<u64>,
    /// What a stranger said it belongs to.
    pub(super) link: Option<Context>,
    pub(super) began: Instant,
    pub(super) over: Instant,
    pub(super) method: Box<str>,
    pub(super) host: Box<str>,
    pub(super) path: Box<str>,
    pub(super) route: Option<Box<str>>,
    pub(super) verdict: &'static str,
    pub(super) reason: Option<Box<str>>,
    pub(super) status: u16,
    pub(super) passage: Passage,
    /// The span of what the app was asked, and since when.
    pub(super) asked: Option<(u64, Instant)>,
    pub(super) steps: Vec<(u64, Step)>,
}

/// The other end of the queue.
pub struct Finished {
    shared: Arc<Shared>,
    queue: mpsc::Receiver<Ended>,
    flushes: mpsc::Receiver<oneshot::Sender<()>>,
}

impl Tracer {
    /// Tells of requests as these settings say, and where they are to be taken from; of none
    /// without settings.
    pub fn new(settings: Option<&TraceSettings>) -> (Self, Option<Finished>) {
        let Some(settings) = settings else { return (Self::default(), None) };
        let ((queue, taken), (flushes, asked)) = (mpsc::channel(QUEUE), mpsc::channel(1));
        let (sent, dropped) = (AtomicU64::new(0), AtomicU64::new(0));
        let border = border(settings.sample);
        let shared = Arc::new(Shared { border, queue, flushes, sent, dropped });
        let finished = Finished { shared: Arc::clone(&shared), queue: taken, flushes: asked };
        (Self(Some(shared)), Some(finished))
    }

    /// Begins to put down a request. `told`: whether its sender is believed, and the trace that it
    /// names. One that is believed says which trace goes on and whether that is kept; what anybody
    /// else says is a link and no more, so that no stranger gets into a trace or has one kept.
    pub fn begin<'t>(
        &self,
        id: RequestId,
        began: Instant,
        told: impl FnOnce() -> (bool, Option<&'t [u8]>),
    ) -> Trace {
        let Some(shared) = &self.0 else { return Trace(None) };
        let (is_believed, named) = told();
        let named = named.and_then(Context::parse);
        let parent = named.filter(|_| is_believed);
        let span = mixed(id, 2);
        let server = parent.map_or_else(
            || Context { span, ..shared.root(id) },
            |parent| Context { span, ..parent },
        );
        let steps = if server.is_sampled() { Steps::new() } else { Steps::default() };
        let (client, link) = (mixed(id, 3), named.filter(|_| !is_believed));
        let parent = parent.map(|parent| parent.span);
        Trace(Some(Box::new(Open { began, id, server, client, parent, link, asked: None, steps })))
    }

    /// Waits until what was told before has been sent, as far as that can be done soon.
    pub async fn flush(&self) {
        let Some(shared) = &self.0 else { return };
        let flushed = async {
            let (reply, done) = oneshot::channel();
            if shared.flushes.send(reply).await.is_ok() {
                let _ = done.await;
            }
        };
        // Nobody waits for a collector for long.
        let _ = timeout(FLUSH, flushed).await;
    }

    /// How many were sent, and how many dropped; nothing where none are told of.
    pub fn counts(&self) -> Option<(u64, u64)> {
        let number = |number: &AtomicU64| number.load(Ordering::Relaxed);
        self.0.as_ref().map(|shared| (number(&shared.sent), number(&shared.dropped)))
    }
}

impl Shared {
    /// A trace that begins with this request.
    fn root(&self, id: RequestId) -> Context {
        let trace = u128::from(mixed(id, 0)) << 64 | u128::from(mixed(id, 1));
        let flags = if trace & CHANCE < self.border { SAMPLED } else { 0 };
        Context { trace, span: 0, flags }
    }
}

impl Trace {
    /// The trace as the app is told it, as part of what it is asked.
    pub fn told(&self) -> Option<String> {
        let open = self.0.as_ref()?;
        Some(Context { span: open.client, ..open.server }.to_string())
    }

    /// Whether it is a trace that began elsewhere.
    pub fn is_continued(&self) -> bool {
        self.0.as_ref().is_some_and(|open| open.parent.is_some())
    }

    /// The app is about to be asked, for the first time or again.
    pub fn asks(&mut self) {
        if let Some(open) = &mut self.0 {
            open.asked.get_or_insert_with(Instant::now);
        }
    }

    /// Where its steps are put down.
    pub fn steps(&self) -> Steps {
        self.0.as_ref().map(|open| open.steps.clone()).unwrap_or_default()
    }

    /// The request is over: tells of it, where its trace is kept.
    pub fn end(self, tracer: &Tracer, access: &Access<'_>, passage: impl FnOnce() -> Passage) {
        let (Some(open), Some(shared)) = (self.0, &tracer.0) else { return };
        if open.server.is_sampled() && shared.queue.try_send(open.ended(access, passage())).is_err()
        {
            shared.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Open {
    fn ended(self, access: &Access<'_>, passage: Passage) -> Ended {
        let steps = self.steps.take();
        let names = (4..).map(|which| mixed(self.id, which));
        Ended {
            id: self.id,
            server: self.server,
            parent: self.parent,
            link: self.link,
            began: self.began,
            over: Instant::now(),
            method: method(access.method).into(),
            host: access.host.into(),
            path: path(access).into(),
            route: access.route.map(|route| route.name().into()),
            verdict: access.outcome.name(),
            reason: access.reason.map(Into::into),
            status: access.status,
            passage,
            asked: self.asked.map(|since| (self.client, since)),
            steps: iter::zip(names, steps).collect(),
        }
    }
}

/// The method, by the names that there are: others are anybody's to choose.
fn method(method: &str) -> &str {
    const KNOWN: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"];
    if KNOWN.contains(&method) { method } else { "_OTHER" }
}

/// What is told of the path: the names of people that are in paths of our own are not.
fn path(access: &Access<'_>) -> String {
    const PEOPLE: &str = "/admin/users/";
    let path = access.path.get(..access.path.floor_char_boundary(PATH)).unwrap_or_default();
    let people = path.split_once(PEOPLE).filter(|_| access.route.is_none());
    let Some((before, after)) = people else { return path.to_owned() };
    let rest = after.split_once('/').map(|(_, rest)| format!("/{rest}"));
    format!("{before}{PEOPLE}{{name}}{}", rest.unwrap_or_default())
}

impl Finished {
    /// What waits, up to so many.
    pub fn take(&mut self, most: usize) -> Vec<Ended> {
        iter::from_fn(|| self.queue.try_recv().ok()).take(most).collect()
    }

    /// Waits until somebody asks for what is left to be sent, and is to be told when it is.
    pub async fn flush(&mut self) -> Option<oneshot::Sender<()>> {
        self.flushes.recv().await
    }

    /// So many were sent.
    pub fn sent(&self, count: usize) {
        self.shared.sent.fetch_add(count as u64, Ordering::Relaxed);
    }

    /// So many could not be.
    pub fn dropped(&self, count: usize) {
        self.shared.dropped.fetch_add(count as u64, Ordering::Relaxed);
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a part between none and all of them"
)]
fn border(sample: f64) -> u128 {
    (sample.clamp(0.0, 1.0) * (CHANCE + 1) as f64) as u128
}

/// A name that looks like chance and is no other's, of this process or (as likely as not at all) of
/// others: requests are numbered beside a number of the process that is chance. `SplitMix64`.
fn mixed(id: RequestId, which: u64) -> u64 {
    let (process, number) = id.parts();
    let step = number.wrapping_mul(64).wrapping_add(which).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = process.wrapping_add(step);
    let z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    // None is called nothing.
    (z ^ z >> 31).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::Outcome;
    use crate::types::Timestamp;
    use std::collections::HashSet;

    fn tracer(sample: f64) -> (Tracer, Finished) {
        let endpoint = http::Uri::from_static("http://c/v1/traces");
        let settings =
            TraceSettings { endpoint, sample, service: String::new(), headers: Vec::new() };
        let (tracer, finished) = Tracer::new(Some(&settings));
        (tracer, finished.unwrap())
    }

    fn id(process: u64, number: u64) -> RequestId {
        RequestId::from_bytes((u128::from(process) << 64 | u128::from(number)).to_be_bytes())
    }

    fn request(tracer: &Tracer, id: RequestId) -> String {
        let mut trace = tracer.begin(id, Instant::now(), || (false, None));
        trace.asks();
        let told = trace.told().unwrap();
        let access = Access {
            route: None,
            at: Timestamp::from_secs(0),
            id: Some(id),
            client: None,
            method: "GET",
            host: "a",
            path: "/",
            user: None,
            outcome: Outcome::Allowed,
            status: 200,
            micros: 0,
            reason: None,
        };
        let passage = || Passage { version: "2", https: true, app: None, resent: 0 };
        trace.end(tracer, &access, passage);
        told
    }

    #[test]
    fn what_nobody_takes_is_dropped_and_counted_and_the_rest_waits() {
        let (tracer, mut finished) = tracer(1.0);
        for number in 0..QUEUE as u64 + 7 {
            request(&tracer, id(1, number));
        }
        assert_eq!(tracer.counts(), Some((0, 7)));
        assert_eq!(finished.take(500).len(), 500);
        assert_eq!(finished.take(QUEUE).len(), QUEUE - 500);
        finished.sent(QUEUE);
        assert_eq!(tracer.counts(), Some((QUEUE as u64, 7)));
    }

    #[test]
    fn the_part_is_kept_that_was_asked_for() {
        for (sample, fewest, most) in
            [(0.0, 0, 0), (0.1, 850, 1150), (0.5, 4800, 5200), (1.0, 10_000, 10_000)]
        {
            let (tracer, _) = tracer(sample);
            let is_kept = |n: &u64| request(&tracer, id(0x1234_5678, *n)).ends_with("-01");
            let kept = (0..10_000).filter(is_kept).count();
            assert!((fewest..=most).contains(&kept), "{kept} of {sample}");
        }
    }

    #[test]
    fn no_two_spans_of_a_process_are_called_alike() {
        let mut seen = HashSet::new();
        for number in 0..1000 {
            for which in 0..64 {
                assert!(seen.insert(mixed(id(7, number), which)), "{number} {which}");
            }
        }
    }
}
