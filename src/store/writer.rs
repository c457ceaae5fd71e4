//! One thread does all the writing.
//!
//! ```text
//!  verbs ──► bounded queue ──► jobs, one after another ──► one batch ──► flush ──► answers
//!                              └──────────── a round, up to 256 jobs ───────────┘
//! ```
//!
//! Since nobody else writes, a job may read, decide and write without any lock, and nothing can
//! come between. Since a whole round shares one wait for the disk, many writers cost little more
//! than one. Nobody hears of a job before its round is on the disk, not even of one that only
//! read: it may have read what another job of the round left. A job that panics is undone and
//! answered for; the thread goes on. When the queue is full the answer is "not available" at
//! once, since waiting in line would only be a slower no.

use super::kv::Engine;
use super::snapshot::Snapshot;
use super::txn::Txn;
use super::{Result, StoreError};
use crate::crypto::Keyring;
use crate::domain::Happening;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Jobs that may wait. At the slowest disk worth the name this is a second's work.
const QUEUE: usize = 1024;

/// Jobs a round: enough to share the wait for the disk, few enough to answer soon.
const ROUND: usize = 256;

/// How long a caller waits. Only a stuck disk takes so long.
const PATIENCE: Duration = Duration::from_secs(10);

/// Tells a caller the outcome, once it is known whether the round is on the disk.
type Answer = Box<dyn FnOnce(Result<()>) + Send>;

/// Whether what a job staged is to be kept, and how to answer for it.
type Ran = (bool, Answer);

struct Job {
    durably: bool,
    run: Box<dyn FnOnce(&mut Txn<'_>) -> Ran + Send>,
}

/// The way to the thread. Dropping it lets the thread finish what is queued, and waits for that.
pub(super) struct Writer {
    queue: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
    engine: Arc<dyn Engine>,
    rousing: Arc<AtomicBool>,
    closed: AtomicBool,
    pub(super) watch: Option<Watch>,
    pub(super) ear: Option<Ear>,
}

/// Hears what happened, once it is on the disk; it must be quick.
pub type Ear = Arc<dyn Fn(&Happening) + Send + Sync>;

/// Is told how long each piece of work took.
pub type Watch = Arc<dyn Fn(Work, Duration) + Send + Sync>;

/// What was worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Something was read.
    Read,
    /// Something was changed, and brought to the disk where it has to be there.
    Change,
}

impl Writer {
    pub(super) fn start(
        engine: Arc<dyn Engine>,
        keys: Arc<Keyring>,
        snapshot: Arc<Snapshot>,
    ) -> std::io::Result<Self> {
        let (queue, jobs) = sync_channel(QUEUE);
        let worked_on = Arc::clone(&engine);
        let thread = std::thread::Builder::new()
            .name(String::from("store-writer"))
            .spawn(move || work(&*worked_on, &keys, &snapshot, &jobs))?;
        let rousing = Arc::new(AtomicBool::new(false));
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
            engine,
            rousing,
            closed: AtomicBool::new(false),
            watch: None,
            ear: None,
        })
    }

    /// Runs a job; its answer is on the disk when this returns it.
    pub(super) async fn submit<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Txn<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.send(true, job).await
    }

    /// Runs a job whose outcome a crash may undo.
    pub(super) async fn submit_lazily<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Txn<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.send(false, job).await
    }

    /// Takes nothing more, and waits until all that was taken is on the disk.
    pub(super) async fn close(&self) -> Result<()> {
        self.closed.store(true, Ordering::SeqCst);
        let last = |txn: &mut Txn<'_>| {
            txn.demand_sync();
            Ok(())
        };
        self.queue(true, last).await
    }

    async fn send<T: Send + 'static>(
        &self,
        durably: bool,
        job: impl FnOnce(&mut Txn<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        if self.closed.load(Ordering::SeqCst) {
            return Err(gone());
        }
        self.queue(durably, job).await
    }

    async fn queue<T: Send + 'static>(
        &self,
        durably: bool,
        job: impl FnOnce(&mut Txn<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (answer, heard) = oneshot::channel();
        let ear = self.ear.clone();
        let run = Box::new(move |txn: &mut Txn<'_>| {
            let outcome = job(txn);
            let keeps = outcome.is_ok();
            let told = if keeps { txn.take_told() } else { Vec::new() };
            let tell: Answer = Box::new(move |round| {
                if let (Some(ear), Ok(())) = (ear, &round) {
                    told.iter().for_each(&*ear);
                }
                // Nobody hears it where the request is gone; it is done all the same.
                let _ = answer.send(round.and(outcome));
            });
            (keeps, tell)
        });
        let queue = self.queue.as_ref().ok_or_else(gone)?;
        queue.try_send(Job { durably, run }).map_err(|error| match error {
            TrySendError::Full(_) => unavailable("too many changes are waiting to be written"),
            TrySendError::Disconnected(_) => gone(),
        })?;
        let began = Instant::now();
        let outcome = tokio::time::timeout(PATIENCE, heard).await;
        if let Some(watch) = &self.watch {
            watch(Work::Change, began.elapsed());
        }
        match outcome {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(unavailable("a change failed in the middle and was undone")),
            Err(_) => {
                self.rouse();
                Err(unavailable("the disk does not answer"))
            }
        }
    }

    /// Wakes an engine that hangs, from a thread of its own since that may hang as well.
    fn rouse(&self) {
        if self.rousing.swap(true, Ordering::SeqCst) {
            return;
        }
        let (engine, rousing) = (Arc::clone(&self.engine), Arc::clone(&self.rousing));
        let spawned = std::thread::Builder::new().spawn(move || {
            engine.rouse();
            rousing.store(false, Ordering::SeqCst);
        });
        if spawned.is_err() {
            self.rousing.store(false, Ordering::SeqCst);
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take() {
            // It catches its own panics; there is nothing else to hear from it.
            let _ = thread.join();
        }
    }
}

/// The thread: rounds, until nobody can send any more.
fn work(engine: &dyn Engine, keys: &Keyring, snapshot: &Snapshot, jobs: &Receiver<Job>) {
    while let Ok(first) = jobs.recv() {
        let _ = catch_unwind(AssertUnwindSafe(|| engine.mend()));
        let mut round = Txn::new(engine, keys);
        let mut answers = Vec::new();
        let mut next = Some(first);
        let mut ran = 0;
        while let Some(job) = next {
            answers.extend(run(job, &mut round));
            ran += 1;
            next = if ran < ROUND { jobs.try_recv().ok() } else { None };
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| round.settle(snapshot)))
            .unwrap_or_else(|_| Err(unavailable("the engine failed in the middle of a write")));
        for answer in answers {
            answer(outcome.clone());
        }
    }
    // Nothing is staged any more, but what was written lazily is not on the disk yet.
    let _ = catch_unwind(AssertUnwindSafe(|| engine.sync()));
}

/// Runs one job. One that panics drops its way to answer, which is an answer too.
fn run(job: Job, round: &mut Txn<'_>) -> Option<Answer> {
    let Job { durably, run } = job;
    match catch_unwind(AssertUnwindSafe(|| run(round))) {
        Ok((true, answer)) => {
            round.keep(durably);
            Some(answer)
        }
        Ok((false, answer)) => {
            round.discard();
            Some(answer)
        }
        Err(_) => {
            round.discard();
            None
        }
    }
}

pub(super) fn unavailable(why: &str) -> StoreError {
    StoreError::Unavailable(String::from(why))
}

fn gone() -> StoreError {
    unavailable("the store is closed")
}
