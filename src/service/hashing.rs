//! A bounded pool of threads that hash passwords.
//!
//! Argon2 takes tens of milliseconds and tens of megabytes on purpose. It never runs on a thread
//! that serves requests, and no more than a bounded number of tries waits for it: the rest are
//! told to come back, so that a flood of sign-ins slows sign-ins and nothing else.

use super::error::Denied;
use crate::observe::traces::step;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

type Job = Box<dyn FnOnce() + Send>;

/// The pool. Its threads end when it is dropped.
pub struct HashPool {
    jobs: Sender<Job>,
    places: Arc<Semaphore>,
    /// How many places there are.
    all: usize,
}

/// A place in the queue. To be taken before anything is written on account of what will be
/// hashed, so that whoever is turned away leaves no trace.
pub struct Place(OwnedSemaphorePermit);

impl HashPool {
    /// Starts so many threads (0: one fewer than there are cores, at least one).
    pub fn start(workers: usize, queue: usize) -> std::io::Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let workers = if workers == 0 { cores.saturating_sub(1).max(1) } else { workers };
        let (jobs, inbox) = channel();
        let inbox = Arc::new(Mutex::new(inbox));
        for number in 0..workers {
            let inbox = Arc::clone(&inbox);
            let thread = std::thread::Builder::new().name(format!("hash-{number}"));
            thread.spawn(move || work(&inbox))?;
        }
        let all = workers + queue;
        Ok(Self { jobs, places: Arc::new(Semaphore::new(all)), all })
    }

    /// A place in the queue, or the word that too many wait already.
    pub fn place(&self) -> Result<Place, Denied> {
        Arc::clone(&self.places).try_acquire_owned().map(Place).map_err(|_| Denied::Busy)
    }

    /// How many wait or are being computed.
    pub fn depth(&self) -> usize {
        self.all.saturating_sub(self.places.available_permits())
    }

    /// Runs a computation on the pool, or denies at once where too many wait.
    pub async fn run<T: Send + 'static>(
        &self,
        compute: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Denied> {
        self.run_at(self.place()?, compute).await
    }

    /// Runs a computation on the pool. One whose asker has gone by the time its turn comes is
    /// not done.
    pub async fn run_at<T: Send + 'static>(
        &self,
        Place(permit): Place,
        compute: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Denied> {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(move || {
            if !reply.is_closed() {
                // The asker may leave while we compute; then nobody wants the answer.
                let _ = reply.send(compute());
            }
            drop(permit);
        });
        let ended = || Denied::Unavailable("a password hash could not be computed".into());
        self.jobs.send(job).map_err(|_| ended())?;
        step("password.hash", answer).await.map_err(|_| ended())
    }
}

fn work(inbox: &Mutex<Receiver<Job>>) {
    loop {
        let next = match inbox.lock() {
            Ok(inbox) => inbox.recv(),
            Err(_) => return,
        };
        let Ok(job) = next else { return };
        // A computation that panics costs its asker the answer, not everyone the thread.
        let _ = catch_unwind(AssertUnwindSafe(job));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_does_not_fit_into_the_queue_is_turned_away_at_once() {
        let pool = HashPool::start(1, 1).unwrap();
        let (release, held) = channel::<()>();
        let (started, running) = oneshot::channel();
        let first = pool.run(move || {
            let _ = started.send(());
            held.recv().is_ok()
        });
        let others = async {
            running.await.unwrap();
            let second = pool.run(|| 2);
            let third = async {
                let third = pool.run(|| 3).await;
                release.send(()).unwrap();
                third
            };
            tokio::join!(second, third)
        };
        let (first, (second, third)) = tokio::join!(first, others);
        assert_eq!((first, second, third), (Ok(true), Ok(2), Err(Denied::Busy)));
    }

    #[tokio::test]
    async fn a_panic_costs_one_answer_and_not_the_pool() {
        let pool = HashPool::start(1, 4).unwrap();
        assert!(pool.run(|| panic!("on purpose")).await.is_err());
        assert_eq!(pool.run(|| 5).await, Ok(5));
    }
}
