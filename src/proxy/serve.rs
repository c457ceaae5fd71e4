//! Accepting connections, and stopping to.
//!
//! Every worker is a thread with a runtime of its own: what it accepted it serves to the end, over
//! connections to apps that it alone keeps. No task moves between threads, which would cost every
//! request several atomic operations; in return a worker must never be kept from its connections.

use super::guard::{Connections, Front};
use super::listening::{Accepting, Listener};
use super::tls::Handshake;
use super::uploads::Watched;
use rustix::io::Errno;
use std::io;
use std::mem;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::runtime;
use tokio::sync::{oneshot, watch};
use tokio::task::{JoinSet, yield_now};
use tokio::time::{Instant, sleep, timeout_at};

/// How long to wait when the process is out of file descriptors, before trying again.
const BREATHER: Duration = Duration::from_millis(50);

/// How often a drain looks whether it is done.
const LOOK: Duration = Duration::from_millis(20);

/// How often a hand-over looks, while nobody accepts.
const GLANCE: Duration = Duration::from_millis(2);

/// How long what was ended by order may take to be gone.
const ENDING: Duration = Duration::from_secs(1);

/// What serves connections: a guard and an engine for each worker.
pub struct Serving {
    handshake: Handshake,
    fronts: Vec<Arc<Front<Watched>>>,
    connections: Arc<Connections>,
}

/// The workers, and the handles to end them.
pub struct Running {
    /// Answer what comes, and say that it is the last answer on its connection.
    leave: watch::Sender<bool>,
    /// Accept no more.
    stop: watch::Sender<bool>,
    /// Let go of what is left.
    end: watch::Sender<bool>,
    /// Of each worker: that it accepts no more, and that it is gone.
    accepting: Vec<oneshot::Receiver<()>>,
    working: Vec<oneshot::Receiver<()>>,
    connections: Arc<Connections>,
}

impl Serving {
    pub(super) const fn new(
        handshake: Handshake,
        fronts: Vec<Arc<Front<Watched>>>,
        connections: Arc<Connections>,
    ) -> Self {
        Self { handshake, fronts, connections }
    }

    /// Starts the workers.
    pub fn start(self, listeners: &[Listener]) -> io::Result<Running> {
        let (leave, leaving) = watch::channel(false);
        let (stop, stopped) = watch::channel(false);
        let (end, ended) = watch::channel(false);
        let start = |(number, front)| {
            let (leaving, stopped, ended) = (leaving.clone(), stopped.clone(), ended.clone());
            Worker { front, leaving, stopped, ended }.start(number, listeners, &self.handshake)
        };
        let workers = self.fronts.into_iter().enumerate().map(start);
        let (accepting, working) = workers.collect::<io::Result<(Vec<_>, Vec<_>)>>()?;
        Ok(Running { leave, stop, end, accepting, working, connections: self.connections })
    }
}

/// One thread that serves.
struct Worker {
    front: Arc<Front<Watched>>,
    leaving: watch::Receiver<bool>,
    stopped: watch::Receiver<bool>,
    ended: watch::Receiver<bool>,
}

impl Worker {
    fn start(
        self,
        number: usize,
        listeners: &[Listener],
        handshake: &Handshake,
    ) -> io::Result<(oneshot::Receiver<()>, oneshot::Receiver<()>)> {
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
        Ok((accepting, working))
    }

    async fn work(
        mut self,
        sockets: Vec<(Accepting, Option<Handshake>)>,
        no_more: oneshot::Sender<()>,
    ) {
        let (leaving, stopped) = (&self.leaving, &self.stopped);
        let accept =
            |socket| accept_loop(socket, Arc::clone(&self.front), leaving.clone(), stopped.clone());
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
    front: Arc<Front<Watched>>,
    leaving: watch::Receiver<bool>,
    mut stopped: watch::Receiver<bool>,
) {
    loop {
        let accepted = tokio::select! {
            accepted = socket.accept() => accepted,
            _ = stopped.changed() => return,
        };
        match accepted {
            Ok(stream) => {
                let (front, leaving) = (Arc::clone(&front), leaving.clone());
                let handshake = handshake.clone();
                tokio::spawn(async move {
                    front.serve(stream, handshake.as_ref(), &leaving).await;
                });
            }
            Err(error) => {
                if let Some(Errno::MFILE | Errno::NFILE) = Errno::from_io_error(&error) {
                    front.lacks_files();
                }
                sleep(BREATHER).await;
            }
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
    /// From now on each answer is the last one on its connection, or not any more; what comes is
    /// accepted as before.
    pub fn leave(&self, leaves: bool) {
        // Nobody listens only where every worker has ended already, here and below.
        let _ = self.leave.send(leaves);
        self.connections.leave(leaves);
    }

    /// Stops accepting, and ends what is idle.
    pub async fn stop_accepting(&mut self, patience: Duration) {
        self.leave(true);
        let _ = self.stop.send(true);
        let accepting = mem::take(&mut self.accepting);
        // A worker in the midst of something must not keep the process, here and below.
        let _ = timeout_at(Instant::now() + patience, all(accepting)).await;
        self.connections.close_idle();
    }

    /// Waits until nothing that was accepted needs anything of ours any more: what is left waits
    /// for its app. Whether that came about.
    pub async fn settle(&self, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        while self.connections.is_anybody_undecided() && Instant::now() < deadline {
            sleep(GLANCE).await;
        }
        !self.connections.is_anybody_undecided()
    }

    /// Stops accepting, lets what is in flight finish for as long as `patience`, then ends the
    /// rest. Whether everything finished.
    pub async fn drain(mut self, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        self.stop_accepting(patience).await;
        let finished = self.empties_until(deadline).await;
        self.connections.close_all();
        // Those that are ended by order have a line to write.
        self.empties_until(Instant::now() + ENDING).await;
        let _ = self.end.send(true);
        let _ = timeout_at(Instant::now() + ENDING, all(self.working)).await;
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
