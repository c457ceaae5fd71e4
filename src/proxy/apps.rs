//! Where the apps are.
//!
//! An upstream is handed out for a [`Permit`] and for nothing else, so there is no way from a
//! request to a connection past the gate. Names are looked up ahead of time and again every few
//! seconds, never by a request.

use super::headers::Telling;
use super::route::{Health, RouteSettings};
use super::settings::UpstreamUrl;
use super::upstream::{Manner, Upstream};
use crate::domain::RouteTable;
use crate::observe::{Meters, RouteMeter};
use crate::service::Permit;
use crate::types::PathView;
use http::HeaderValue;
use pingora::upstreams::peer::HttpPeer;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// One app.
#[derive(Debug)]
pub(super) struct App {
    meter: Arc<RouteMeter>,
    settings: RouteSettings,
    /// What is taken off the path before the app sees it.
    prefix: Option<HeaderValue>,
    manner: Arc<Manner>,
    upstreams: Vec<Upstream>,
    turn: AtomicUsize,
}

/// Every app.
pub(super) type Apps = RouteTable<Arc<App>>;

/// Which of an app's upstreams was handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Choice(usize);

impl App {
    fn new(settings: RouteSettings, before: Option<&Self>, meters: &Meters) -> Self {
        let manner = before.map(|before| &before.manner).filter(|manner| manner.is_for(&settings));
        let manner = manner.map_or_else(|| Arc::new(Manner::new(&settings)), Arc::clone);
        let upstream = |url: &UpstreamUrl| Upstream::new(url.clone(), &settings.host, &manner);
        let prefix = settings.strip_prefix.then(|| settings.key.path.trim_end_matches('/'));
        let app = Self {
            meter: meters.route(&format!("{}{}", settings.key.host, settings.key.path)),
            // A route's path is printable ASCII.
            prefix: prefix.and_then(|prefix| HeaderValue::from_str(prefix).ok()),
            upstreams: settings.upstreams.iter().map(upstream).collect(),
            turn: AtomicUsize::new(0),
            manner,
            settings,
        };
        if let Some(before) = before {
            app.take_over(before);
        }
        app
    }

    /// What was found out about upstreams that stay is not found out again.
    fn take_over(&self, before: &Self) {
        for upstream in &self.upstreams {
            let twin = before.upstreams.iter().find(|other| other.url() == upstream.url());
            let Some(twin) = twin else { continue };
            upstream.take_over(twin);
            // Other checks may find otherwise.
            if self.health().probe == before.health().probe {
                upstream.set_down(twin.is_down());
            }
        }
    }

    /// What requests for it are counted under.
    pub(super) fn meter(&self) -> &RouteMeter {
        &self.meter
    }

    /// What is done to the head of a request for it.
    pub(super) fn telling(&self, choice: Option<&Choice>) -> Telling<'_> {
        Telling {
            keeps_authorization: self.settings.keeps_authorization,
            host: choice.and_then(|choice| self.upstream(*choice)).and_then(Upstream::host),
            prefix: self.prefix.as_ref(),
        }
    }

    /// Whether it can be asked for this path: where something is taken off, what is left must
    /// mean the same.
    pub(super) fn takes(&self, path: &PathView<'_>) -> bool {
        let prefix = self.prefix.as_ref().and_then(|prefix| prefix.to_str().ok());
        prefix.is_none_or(|prefix| path.without(prefix).is_some())
    }

    /// Whether somebody works on it.
    pub(super) const fn is_in_maintenance(&self) -> bool {
        self.settings.maintenance
    }

    /// The longest body it is sent.
    pub(super) const fn body_max(&self) -> Option<u64> {
        self.settings.body_max
    }

    /// How it is watched.
    pub(super) const fn health(&self) -> &Health {
        &self.settings.health
    }

    /// Hands out an upstream: they take turns, one that is down is never handed out, those that
    /// rest are passed over while another is there, and one that was tried already for this
    /// request is not tried again.
    pub(super) fn pick(
        &self,
        _permit: &Permit,
        tried: &[Choice],
        is_upgrade: bool,
        now_ms: u64,
    ) -> Option<(Choice, Box<HttpPeer>)> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let rested = || self.ready(tried).filter(|(_, upstream)| upstream.is_rested(now_ms));
        let (choice, upstream) =
            in_turn(turn, rested).or_else(|| in_turn(turn, || self.ready(tried)))?;
        let peer = if is_upgrade { upstream.peer_for_handshake() } else { upstream.peer() };
        Some((choice, Box::new(peer?)))
    }

    fn ready(&self, tried: &[Choice]) -> impl Iterator<Item = (Choice, &Upstream)> {
        let all = self.upstreams.iter().enumerate().map(|(n, upstream)| (Choice(n), upstream));
        all.filter(|(choice, upstream)| upstream.is_up() && !tried.contains(choice))
    }

    /// Whether there is one that was not tried yet for this request.
    pub(super) fn has_another(&self, tried: &[Choice]) -> bool {
        self.ready(tried).next().is_some()
    }

    /// The upstream that was handed out.
    pub(super) fn upstream(&self, choice: Choice) -> Option<&Upstream> {
        self.upstreams.get(choice.0)
    }

    /// Every upstream.
    pub(super) fn choices(&self) -> impl Iterator<Item = Choice> + use<> {
        (0..self.upstreams.len()).map(Choice)
    }

    /// Whether health checks say that every upstream is down.
    pub(super) fn is_down(&self) -> bool {
        self.upstreams.iter().all(Upstream::is_down)
    }
}

/// The one whose turn it is. Those who may not take theirs are not counted: who comes after one
/// of them would otherwise take both.
fn in_turn<T, I: Iterator<Item = T>>(turn: usize, of: impl Fn() -> I) -> Option<T> {
    let count = of().count();
    of().nth(turn.checked_rem(count)?)
}

/// The table of all apps. One of which nothing else is said now than before is the same app.
pub(super) fn apps(routes: Vec<RouteSettings>, before: Option<&Apps>, meters: &Meters) -> Apps {
    let app = |route: RouteSettings| {
        let key = route.key.clone();
        let twin = before.and_then(|apps| apps.iter().find(|(other, _)| *other == key));
        let twin = twin.map(|(_, app)| app);
        let same = twin.filter(|app| app.settings == route).map(Arc::clone);
        let app = same.unwrap_or_else(|| Arc::new(App::new(route, twin.map(|app| &**app), meters)));
        (key, app)
    };
    RouteTable::new(routes.into_iter().map(app).collect())
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
