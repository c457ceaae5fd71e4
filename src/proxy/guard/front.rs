//! What the listeners call: it shakes hands, wraps each connection and hands it to the proxy.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use pingora::apps::ServerApp;
use pingora::http::ResponseHeader;
use pingora::protocols::Stream;
use pingora::protocols::raw_connect::ProxyDigest;
use pingora::server::ShutdownWatch;

use super::connections::{Connections, Slot, TurnedAway};
use super::stream::GuardedStream;
use crate::proxy::hygiene::{HeadLimits, ProtectedNames, Refusal};
use crate::proxy::tls::Handshake;
use crate::types::ClientAddr;

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
    /// How long whoever is to give way may go on taking what they are owed.
    pub(crate) parting: Duration,
    /// How much of a head is taken.
    pub(crate) limits: HeadLimits,
    /// Names only the gateway may use, asked for once a connection.
    pub(crate) protected: Arc<dyn Fn() -> Arc<ProtectedNames> + Send + Sync>,
    /// Whom a connection of this peer counts for, if for anybody.
    pub(crate) counted: Arc<dyn Fn(Option<SocketAddr>) -> Option<ClientAddr> + Send + Sync>,
    /// Told of every refusal; must not block.
    pub(crate) on_refusal: Arc<dyn Fn(Refused) + Send + Sync>,
}

impl Default for GuardSettings {
    fn default() -> Self {
        Self {
            head_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
            body_timeout: Duration::from_secs(60),
            parting: Duration::from_secs(60),
            limits: HeadLimits::default(),
            protected: Arc::new(Arc::default),
            counted: Arc::new(|_| None),
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

    /// Notes that somebody could not be accepted for want of files.
    pub(crate) fn lacks_files(&self) {
        self.connections.turn_away(TurnedAway::Files);
    }

    fn wrap(&self, stream: Stream, slot: Slot) -> Option<GuardedStream> {
        // The engine's only place for data of a connection; the response in it means nothing here.
        let response = ResponseHeader::build(200, Some(0)).ok()?;
        let digest = ProxyDigest::new(Box::new(response), Some(Box::new(slot.control.clone())));
        Some(GuardedStream::new(stream, self.settings.clone(), slot, Arc::new(digest)))
    }

    fn admit(&self, stream: &Stream) -> Option<Slot> {
        let client = (self.settings.counted)(peer_of(stream));
        self.connections.admit(client, (self.settings.protected)())
    }
}

impl<A> Front<A>
where
    A: ServerApp + Send + Sync + 'static,
{
    /// Serves a connection to its end, behind a handshake where there is to be one. Whoever shakes
    /// hands has a place already, so that no more than are admitted can keep us waiting.
    pub(crate) async fn serve(
        &self,
        stream: Stream,
        handshake: Option<&Handshake>,
        shutdown: &ShutdownWatch,
    ) {
        let Some(slot) = self.admit(&stream) else { return };
        let Some(handshake) = handshake else { return self.go_on(stream, slot, shutdown).await };
        let shaking = Box::pin(handshake.shake(stream));
        let shaken = tokio::select! {
            shaken = slot.control.drive(shaking) => shaken.flatten(),
            () = slot.control.giving_way() => None,
        };
        let Some(shaken) = shaken else { return };
        slot.control.set_server_name(shaken.server_name);
        self.go_on(shaken.stream, slot, shutdown).await;
    }

    async fn go_on(&self, stream: Stream, slot: Slot, shutdown: &ShutdownWatch) {
        let Some(guarded) = self.wrap(stream, slot) else { return };
        let control = guarded.control_handle();
        // The engine keeps an HTTP connection until its end. Should it ever give one back, that one
        // is closed: wrapping it twice would confuse two guards.
        let leaving = control.leaving();
        // Looked at after its admission: whoever says it later finds this connection.
        if *shutdown.borrow() {
            control.leave(true);
        }
        let mut serving = self.app.process_new(Box::new(guarded), &leaving);
        if control.drive(&mut serving).await.is_none() {
            // Reads and writes fail by now. What waits for the app instead is given a moment to
            // write its access line, then dropped.
            let _ = tokio::time::timeout(KILL_GRACE, serving).await;
        }
    }
}
