//! A binary without traces: the same names, and nothing behind them.

use super::{Passage, TraceSettings};
use crate::observe::Access;
use crate::types::RequestId;
use std::future::{Ready, ready};
use std::time::Instant;

/// Would tell of requests.
#[derive(Default)]
pub struct Tracer;

/// Would be what is told of one.
#[derive(Default)]
pub struct Trace(());

/// Would be where what is told is taken from.
pub struct Finished;

/// Would be where the steps of one are put down.
pub struct Steps;

#[allow(clippy::unused_self, reason = "the names of what is there with the feature")]
impl Tracer {
    /// Tells of nothing; the configuration has refused to ask for it.
    pub const fn new(_settings: Option<&TraceSettings>) -> (Self, Option<Finished>) {
        (Self, None)
    }

    /// Begins nothing.
    pub fn begin<'t>(
        &self,
        _id: RequestId,
        _began: Instant,
        _told: impl FnOnce() -> (bool, Option<&'t [u8]>),
    ) -> Trace {
        Trace(())
    }

    /// Sends nothing.
    pub fn flush(&self) -> Ready<()> {
        ready(())
    }

    /// Nothing was sent, and nothing dropped.
    pub const fn counts(&self) -> Option<(u64, u64)> {
        None
    }
}

#[allow(clippy::unused_self, reason = "the names of what is there with the feature")]
impl Trace {
    /// Nothing is told to the app.
    pub const fn told(&self) -> Option<String> {
        None
    }

    /// No trace is continued.
    pub const fn is_continued(&self) -> bool {
        false
    }

    /// The app is asked.
    pub const fn asks(&mut self) {}

    /// There are none.
    pub const fn steps(&self) -> Steps {
        Steps
    }

    /// The request is over.
    pub fn end(self, _tracer: &Tracer, _access: &Access<'_>, _passage: impl FnOnce() -> Passage) {}
}

/// Does the work.
pub const fn watched<F: Future>(_steps: Steps, work: F) -> F {
    work
}

/// Does the work.
pub const fn step<F: Future>(_name: &'static str, work: F) -> F {
    work
}
