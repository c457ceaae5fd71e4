//! Sends what is told of requests to a collector: OTLP over HTTP, as JSON.
//!
//! It looks for what waits again and again, and is never woken: waking costs the request a system
//! call. What the collector cannot take now waits with it, and what comes meanwhile waits in the
//! queue, which drops and counts what it has no room for.

use super::asking::{ask, sentence};
use crate::observe::Level;
use crate::observe::traces::{Ended, Finished, Moment, TraceSettings, body};
use crate::proxy::Gateway;
use crate::service::{asking_over_tls, system_roots};
use bytes::Bytes;
use http::{Request, StatusCode, header, uri};
use http_body_util::Full;
use rustix::time::{ClockId, clock_gettime};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;

/// How often it looks.
const PERIOD: Duration = Duration::from_millis(500);

/// How long a collector may take for one request.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long after a failure it is tried again: twice as long each time, up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// So many go in one request.
const AT_ONCE: usize = 512;

/// Why something was not sent.
enum Unsent {
    /// It may be taken at another time.
    Yet(String),
    /// It would never be.
    Ever(String),
}

/// Sends for as long as the gateway runs.
pub(super) struct Exporter {
    gateway: Arc<Gateway>,
    settings: TraceSettings,
    tls: Option<TlsConnector>,
    finished: Finished,
    /// What is being sent.
    batch: Vec<Ended>,
    pause: Duration,
    is_well: bool,
}

impl Exporter {
    /// Starts to send.
    pub(super) fn start(
        gateway: &Arc<Gateway>,
        settings: TraceSettings,
        finished: Finished,
    ) -> Result<(), String> {
        let is_tls = settings.endpoint.scheme() == Some(&uri::Scheme::HTTPS);
        let tls = is_tls.then(|| system_roots().and_then(asking_over_tls)).transpose()?;
        let gateway = Arc::clone(gateway);
        let (batch, pause, is_well) = (Vec::new(), PERIOD, true);
        let exporter = Self { gateway, settings, tls, finished, batch, pause, is_well };
        tokio::spawn(exporter.run());
        Ok(())
    }

    async fn run(mut self) {
        loop {
            let asked = tokio::select! {
                () = sleep(self.pause) => None,
                asked = self.finished.flush() => asked,
            };
            self.send_all().await;
            if let Some(reply) = asked {
                // Whoever asked may have lost patience.
                let _ = reply.send(());
            }
        }
    }

    /// Sends everything that waits, or as much as is taken.
    async fn send_all(&mut self) {
        loop {
            if self.batch.is_empty() {
                self.batch = self.finished.take(AT_ONCE);
            }
            if self.batch.is_empty() {
                return;
            }
            let sent = timeout(PATIENCE, self.send()).await;
            let late = |_| Err(Unsent::Yet(String::from("no answer within ten seconds")));
            match sent.unwrap_or_else(late) {
                Ok(()) => self.goes_well(),
                Err(unsent) => return self.goes_wrong(unsent),
            }
        }
    }

    async fn send(&self) -> Result<(), Unsent> {
        let json = body(&self.settings.service, &self.batch, now());
        let mut request = Request::post(&self.settings.endpoint)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, concat!("vestibule/", env!("CARGO_PKG_VERSION")))
            .body(Full::new(Bytes::from(json)))
            .map_err(|error| Unsent::Ever(error.to_string()))?;
        request.headers_mut().extend(self.settings.headers.iter().cloned());
        let answer = ask(self.tls.as_ref(), request).await;
        let status = answer.map_err(|error| Unsent::Yet(sentence(&*error)))?.status();
        let why = format!("it answered {}", status.as_u16());
        match status {
            _ if status.is_success() => Ok(()),
            // By the protocol, these and no others are for another time.
            StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => Err(Unsent::Yet(why)),
            _ => Err(Unsent::Ever(why)),
        }
    }

    fn goes_well(&mut self) {
        self.finished.sent(self.batch.len());
        self.batch.clear();
        self.pause = PERIOD;
        if !self.is_well {
            self.is_well = true;
            self.gateway.say(Level::Info, "traces are sent again");
        }
    }

    fn goes_wrong(&mut self, unsent: Unsent) {
        let why = match unsent {
            Unsent::Yet(why) => why,
            Unsent::Ever(why) => {
                self.finished.dropped(self.batch.len());
                self.batch.clear();
                why
            }
        };
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        // Told once, and not at every try.
        if self.is_well {
            self.is_well = false;
            let message = format!("traces are not sent: {}: {why}", self.settings.endpoint);
            self.gateway.say(Level::Warn, &message);
        }
    }
}

/// This moment by both clocks.
fn now() -> Moment {
    let (at, time) = (Instant::now(), clock_gettime(ClockId::Realtime));
    let nanos = i128::from(time.tv_sec) * 1_000_000_000 + i128::from(time.tv_nsec);
    Moment { at, unix_nanos: u128::try_from(nanos).unwrap_or_default() }
}
