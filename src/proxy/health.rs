//! Whether the apps are up, asked again and again.
//!
//! Whoever cannot be reached by a request rests for a few seconds in any case; that costs a
//! request its time. Here upstreams are tried before a request needs them. One that is down gets
//! no request until it is up again, and where all are down nobody is made to wait.

use super::apps::{App, Choice};
use super::gateway::Gateway;
use super::route::Probe;
use super::upstream::{Upstream, authority, why};
use crate::observe::Level;
use http::StatusCode;
use http::header::{CONNECTION, HOST, USER_AGENT};
use pingora::connectors::TransportConnector;
use pingora::connectors::http::Connector;
use pingora::http::RequestHeader;
use pingora::protocols::http::client::HttpSession;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::time::timeout;

/// What one upstream is tried with.
pub struct HealthCheck {
    gateway: Arc<Gateway>,
    app: Arc<App>,
    choice: Choice,
    /// So many times in a row it was otherwise than it is thought to be.
    otherwise: AtomicU32,
    tools: Arc<Tools>,
}

/// What makes connections for checks: what is kept for requests is not spent on them.
struct Tools {
    connect: TransportConnector,
    get: Connector,
}

/// Every check there is to run.
pub(super) fn checks<'a>(
    gateway: &Arc<Gateway>,
    apps: impl Iterator<Item = &'a Arc<App>>,
) -> Vec<HealthCheck> {
    let watched: Vec<_> = apps.filter(|app| app.health().probe != Probe::Off).collect();
    if watched.is_empty() {
        return Vec::new();
    }
    let tools = Tools { connect: TransportConnector::new(None), get: Connector::new(None) };
    let tools = Arc::new(tools);
    let check = |app: &Arc<App>, choice| HealthCheck {
        gateway: Arc::clone(gateway),
        app: Arc::clone(app),
        choice,
        otherwise: AtomicU32::new(0),
        tools: Arc::clone(&tools),
    };
    watched
        .iter()
        .flat_map(|app| app.choices().map(move |choice| (*app, choice)))
        .map(|(app, choice)| check(app, choice))
        .collect()
}

impl HealthCheck {
    /// Whether it is still to be run: a reload may have done away with the app.
    pub fn is_wanted(&self) -> bool {
        self.gateway.in_force().has(&self.app)
    }

    /// How often it is to be run.
    pub fn interval(&self) -> Duration {
        self.app.health().interval
    }

    /// Tries the upstream once, and says so where it went down or came back.
    pub async fn run(&self) {
        let Some(upstream) = self.app.upstream(self.choice) else { return };
        let health = self.app.health();
        let tried = timeout(health.timeout, self.probe(upstream)).await;
        let outcome = tried
            .unwrap_or_else(|_| Err(format!("no answer within {} s", health.timeout.as_secs())));
        let was_down = upstream.is_down();
        if outcome.is_err() == was_down {
            self.otherwise.store(0, Ordering::Relaxed);
            return;
        }
        let times = self.otherwise.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        if times < if was_down { health.up_after } else { health.down_after } {
            return;
        }
        self.otherwise.store(0, Ordering::Relaxed);
        upstream.set_down(!was_down);
        let url = upstream.url();
        let (level, news) = match outcome {
            Ok(()) => (Level::Info, format!("the upstream {url} is up again")),
            Err(why) => (Level::Warn, format!("the upstream {url} is down: {why}")),
        };
        self.gateway.say(level, &news);
    }

    async fn probe(&self, upstream: &Upstream) -> Result<(), String> {
        let peer = upstream.peer().ok_or("its name cannot be looked up")?;
        match &self.app.health().probe {
            Probe::Off => Ok(()),
            Probe::Connect => {
                let connected = self.tools.connect.new_stream(&peer).await;
                connected.map(drop).map_err(|error| why(&error))
            }
            Probe::Get(path) => {
                let connected = self.tools.get.get_http_session(&peer).await;
                let (mut session, _) = connected.map_err(|error| why(&error))?;
                // No more words than that: they may quote what the app said.
                let status = get(&mut session, upstream, path).await;
                let status = status.map_err(|error| error.etype().as_str().to_owned())?;
                if matches!(session, HttpSession::H2(_)) {
                    self.tools.get.release_http_session(session, &peer, None).await;
                }
                let is_good = status.is_success() || status.is_redirection();
                if is_good { Ok(()) } else { Err(format!("it answers {}", status.as_u16())) }
            }
        }
    }
}

async fn get(
    session: &mut HttpSession,
    upstream: &Upstream,
    path: &str,
) -> pingora::Result<StatusCode> {
    let mut request = RequestHeader::build("GET", path.as_bytes(), Some(3))?;
    match upstream.host() {
        Some(host) => request.insert_header(HOST, host.clone())?,
        None => request.insert_header(HOST, authority(upstream.url()))?,
    }
    request.insert_header(USER_AGENT, "vestibule-health")?;
    if matches!(session, HttpSession::H1(_)) {
        request.insert_header(CONNECTION, "close")?;
    }
    session.write_request_header(Box::new(request)).await?;
    session.finish_request_body().await?;
    session.read_response_header().await?;
    let status = session.response_header().map(|head| head.status);
    Ok(status.unwrap_or(StatusCode::BAD_GATEWAY))
}
