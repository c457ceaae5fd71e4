//! Accepting connections, and stopping to.
//!
//! Every worker is a thread with a runtime of its own: what it accepted it serves to the end, over
//! connections to apps that it alone keeps. No task moves between threads, which would cost every
//! request several atomic operations; in return a worker must never be kept from its connections.

use super::door::Door;
use super::guard::{Connections, Front};
use super::settings::Listen;
use super::tls::Handshake;
use pingora::protocols::Stream;
use pingora::protocols::l4::socket::SocketAddr as PeerAddr;
use pingora::protocols::{GetSocketDigest as _, SocketDigest};
use pingora::proxy::HttpProxy;
use std::io;
use std::mem;
use std::net::{self, SocketAddr};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net as unix_net;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, UnixListener, UnixStream};
use tokio::runtime;
use tokio::sync::{oneshot, watch};
use tokio::task::{JoinSet, yield_now};
use tokio::time::{Instant, sleep, timeout_at};

/// How long to wait when the process is out of file descriptors, before trying again.
const BREATHER: Duration = Duration::from_millis(50);

/// Connections that may wait to be accepted; the system may allow fewer.
const BACKLOG: u32 = 4096;

/// How often a drain looks whether it is done.
const LOOK: Duration = Duration::from_millis(20);

/// How long what was ended by order may take to be gone.
const ENDING: Duration = Duration::from_secs(1);

/// A socket that connections come in by. Every worker accepts from it: whoever is free is first.
pub struct Listener {
    socket: Socket,
    /// Whether clients speak TLS.
    is_tls: bool,
}

enum Socket {
    Tcp(net::TcpListener),
    Unix(unix_net::UnixListener),
}

impl Listener {
    /// Opens it. A socket file that nobody listens on any more is replaced.
    pub async fn bind(listen: &Listen, is_tls: bool) -> io::Result<Self> {
        Ok(Self { socket: Socket::bind(listen).await?, is_tls })
    }

    /// Another hold of the same socket, for the runtime that this is called on.
    fn open(&self, handshake: &Handshake) -> io::Result<(Accepting, Option<Handshake>)> {
        let accepting = match &self.socket {
            Socket::Tcp(socket) => Accepting::Tcp(TcpListener::from_std(socket.try_clone()?)?),
            Socket::Unix(socket) => Accepting::Unix(UnixListener::from_std(socket.try_clone()?)?),
        };
        Ok((accepting, self.is_tls.then(|| handshake.clone())))
    }
}

impl Socket {
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
    handshake: Handshake,
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
        handshake: Handshake,
        fronts: Vec<Arc<Front<HttpProxy<Door>>>>,
        connections: Arc<Connections>,
    ) -> Self {
        Self { handshake, fronts, connections }
    }

    /// Starts the workers.
    pub fn start(self, listeners: Vec<Listener>) -> io::Result<Running> {
        let (stop, stopped) = watch::channel(false);
        let (end, ended) = watch::channel(false);
        let start = |(number, front)| {
            let (stopped, ended) = (stopped.clone(), ended.clone());
            Worker { front, stopped, ended }.start(number, &listeners, &self.handshake)
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
    fn start(
        self,
        number: usize,
        listeners: &[Listener],
        handshake: &Handshake,
    ) -> io::Result<Ends> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let sockets = {
            let _entered = runtime.enter();
            listeners.iter().map(|l| l.open(handshake)).collect::<io::Result<Vec<_>>>()?
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

    async fn work(
        mut self,
        sockets: Vec<(Accepting, Option<Handshake>)>,
        no_more: oneshot::Sender<()>,
    ) {
        let accept = |socket| accept_loop(socket, Arc::clone(&self.front), self.stopped.clone());
        sockets.into_iter().map(accept).collect::<JoinSet<()>>().join_all().await;
        // What was accepted last is in the register of connections before anybody looks there.
        yield_now().await;
        let _ = no_more.send(());
        // An error would mean that nobody is left who could say when.
        let _ = self.ended.wait_for(|ended| *ended).await;
    }
}

async fn accept_loop(
    (socket, handshake): (Accepting, Option<Handshake>),
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
                let handshake = handshake.clone();
                tokio::spawn(async move {
                    front.serve(stream, handshake.as_ref(), &stopped).await;
                });
            }
            Err(_) => sleep(BREATHER).await,
        }
    }
}

/// Hears from all of them; one that is gone has nothing to say.
async fn all(told: Vec<oneshot::Receiver<()>>) {
    for one in told {
        let _ = one.await;
    }
}

impl Running {
    /// Stops accepting, lets what is in flight finish for as long as `patience`, then ends the
    /// rest. Whether everything finished.
    pub async fn drain(mut self, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        // Nobody listens only where every worker has ended already.
        let _ = self.stop.send(true);
        let (accepting, working): (Vec<_>, Vec<_>) = mem::take(&mut self.workers)
            .into_iter()
            .map(|ends| (ends.accepting, ends.working))
            .unzip();
        // A worker in the midst of something must not keep the process, here and below.
        let _ = timeout_at(deadline, all(accepting)).await;
        self.connections.close_idle();
        let finished = self.empties_until(deadline).await;
        self.connections.close_all();
        // Those that are ended by order have a line to write.
        self.empties_until(Instant::now() + ENDING).await;
        let _ = self.end.send(true);
        let _ = timeout_at(Instant::now() + ENDING, all(working)).await;
        finished
    }

    /// Waits for the last connection to end, until then; whether it did.
    async fn empties_until(&self, deadline: Instant) -> bool {
        while !self.connections.is_empty() && Instant::now() < deadline {
            sleep(LOOK).await;
        }
        self.connections.is_empty()
    }

    /// How many connections are open.
    pub fn connections(&self) -> usize {
        self.connections.len()
    }
}
