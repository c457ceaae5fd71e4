//! One place an app is at: its address, how it is spoken to, and whether it answers.

use super::handshake::{Dial, unlike_any_other};
use super::route::{Patience, RouteSettings, UpstreamHost};
use super::settings::{UpstreamScheme, UpstreamUrl};
use super::tls::UpstreamTls;
use arc_swap::ArcSwap;
use http::HeaderValue;
use pingora::protocols::ALPN;
use pingora::upstreams::peer::HttpPeer;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// How long an upstream that could not be reached is left alone while there are others.
const REST: Duration = Duration::from_secs(5);

/// How many requests share a connection to an app over HTTP/2.
const STREAMS: u32 = 100;

/// How much of an answer over HTTP/2 an app may send ahead of whoever reads it.
const AHEAD: u32 = 128 * 1024;

/// How an app is spoken to, wherever it is.
#[derive(Debug)]
pub(super) struct Manner {
    patience: Patience,
    tls: UpstreamTls,
    /// Kept connections are shared within a group: those of others may be made on other terms.
    group: u64,
}

impl Manner {
    /// What a route's settings ask for.
    pub(super) fn new(settings: &RouteSettings) -> Self {
        // Never one that was in use before: connections made on other terms may be kept still.
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let (patience, tls) = (settings.patience, settings.tls.clone());
        let is_usual = tls.is_usual() && !has_limits(patience);
        // Above all that handshakes are numbered with.
        let group = if is_usual { 0 } else { 1 << 63 | NEXT.fetch_add(1, Ordering::Relaxed) };
        Self { patience, tls, group }
    }

    /// Whether a route's settings ask for no other one.
    pub(super) fn is_for(&self, settings: &RouteSettings) -> bool {
        self.patience == settings.patience && self.tls == settings.tls
    }

    fn dress(&self, mut peer: HttpPeer) -> Option<HttpPeer> {
        let Patience { connect, first_byte, idle } = self.patience;
        peer.options.connection_timeout = Some(connect);
        peer.options.total_connection_timeout = Some(connect.saturating_mul(2));
        peer.group_key = self.group;
        if has_limits(self.patience) {
            // For what turns out to be HTTP/2, where one time has to do for both.
            peer.options.read_timeout = first_byte.zip(idle).map(|(first, idle)| first.max(idle));
            peer.options.custom_l4 = Some(Arc::new(Dial::in_line(self.patience)));
        }
        self.tls.dress(peer)
    }
}

fn has_limits(patience: Patience) -> bool {
    patience.first_byte.is_some() || patience.idle.is_some()
}

/// One place an app is at.
#[derive(Debug)]
pub(super) struct Upstream {
    url: UpstreamUrl,
    manner: Arc<Manner>,
    /// What it is told as its host, where that is not what the client said.
    host: Option<HeaderValue>,
    /// What its name stands for at present; none while the name cannot be looked up.
    peer: ArcSwap<Option<HttpPeer>>,
    /// When it may be tried again, in the proxy's own milliseconds; 0 where it was reached last.
    rests_until: AtomicU64,
    /// Whether health checks say that it is down.
    is_down: AtomicBool,
}

impl Upstream {
    pub(super) fn new(url: UpstreamUrl, host: &UpstreamHost, manner: &Arc<Manner>) -> Self {
        let peer = match &url {
            UpstreamUrl::Unix(path) => {
                path.to_str().and_then(|path| HttpPeer::new_uds(path, false, String::new()).ok())
            }
            UpstreamUrl::Tcp { host, port, scheme } => {
                let bare = host.as_str().trim_start_matches('[').trim_end_matches(']');
                let ip = bare.parse::<IpAddr>().ok();
                ip.map(|ip| tcp_peer(SocketAddr::new(ip, *port), *scheme, bare))
            }
        };
        let peer = peer.and_then(|peer| manner.dress(peer));
        let host = match host {
            UpstreamHost::Keep => None,
            UpstreamHost::Upstream => HeaderValue::try_from(authority(&url)).ok(),
            UpstreamHost::Named(name) => Some(name.clone()),
        };
        Self {
            url,
            manner: Arc::clone(manner),
            host,
            peer: ArcSwap::from_pointee(peer),
            rests_until: AtomicU64::new(0),
            is_down: AtomicBool::new(false),
        }
    }

    /// Where it is, as it was written.
    pub(super) const fn url(&self) -> &UpstreamUrl {
        &self.url
    }

    /// What it is told as its host, where that is not what the client said.
    pub(super) const fn host(&self) -> Option<&HeaderValue> {
        self.host.as_ref()
    }

    /// How to connect to it; none while that is not known.
    pub(super) fn peer(&self) -> Option<HttpPeer> {
        self.peer.load().as_ref().clone()
    }

    /// The same for a handshake, which has a connection of its own.
    pub(super) fn peer_for_handshake(&self) -> Option<HttpPeer> {
        let mut peer = self.peer()?;
        // WebSocket handshakes exist in HTTP/1.1 alone.
        peer.options.alpn = ALPN::H1;
        peer.options.custom_l4 = Some(Arc::new(Dial::for_handshake(
            self.manner.patience,
            has_limits(self.manner.patience),
        )));
        Some(unlike_any_other(peer))
    }

    /// Whether it may be tried at all.
    pub(super) fn is_up(&self) -> bool {
        !self.is_down.load(Ordering::Relaxed) && self.peer.load().is_some()
    }

    /// Whether it was reached when last tried, or has rested since.
    pub(super) fn is_rested(&self, now_ms: u64) -> bool {
        self.rests_until.load(Ordering::Relaxed) <= now_ms
    }

    /// Notes that it could not be reached; whether that is news.
    pub(super) fn rest(&self, now_ms: u64) -> bool {
        let rest = u64::try_from(REST.as_millis()).unwrap_or(u64::MAX);
        self.rests_until.swap(now_ms.saturating_add(rest), Ordering::Relaxed) == 0
    }

    /// Notes that it was reached; whether that is news.
    pub(super) fn reached(&self) -> bool {
        self.rests_until.load(Ordering::Relaxed) != 0
            && self.rests_until.swap(0, Ordering::Relaxed) != 0
    }

    /// Notes what health checks say.
    pub(super) fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::Relaxed);
    }

    /// Whether health checks say that it is down.
    pub(super) fn is_down(&self) -> bool {
        self.is_down.load(Ordering::Relaxed)
    }

    /// Looks its name up, if it has one. A name that cannot be looked up now keeps the address it had.
    pub(super) async fn resolve(&self) -> Result<(), String> {
        let UpstreamUrl::Tcp { host, port, scheme } = &self.url else { return Ok(()) };
        if host.as_str().starts_with('[') || host.as_str().parse::<IpAddr>().is_ok() {
            return Ok(());
        }
        let found = tokio::net::lookup_host((host.as_str(), *port)).await;
        let mut addresses = found.map_err(|error| format!("{}: {error}", self.url))?;
        let address = addresses.next().ok_or_else(|| format!("{}: no address", self.url))?;
        let peer = self.manner.dress(tcp_peer(address, *scheme, host.as_str()));
        let of = |peer: &Option<HttpPeer>| peer.as_ref().map(|peer| peer._address.clone());
        if of(&self.peer.load()) != of(&peer) {
            self.peer.store(Arc::new(peer));
        }
        Ok(())
    }

    /// What was found out under settings that were in force before: whether it rests, and what its
    /// name stands for until that is looked up again.
    pub(super) fn take_over(&self, before: &Self) {
        self.rests_until.store(before.rests_until.load(Ordering::Relaxed), Ordering::Relaxed);
        let UpstreamUrl::Tcp { host, scheme, .. } = &self.url else { return };
        let known = before.peer().and_then(|peer| peer._address.as_inet().copied());
        if let (None, Some(address)) = (self.peer(), known) {
            let peer = self.manner.dress(tcp_peer(address, *scheme, host.as_str()));
            self.peer.store(Arc::new(peer));
        }
    }
}

/// What a client without a proxy would call it.
pub(super) fn authority(url: &UpstreamUrl) -> String {
    match url {
        UpstreamUrl::Tcp { host, port, scheme } if *port == scheme.port() => host.to_string(),
        UpstreamUrl::Tcp { host, port, .. } => format!("{host}:{port}"),
        UpstreamUrl::Unix(_) => String::from("localhost"),
    }
}

/// Why it could not be reached, in the engine's words.
pub(super) fn why(error: &pingora::Error) -> String {
    let mut why = error.etype().as_str().to_owned();
    let context = error.context.as_ref().map(|context| context.as_str().to_owned());
    let cause = error.cause.as_ref().map(|_| error.root_cause().to_string());
    for part in [context, cause].into_iter().flatten() {
        why.push_str(": ");
        why.push_str(&part);
    }
    why
}

fn tcp_peer(address: SocketAddr, scheme: UpstreamScheme, name: &str) -> HttpPeer {
    let tls = scheme == UpstreamScheme::Https;
    let mut peer = HttpPeer::new(address, tls, if tls { name.to_owned() } else { String::new() });
    peer.options.alpn = match scheme {
        UpstreamScheme::Http => ALPN::H1,
        UpstreamScheme::Https => ALPN::H2H1,
        UpstreamScheme::H2c => ALPN::H2,
    };
    // One connection carries many HTTP/2 requests. How long an unused one is kept is for the app
    // to say, which ends it; the engine keeps a bounded number of them.
    peer.options.max_h2_streams = STREAMS as usize;
    // Whoever does not read what an app sends them keeps the room of their own request on the
    // connection filled, and of no other.
    peer.options.h2_stream_window_size = Some(AHEAD);
    peer.options.h2_connection_window_size = Some(AHEAD * STREAMS);
    peer
}
