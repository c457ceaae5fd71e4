//! Leaving: stopping for good, or handing over to another process (`handover`).

use super::doors::Doors;
use super::handover::Successor;
use super::socket::{self, Counter};
use super::{RunError, State, Stop, notify};
use crate::observe::Level;
use crate::proxy::{Gateway, OpenStream, Running};
use crate::store::KvStore;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::signal::unix::Signal;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

/// How long requests in flight may take to finish once the gateway is told to stop. Kubernetes
/// kills after thirty seconds.
const PATIENCE: Duration = Duration::from_secs(25);

/// For so long answers say that they are the last on their connection, before nobody accepts: a
/// client that uses its connection within that time has another when it matters.
const NOTICE: Duration = Duration::from_secs(1);

/// How long nobody may accept for the sake of those who still need the store.
const UNDECIDED: Duration = Duration::from_secs(3);

/// How often it is asked whether sessions go on, and how often it looks who waits too long.
const LOOK: Duration = Duration::from_millis(400);

/// How long nobody may be there to ask.
const DOUBT: Duration = Duration::from_secs(2);

/// Who answers administrators and health checks.
pub(super) struct Counters {
    admin: Counter,
    health: Option<Counter>,
}

impl Counters {
    /// Opens both.
    pub(super) fn open(
        admin_socket: &Path,
        doors: &mut Doors,
        gateway: &Arc<Gateway>,
        state: &Arc<State>,
    ) -> Result<Self, RunError> {
        let admin = match doors.admin.take() {
            Some(socket) => socket,
            None => socket::bind_admin(admin_socket)?,
        };
        let admin = doors.admin.insert(admin);
        let open = |socket| Counter::open(socket, gateway, state).map_err(RunError::thread);
        Ok(Self { admin: open(admin)?, health: doors.health.as_ref().map(open).transpose()? })
    }

    async fn close(self) {
        drop(self.health);
        self.admin.close().await;
    }
}

/// Everything that runs.
pub(super) struct House {
    pub(super) gateway: Arc<Gateway>,
    pub(super) state: Arc<State>,
    pub(super) store: Arc<KvStore>,
    pub(super) running: Running,
    pub(super) doors: Doors,
    pub(super) counters: Option<Counters>,
    pub(super) jobs: Vec<JoinHandle<()>>,
    pub(super) admin_socket: PathBuf,
}

impl House {
    /// Runs until it is told to stop, or has handed over.
    pub(super) async fn until_told(self, mut quit: Signal, mut stop: Stop) -> Result<(), RunError> {
        loop {
            let prepared = tokio::select! {
                () = stop.wait() => return self.stop().await,
                prepared = self.successor(&mut quit) => prepared,
            };
            match prepared {
                Ok(successor) => return self.hand_over(successor).await,
                Err(why) => {
                    let message = format!("not handed over, this process goes on: {why}");
                    self.gateway.say(Level::Error, &message);
                }
            }
        }
    }

    /// Finishes what is in flight, as far as there is time, and brings everything to the disk.
    async fn stop(self) -> Result<(), RunError> {
        notify::stopping();
        self.state.draining.store(true, Ordering::SeqCst);
        self.gateway.say(Level::Info, "stopping: finishing what is in flight");
        // Once the workers hold none of them either, who comes is refused.
        drop(self.doors);
        let finished = self.running.drain(PATIENCE).await;
        self.gateway.tracer().flush().await;
        self.jobs.iter().for_each(JoinHandle::abort);
        let closed = self.gateway.service().close().await;
        let word = if finished { "stopped" } else { "stopped with requests unfinished" };
        self.gateway.say(Level::Info, word);
        // Whoever removed it before has done the work.
        let _ = std::fs::remove_file(&self.admin_socket);
        closed.map_err(|error| RunError::store(error.to_string()))
    }

    /// Once told to, starts another process; it, once it waits for nothing but the store.
    async fn successor(&self, quit: &mut Signal) -> Result<Successor, String> {
        if quit.recv().await.is_none() {
            return std::future::pending().await;
        }
        self.gateway.say(Level::Info, "handing over: a new process is started");
        let mut successor = Successor::start(&self.doors).map_err(|error| error.to_string())?;
        let mut prepared = successor.is_prepared().await;
        if prepared.is_ok() {
            self.running.leave(true);
            if successor.gives_up_within(NOTICE).await {
                self.running.leave(false);
                prepared = Err(String::from("the new process ended, and has said why"));
            }
        }
        match prepared {
            Ok(()) => Ok(successor),
            Err(why) => {
                successor.give_up();
                Err(why)
            }
        }
    }

    /// Hands over, and passes on what was let through before.
    async fn hand_over(mut self, mut successor: Successor) -> Result<(), RunError> {
        let began = Instant::now();
        let settled = self.let_go().await;
        let released = began.elapsed().as_millis();
        if let Err(why) = successor.takes_over().await {
            let pid = successor.id();
            successor.give_up();
            return Err(RunError::sentence(format!(
                "process {pid} did not take over once the store was free: {why}; start the gateway again"
            )));
        }
        let (pid, gap) = (successor.id(), began.elapsed().as_millis());
        let word = if settled { "" } else { "; some requests were not answered in time" };
        let message = format!(
            "handed over to process {pid}: nobody accepted for {gap} ms, {released} of them until the store was free{word}"
        );
        self.gateway.say(Level::Info, &message);
        // Who waits to be accepted is the other's from now on.
        drop(self.doors);
        let watch = tokio::spawn(watch(Arc::clone(&self.gateway), self.admin_socket));
        let finished = self.running.drain(PATIENCE).await;
        watch.abort();
        self.gateway.tracer().flush().await;
        let word = if finished { "stopped" } else { "stopped with requests unfinished" };
        self.gateway.say(Level::Info, word);
        Ok(())
    }

    /// Accepts no more, answers what needs the store, and lets go of it. Whether all was answered.
    async fn let_go(&mut self) -> bool {
        self.state.draining.store(true, Ordering::SeqCst);
        self.running.stop_accepting(UNDECIDED).await;
        let settled = self.running.settle(UNDECIDED).await;
        if let Some(counters) = self.counters.take() {
            counters.close().await;
        }
        for job in self.jobs.drain(..) {
            job.abort();
            // Aborted: there is nothing to hear.
            let _ = job.await;
        }
        let service = self.gateway.service();
        let saved = service.save_uses().await;
        let released = self.store.release().await;
        // From here on nobody is known: whoever is not let through yet is not let through. Nobody
        // else has the store before this is done.
        service.forget_all();
        if let Err(error) = saved.and(released) {
            self.gateway.say(Level::Error, &format!("while handing over: {error}"));
        }
        settled
    }
}

/// Ends streams whose sessions have ended, as whoever has the store says. Where nobody says
/// anything for a while, ends them all.
async fn watch(gateway: Arc<Gateway>, admin_socket: PathBuf) {
    let mut heard = Instant::now();
    loop {
        gateway.end_overdue_waits();
        let streams = gateway.open_streams();
        let named: Vec<_> = streams.iter().map(OpenStream::named).collect();
        let asked = timeout(DOUBT, socket::ask_going_on(&admin_socket, &named)).await;
        let going_on = match asked {
            Ok(Ok(going_on)) => {
                heard = Instant::now();
                going_on
            }
            // Unknown is ended.
            _ if heard.elapsed() >= DOUBT => Vec::new(),
            _ => vec![true; streams.len()],
        };
        let mut going_on = going_on.into_iter();
        for stream in streams {
            if going_on.next() != Some(true) {
                stream.end();
            }
        }
        sleep(LOOK).await;
    }
}
