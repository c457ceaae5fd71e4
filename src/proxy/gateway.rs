//! What lives as long as the process: requests come and go, and so does what is in force.
//!
//! `door` plugs this into the engine's hooks, `in_force` decides what becomes of a request.

use super::apps::{App, Choice};
use super::client::Way;
use super::door::Door;
use super::ending::Unheard;
use super::guard::{Busy, Connections, Front, GuardSettings, Passed, Refused};
use super::health::{HealthCheck, checks};
use super::in_force::{InForce, Parts};
use super::serve::Serving;
use super::streams::{Entry, OpenStream, Streams};
use super::tls::{Challenges, Expiry, Fetching, Handshake};
use super::uploads::{STANDSTILL, Watched};
use super::upstream::Upstream;
use super::waits::{Wait, Waits};
use crate::domain::Place;
use crate::observe::traces::{Trace, Tracer};
use crate::observe::{Access, Level, Outcome};
use crate::service::{LiveSession, Permit, Service};
use crate::types::{ClientAddr, Host, RequestCx, RequestId};
use arc_swap::ArcSwap;
use http::{HeaderValue, Method};
use pingora::apps::HttpServerOptions;
use pingora::proxy::http_proxy;
use pingora::server::configuration::ServerConf;
use std::io;
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// How many workers there are: one a core, where nothing else is asked for.
fn workers(asked: usize) -> usize {
    if asked > 0 { asked } else { thread::available_parallelism().map_or(1, NonZero::get) }
}

/// How long names of apps may keep what is to be in force from being so.
const NAMES: Duration = Duration::from_secs(5);

/// How many connections to apps a worker keeps at most that nobody uses.
const KEPT: usize = 128;

/// How long an HTTP/2 connection may carry nothing.
const H2_IDLE: Duration = Duration::from_secs(60);

/// The data path.
pub struct Gateway {
    /// What requests are judged by. Each looks once, so that it is judged by one and the same to
    /// its end.
    in_force: ArcSwap<InForce>,
    pub(super) streams: Arc<Streams>,
    pub(super) waits: Arc<Waits>,
    challenges: Arc<Challenges>,
    connections: Arc<Connections>,
    workers: usize,
    started: Instant,
    seed: u64,
    requests: AtomicU64,
    pub(super) tracer: Tracer,
}

/// What is known of a request while it lasts.
pub(super) struct Ctx {
    pub(super) began: Instant,
    pub(super) arrival: Option<Arrival>,
    /// Its app, among those of what was in force when it arrived.
    pub(super) app: Option<Place>,
    pub(super) permit: Option<Permit>,
    pub(super) person: Option<Arc<LiveSession>>,
    pub(super) tried: Vec<Choice>,
    pub(super) stream: Option<Entry>,
    /// Over HTTP/2, that its connection is in use.
    pub(super) busy: Option<Busy>,
    /// That it only waits for its app.
    pub(super) passed: Option<Passed>,
    pub(super) wait: Option<Wait>,
    /// By what its line can be written where it is let go of in the midst of something.
    pub(super) unheard: Option<Box<Unheard>>,
    /// So much of the body the app has been sent.
    pub(super) sent: u64,
    pub(super) outcome: Outcome,
    pub(super) reason: Option<&'static str>,
    /// What another proxy asks about: a method, a host and a path.
    pub(super) about: Option<(Method, Host, String)>,
    pub(super) trace: Trace,
}

/// What is known of a request once its head is in order.
pub(super) struct Arrival {
    /// What it is judged by.
    pub(super) force: Arc<InForce>,
    pub(super) cx: RequestCx,
    pub(super) way: Way,
    /// Whether the client came by TCP and without TLS.
    pub(super) is_plain: bool,
    pub(super) host: Host,
    /// The client's address, as text that can be told on.
    pub(super) client: HeaderValue,
    /// What the client called the host, likewise.
    pub(super) authority: HeaderValue,
}

impl Ctx {
    pub(super) fn new() -> Self {
        Self {
            began: Instant::now(),
            arrival: None,
            app: None,
            permit: None,
            person: None,
            tried: Vec::new(),
            busy: None,
            passed: None,
            stream: None,
            wait: None,
            unheard: None,
            sent: 0,
            outcome: Outcome::Failed,
            reason: None,
            about: None,
            trace: Trace::default(),
        }
    }

    /// The app it is for.
    pub(super) fn app(&self) -> Option<&App> {
        self.arrival.as_ref()?.force.app(self.app?)
    }

    /// Notes what became of it, for the log.
    pub(super) fn note(&mut self, outcome: Outcome, reason: &'static str) {
        self.outcome = outcome;
        self.reason = Some(reason);
    }
}

impl Gateway {
    /// Puts the data path together. `seed`: unpredictable bits that name this process's requests;
    /// `room`: how many connections there may be beside so many workers.
    pub fn new(
        parts: Parts,
        tracer: Tracer,
        seed: u64,
        room: impl FnOnce(usize) -> usize,
    ) -> Arc<Self> {
        let challenges = Arc::<Challenges>::default();
        let workers = workers(parts.settings.workers);
        Arc::new(Self {
            connections: Connections::new(room(workers)),
            workers,
            in_force: ArcSwap::from_pointee(InForce::new(parts, &challenges, None)),
            challenges,
            streams: Arc::default(),
            waits: Arc::default(),
            started: Instant::now(),
            requests: AtomicU64::new(0),
            tracer,
            seed,
        })
    }

    /// Who tells of requests.
    pub const fn tracer(&self) -> &Tracer {
        &self.tracer
    }

    /// What is in force at this moment.
    pub(super) fn in_force(&self) -> Arc<InForce> {
        self.in_force.load_full()
    }

    /// The use cases as they are in force at this moment.
    pub fn service(&self) -> Arc<Service> {
        Arc::clone(self.in_force.load().service())
    }

    /// Which route is for this host and path, in words.
    pub fn route(&self, host: &str, path: &str) -> Option<String> {
        self.in_force.load().route(host, path)
    }

    /// Puts something else in force, for every request from then on; what stays as it was keeps its
    /// state and its connections. The checks that are to be run from now on, besides those that are.
    pub async fn put_in_force(self: &Arc<Self>, parts: Parts) -> Vec<HealthCheck> {
        let before = self.in_force();
        let next = Arc::new(InForce::new(parts, &self.challenges, Some(&before)));
        // Names that were never looked up lead nowhere; one that takes long is looked up later.
        let _ = timeout(NAMES, next.resolve()).await;
        self.in_force.store(Arc::clone(&next));
        checks(self, next.apps().filter(|app| !before.has(app)))
    }

    /// Looks the apps' names up; what could not be looked up comes back as sentences.
    pub async fn resolve(&self) -> Vec<String> {
        self.in_force().resolve().await
    }

    /// Ends streams whose sessions have ended. To be called twice a second.
    pub async fn end_orphaned_streams(&self) {
        self.streams.end_orphans(&self.service()).await;
    }

    /// The streams that are open, with their sessions.
    pub fn open_streams(&self) -> Vec<OpenStream> {
        self.streams.open()
    }

    /// Cuts connections to apps that make their clients wait too long. To be called several times
    /// a second.
    pub fn end_overdue_waits(&self) {
        self.waits.cut_overdue(self.clock_ms());
    }

    /// Every upstream, with its route, and whether it answers as far as anybody knows.
    pub fn upstreams(&self) -> Vec<(String, String, bool)> {
        let of = |app: &App| {
            let state = |upstream: &Upstream| {
                let is_well = upstream.is_up() && upstream.is_rested(self.clock_ms());
                (app.meter().name().to_owned(), upstream.url().to_string(), is_well)
            };
            app.choices().filter_map(|choice| app.upstream(choice).map(state)).collect::<Vec<_>>()
        };
        self.in_force().apps().flat_map(|app| of(app)).collect()
    }

    /// What there is to be run again and again, to learn which upstreams are up.
    pub fn health_checks(self: &Arc<Self>) -> Vec<HealthCheck> {
        checks(self, self.in_force().apps())
    }

    /// Tells the operator something.
    pub fn say(&self, level: Level, message: &str) {
        self.in_force.load().say(level, message);
    }

    /// The connections that are open.
    pub const fn connections(&self) -> &Arc<Connections> {
        &self.connections
    }

    /// Puts the engine and the guard around the data path, once for each worker.
    pub fn serving(self: &Arc<Self>) -> io::Result<Serving> {
        let fronts = (0..self.workers).map(|_| self.front(Arc::clone(&self.connections)));
        let of_hands = Arc::clone(self);
        let current = move || of_hands.in_force.load().certificates().cloned();
        let handshake = Handshake::new(current, Arc::clone(&self.challenges))?;
        Ok(Serving::new(handshake, fronts.collect(), Arc::clone(&self.connections)))
    }

    /// Until when the certificates are good that clients are shown, by name.
    pub fn certificates(&self) -> Vec<Expiry> {
        let in_force = self.in_force.load();
        in_force.certificates().map(|all| all.expiries().collect()).unwrap_or_default()
    }

    /// Which certificates are to be fetched.
    pub fn fetching(&self) -> Option<Arc<Fetching>> {
        self.in_force.load().fetching().cloned()
    }

    /// Where an authority is shown what it asks for.
    pub const fn challenges(&self) -> &Arc<Challenges> {
        &self.challenges
    }

    fn front(self: &Arc<Self>, connections: Arc<Connections>) -> Arc<Front<Watched>> {
        // Connections to apps that nobody uses are kept: all workers' a quarter of what there may be.
        let kept = connections.max() / (4 * self.workers);
        let conf = ServerConf {
            upstream_keepalive_pool_size: kept.clamp(1, KEPT),
            ..ServerConf::default()
        };
        let mut proxy = http_proxy(&Arc::new(conf), Door::new(Arc::clone(self)));
        let mut options = HttpServerOptions::default();
        options.h2c = true;
        options.h2_idle_timeout = Some(H2_IDLE);
        proxy.server_options = Some(options);
        let (of_log, of_names, of_peers) = (Arc::clone(self), Arc::clone(self), Arc::clone(self));
        let guard = GuardSettings {
            protected: Arc::new(move || Arc::clone(of_names.in_force.load().headers().protected())),
            counted: Arc::new(move |peer| of_peers.in_force.load().counted(peer)),
            on_refusal: Arc::new(move |refused| of_log.log_refused(&refused)),
            body_timeout: STANDSTILL,
            ..GuardSettings::default()
        };
        Arc::new(Front::new(
            Arc::new(Watched::new(proxy, connections.streams())),
            guard,
            connections,
        ))
    }

    /// Milliseconds since the data path began.
    pub(super) fn clock_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    pub(super) fn request_id(&self) -> RequestId {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        RequestId::from_bytes((u128::from(self.seed) << 64 | u128::from(number)).to_be_bytes())
    }

    /// The line of a request that never became one.
    fn log_refused(&self, refused: &Refused) {
        let client = refused.peer.map(|peer| ClientAddr::from(peer.ip()).to_string());
        let service = self.service();
        service.log().access(&Access {
            route: None,
            at: service.clock().now(),
            id: None,
            client: client.as_deref(),
            method: "-",
            host: "-",
            path: "-",
            user: None,
            outcome: Outcome::Malformed,
            status: refused.refusal.status(),
            micros: 0,
            reason: Some(refused.refusal.reason()),
        });
    }
}
