//! The plain file beside the tree that says what the folder is.
//!
//! It is read before the engine touches anything, so that a store of a newer version, or of
//! another master key, is refused with every byte as it was. It also says whether the store was
//! ever complete: once it was, an empty tree is a loss and not a beginning.

use super::OpenError;
use crate::crypto::Keyring;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

/// The marker's file name.
pub(super) const NAME: &str = "vestibule.store";

/// The format this version writes: what the rows are and where they lie.
///
/// 1: the first. 2: the tip of the audit trail is counted in the inventory, which format 1 would
/// take for damage. A store of format 1 is one of format 2 with an empty trail.
pub(in crate::store) const FORMAT: u64 = 2;

/// What the marker says.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Marker {
    format: u64,
    /// The master key's name, in hexadecimal.
    key: String,
    /// Whether the engine's files have ever been complete.
    pub(super) complete: bool,
}

/// All that is asked of a marker before anything else: later formats may change the rest.
#[derive(Deserialize)]
struct AnyFormat {
    format: u64,
}

impl Marker {
    pub(super) fn new(keys: &Keyring, complete: bool) -> Self {
        Self { format: FORMAT, key: keys.name(), complete }
    }

    /// Reads the folder's marker, if there is one, and refuses one that is not for us.
    pub(super) fn read(path: &Path, keys: &Keyring) -> Result<Option<Self>, OpenError> {
        let marker = Self::read_any(path)?;
        if marker.as_ref().is_some_and(|marker| marker.key != keys.name()) {
            return Err(OpenError::OtherKey(path.to_path_buf()));
        }
        Ok(marker)
    }

    /// The name of the master key, whichever it is.
    pub(super) fn key_of(path: &Path) -> Result<Option<String>, OpenError> {
        Ok(Self::read_any(path)?.map(|marker| marker.key))
    }

    fn read_any(path: &Path) -> Result<Option<Self>, OpenError> {
        let file = path.join(NAME);
        let text = match fs::read(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(OpenError::io(&file, error)),
        };
        let unreadable = |_| OpenError::damaged(path, format!("its file {NAME} cannot be read"));
        let AnyFormat { format } = serde_json::from_slice(&text).map_err(unreadable)?;
        if format > FORMAT {
            return Err(OpenError::Newer { path: path.to_path_buf(), format });
        }
        serde_json::from_slice(&text).map(Some).map_err(unreadable)
    }

    /// Whether it was written by an earlier version, and has to say so no longer once this one
    /// has written to the store.
    pub(super) const fn is_outdated(&self) -> bool {
        self.format < FORMAT
    }

    /// Writes the marker so that after a power cut it is the old one or the new one.
    pub(super) fn write(&self, path: &Path) -> Result<(), OpenError> {
        let written = || -> io::Result<()> {
            let new = path.join(format!("{NAME}.new"));
            let mut file = File::create(&new)?;
            file.write_all(&serde_json::to_vec(self)?)?;
            file.sync_all()?;
            fs::rename(&new, path.join(NAME))?;
            sync_folder(path)
        };
        written().map_err(|error| OpenError::io(&path.join(NAME), error))
    }
}

/// Makes the names in a folder outlive a power cut.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
