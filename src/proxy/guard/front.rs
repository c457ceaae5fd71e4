//! The application the listeners call: it wraps each connection and hands it to the proxy.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pingora::apps::ServerApp;
use pingora::http::ResponseHeader;
use pingora::protocols::Stream;
use pingora::protocols::raw_connect::ProxyDigest;
use pingora::server::ShutdownWatch;

use super::control::Connections;
use super::stream::GuardedStream;
use crate::proxy::client::TrustedProxies;
use crate::proxy::hygiene::{HeadLimits, ProtectedNames, Refusal};

/// A request the guard refused, for the access log and the metrics.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refused {
    /// Why.
    pub(crate) refusal: Refusal,
    /// Who is at the other end of the socket; none on a Unix socket.
    pub(crate) peer: Option<SocketAddr>,
}

/// What the guard allows.
#[derive(Clone)]
pub(crate) struct GuardSettings {
    /// From the first byte of a head to its last; also for the first byte of a connection.
    pub(crate) head_timeout: Duration,
    /// Between requests.
    pub(crate) idle_timeout: Duration,
    /// How long a body may stand still, unless the hooks say otherwise.
    pub(crate) body_timeout: Duration,
    /// How much of a head is taken.
    pub(crate) limits: HeadLimits,
    /// Names only the gateway may use.
    pub(crate) protected: Arc<ProtectedNames>,
    /// Peers that speak for many clients.
    pub(crate) trusted: Arc<TrustedProxies>,
    /// Told of every refusal; must not block.
    pub(crate) on_refusal: Arc<dyn Fn(Refused) + Send + Sync>,
}

impl Default for GuardSettings {
    fn default() -> Self {
        Self {
            head_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
            body_timeout: Duration::from_secs(60),
            limits: HeadLimits::default(),
            protected: Arc::new(ProtectedNames::default()),
            trusted: Arc::new(TrustedProxies::default()),
            on_refusal: Arc::new(|_| {}),
        }
    }
}

impl fmt::Debug for GuardSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardSettings").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// Who is at the other end of a socket; none on a Unix socket.
pub(super) fn peer_of(stream: &Stream) -> Option<SocketAddr> {
    stream.get_socket_digest()?.peer_addr()?.as_inet().copied()
}

/// How long a connection ended by order may take to notice by itself.
const KILL_GRACE: Duration = Duration::from_millis(500);

/// The guard in front of a proxy.
pub(crate) struct Front<A> {
    app: Arc<A>,
    settings: Arc<GuardSettings>,
    connections: Arc<Connections>,
}

impl<A> Front<A> {
    /// Puts the guard in front of `app`. Several may share a register of open connections.
    pub(crate) fn new(app: Arc<A>, settings: GuardSettings, connections: Arc<Connections>) -> Self {
        Self { settings: Arc::new(settings), app, connections }
    }

    fn wrap(&self, stream: Stream) -> Option<GuardedStream> {
        let slot = self.connections.admit(self.settings.trusted.counted(peer_of(&stream)))?;
        // The engine's only place for data of a connection; the response in it means nothing here.
        let response = ResponseHeader::build(200, Some(0)).ok()?;
        let digest = ProxyDigest::new(Box::new(response), Some(Box::new(slot.control.clone())));
        Some(GuardedStream::new(stream, self.settings.clone(), slot, Arc::new(digest)))
    }
}

#[async_trait]
impl<A> ServerApp for Front<A>
where
    A: ServerApp + Send + Sync + 'static,
{
    async fn process_new(
        self: &Arc<Self>,
        session: Stream,
        shutdown: &ShutdownWatch,
    ) -> Option<Stream> {
        let guarded = self.wrap(session)?;
        let control = guarded.control_handle();
        // The engine keeps an HTTP connection until its end. Should it ever give one back, that one
        // is closed: wrapping it twice would confuse two guards.
        let mut serving = self.app.process_new(Box::new(guarded), shutdown);
        if control.drive(&mut serving).await.is_none() {
            // Reads and writes fail by now. What waits for the app instead is given a moment to
            // write its access line, then dropped.
            let _ = tokio::time::timeout(KILL_GRACE, serving).await;
        }
        None
    }

    async fn cleanup(&self) {
        self.connections.close_idle();
        self.app.cleanup().await;
    }
}
