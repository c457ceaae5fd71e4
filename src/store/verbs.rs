//! The store: an engine, the thread that writes to it, and the keys.
//!
//! The verbs stand in `users`, `sign_ins`, `sessions`, `tokens`, `counters` and `upkeep`, each once for
//! every engine. A verb that changes anything is a job of the writer. One that only reads goes to
//! the engine on a thread that may block, beside the writer: it sees whole batches, each perhaps
//! a moment before it is acknowledged. That is harmless, since whatever a batch makes invalid is
//! invalid early and whatever it makes valid is known to nobody yet.

use super::kv::{Engine, View};
use super::later::Later;
use super::memory::Memory;
use super::snapshot::Snapshot;
use super::writer::{Ear, Watch, Work, Writer, unavailable};
use super::{OpenError, Result, draft, sled};
use crate::crypto::Keyring;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// The store on one machine: in memory, or on sled.
pub struct KvStore {
    pub(super) writer: Writer,
    pub(super) engine: Arc<dyn Engine>,
    pub(super) keys: Arc<Keyring>,
    pub(super) snapshot: Arc<Snapshot>,
}

/// Files that a store is still to be opened on. Opens once.
pub struct Unopened {
    later: Arc<Later>,
    keys: Keyring,
}

impl Unopened {
    /// As [`KvStore::open`].
    pub fn open(self, path: &Path) -> std::result::Result<(), OpenError> {
        self.later.is(opened(path, &self.keys)?);
        Ok(())
    }
}

/// The engine on this folder. What was being built beside it and was not finished goes.
fn opened(path: &Path, keys: &Keyring) -> std::result::Result<sled::SledEngine, OpenError> {
    let engine = sled::SledEngine::open(path, keys, sled::Floors::default())?;
    draft::clear(path).map_err(|error| OpenError::io(path, error))?;
    Ok(engine)
}

impl KvStore {
    /// A store that is opened once everything around it has been put together; until then it is
    /// not available.
    pub fn unopened(keys: Keyring) -> std::io::Result<(Self, Unopened)> {
        let later = Arc::<Later>::default();
        let store = Self::over(Arc::clone(&later) as Arc<dyn Engine>, keys.clone())?;
        Ok((store, Unopened { later, keys }))
    }

    /// A store that forgets everything when it is dropped.
    pub fn in_memory(keys: Keyring) -> Result<Self> {
        let engine: Arc<dyn Engine> = Arc::new(Memory::default());
        Self::over(engine, keys).map_err(|error| unavailable(&error.to_string()))
    }

    /// Opens the store in this folder, or makes it where there is none. Blocks until all that
    /// must be there has been counted.
    pub fn open(path: &Path, keys: Keyring) -> std::result::Result<Self, OpenError> {
        let engine = Arc::new(opened(path, &keys)?);
        Self::over(engine, keys).map_err(|error| OpenError::io(path, error))
    }

    /// Tells `watch` from now on how long everything takes.
    #[must_use]
    pub fn watched(mut self, watch: Watch) -> Self {
        self.writer.watch = Some(watch);
        self
    }

    /// Has `ear` hear of every entry of the audit trail from now on.
    #[must_use]
    pub fn heard(mut self, ear: Ear) -> Self {
        self.writer.ear = Some(ear);
        self
    }

    /// Whether a store was ever made in this folder. Whoever makes a key for one asks before.
    pub fn is_made(path: &Path) -> bool {
        sled::SledEngine::is_made(path)
    }

    /// The name of the master key that sealed the store in this folder, if there is one.
    pub fn key_of(path: &Path) -> std::result::Result<Option<String>, OpenError> {
        sled::SledEngine::key_of(path)
    }

    /// Whether these are the keys of the store in this folder, if there is one.
    pub fn fits(path: &Path, keys: &Keyring) -> std::result::Result<(), OpenError> {
        sled::SledEngine::fits(path, keys)
    }

    pub(super) fn over(engine: Arc<dyn Engine>, keys: Keyring) -> std::io::Result<Self> {
        let keys = Arc::new(keys);
        let snapshot = Arc::new(Snapshot::default());
        let (of_writer, its_keys) = (Arc::clone(&engine), Arc::clone(&keys));
        let writer = Writer::start(of_writer, its_keys, Arc::clone(&snapshot))?;
        Ok(Self { writer, engine, keys, snapshot })
    }

    /// Lets go of everything once all that was asked for is on the disk, so that another process
    /// can open it. Whatever is asked for afterwards is not available.
    pub async fn release(&self) -> Result<()> {
        let flushed = self.writer.close().await;
        let engine = Arc::clone(&self.engine);
        let released = tokio::task::spawn_blocking(move || engine.release()).await;
        flushed.and(released.map_err(|_| unavailable("closing failed in the middle")))
    }

    /// Reads beside the writer, off the async threads.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        look: impl FnOnce(&View<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (engine, keys) = (Arc::clone(&self.engine), Arc::clone(&self.keys));
        let began = Instant::now();
        let looked =
            tokio::task::spawn_blocking(move || look(&View { engine: &*engine, keys: &keys }))
                .await;
        if let Some(watch) = &self.writer.watch {
            watch(Work::Read, began.elapsed());
        }
        looked.map_err(|_| unavailable("reading failed in the middle"))?
    }
}
