//! Connections to apps for WebSocket handshakes.
//!
//! The half of the engine that talks to the app learns from a queue that the request has no body,
//! and where the app's answer is there as well, it is left to chance which of the two it looks at
//! first. If that is a `101`, it takes the end of the request, found afterwards, for the end of
//! the WebSocket, and closes it. So the answer is kept back until the queue has had its turn:
//! after each write, the next few reads let everything else go first.
//!
//! Such a connection serves one request, since the engine cannot tell two of its kind apart.

use super::route::Patience;
use super::waits::Line;
use async_trait::async_trait;
use pingora::connectors::l4::Connect;
use pingora::protocols::l4::socket::SocketAddr;
use pingora::protocols::l4::stream::Stream;
use pingora::protocols::l4::virt::{VirtualSockOpt, VirtualSocket, VirtualSocketStream};
use pingora::upstreams::peer::HttpPeer;
use pingora::{Error, ErrorType};
use std::fmt::Debug;
use std::io;
use std::os::fd::AsFd;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

/// How often a read lets everything else go first. The queue is filled by the first time and
/// looked at by the second; the rest is for good measure.
const TURNS: u8 = 4;

/// How long a connection that has served its request is kept: not at all.
const KEPT: Duration = Duration::from_millis(1);

/// Sees to it that a peer's connection is used for nothing else.
pub(super) fn unlike_any_other(mut peer: HttpPeer) -> HttpPeer {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    // A group of its own, so that no kept connection is used and none is kept for anybody.
    peer.group_key = NEXT.fetch_add(1, Ordering::Relaxed);
    peer.options.idle_timeout = Some(KEPT);
    peer
}

/// Opens connections that are more than the engine's.
#[derive(Debug)]
pub(super) struct Dial {
    patience: Patience,
    gives_way: bool,
    is_in_line: bool,
}

impl Dial {
    /// Connections whose reads give way, for a handshake; with a line where there are limits.
    pub(super) const fn for_handshake(patience: Patience, is_in_line: bool) -> Self {
        Self { patience, gives_way: true, is_in_line }
    }

    /// Connections with a line.
    pub(super) const fn in_line(patience: Patience) -> Self {
        Self { patience, gives_way: false, is_in_line: true }
    }

    async fn open(&self, address: &SocketAddr) -> io::Result<(Stream, Option<Arc<Line>>)> {
        match address {
            SocketAddr::Inet(address) => {
                let socket = TcpStream::connect(address).await?;
                socket.set_nodelay(true)?;
                let line = self.line(&socket)?;
                Ok((if self.gives_way { giving_way(socket) } else { socket.into() }, line))
            }
            SocketAddr::Unix(address) => {
                let path = address.as_pathname().ok_or(io::ErrorKind::AddrNotAvailable)?;
                let socket = UnixStream::connect(path).await?;
                let line = self.line(&socket)?;
                Ok((if self.gives_way { giving_way(socket) } else { socket.into() }, line))
            }
        }
    }

    fn line(&self, socket: &impl AsFd) -> io::Result<Option<Arc<Line>>> {
        self.is_in_line.then(|| Line::of(socket, self.patience)).transpose()
    }
}

#[async_trait]
impl Connect for Dial {
    async fn connect(&self, address: &SocketAddr) -> pingora::Result<Stream> {
        const CONTEXT: &str = "an app";
        match timeout(self.patience.connect, self.open(address)).await {
            Ok(Ok((mut stream, line))) => {
                line.map_or(Ok(()), |line| line.fasten(&mut stream))?;
                Ok(stream)
            }
            Ok(Err(error)) => Err(Error::because(ErrorType::ConnectError, CONTEXT, error)),
            Err(late) => Err(Error::because(ErrorType::ConnectTimedout, CONTEXT, late)),
        }
    }
}

fn giving_way<S>(socket: S) -> Stream
where
    S: AsyncRead + AsyncWrite + Unpin + Send + Sync + Debug + 'static,
{
    VirtualSocketStream::new(Box::new(GivesWay { socket, turns: 0 })).into()
}

/// A socket whose reads let everything else go first after each write.
#[derive(Debug)]
struct GivesWay<S> {
    socket: S,
    turns: u8,
}

impl<S: AsyncRead + Unpin> AsyncRead for GivesWay<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if let Some(left) = this.turns.checked_sub(1) {
            this.turns = left;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Pin::new(&mut this.socket).poll_read(cx, out)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for GivesWay<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.turns = TURNS;
        Pin::new(&mut this.socket).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_shutdown(cx)
    }
}

impl<S> VirtualSocket for GivesWay<S>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + Sync + Debug,
{
    fn set_socket_option(&self, _option: VirtualSockOpt) -> io::Result<()> {
        // What is needed was set when it was opened.
        Ok(())
    }
}
