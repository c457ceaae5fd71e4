//! What goes on in the background.

use super::{say, say_unresolved};
use crate::observe::Level;
use crate::proxy::Gateway;
use crate::service::Service;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

/// Streams must end within a second of their session.
const STREAMS: Duration = Duration::from_millis(400);
/// How much of a session's idle time a crash may forget.
const USES: Duration = Duration::from_secs(10);
/// How long it may stay open whether sessions ended.
const DOUBTS: Duration = Duration::from_secs(1);
const SWEEP: Duration = Duration::from_secs(60);
/// How much later than it should an app may be found to take too long.
const WAITS: Duration = Duration::from_millis(250);
const NAMES: Duration = Duration::from_secs(10);

/// What the jobs work on.
#[derive(Clone)]
struct Jobs {
    service: Arc<Service>,
    gateway: Arc<Gateway>,
}

/// Starts the jobs.
pub(super) fn start(service: &Arc<Service>, gateway: &Arc<Gateway>) -> Vec<JoinHandle<()>> {
    let jobs = Jobs { service: Arc::clone(service), gateway: Arc::clone(gateway) };
    let mut started = vec![
        jobs.every(STREAMS, |jobs| async move { jobs.gateway.end_orphaned_streams().await }),
        jobs.every(NAMES, |jobs| async move { say_unresolved(&jobs.service, &jobs.gateway).await }),
        jobs.every(DOUBTS, Jobs::settle),
        jobs.every(USES, Jobs::save_uses),
        jobs.every(SWEEP, Jobs::sweep),
        jobs.every(WAITS, |jobs| async move { jobs.gateway.end_overdue_waits() }),
    ];
    started.extend(gateway.health_checks().into_iter().map(|check| {
        let check = Arc::new(check);
        jobs.every(check.interval(), move |_| {
            let check = Arc::clone(&check);
            async move { check.run().await }
        })
    }));
    started
}

impl Jobs {
    async fn settle(self) {
        if let Err(error) = self.service.settle().await {
            let message = format!("it is not certain that sessions ended: {error}");
            say(&self.service, Level::Error, &message);
        }
    }

    async fn save_uses(self) {
        if let Err(error) = self.service.save_uses().await {
            let message = format!("last uses of sessions are not saved: {error}");
            say(&self.service, Level::Error, &message);
        }
    }

    async fn sweep(self) {
        if let Err(error) = self.service.sweep().await {
            let message = format!("what has expired is not removed: {error}");
            say(&self.service, Level::Error, &message);
        }
        if let Err(error) = self.service.follow_people().await {
            let message = format!("what hashes cost is not known: {error}");
            say(&self.service, Level::Error, &message);
        }
    }

    fn every<F>(&self, period: Duration, job: impl Fn(Self) -> F + Send + 'static) -> JoinHandle<()>
    where
        F: Future<Output = ()> + Send,
    {
        let jobs = self.clone();
        tokio::spawn(async move {
            let mut ticks = interval(period);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                job(jobs.clone()).await;
            }
        })
    }
}
