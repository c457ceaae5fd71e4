//! Accepting connections, and stopping to.
//!
//! Every worker is a thread with a runtime of its own: what it accepted it serves to the end, over
//! connections to apps that it alone keeps. No task moves between threads, so nothing on the way
//! of a request is shared that would have to be waited for.

use super::door::Door;
use super::guard::{Connections, Front};
use super::settings::Listen;
use pingora::apps::ServerApp as _;
use pingora::protocols::Stream;
use pingora::protocols::l4::socket::SocketAddr as PeerAddr;
use pingora::protocols::{GetSocketDigest as _, SocketDigest};
use pingora::proxy::HttpProxy;
use std::io;
use std::net;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net as unix_net;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio::runtime;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

/// How long to wait when the process is out of file descriptors, before trying again.
const BREATHER: Duration = Duration::from_millis(50);

/// How long what was ended by order may take to be gone.
const ENDING: Duration = Duration::from_secs(1);

/// A socket that connections come in by. Every worker accepts from it: whoever is free is first.
pub enum Listener {
    /// TCP.
    Tcp(net::TcpListener),
    /// A socket file.
    Unix(unix_net::UnixListener),
}

impl Listener {
    /// Opens it. A socket file that nobody listens on any more is replaced.
    pub async fn bind(listen: &Listen) -> io::Result<Self> {
        match listen {
            Listen::Tcp(address) => TcpListener::bind(address).await?.into_std().map(Self::Tcp),
            Listen::Unix(path) => {
                remove_stale(path).await?;
                let listener = UnixListener::bind(path)?;
                std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
                listener.into_std().map(Self::Unix)
            }
        }
    }

    /// Another hold of the same socket, for the runtime that this is called on.
    fn open(&self) -> io::Result<Accepting> {
        Ok(match self {
            Self::Tcp(socket) => Accepting::Tcp(TcpListener::from_std(socket.try_clone()?)?),
            Self::Unix(socket) => Accepting::Unix(UnixListener::from_std(socket.try_clone()?)?),
        })
    }
}

/// A socket in the hand of a worker.
enum Accepting {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Accepting {
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

/// What serves connections: a guard and an engine for each worker.
pub struct Serving {
    fronts: Vec<Arc<Front<HttpProxy<Door>>>>,
    connections: Arc<Connections>,
}

/// The workers, and the handles to end them.
pub struct Running {
    /// Accept no more.
    stop: watch::Sender<bool>,
    /// Let go of what is left.
    end: watch::Sender<bool>,
    workers: Vec<Ends>,
    connections: Arc<Connections>,
}

/// What is heard of a worker: that it accepts no more, then that it is gone.
struct Ends {
    accepting: oneshot::Receiver<()>,
    working: oneshot::Receiver<()>,
}

impl Serving {
    pub(super) const fn new(
        fronts: Vec<Arc<Front<HttpProxy<Door>>>>,
        connections: Arc<Connections>,
    ) -> Self {
        Self { fronts, connections }
    }

    /// Starts the workers.
    pub fn start(self, listeners: Vec<Listener>) -> io::Result<Running> {
        let (stop, stopped) = watch::channel(false);
        let (end, ended) = watch::channel(false);
        let start = |(number, front)| {
            let (stopped, ended) = (stopped.clone(), ended.clone());
            Worker { front, stopped, ended }.start(number, &listeners)
        };
        let workers = self.fronts.into_iter().enumerate().map(start).collect::<io::Result<_>>()?;
        Ok(Running { stop, end, workers, connections: self.connections })
    }
}

/// One thread that serves.
struct Worker {
    front: Arc<Front<HttpProxy<Door>>>,
    stopped: watch::Receiver<bool>,
    ended: watch::Receiver<bool>,
}

impl Worker {
    fn start(self, number: usize, listeners: &[Listener]) -> io::Result<Ends> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let sockets = {
            let _entered = runtime.enter();
            listeners.iter().map(Listener::open).collect::<io::Result<Vec<_>>>()?
        };
        let (no_more, accepting) = oneshot::channel();
        let (gone, working) = oneshot::channel();
        let work = move || {
            runtime.block_on(self.work(sockets, no_more));
            // Ends what still runs, without waiting for a name that is being looked up.
            runtime.shutdown_background();
            let _ = gone.send(());
        };
        thread::Builder::new().name(format!("proxy-{number}")).spawn(work)?;
        Ok(Ends { accepting, working })
    }

    async fn work(mut self, sockets: Vec<Accepting>, no_more: oneshot::Sender<()>) {
        let accept = |socket| accept_loop(socket, Arc::clone(&self.front), self.stopped.clone());
        sockets.into_iter().map(accept).collect::<JoinSet<()>>().join_all().await;
        let _ = no_more.send(());
        // An error would mean that nobody is left who could say when.
        let _ = self.ended.wait_for(|ended| *ended).await;
    }
}

async fn accept_loop(
    socket: Accepting,
    front: Arc<Front<HttpProxy<Door>>>,
    mut stopped: watch::Receiver<bool>,
) {
    let for_each = stopped.clone();
    loop {
        let accepted = tokio::select! {
            accepted = socket.accept() => accepted,
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
        // Nobody listens only where every worker has ended already.
        let _ = self.stop.send(true);
        let (accepting, working): (Vec<_>, Vec<_>) =
            self.workers.into_iter().map(|ends| (ends.accepting, ends.working)).unzip();
        for no_more in accepting {
            let _ = no_more.await;
        }
        self.connections.close_idle();
        let deadline = Instant::now() + patience;
        while !self.connections.is_empty() && Instant::now() < deadline {
            sleep(Duration::from_millis(20)).await;
        }
        let finished = self.connections.is_empty();
        self.connections.close_all();
        let _ = self.end.send(true);
        let all_gone = async {
            for gone in working {
                let _ = gone.await;
            }
        };
        // A worker in the midst of something must not keep the process.
        let _ = timeout(ENDING, all_gone).await;
        finished
    }

    /// How many connections are open.
    pub fn connections(&self) -> usize {
        self.connections.len()
    }
}
