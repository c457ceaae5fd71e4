//! Whether a new password is among those that have been stolen.
//!
//! Asked once for each new password, after the policy and before the hash, in a local list or of a
//! service on the network. Both end in found or not found, or in a sentence for the operator. What
//! could not be found out is never taken for "not found": it is refused, unless the configuration
//! says that a service that does not answer is done without.

mod api;
mod line;
mod list;
mod range;
mod sorted;
#[cfg(test)]
mod tests;
mod url;

pub use api::{asking_over_tls, system_roots};
pub use url::RangeUrl;

use super::{Denied, Service};
use crate::crypto::{Password, Spelling};
use crate::observe::Level;
use crate::observe::traces::step;
use api::Api;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Where stolen passwords are looked up.
#[derive(Clone, Debug, Default)]
pub enum BreachSource {
    /// Nowhere.
    #[default]
    Off,
    /// In this file.
    List(PathBuf),
    /// At a service that answers with ranges of hashes.
    Api {
        /// Where it is.
        url: RangeUrl,
        /// Whether passwords are taken unchecked while it does not answer.
        accept_unanswered: bool,
    },
}

impl BreachSource {
    /// Whether the list, if it is one, can be read and has something in it.
    pub fn check(&self) -> io::Result<()> {
        match self {
            Self::List(path) => list::check(path),
            Self::Off | Self::Api { .. } => Ok(()),
        }
    }
}

/// New passwords that may be judged at one time; who comes beyond that is told to try again.
const PLACES: usize = 64;

/// Lists that may be read at one time: reading takes the processor, and the disk gets no faster.
const READERS: usize = 2;

/// The one who looks.
pub(super) struct Breaches {
    source: Source,
    places: Semaphore,
    readers: Arc<Semaphore>,
}

enum Source {
    Off,
    List(PathBuf),
    Api { api: Api, accept_unanswered: bool },
}

/// Why nothing is known.
enum Unknown {
    /// Too many are waiting.
    Busy,
    /// It failed; the sentence is for the operator.
    Failed(String),
    /// As `Failed`, and the configuration says to do without.
    DoneWithout(String),
}

impl Breaches {
    pub(super) fn new(source: &BreachSource) -> Self {
        let source = match source {
            BreachSource::Off => Source::Off,
            BreachSource::List(path) => Source::List(path.clone()),
            BreachSource::Api { url, accept_unanswered } => {
                Source::Api { api: Api::new(url), accept_unanswered: *accept_unanswered }
            }
        };
        let (places, readers) = (Semaphore::new(PLACES), Arc::new(Semaphore::new(READERS)));
        Self { source, places, readers }
    }

    async fn knows(&self, password: &Password, typed: &str) -> Result<bool, Unknown> {
        if matches!(self.source, Source::Off) {
            return Ok(false);
        }
        let _place = self.places.try_acquire().map_err(|_| Unknown::Busy)?;
        let spellings = password.spellings(typed);
        match &self.source {
            Source::Off => Ok(false),
            Source::List(path) => self.read(path, spellings).await.map_err(|why| {
                Unknown::Failed(format!(
                    "the list of stolen passwords (password.breached) cannot be read: {}: {why}",
                    path.display()
                ))
            }),
            Source::Api { api, accept_unanswered } => {
                let known = step("password.breached", Box::pin(api.knows(&spellings))).await;
                known.map_err(|why| {
                    let why = format!("the list of stolen passwords (password.breached): {why}");
                    if *accept_unanswered {
                        Unknown::DoneWithout(why)
                    } else {
                        Unknown::Failed(why)
                    }
                })
            }
        }
    }

    /// Reads the list on a thread that may wait for a disk. It goes on where its asker has left,
    /// and so keeps its turn itself.
    async fn read(&self, path: &Path, spellings: Vec<Spelling>) -> io::Result<bool> {
        let turn = Arc::clone(&self.readers).acquire_owned().await.map_err(io::Error::other)?;
        let path = path.to_owned();
        let reading = tokio::task::spawn_blocking(move || {
            let found = list::knows(&path, &spellings);
            drop(turn);
            found
        });
        reading.await.map_err(io::Error::other)?
    }
}

impl Service {
    /// Refuses a new password that has been stolen.
    pub(super) async fn refuse_breached(
        &self,
        password: &Password,
        typed: &str,
    ) -> Result<(), Denied> {
        let say = |level, text: &str| self.log.say(self.clock.now(), level, text);
        match self.breaches.knows(password, typed).await {
            Ok(false) => Ok(()),
            Ok(true) => Err(Denied::Breached),
            Err(Unknown::Busy) => Err(Denied::Busy),
            Err(Unknown::Failed(why)) => {
                say(Level::Error, &format!("{why}; a new password was refused"));
                Err(Denied::BreachUnknown(why))
            }
            Err(Unknown::DoneWithout(why)) => {
                say(Level::Warn, &format!("{why}; a new password was taken unchecked"));
                Ok(())
            }
        }
    }
}
