//! What the data path knows, and how it decides what becomes of a request.
//!
//! `door` plugs this into the engine's hooks. Here is the order in which a request is looked at:
//! is it one of our own pages, is there an app for it, what does the gate say.

use super::apps::{App, Apps, Choice, apps, resolve};
use super::bridge::{declared_length, split_target};
use super::client::{TrustedProxies, Way};
use super::door::Door;
use super::guard::{Busy, Connections, Front, GuardSettings, Refused};
use super::headers::{HeaderRules, Person};
use super::health::{HealthCheck, checks};
use super::serve::Serving;
use super::settings::Settings;
use super::streams::{Entry, Streams};
use super::waits::{Wait, Waits};
use crate::api::Api;
use crate::domain::Asked;
use crate::forward::{Checked, Forward};
use crate::http::{Challenge, Cookies, Request, Response, Site, credential};
use crate::observe::{Access, Level, Outcome};
use crate::portal::Portal;
use crate::service::{Answer, AppOrigin, LiveSession, Permit, Service};
use crate::types::{ClientAddr, Host, PathView, RequestCx, RequestId};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use pingora::apps::HttpServerOptions;
use pingora::http::RequestHeader;
use pingora::proxy::{HttpProxy, http_proxy};
use pingora::server::configuration::ServerConf;
use std::net::SocketAddr;
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How many workers there are: one a core, where nothing else is asked for.
fn workers(asked: usize) -> usize {
    if asked > 0 { asked } else { thread::available_parallelism().map_or(1, NonZero::get) }
}

/// How long an HTTP/2 connection may carry nothing.
const H2_IDLE: Duration = Duration::from_secs(60);

/// What the gateway is put together from.
pub struct Parts {
    /// The use cases.
    pub service: Arc<Service>,
    /// Our own pages.
    pub portal: Arc<Portal>,
    /// The same for programs.
    pub api: Arc<Api>,
    /// The same question asked by other proxies.
    pub forward: Forward,
    /// Where all of them are.
    pub site: Arc<Site>,
    /// What the data path is told.
    pub settings: Settings,
    /// Unpredictable bits that name this process's requests.
    pub seed: u64,
}

/// The data path.
pub struct Gateway {
    pub(super) service: Arc<Service>,
    portal: Arc<Portal>,
    api: Arc<Api>,
    forward: Forward,
    pub(super) site: Arc<Site>,
    pub(super) headers: HeaderRules,
    pub(super) streams: Arc<Streams>,
    pub(super) waits: Arc<Waits>,
    apps: Apps,
    trusted: Arc<TrustedProxies>,
    workers: usize,
    started: Instant,
    seed: u64,
    requests: AtomicU64,
}

/// What is known of a request while it lasts.
pub(super) struct Ctx {
    pub(super) began: Instant,
    pub(super) arrival: Option<Arrival>,
    pub(super) app: Option<Arc<App>>,
    pub(super) permit: Option<Permit>,
    pub(super) person: Option<Arc<LiveSession>>,
    pub(super) tried: Vec<Choice>,
    pub(super) stream: Option<Entry>,
    /// Over HTTP/2, that its connection is in use.
    pub(super) busy: Option<Busy>,
    pub(super) wait: Option<Wait>,
    /// So much of the body the app has been sent.
    pub(super) sent: u64,
    pub(super) outcome: Outcome,
    pub(super) reason: Option<&'static str>,
    /// What another proxy asks about: a method, a host and a path.
    pub(super) about: Option<(Method, Host, String)>,
}

/// What is known of a request once its head is in order.
pub(super) struct Arrival {
    pub(super) cx: RequestCx,
    pub(super) way: Way,
    pub(super) host: Host,
    /// The client's address, as text that can be told on.
    pub(super) client: HeaderValue,
    /// What the client called the host, likewise.
    pub(super) authority: HeaderValue,
}

/// What becomes of a request.
pub(super) enum Turn {
    /// One of our own pages answers.
    Portal,
    /// Another proxy asks about a request that it keeps.
    Check,
    /// It goes to its app.
    Forward,
    /// Its sender has to do this first.
    Challenge(Challenge),
    /// It is refused with this status.
    Refuse(StatusCode),
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
            stream: None,
            wait: None,
            sent: 0,
            outcome: Outcome::Failed,
            reason: None,
            about: None,
        }
    }

    /// Notes what became of it, for the log.
    pub(super) fn note(&mut self, outcome: Outcome, reason: &'static str) {
        self.outcome = outcome;
        self.reason = Some(reason);
    }
}

impl Gateway {
    /// Puts the data path together.
    pub fn new(parts: Parts) -> Arc<Self> {
        let Parts { service, portal, api, forward, site, settings, seed } = parts;
        Arc::new(Self {
            apps: apps(&settings.routes),
            headers: HeaderRules::new(settings.identity, Cookies::new(&site)),
            trusted: Arc::new(TrustedProxies::new(settings.trusted_proxies)),
            streams: Arc::default(),
            waits: Arc::default(),
            workers: workers(settings.workers),
            started: Instant::now(),
            requests: AtomicU64::new(0),
            service,
            portal,
            api,
            forward,
            site,
            seed,
        })
    }

    /// Looks the apps' names up; what could not be looked up comes back as sentences.
    pub async fn resolve(&self) -> Vec<String> {
        resolve(&self.apps).await
    }

    /// Ends streams whose sessions have ended. To be called twice a second.
    pub async fn end_orphaned_streams(&self) {
        self.streams.end_orphans(&self.service).await;
    }

    /// Cuts connections to apps that make their clients wait too long. To be called several times
    /// a second.
    pub fn end_overdue_waits(&self) {
        self.waits.cut_overdue(self.clock_ms());
    }

    /// What there is to be run again and again, to learn which upstreams are up.
    pub fn health_checks(self: &Arc<Self>) -> Vec<HealthCheck> {
        checks(self, self.apps.iter().map(|(_, app)| app))
    }

    /// Tells the operator something about an upstream.
    pub(super) fn say(&self, level: Level, message: &str) {
        self.service.log().say(self.service.clock().now(), level, message);
    }

    /// How many workers there are to be.
    pub const fn workers(&self) -> usize {
        self.workers
    }

    /// Puts the engine and the guard around the data path, once for each worker, for so many
    /// connections at once.
    pub fn serving(self: &Arc<Self>, max_connections: usize) -> Serving {
        let connections = Connections::new(max_connections);
        let fronts = (0..self.workers).map(|_| self.front(Arc::clone(&connections)));
        Serving::new(fronts.collect(), connections)
    }

    fn front(self: &Arc<Self>, connections: Arc<Connections>) -> Arc<Front<HttpProxy<Door>>> {
        let mut proxy = http_proxy(&Arc::new(ServerConf::default()), Door::new(Arc::clone(self)));
        let mut options = HttpServerOptions::default();
        options.h2c = true;
        options.h2_idle_timeout = Some(H2_IDLE);
        proxy.server_options = Some(options);
        let of_log = Arc::clone(self);
        let guard = GuardSettings {
            protected: Arc::clone(self.headers.protected()),
            trusted: Arc::clone(&self.trusted),
            on_refusal: Arc::new(move |refused| of_log.log_refused(&refused)),
            ..GuardSettings::default()
        };
        Arc::new(Front::new(Arc::new(proxy), guard, connections))
    }

    /// Gathers what there is to know of a request whose head is in order.
    pub(super) fn arrival(
        &self,
        head: &RequestHeader,
        peer: Option<SocketAddr>,
        tls: bool,
    ) -> Option<Arrival> {
        let way = self.trusted.way(peer, tls, &head.headers);
        let client = HeaderValue::try_from(way.client.text()).ok()?;
        let authority = match head.uri.authority() {
            Some(authority) => HeaderValue::from_str(authority.as_str()).ok()?,
            None => head.headers.get(http::header::HOST)?.clone(),
        };
        let (host, _) = Host::parse_authority(authority.to_str().ok()?).ok()?;
        let cx = RequestCx {
            id: self.request_id(),
            now: self.service.clock().now(),
            client: way.client,
        };
        Some(Arrival { cx, way, host, client, authority })
    }

    /// Decides what becomes of a request, and asks the gate where that is for the gate to say.
    pub(super) async fn decide(
        &self,
        head: &RequestHeader,
        arrival: &Arrival,
        ctx: &mut Ctx,
    ) -> Turn {
        let (path, _) = split_target(head.raw_path());
        // At whichever host: Envoy asks at the host that it is asked for.
        if self.forward.owns(path) {
            return Turn::Check;
        }
        let is_ours =
            self.apps.knows_host(&arrival.host) || arrival.host == *self.site.public_url.host();
        let view = PathView::of(path);
        if is_ours && self.portal.owns(&view) {
            ctx.outcome = Outcome::Portal;
            return Turn::Portal;
        }
        // Neither a way into our own pages by another spelling, nor one past them.
        if view.is_below(&self.site.prefix) {
            ctx.note(Outcome::NoRoute, "odd_spelling_of_the_portal");
            return Turn::Refuse(StatusCode::NOT_FOUND);
        }
        let Some((_, app)) = self.apps.find(&arrival.host, &view) else {
            ctx.note(Outcome::NoRoute, "no_route");
            return Turn::Refuse(StatusCode::NOT_FOUND);
        };
        if !app.takes(&view) {
            ctx.note(Outcome::NoRoute, "odd_spelling_of_the_prefix");
            return Turn::Refuse(StatusCode::NOT_FOUND);
        }
        self.ask(head, arrival, &view, app, ctx).await
    }

    /// Asks the gate about a request for an app.
    async fn ask(
        &self,
        head: &RequestHeader,
        arrival: &Arrival,
        path: &PathView<'_>,
        app: &Arc<App>,
        ctx: &mut Ctx,
    ) -> Turn {
        let shown = credential(self.headers.cookies(), &head.headers);
        let asked = Asked {
            host: &arrival.host,
            path,
            method: head.method.as_str(),
            client: arrival.cx.client,
        };
        let answer = self.service.ask(shown.as_ref(), &asked, &arrival.cx).await;
        self.heed(answer, app, &head.headers, ctx)
    }

    /// Does what the gate says.
    fn heed(&self, answer: Answer, app: &Arc<App>, fields: &HeaderMap, ctx: &mut Ctx) -> Turn {
        match answer {
            Answer::Allow(permit) => {
                ctx.outcome = Outcome::Allowed;
                ctx.person = permit.person().cloned();
                let too_long = |most| declared_length(fields).is_some_and(|len| len > most);
                if app.body_max().is_some_and(too_long) {
                    ctx.reason = Some("body_too_large");
                    return Turn::Refuse(StatusCode::PAYLOAD_TOO_LARGE);
                }
                ctx.permit = Some(permit);
                ctx.app = Some(Arc::clone(app));
                Turn::Forward
            }
            Answer::Challenge => {
                ctx.outcome = Outcome::Challenged;
                Turn::Challenge(Challenge::SignIn)
            }
            Answer::ShowFactor(person) => {
                ctx.person = Some(person);
                ctx.outcome = Outcome::Challenged;
                Turn::Challenge(Challenge::ShowFactor)
            }
            Answer::Forbid(person) => {
                ctx.person = person;
                ctx.note(Outcome::Forbidden, "policy");
                Turn::Refuse(StatusCode::FORBIDDEN)
            }
            Answer::Unavailable(why) => {
                self.say(Level::Error, &why);
                ctx.note(Outcome::Failed, "store_unavailable");
                Turn::Refuse(StatusCode::SERVICE_UNAVAILABLE)
            }
        }
    }

    /// Who it is, as an app is told that the client calls by this name.
    pub(super) fn introduce<'a>(
        &self,
        live: Option<&'a LiveSession>,
        arrival: &Arrival,
    ) -> pingora::Result<Person<'a>> {
        let authority = arrival.authority.as_bytes();
        let origin = AppOrigin { https: arrival.way.https, authority };
        let signed = self.headers.identity().assertion(&self.service, live, origin, arrival.cx.now);
        let assertion = signed.map_err(|why| {
            self.say(Level::Error, &format!("an app is not asked: {why}"));
            pingora::Error::new(pingora::ErrorType::HTTPStatus(503))
        })?;
        Ok(Person { live, assertion })
    }

    /// Whether a path is one of the calls for programs, who are told everything as JSON.
    pub(super) fn is_call(&self, path: &str) -> bool {
        self.api.owns(path)
    }

    /// Answers a request whose path is ours.
    pub(super) async fn answer(&self, request: Request) -> Response {
        if self.is_call(&request.path) {
            self.api.answer(request).await
        } else {
            self.portal.answer(request).await
        }
    }

    /// Answers another proxy.
    pub(super) async fn check(&self, request: Request, ctx: &mut Ctx) -> Response {
        let Checked { response, about, person, outcome, reason } =
            self.forward.answer(request).await;
        ctx.note(outcome, reason);
        (ctx.about, ctx.person) = (about, person);
        response
    }

    /// Milliseconds since the data path began.
    pub(super) fn clock_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn request_id(&self) -> RequestId {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        RequestId::from_bytes((u128::from(self.seed) << 64 | u128::from(number)).to_be_bytes())
    }

    /// The line of a request that never became one.
    fn log_refused(&self, refused: &Refused) {
        let client = refused.peer.map(|peer| ClientAddr::from(peer.ip()).to_string());
        self.service.log().access(&Access {
            at: self.service.clock().now(),
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
