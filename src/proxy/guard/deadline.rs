//! One timer a connection.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

/// What the connection is waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// Nothing that has a limit.
    Nothing,
    /// The first bytes of a fresh connection.
    First,
    /// The same, where it is about to be closed.
    Last,
    /// The next request.
    Idle,
    /// The rest of a head.
    Head,
    /// More of a body.
    Body,
    /// That the client takes what was said to it.
    Taken,
    /// The answer to a goodbye over HTTP/2.
    Goodbye,
    /// The end of a refused connection.
    Linger,
}

/// A deadline that moves often over a timer that rarely does.
///
/// Deadlines mostly move away: the timer is left where it is, and when it fires too early it is
/// set again. A request that arrives in one piece never touches it.
#[derive(Debug)]
pub(super) struct Deadline {
    wait: Wait,
    due: Option<Instant>,
    armed: Option<Instant>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Deadline {
    pub(super) const fn new() -> Self {
        Self { wait: Wait::Nothing, due: None, armed: None, sleep: None }
    }

    /// Whatever was awaited has come.
    pub(super) fn clear(&mut self) {
        self.wait = Wait::Nothing;
        self.due = None;
    }

    /// Ready when `wait` has lasted `limit`; the same wait goes on from where it began.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, wait: Wait, limit: Duration) -> Poll<()> {
        let due = match self.due {
            Some(due) if self.wait == wait => due,
            _ => {
                let due = Instant::now() + limit;
                self.wait = wait;
                self.due = Some(due);
                due
            }
        };
        if self.armed.is_none_or(|armed| armed > due) {
            self.arm(due);
        }
        while let Some(sleep) = self.sleep.as_mut() {
            if sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            if Instant::now() >= due {
                return Poll::Ready(());
            }
            self.arm(due);
        }
        Poll::Ready(())
    }

    fn arm(&mut self, due: Instant) {
        self.armed = Some(due);
        match self.sleep.as_mut() {
            Some(sleep) => sleep.as_mut().reset(due),
            None => self.sleep = Some(Box::pin(tokio::time::sleep_until(due))),
        }
    }
}
