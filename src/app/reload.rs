//! Reload: what is in force gives way to what the files say now, as a whole or not at all.
//!
//! ```text
//! SIGHUP ────────────────────────────────┐
//! a file changed, and then not any more ─┴─► read ─► check ─► put together ─► in force
//!                                             │        │
//!                                             └────────┴─► refused: a line in the log, and what
//!                                                          was in force stays in force
//! ```
//!
//! A changed file is read once two looks in a row found it the same, so that none is read while it
//! is being written. A disk that does not answer, or a pipe in the place of a file, costs a refusal
//! and ends nothing.

use super::assembly::Assembly;
use super::disk::{Disk, PATIENCE};
use super::watch::Look;
use super::{State, jobs, say_expiring};
use crate::config::Config;
use crate::observe::Level;
use crate::proxy::Gateway;
use crate::types::Timestamp;
use arc_swap::ArcSwap;
use std::mem;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::Signal;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// How often files are looked at.
const EVERY: Duration = Duration::from_secs(1);

/// Reads the configuration once more, without the files it names; else a sentence on what is wrong.
pub type Reread = Arc<dyn Fn() -> Result<Config, String> + Send + Sync>;

/// Which configuration is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InForce {
    /// Its short name: that of the same configuration is the same.
    pub digest: String,
    /// Since when.
    pub since: Timestamp,
    /// Whether the last reload, if there was one, was not refused.
    pub last_reload_ok: bool,
}

/// Who puts another configuration in force.
pub(super) struct Reloader {
    reread: Reread,
    running: Config,
    assembly: Assembly,
    gateway: Arc<Gateway>,
    state: Arc<State>,
    disk: Disk,
    /// How the files were before they were read last.
    known: Look,
}

impl Reloader {
    /// One for a gateway that runs on this.
    pub(super) fn new(
        reread: Reread,
        running: Config,
        assembly: Assembly,
        gateway: &Arc<Gateway>,
        state: &Arc<State>,
    ) -> Self {
        let known = Look::at(running.files());
        let (gateway, state) = (Arc::clone(gateway), Arc::clone(state));
        let disk = Disk::default();
        Self { reread, running, assembly, gateway, state, disk, known }
    }

    /// Reloads whenever it is told to, and whenever a file has changed.
    pub(super) async fn run(mut self, mut hangup: Signal) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last = self.known.clone();
        // Whether the disk did not answer: what it said meanwhile is to be heard.
        let mut was_silent = false;
        loop {
            let is_ordered = tokio::select! {
                heard = hangup.recv() => heard.is_some(),
                _ = ticks.tick() => false,
            };
            let Some(look) = self.known.again(&mut self.disk).await else {
                if is_ordered || !mem::replace(&mut was_silent, true) {
                    self.conclude(Err(silence()), is_ordered).await;
                }
                continue;
            };
            let is_due = is_ordered || mem::take(&mut was_silent);
            let has_settled = look == mem::replace(&mut last, look.clone());
            if is_due || has_settled && look != self.known {
                self.reload(look, is_ordered).await;
                last = self.known.clone();
            }
        }
    }

    async fn reload(&mut self, before: Look, is_ordered: bool) {
        let outcome = match self.read(before).await {
            Ok(config) => self.take(config).await,
            Err(why) => Err(why),
        };
        self.conclude(outcome, is_ordered).await;
    }

    /// Says how a reload went, and writes it down unless it changed nothing.
    async fn conclude(&self, outcome: Result<Option<String>, String>, is_ordered: bool) {
        let is_ok = outcome.is_ok();
        self.state.in_force.rcu(|now| InForce { last_reload_ok: is_ok, ..InForce::clone(now) });
        if let Err(why) = &outcome {
            let why = why.trim_end().replace('\n', "; ");
            let message = format!("reload refused, what was in force stays in force: {why}");
            self.gateway.say(Level::Error, &message);
        }
        let digest = match outcome {
            Ok(None) => return,
            Ok(changed) => changed,
            Err(_) => None,
        };
        if let Err(error) = self.gateway.service().note_reload(is_ordered, digest).await {
            let message = format!("the audit trail does not tell of a reload: {error}");
            self.gateway.say(Level::Error, &message);
        }
    }

    /// Reads everything.
    async fn read(&mut self, before: Look) -> Result<Config, String> {
        let (reread, file) = (Arc::clone(&self.reread), self.running.file.clone());
        let reading = self.disk.ask(move || {
            // A pipe has been read to its end at the start, and may never have another.
            if file.as_ref().is_some_and(|path| path.exists() && !path.is_file()) {
                return (None, Err(String::from("the configuration is not in a regular file")));
            }
            let config = match reread() {
                Ok(config) => config,
                Err(why) => return (None, Err(why)),
            };
            let named = Look::at(config.files());
            (Some(named), config.with_files().map_err(|faults| faults.to_string()))
        });
        let (named, config) = reading.await.unwrap_or_else(|| (None, Err(silence())));
        // What changes while it is read is news at the next look.
        self.known = named.map_or_else(|| before.clone(), |named| named.or_earlier(&before));
        let config = config?;
        match &self.running.file {
            // Nobody takes all rules away by taking the file away.
            Some(path) if config.file.is_none() => Err(format!("{} is gone", path.display())),
            // Nor by emptying it: it may have been cut short by a full disk.
            Some(path) if config.is_bare() && !self.running.is_bare() => Err(format!(
                "{} says nothing any more; restart where that is meant",
                path.display()
            )),
            _ => Ok(config),
        }
    }

    /// Puts it in force; its short name, unless nothing has changed.
    async fn take(&mut self, config: Config) -> Result<Option<String>, String> {
        let (config, waiting) = config.over(&self.running);
        if !waiting.is_empty() {
            let waiting = waiting.join(", ");
            let message = format!("what was changed of {waiting} waits for a restart");
            self.gateway.say(Level::Warn, &message);
        }
        let service = Arc::new(self.gateway.service().under(config.service.clone()));
        let looked = timeout(PATIENCE, service.look_at_people()).await;
        looked
            .map_err(|_| String::from("the store does not answer"))?
            .map_err(|e| e.to_string())?;
        let parts = self.assembly.parts(&config, service).await;
        let parts = parts.map_err(|error| error.to_string())?;
        jobs::watch(self.gateway.put_in_force(parts).await);
        say_expiring(&self.gateway);
        let changed = self.note(config.digest());
        self.running = config;
        Ok(changed)
    }

    /// Notes what is in force, and says so; its short name, unless nothing has changed.
    fn note(&self, digest: String) -> Option<String> {
        if digest == self.state.in_force.load().digest {
            self.gateway.say(Level::Info, "reloaded: nothing has changed");
            return None;
        }
        self.gateway.say(Level::Info, &format!("reloaded: the configuration {digest} is in force"));
        let since = self.gateway.service().clock().now();
        let in_force = InForce { digest: digest.clone(), since, last_reload_ok: true };
        self.state.in_force.store(Arc::new(in_force));
        Some(digest)
    }
}

/// Why nothing could be read.
fn silence() -> String {
    format!(
        "the disk has not answered within {} seconds: see that the configuration and each file it names \
         can be read, and that none is a pipe",
        PATIENCE.as_secs()
    )
}

/// Where it is noted which configuration is in force.
pub(super) type Noted = ArcSwap<InForce>;
