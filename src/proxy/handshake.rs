//! Connections to apps for WebSocket handshakes.
//!
//! The half of the engine that talks to the app learns from a queue that the request has no body,
//! and where the app's answer is there as well, it is left to chance which of the two it looks at
//! first. If that is a `101`, it takes the end of the request, found afterwards, for the end of
//! the WebSocket, and closes it. So the answer is kept back until the queue has had its turn:
//! after each write, the next few reads let everything else go first.
//!
//! Such a connection serves one request, since the engine cannot tell two of its kind apart.

use async_trait::async_trait;
use pingora::connectors::l4::Connect;
use pingora::protocols::l4::socket::SocketAddr;
use pingora::protocols::l4::stream::Stream;
use pingora::protocols::l4::virt::{VirtualSockOpt, VirtualSocket, VirtualSocketStream};
use pingora::upstreams::peer::HttpPeer;
use pingora::{Error, ErrorType};
use std::fmt::Debug;
use std::io;
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

/// Prepares a peer for a handshake.
pub(super) fn for_handshake(mut peer: HttpPeer, patience: Duration) -> HttpPeer {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    // A group of its own, so that no kept connection is used and none is kept for anybody.
    peer.group_key = NEXT.fetch_add(1, Ordering::Relaxed);
    peer.options.idle_timeout = Some(KEPT);
    peer.options.custom_l4 = Some(Arc::new(Unhurried { patience }));
    peer
}

/// Opens connections whose reads give way.
#[derive(Debug)]
struct Unhurried {
    patience: Duration,
}

#[async_trait]
impl Connect for Unhurried {
    async fn connect(&self, address: &SocketAddr) -> pingora::Result<Stream> {
        match timeout(self.patience, open(address)).await {
            Ok(Ok(socket)) => Ok(VirtualSocketStream::new(socket).into()),
            Ok(Err(error)) => Err(Error::because(ErrorType::ConnectError, "a handshake", error)),
            Err(late) => Err(Error::because(ErrorType::ConnectTimedout, "a handshake", late)),
        }
    }
}

async fn open(address: &SocketAddr) -> io::Result<Box<dyn VirtualSocket>> {
    match address {
        SocketAddr::Inet(address) => {
            let socket = TcpStream::connect(address).await?;
            socket.set_nodelay(true)?;
            Ok(Box::new(GivesWay { socket, turns: 0 }))
        }
        SocketAddr::Unix(address) => {
            let path = address.as_pathname().ok_or(io::ErrorKind::AddrNotAvailable)?;
            Ok(Box::new(GivesWay { socket: UnixStream::connect(path).await?, turns: 0 }))
        }
    }
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
