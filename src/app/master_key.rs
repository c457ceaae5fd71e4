//! The master key's file.

use super::error::RunError;
use crate::config::MasterKeySource;
use crate::crypto::{Keyring, random};
use crate::types::Secret;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

/// More than any key file has; of a larger one, its beginning is the key.
const LONGEST: u64 = 4096;

/// Reads the master key, making it first where it is the usual file and there is none. Where a
/// store was sealed already a new key would be of no use, and would hide that the old one is lost.
pub(super) fn load(source: &MasterKeySource, is_sealed: bool) -> Result<Keyring, RunError> {
    let (key, whence) = match source {
        MasterKeySource::Inline(key) => (key.clone(), String::from("secrets.master_key")),
        MasterKeySource::File { path, make } => {
            if *make && !path.exists() {
                if is_sealed {
                    return Err(lost(path));
                }
                create(path)?;
            }
            (read(path)?, path.display().to_string())
        }
    };
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

fn read(path: &Path) -> Result<Secret<Vec<u8>>, RunError> {
    let fault = |error: &std::io::Error| RunError::file("read the master key", path, error);
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
    Ok(Secret::new(key))
}

/// Whether others may read a file, or change it. What root hands to somebody else, systemd a
/// credential or Kubernetes a secret, can only be read through the group.
const fn is_open(mode: u32, is_handed_over: bool) -> bool {
    let others = if is_handed_over { 0o037 } else { 0o077 };
    mode & others != 0 && mode & 0o100_000 != 0
}

/// Writes a new key beside its place and moves it there, so that there is never half a key.
fn create(path: &Path) -> Result<(), RunError> {
    let key: [u8; 32] = random().map_err(|error| RunError::sentence(error.to_string()))?;
    let key = Secret::new(key);
    // A name of its own: two that start at once must not write into one file.
    let draft = path.with_extension(format!("{}.new", std::process::id()));
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(key.reveal())?;
        file.sync_all()?;
        // A link, unlike a rename, never replaces a key that is there.
        match std::fs::hard_link(&draft, path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        std::fs::remove_file(&draft)?;
        path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    };
    // What a start that was killed left behind under this number is no key of anybody's.
    let _ = std::fs::remove_file(&draft);
    write().map_err(|error| RunError::file("make the master key", path, &error))
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
