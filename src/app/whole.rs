//! What is done to the store as a whole: backups made, checked and restored, and the master key
//! changed.
//!
//! A running gateway hands the backup out over the administration socket, and the command writes
//! it to its file: so the file lies where the caller means it and belongs to the caller, also
//! where the gateway runs in a container, or may write nowhere but to its own folder. What puts
//! one store in the place of another needs the store for itself.

use super::clock::SystemClock;
use super::error::RunError;
use super::master_key::{self, NewKey};
use super::socket::{self, CallError};
use super::{open, private_folder};
use crate::config::Config;
use crate::crypto::Keyring;
use crate::domain::{Actor, AuditEvent, Happening, Occasion};
use crate::observe::{Format, Log};
use crate::service::AdminCap;
use crate::store::{
    Backup, BackupError, BackupHead, BackupSummary, KvStore, OpenError, ReplaceError, Restored,
    Restoring,
};
use crate::types::Clock as _;
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Makes a backup; what is in it.
pub fn make_backup(config: &Config, path: &Path) -> Result<BackupSummary, RunError> {
    let draft = Draft::begin(path)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(RunError::thread)?;
    let mut out = draft.file()?;
    match runtime.block_on(socket::receive_backup(&config.admin_socket, &mut out)) {
        Err(CallError::NotRunning) => {
            let (log, thread) = Log::start(Format::Human, io::sink()).map_err(RunError::thread)?;
            let service = open(config, log)?;
            let made = runtime.block_on(async {
                let made = service.backup(Box::new(out), &AdminCap::of_command_line()).await;
                service.close().await.and(made)
            });
            made.map_err(|error| RunError::store(error.to_string()))?;
            drop(service);
            drop(thread);
        }
        asked => asked.map_err(|error| RunError::sentence(error.to_string()))?,
    }
    // Whoever relies on it should know now that it can be read.
    let summary = check_backup(config, &draft.at)?;
    draft.keep()?;
    Ok(summary)
}

/// Reads a backup to its end; what is in it.
pub fn check_backup(config: &Config, path: &Path) -> Result<BackupSummary, RunError> {
    let (file, head) = begin(path)?;
    let key = master_key::named(&config.master_key, &head.key)?;
    let key = key.ok_or_else(|| foreign(config, path, &head))?;
    let backup = Backup::begin(BufReader::new(file)).and_then(|backup| backup.check(&key));
    backup.map_err(|error| unreadable(path, &error))
}

/// Makes the store anew from a backup.
pub fn restore_backup(config: &Config, path: &Path, force: bool) -> Result<Restored, RunError> {
    let (file, head) = begin(path)?;
    private_folder(&config.data_dir)?;
    let opens = master_key::named(&config.master_key, &head.key)?;
    let opens = opens.ok_or_else(|| foreign(config, path, &head))?;
    let seals = seals(config)?;
    let place = &config.store_path;
    if !force {
        let used = KvStore::is_used(place, &seals).map_err(|error| replaced(&error))?;
        if used {
            return Err(RunError::sentence(format!(
                "there is a store in {} already, with people in it: --force puts the backup in its \
                 place, and keeps it beside it",
                place.display()
            )));
        }
    }
    let at = SystemClock.now();
    let event = AuditEvent::Restored { made_at: head.made_at };
    let happening = Happening { event, on: Occasion::here(Actor::CommandLine, at) };
    let skew = config.service.totp_skew;
    let from = BufReader::new(file);
    let with = Restoring { from, opens: &opens, seals: &seals, skew, happening };
    KvStore::restore(place, with).map_err(|error| match error {
        ReplaceError::Backup(error) => unreadable(path, &error),
        other => replaced(&other),
    })
}

/// Seals everything under a new master key; where the old one is kept.
pub fn rotate_keys(config: &Config) -> Result<PathBuf, RunError> {
    let place = &config.store_path;
    if !KvStore::is_made(place) {
        return Err(RunError::sentence(format!(
            "there is no store in {} yet, so nothing is sealed: start the gateway first",
            place.display()
        )));
    }
    let old = master_key::load(&config.master_key, key_of(config)?.as_deref())?;
    let new = NewKey::make(&config.master_key)?;
    let (event, at) = (AuditEvent::KeysRotated, SystemClock.now());
    let happening = Happening { event, on: Occasion::here(Actor::CommandLine, at) };
    match KvStore::rotate(place, &old, new.keys(), &happening) {
        Ok(()) => new.keep(&old),
        Err(error) => {
            // If it went wrong after the last moment, the store needs the new key: it stays.
            if key_of(config)?.as_deref() == Some(old.name().as_str()) {
                new.forget();
            }
            Err(replaced(&error))
        }
    }
}

/// The name of the key that sealed the store, if there is one.
pub(super) fn key_of(config: &Config) -> Result<Option<String>, RunError> {
    KvStore::key_of(&config.store_path).map_err(|error| RunError::store(error.to_string()))
}

/// The key that a restored store is sealed with: the one that is there.
fn seals(config: &Config) -> Result<Keyring, RunError> {
    let sealed = key_of(config)?;
    // A store that was sealed with a key that is lost may be what somebody restores for.
    master_key::load(&config.master_key, sealed.as_deref())
        .or_else(|_| master_key::present(&config.master_key))
}

fn begin(path: &Path) -> Result<(File, BackupHead), RunError> {
    let file = File::open(path).map_err(|error| RunError::file("read", path, &error))?;
    let backup = Backup::begin(BufReader::new(&file)).map_err(|error| unreadable(path, &error))?;
    let head = backup.head().clone();
    io::Seek::rewind(&mut &file).map_err(|error| RunError::file("read", path, &error))?;
    Ok((file, head))
}

fn unreadable(path: &Path, error: &BackupError) -> RunError {
    RunError::sentence(format!("{}: {error}", path.display()))
}

fn foreign(config: &Config, path: &Path, head: &BackupHead) -> RunError {
    let error = BackupError::OtherKey(head.key.clone());
    let place = master_key::place_of(&config.master_key, &head.key);
    let advice = match place {
        Some(place) => format!("put that key into {}, mode 0600", place.display()),
        None => String::from("give that one"),
    };
    RunError::sentence(format!("{}: {error}: {advice}", path.display()))
}

fn replaced(error: &ReplaceError) -> RunError {
    RunError::store(match error {
        ReplaceError::Open(OpenError::InUse(path)) => format!(
            "a gateway uses the store {}: stop it first, and start it again afterwards",
            path.display()
        ),
        other => other.to_string(),
    })
}

/// A file that is written beside its place, and moved there when it is whole.
struct Draft {
    place: PathBuf,
    at: PathBuf,
    is_kept: bool,
}

impl Draft {
    fn begin(place: &Path) -> Result<Self, RunError> {
        let mut at = place.as_os_str().to_owned();
        at.push(".new");
        let at = PathBuf::from(at);
        match std::fs::remove_file(&at) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(RunError::file("write", &at, &error))
            }
            _ => Ok(Self { place: place.to_path_buf(), at, is_kept: false }),
        }
    }

    fn file(&self) -> Result<impl Write + Send + use<>, RunError> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.at);
        file.map(BufWriter::new).map_err(|error| RunError::file("write", &self.at, &error))
    }

    fn keep(mut self) -> Result<(), RunError> {
        let parent = self.place.parent().filter(|parent| !parent.as_os_str().is_empty());
        let kept = File::open(&self.at)
            .and_then(|file| file.sync_all())
            .and_then(|()| std::fs::rename(&self.at, &self.place))
            .and_then(|()| File::open(parent.unwrap_or_else(|| Path::new("."))))
            .and_then(|folder| folder.sync_all());
        self.is_kept = kept.is_ok();
        kept.map_err(|error| RunError::file("write", &self.place, &error))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.is_kept {
            // It may never have been made.
            let _ = std::fs::remove_file(&self.at);
        }
    }
}
