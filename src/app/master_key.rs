//! The master key's file, and those of the keys that were before it.
//!
//! ```text
//!   rotating      master.key  master.key.new     the store is sealed with the old one, or,
//!                                                from one moment to the next, with the new one
//!   afterwards    master.key  master.key.0123…   the new one, and the old one under its name
//! ```
//!
//! The store says by which key it was sealed. So whoever finds both, because somebody pulled the
//! plug, knows which one is in force, and puts the files in order.

use super::error::RunError;
use crate::config::MasterKeySource;
use crate::crypto::{Keyring, random};
use crate::types::Secret;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// More than any key file has; of a larger one, its beginning is the key.
const LONGEST: u64 = 4096;

/// What the name of a key that is not in force yet ends on.
const NEW: &str = "new";

/// Reads the master key, making it first where it is the usual file and there is none. Where a
/// store was sealed already, with the key of this name, a new key would be of no use, and would
/// hide that the old one is lost.
pub(super) fn load(source: &MasterKeySource, sealed: Option<&str>) -> Result<Keyring, RunError> {
    if let MasterKeySource::File { path, make } = source {
        match sealed {
            Some(name) => settle(path, name)?,
            None if *make && !path.exists() => create(path)?,
            None => {}
        }
        if *make && !path.exists() {
            return Err(lost(path));
        }
    }
    present(source)
}

/// The master key that is there.
pub(super) fn present(source: &MasterKeySource) -> Result<Keyring, RunError> {
    match source {
        MasterKeySource::Inline(key) => keyring(key, "secrets.master_key"),
        MasterKeySource::File { path, .. } => read(path),
    }
}

/// The key of this name: the one that is there, or one before it that is kept beside it.
pub(super) fn named(source: &MasterKeySource, name: &str) -> Result<Option<Keyring>, RunError> {
    let places = match source {
        MasterKeySource::Inline(_) => {
            return Ok(Some(present(source)?).filter(|keys| keys.name() == name));
        }
        MasterKeySource::File { path, .. } => [path.clone(), beside(path, name), beside(path, NEW)],
    };
    for place in places.iter().filter(|place| place.exists()) {
        let keys = read(place)?;
        if keys.name() == name {
            return Ok(Some(keys));
        }
    }
    Ok(None)
}

/// Where a key of this name is looked for.
pub(super) fn place_of(source: &MasterKeySource, name: &str) -> Option<PathBuf> {
    match source {
        MasterKeySource::Inline(_) => None,
        MasterKeySource::File { path, .. } if !path.exists() => Some(path.clone()),
        MasterKeySource::File { path, .. } => Some(beside(path, name)),
    }
}

fn beside(path: &Path, what: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(what);
    PathBuf::from(name)
}

/// Puts a new key in its place, if it is the one in force: somebody pulled the plug before that.
fn settle(path: &Path, sealed: &str) -> Result<(), RunError> {
    let new = beside(path, NEW);
    if !new.exists() {
        return Ok(());
    }
    let is_settled = path.exists() && read(path)?.name() == sealed;
    // One that was not finished is no key at all, and was never in force.
    if is_settled || read(&new).ok().is_none_or(|keys| keys.name() != sealed) {
        return Ok(());
    }
    let old = if path.exists() { Some(read(path)?.name()) } else { None };
    move_in(path, old.as_deref()).map_err(|error| RunError::file("put in place", &new, &error))
}

/// The new key takes its place, and the old one its name.
fn move_in(path: &Path, old: Option<&str>) -> io::Result<()> {
    if let Some(old) = old {
        match std::fs::hard_link(path, beside(path, old)) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    match std::fs::rename(beside(path, NEW), path) {
        // Somebody who found the two at the same time was faster.
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => sync_names(path),
    }
}

/// A key that is about to be the master key.
pub(super) struct NewKey {
    path: PathBuf,
    keys: Keyring,
}

impl NewKey {
    /// Writes a new key beside the one in force.
    pub(super) fn make(source: &MasterKeySource) -> Result<Self, RunError> {
        let MasterKeySource::File { path, .. } = source else {
            return Err(RunError::sentence(String::from(
                "the master key is given as secrets.master_key, where this command cannot change it: \
                 write it to a file, name that as secrets.master_key_file, and try again",
            )));
        };
        let new = beside(path, NEW);
        let written = forget(&new).and_then(|()| write(&new)).and_then(|()| sync_names(path));
        written.map_err(|error| {
            // Half a key is none.
            let _ = forget(&new);
            RunError::sentence(format!(
                "cannot write the new master key {}: {error}: copy {} to a folder that this user \
                 may write to, name it as secrets.master_key_file, and try again",
                new.display(),
                path.display()
            ))
        })?;
        let keys = read(&new)?;
        Ok(Self { path: path.clone(), keys })
    }

    pub(super) const fn keys(&self) -> &Keyring {
        &self.keys
    }

    /// It is in force; where the old one is kept.
    pub(super) fn keep(self, old: &Keyring) -> Result<PathBuf, RunError> {
        let old = old.name();
        let moved = move_in(&self.path, Some(&old));
        moved.map_err(|error| {
            RunError::file("put the new master key in place of", &self.path, &error)
        })?;
        Ok(beside(&self.path, &old))
    }

    /// It never was in force.
    pub(super) fn forget(self) {
        // The next one takes its place where it stays.
        let _ = forget(&beside(&self.path, NEW));
    }
}

fn forget(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn keyring(key: &Secret<Vec<u8>>, whence: &str) -> Result<Keyring, RunError> {
    Keyring::from_master(key.reveal()).map_err(|error| {
        RunError::sentence(format!("{whence}: {error}: `head -c 32 /dev/urandom` makes a good one"))
    })
}

fn lost(path: &Path) -> RunError {
    RunError::sentence(format!(
        "the master key {} is missing, and the store beside it was sealed with it: put the key \
         back from your backup, or name another folder for a new store",
        path.display()
    ))
}

fn read(path: &Path) -> Result<Keyring, RunError> {
    let fault = |error: &io::Error| RunError::file("read the master key", path, error);
    let file = File::open(path).map_err(|error| fault(&error))?;
    let metadata = file.metadata().map_err(|error| fault(&error))?;
    let mode = metadata.mode();
    let is_handed_over = metadata.uid() == 0 && !rustix::process::geteuid().is_root();
    if is_open(mode, is_handed_over) {
        let path = path.display();
        return Err(RunError::sentence(format!(
            "the master key {path} can be read by others (mode {:o}): `chmod 600 {path}` mends that",
            mode & 0o777
        )));
    }
    let mut key = Vec::new();
    file.take(LONGEST).read_to_end(&mut key).map_err(|error| fault(&error))?;
    keyring(&Secret::new(key), &path.display().to_string())
}

/// Writes a new key to a new file.
fn write(path: &Path) -> io::Result<()> {
    let key: [u8; 32] = random().map_err(io::Error::other)?;
    let key = Secret::new(key);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(key.reveal())?;
    file.sync_all()
}

fn sync_names(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()
}

/// Whether others may read a file, or change it. What root hands to somebody else, systemd a
/// credential or Kubernetes a secret, can only be read through the group.
const fn is_open(mode: u32, is_handed_over: bool) -> bool {
    let others = if is_handed_over { 0o037 } else { 0o077 };
    mode & others != 0 && mode & 0o100_000 != 0
}

/// Writes a new key beside its place and moves it there, so that there is never half a key.
fn create(path: &Path) -> Result<(), RunError> {
    // A name of its own: two that start at once must not write into one file.
    let draft = path.with_extension(format!("{}.new", std::process::id()));
    let make = || {
        // What a start that was killed left behind under this number is no key of anybody's.
        forget(&draft)?;
        write(&draft)?;
        // A link, unlike a rename, never replaces a key that is there.
        match std::fs::hard_link(&draft, path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        std::fs::remove_file(&draft)?;
        sync_names(path)
    };
    make().map_err(|error| RunError::file("make the master key", path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_its_owners_alone_or_handed_over_by_root_through_the_group() {
        for (mode, is_own, is_handed_over) in [
            (0o100_600, false, false),
            (0o100_400, false, false),
            (0o100_440, true, false),
            (0o100_640, true, false),
            (0o100_460, true, true),
            (0o100_444, true, true),
            (0o100_604, true, true),
            // No file that stays: a pipe from whoever started us.
            (0o010_666, false, false),
        ] {
            assert_eq!(is_open(mode, false), is_own, "{mode:o}");
            assert_eq!(is_open(mode, true), is_handed_over, "{mode:o}");
        }
    }
}
