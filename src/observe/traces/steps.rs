//! Steps within a request that take long on purpose, put down by whoever takes them.
//!
//! They know neither request nor trace: whoever answers the request lends its task a place to put
//! them down.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// More of them in one request are not told.
pub(super) const MOST: usize = 16;

/// One step.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub name: &'static str,
    pub began: Instant,
    pub ended: Instant,
}

/// Where the steps of one request are put down; nowhere where it is not told of.
#[derive(Clone, Default)]
pub struct Steps(Option<Arc<Mutex<Vec<Step>>>>);

tokio::task_local! {
    static LENT: Steps;
}

impl Steps {
    pub(super) fn new() -> Self {
        Self(Some(Arc::default()))
    }

    pub(super) fn take(&self) -> Vec<Step> {
        let locked = self.0.as_ref().map(|all| all.lock().unwrap_or_else(PoisonError::into_inner));
        locked.map(|mut all| std::mem::take(&mut *all)).unwrap_or_default()
    }

    fn add(&self, step: Step) {
        let Some(all) = &self.0 else { return };
        let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() < MOST {
            all.push(step);
        }
    }
}

/// Does the work, and has its steps put down here.
pub fn watched<F: Future>(steps: Steps, work: F) -> impl Future<Output = F::Output> {
    LENT.scope(steps, work)
}

/// Does the work as a step of this name.
pub async fn step<F: Future>(name: &'static str, work: F) -> F::Output {
    let began = Instant::now();
    let outcome = work.await;
    // Outside of a request there is nowhere to put it down.
    let _ = LENT.try_with(|steps| steps.add(Step { name, began, ended: Instant::now() }));
    outcome
}
