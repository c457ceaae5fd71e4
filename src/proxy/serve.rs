//! Accepting connections, and stopping to.

use super::door::Door;
use super::guard::{Connections, Front};
use super::settings::Listen;
use pingora::apps::ServerApp as _;
use pingora::protocols::Stream;
use pingora::protocols::l4::socket::SocketAddr as PeerAddr;
use pingora::protocols::{GetSocketDigest as _, SocketDigest};
use pingora::proxy::HttpProxy;
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

/// How long to wait when the process is out of file descriptors, before trying again.
const BREATHER: Duration = Duration::from_millis(50);

/// A socket that connections come in by.
pub enum Listener {
    /// TCP.
    Tcp(TcpListener),
    /// A socket file.
    Unix(UnixListener),
}

impl Listener {
    /// Opens it. A socket file that nobody listens on any more is replaced.
    pub async fn bind(listen: &Listen) -> io::Result<Self> {
        match listen {
            Listen::Tcp(address) => TcpListener::bind(address).await.map(Self::Tcp),
            Listen::Unix(path) => {
                remove_stale(path).await?;
                let listener = UnixListener::bind(path)?;
                std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
                Ok(Self::Unix(listener))
            }
        }
    }

    async fn accept(&self) -> io::Result<Stream> {
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

/// What serves connections.
pub struct Serving {
    front: Arc<Front<HttpProxy<Door>>>,
}

/// The accept loops, and the handle to end them.
pub struct Running {
    stop: watch::Sender<bool>,
    loops: Vec<JoinHandle<()>>,
    connections: Arc<Connections>,
}

impl Serving {
    pub(super) const fn new(front: Arc<Front<HttpProxy<Door>>>) -> Self {
        Self { front }
    }

    /// Starts accepting on the current runtime.
    pub fn start(self, listeners: Vec<Listener>) -> Running {
        let (stop, stopped) = watch::channel(false);
        let connections = Arc::clone(self.front.connections());
        let accept = |listener| {
            tokio::spawn(accept_loop(listener, Arc::clone(&self.front), stopped.clone()))
        };
        let loops = listeners.into_iter().map(accept).collect();
        Running { stop, loops, connections }
    }
}

async fn accept_loop(
    listener: Listener,
    front: Arc<Front<HttpProxy<Door>>>,
    mut stopped: watch::Receiver<bool>,
) {
    let for_each = stopped.clone();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.changed() => return,
        };
        match accepted {
            Ok(stream) => {
                let (front, stopped) = (Arc::clone(&front), for_each.clone());
                tokio::spawn(async move { front.process_new(stream, &stopped).await });
            }
            Err(_) => sleep(BREATHER).await,
        }
    }
}

impl Running {
    /// Stops accepting, lets what is in flight finish for as long as `patience`, then ends the
    /// rest. Whether everything finished.
    pub async fn drain(self, patience: Duration) -> bool {
        // Nobody listens only where every loop has ended already.
        let _ = self.stop.send(true);
        for accepting in self.loops {
            let _ = accepting.await;
        }
        self.connections.close_idle();
        let deadline = Instant::now() + patience;
        while !self.connections.is_empty() && Instant::now() < deadline {
            sleep(Duration::from_millis(20)).await;
        }
        let finished = self.connections.is_empty();
        self.connections.close_all();
        finished
    }

    /// How many connections are open.
    pub fn connections(&self) -> usize {
        self.connections.len()
    }
}
