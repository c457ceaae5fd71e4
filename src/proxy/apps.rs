//! Where the apps are.
//!
//! An upstream is handed out for a [`Permit`] and for nothing else, so there is no way from a
//! request to a connection past the gate. Names are looked up ahead of time and again every few
//! seconds, never by a request.

use super::handshake::for_handshake;
use super::settings::{RouteSettings, UpstreamScheme, UpstreamUrl};
use crate::domain::RouteTable;
use crate::service::Permit;
use arc_swap::ArcSwap;
use pingora::protocols::ALPN;
use pingora::upstreams::peer::HttpPeer;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// How long an upstream that could not be reached is left alone while there are others.
const REST: Duration = Duration::from_secs(5);

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(5);

/// One place an app is at.
#[derive(Debug)]
struct Upstream {
    url: UpstreamUrl,
    /// What its name stands for at present; none while the name cannot be looked up.
    peer: ArcSwap<Option<HttpPeer>>,
    /// When it may be tried again, in the proxy's own milliseconds.
    rests_until: AtomicU64,
}

/// One app.
#[derive(Debug)]
pub(super) struct App {
    keeps_authorization: bool,
    upstreams: Vec<Upstream>,
    turn: AtomicUsize,
}

/// Every app.
pub(super) type Apps = RouteTable<Arc<App>>;

/// Which of an app's upstreams was handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Choice(usize);

impl App {
    fn new(settings: &RouteSettings) -> Self {
        let upstreams = settings.upstreams.iter().cloned().map(Upstream::new).collect();
        let keeps_authorization = settings.keeps_authorization;
        Self { keeps_authorization, upstreams, turn: AtomicUsize::new(0) }
    }

    /// Whether it is sent tokens of ours as well.
    pub(super) const fn keeps_authorization(&self) -> bool {
        self.keeps_authorization
    }

    /// Hands out an upstream: they take turns, those that rest are passed over while another
    /// is there, and one that was tried already for this request is not tried again.
    pub(super) fn pick(
        &self,
        _permit: &Permit,
        tried: &[Choice],
        is_upgrade: bool,
        now_ms: u64,
    ) -> Option<(Choice, Box<HttpPeer>)> {
        let count = self.upstreams.len();
        let start = self.turn.fetch_add(1, Ordering::Relaxed);
        let in_turn = || (0..count).map(|step| Choice(start.wrapping_add(step) % count.max(1)));
        let rested = |choice: &Choice| {
            let upstream = self.upstreams.get(choice.0);
            upstream.is_some_and(|upstream| upstream.rests_until.load(Ordering::Relaxed) <= now_ms)
        };
        let ready = |choice: &Choice| !tried.contains(choice) && self.is_known(*choice);
        let found = in_turn().find(|choice| ready(choice) && rested(choice));
        let choice = found.or_else(|| in_turn().find(ready))?;
        let mut peer = self.upstreams.get(choice.0)?.peer.load().as_ref().clone()?;
        if is_upgrade {
            // WebSocket handshakes exist in HTTP/1.1 alone.
            peer.options.alpn = ALPN::H1;
            peer = for_handshake(peer, CONNECT);
        }
        Some((choice, Box::new(peer)))
    }

    fn is_known(&self, choice: Choice) -> bool {
        self.upstreams.get(choice.0).is_some_and(|upstream| upstream.peer.load().is_some())
    }

    /// Notes that an upstream could not be reached.
    pub(super) fn rest(&self, choice: Choice, now_ms: u64) {
        if let Some(upstream) = self.upstreams.get(choice.0) {
            let rest = u64::try_from(REST.as_millis()).unwrap_or(u64::MAX);
            upstream.rests_until.store(now_ms.saturating_add(rest), Ordering::Relaxed);
        }
    }

    /// How many upstreams it has.
    pub(super) fn count(&self) -> usize {
        self.upstreams.len()
    }
}

impl Upstream {
    fn new(url: UpstreamUrl) -> Self {
        let peer = match &url {
            UpstreamUrl::Unix(path) => {
                path.to_str().and_then(|path| HttpPeer::new_uds(path, false, String::new()).ok())
            }
            UpstreamUrl::Tcp { host, port, scheme } => {
                let bare = host.as_str().trim_start_matches('[').trim_end_matches(']');
                let ip = bare.parse::<IpAddr>().ok();
                ip.map(|ip| tcp_peer(SocketAddr::new(ip, *port), *scheme, host.as_str()))
            }
        };
        let peer = peer.map(with_patience);
        Self { url, peer: ArcSwap::from_pointee(peer), rests_until: AtomicU64::new(0) }
    }

    /// Looks its name up, if it has one. A name that cannot be looked up now keeps the address it had.
    async fn resolve(&self) -> Result<(), String> {
        let UpstreamUrl::Tcp { host, port, scheme } = &self.url else { return Ok(()) };
        if host.as_str().starts_with('[') || host.as_str().parse::<IpAddr>().is_ok() {
            return Ok(());
        }
        let found = tokio::net::lookup_host((host.as_str(), *port)).await;
        let mut addresses = found.map_err(|error| format!("{}: {error}", self.url))?;
        let address = addresses.next().ok_or_else(|| format!("{}: no address", self.url))?;
        let peer = with_patience(tcp_peer(address, *scheme, host.as_str()));
        let known = self.peer.load();
        let same = known.as_ref().as_ref().is_some_and(|known| known._address == peer._address);
        if !same {
            self.peer.store(Arc::new(Some(peer)));
        }
        Ok(())
    }
}

fn tcp_peer(address: SocketAddr, scheme: UpstreamScheme, name: &str) -> HttpPeer {
    let tls = scheme == UpstreamScheme::Https;
    let mut peer = HttpPeer::new(address, tls, if tls { name.to_owned() } else { String::new() });
    peer.options.alpn = match scheme {
        UpstreamScheme::Http => ALPN::H1,
        UpstreamScheme::Https => ALPN::H2H1,
        UpstreamScheme::H2c => ALPN::H2,
    };
    // One connection carries many HTTP/2 requests.
    peer.options.max_h2_streams = 100;
    peer
}

/// Connecting has a deadline; an answer that takes its time, or streams for hours, has none. How
/// long an unused connection is kept is for the app to say, which ends it; the engine keeps a
/// bounded number of them.
fn with_patience(mut peer: HttpPeer) -> HttpPeer {
    peer.options.connection_timeout = Some(CONNECT);
    peer.options.total_connection_timeout = Some(CONNECT * 2);
    peer
}

/// The table of all apps.
pub(super) fn apps(routes: &[RouteSettings]) -> Apps {
    let app = |route: &RouteSettings| (route.key.clone(), Arc::new(App::new(route)));
    RouteTable::new(routes.iter().map(app).collect())
}

/// Looks all names up; what could not be looked up comes back as sentences.
pub(super) async fn resolve(apps: &Apps) -> Vec<String> {
    let mut failures = Vec::new();
    for (_, app) in apps.iter() {
        for upstream in &app.upstreams {
            failures.extend(upstream.resolve().await.err());
        }
    }
    failures
}
