//! Asking a disk that may be far away, or a pipe that nobody writes to: on a thread of its own, and
//! not for ever.

use std::thread::{Builder, JoinHandle};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// How long an answer may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Threads that may still wait for one that is late: whoever asks beyond that is not answered.
const LATE: usize = 8;

/// Who asks.
#[derive(Default)]
pub(super) struct Disk {
    late: Vec<JoinHandle<()>>,
}

impl Disk {
    /// The answer, or nothing in time. Its thread is then left to itself: it cannot be ended.
    pub(super) async fn ask<T: Send + 'static>(
        &mut self,
        question: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        self.late.retain(|thread| !thread.is_finished());
        if self.late.len() >= LATE {
            return None;
        }
        let (tell, told) = oneshot::channel();
        let asking = move || {
            // Nobody listens any more where it came too late.
            let _ = tell.send(question());
        };
        let thread = Builder::new().name(String::from("disk")).spawn(asking).ok()?;
        match timeout(PATIENCE, told).await {
            Ok(answer) => answer.ok(),
            Err(_) => {
                self.late.push(thread);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::channel;

    #[tokio::test(start_paused = true)]
    async fn whoever_does_not_answer_is_given_up_and_asked_no_more_than_a_few_times() {
        let (mut disk, asked) = (Disk::default(), Arc::new(AtomicUsize::new(0)));
        let mut gates = Vec::new();
        for _ in 0..LATE + 3 {
            let (open, gate) = channel::<()>();
            let asked = Arc::clone(&asked);
            gates.push(open);
            let wait = move || {
                asked.fetch_add(1, Ordering::SeqCst);
                let _ = gate.recv();
            };
            assert_eq!(disk.ask(wait).await, None);
        }
        assert_eq!(disk.ask(|| 7).await, None);
        tokio::time::resume();
        drop(gates);
        while disk.late.iter().any(|thread| !thread.is_finished()) {
            std::thread::yield_now();
        }
        assert_eq!(asked.load(Ordering::SeqCst), LATE);
        assert_eq!(disk.ask(|| 7).await, Some(7), "they have answered by now");
    }
}
