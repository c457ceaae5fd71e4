//! The sockets that connections come in by: opened here, or taken over from whoever holds them.

use super::settings::Listen;
use super::tls::Handshake;
use pingora::protocols::Stream;
use pingora::protocols::l4::socket::SocketAddr as PeerAddr;
use pingora::protocols::{GetSocketDigest as _, SocketDigest};
use std::fmt;
use std::io;
use std::net::{self, SocketAddr};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net as unix_net;
use std::path::Path;
use tokio::net::{TcpListener, TcpSocket, UnixListener, UnixStream};

/// Connections that may wait to be accepted; the system may allow fewer.
const BACKLOG: u32 = 4096;

/// A socket that connections come in by. Every worker accepts from it: whoever is free is first.
pub struct Listener {
    socket: Socket,
    /// Whether clients speak TLS.
    is_tls: bool,
}

/// A socket that is listened on.
pub enum Socket {
    /// For an address.
    Tcp(net::TcpListener),
    /// For a file.
    Unix(unix_net::UnixListener),
}

impl Listener {
    /// Opens it. A socket file that nobody listens on any more is replaced.
    pub async fn bind(listen: &Listen, is_tls: bool) -> io::Result<Self> {
        Ok(Self { socket: Socket::bind(listen).await?, is_tls })
    }

    /// Takes over one that somebody else has opened.
    pub const fn over(socket: Socket, is_tls: bool) -> Self {
        Self { socket, is_tls }
    }

    /// What it accepts from, for whoever is to accept from it next.
    pub fn socket(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Another hold of the same socket, for the runtime that this is called on.
    pub(super) fn open(&self, handshake: &Handshake) -> io::Result<(Accepting, Option<Handshake>)> {
        let accepting = match &self.socket {
            Socket::Tcp(socket) => Accepting::Tcp(TcpListener::from_std(socket.try_clone()?)?),
            Socket::Unix(socket) => Accepting::Unix(UnixListener::from_std(socket.try_clone()?)?),
        };
        Ok((accepting, self.is_tls.then(|| handshake.clone())))
    }
}

impl Socket {
    /// Whether it is the one that this asks for. Any port is, where any is asked for.
    pub fn is_at(&self, listen: &Listen) -> bool {
        match (self, listen) {
            (Self::Tcp(socket), Listen::Tcp(wanted)) => socket.local_addr().is_ok_and(|at| {
                at.ip() == wanted.ip() && (wanted.port() == 0 || at.port() == wanted.port())
            }),
            (Self::Unix(socket), Listen::Unix(path)) => {
                socket.local_addr().is_ok_and(|at| at.as_pathname() == Some(path))
            }
            _ => false,
        }
    }

    async fn bind(listen: &Listen) -> io::Result<Self> {
        match listen {
            Listen::Tcp(address) => {
                let socket = match address {
                    SocketAddr::V4(_) => TcpSocket::new_v4()?,
                    SocketAddr::V6(_) => TcpSocket::new_v6()?,
                };
                socket.set_reuseaddr(true)?;
                socket.bind(*address)?;
                socket.listen(BACKLOG)?.into_std().map(Self::Tcp)
            }
            Listen::Unix(path) => {
                remove_stale(path).await?;
                let listener = UnixListener::bind(path)?;
                std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
                listener.into_std().map(Self::Unix)
            }
        }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(socket) => socket.as_fd(),
            Self::Unix(socket) => socket.as_fd(),
        }
    }
}

impl fmt::Display for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(socket) => match socket.local_addr() {
                Ok(at) => write!(f, "{at}"),
                Err(error) => write!(f, "an address that cannot be read ({error})"),
            },
            Self::Unix(socket) => match socket.local_addr() {
                Ok(at) => match at.as_pathname() {
                    Some(path) => write!(f, "unix:{}", path.display()),
                    None => f.write_str("a Unix socket without a file"),
                },
                Err(error) => write!(f, "a Unix socket that cannot be read ({error})"),
            },
        }
    }
}

/// A socket in the hand of a worker.
pub(super) enum Accepting {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Accepting {
    pub(super) async fn accept(&self) -> io::Result<Stream> {
        match self {
            Self::Tcp(listener) => {
                let (tcp, peer) = listener.accept().await?;
                tcp.set_nodelay(true)?;
                let digest = SocketDigest::from_raw_fd(tcp.as_raw_fd());
                // The cell is new, so there is nothing it could refuse.
                let _ = digest.peer_addr.set(Some(PeerAddr::Inet(peer)));
                let mut stream = pingora::protocols::l4::stream::Stream::from(tcp);
                stream.set_socket_digest(digest);
                Ok(Box::new(stream))
            }
            Self::Unix(listener) => {
                let (unix, _) = listener.accept().await?;
                let digest = SocketDigest::from_raw_fd(unix.as_raw_fd());
                let _ = digest.peer_addr.set(None);
                let mut stream = pingora::protocols::l4::stream::Stream::from(unix);
                stream.set_socket_digest(digest);
                Ok(Box::new(stream))
            }
        }
    }
}

/// Removes a socket file that nobody answers on.
async fn remove_stale(path: &Path) -> io::Result<()> {
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|meta| meta.file_type().is_socket());
    if is_socket && UnixStream::connect(path).await.is_err() {
        std::fs::remove_file(path)?;
    }
    Ok(())
}
