//! What goes on in the background.

use super::{acme, copying, say_expiring, say_unresolved};
use crate::observe::{Copies, Level};
use crate::proxy::{Gateway, HealthCheck, TurnedAway};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// Streams must end within a second of their session.
const STREAMS: Duration = Duration::from_millis(400);
/// How much of a session's idle time a crash may forget.
const USES: Duration = Duration::from_secs(10);
/// How long it may stay open whether sessions ended.
const DOUBTS: Duration = Duration::from_secs(1);
const SWEEP: Duration = Duration::from_secs(60);
/// How much later than it should an app may be found to take too long.
const WAITS: Duration = Duration::from_millis(250);
/// How long the last quarter of the places has to do for whoever comes.
const ROOM: Duration = Duration::from_millis(25);
/// How often it is told that connections were turned away.
const TURNED_AWAY: Duration = Duration::from_secs(10);
const NAMES: Duration = Duration::from_secs(10);
const CERTIFICATES: Duration = Duration::from_secs(24 * 60 * 60);

/// What the jobs work on.
#[derive(Clone)]
struct Jobs {
    gateway: Arc<Gateway>,
}

/// Starts the jobs.
pub(super) fn start(gateway: &Arc<Gateway>, copies: &Copies, data: &Path) -> Vec<JoinHandle<()>> {
    let jobs = Jobs { gateway: Arc::clone(gateway) };
    watch(gateway.health_checks());
    let mut started = vec![
        jobs.every(STREAMS, |jobs| async move { jobs.gateway.end_orphaned_streams().await }),
        jobs.every(NAMES, |jobs| async move { say_unresolved(&jobs.gateway).await }),
        jobs.every(CERTIFICATES, |jobs| async move { say_expiring(&jobs.gateway) }),
        jobs.every(DOUBTS, Jobs::settle),
        jobs.every(USES, Jobs::save_uses),
        jobs.every(SWEEP, Jobs::sweep),
        jobs.every(WAITS, |jobs| async move { jobs.gateway.end_overdue_waits() }),
        jobs.every(ROOM, |jobs| async move { jobs.gateway.connections().make_room() }),
        tokio::spawn(say_turned_away(Arc::clone(gateway))),
    ];
    started.extend(copying::start(gateway, copies, data));
    started.push(acme::start(gateway));
    started
}

/// Runs these checks for as long as their apps are in force.
pub(super) fn watch(checks: Vec<HealthCheck>) {
    for check in checks {
        tokio::spawn(async move {
            let mut ticks = steady(check.interval());
            ticks.tick().await;
            while check.is_wanted() {
                check.run().await;
                ticks.tick().await;
            }
        });
    }
}

fn steady(period: Duration) -> Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// One line for all that were turned away in a while, so that no crowd fills the disk.
async fn say_turned_away(gateway: Arc<Gateway>) {
    let connections = gateway.connections();
    let mut ticks = steady(TURNED_AWAY);
    let mut told = (0, 0, 0);
    loop {
        ticks.tick().await;
        let count = |why| connections.turned_away(why);
        let now = (count(TurnedAway::Full), count(TurnedAway::Share), count(TurnedAway::Files));
        let (full, share, files) = (now.0 - told.0, now.1 - told.1, now.2 - told.2);
        if now != told {
            let places = connections.max();
            gateway.say(
                Level::Warn,
                &format!(
                    "connections were turned away: {full} since all {places} places were taken, {share} \
                     since their address had its share of them, {files} since this process may open no \
                     more files (a request beside others on its connection counts as one)"
                ),
            );
        }
        told = now;
    }
}

impl Jobs {
    async fn settle(self) {
        if let Err(error) = self.gateway.service().settle().await {
            let message = format!("it is not certain that sessions ended: {error}");
            self.gateway.say(Level::Error, &message);
        }
    }

    async fn save_uses(self) {
        if let Err(error) = self.gateway.service().save_uses().await {
            let message = format!("last uses of sessions are not saved: {error}");
            self.gateway.say(Level::Error, &message);
        }
    }

    async fn sweep(self) {
        if let Err(error) = self.gateway.service().sweep().await {
            let message = format!("what has expired is not removed: {error}");
            self.gateway.say(Level::Error, &message);
        }
        // A number that is a minute old is better than none.
        let _ = self.gateway.service().count_sessions().await;
        if let Err(error) = self.gateway.service().prune_trail().await {
            let message = format!("the oldest entries of the audit trail are not removed: {error}");
            self.gateway.say(Level::Error, &message);
        }
        if let Err(error) = self.gateway.service().follow_people().await {
            let message = format!("what hashes cost is not known: {error}");
            self.gateway.say(Level::Error, &message);
        }
    }

    fn every<F>(&self, period: Duration, job: impl Fn(Self) -> F + Send + 'static) -> JoinHandle<()>
    where
        F: Future<Output = ()> + Send,
    {
        let jobs = self.clone();
        tokio::spawn(async move {
            let mut ticks = steady(period);
            loop {
                ticks.tick().await;
                job(jobs.clone()).await;
            }
        })
    }
}
