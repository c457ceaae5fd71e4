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
const SWEEP: Duration = Duration::from_secs(60);
const NAMES: Duration = Duration::from_secs(10);

/// Starts the jobs.
pub(super) fn start(service: &Arc<Service>, gateway: &Arc<Gateway>) -> Vec<JoinHandle<()>> {
    let (s, g) = (service, gateway);
    vec![
        every(STREAMS, s, g, async |_, gateway| gateway.end_orphaned_streams().await),
        every(NAMES, s, g, async |service, gateway| say_unresolved(service, gateway).await),
        every(USES, s, g, async |service, _| {
            if let Err(error) = service.save_uses().await {
                say(service, Level::Error, &format!("last uses of sessions are not saved: {error}"));
            }
        }),
        every(SWEEP, s, g, async |service, _| {
            if let Err(error) = service.sweep().await {
                say(service, Level::Error, &format!("what has expired is not removed: {error}"));
            }
        }),
    ]
}

fn every(
    period: Duration,
    service: &Arc<Service>,
    gateway: &Arc<Gateway>,
    job: impl for<'a> AsyncFn(&'a Service, &'a Gateway) + Send + 'static,
) -> JoinHandle<()> {
    let (service, gateway) = (Arc::clone(service), Arc::clone(gateway));
    tokio::spawn(async move {
        let mut ticks = interval(period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            job(&service, &gateway).await;
        }
    })
}
