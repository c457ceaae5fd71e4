//! Why a store is not opened: one sentence each, which names the folder and says what to do.

use std::fmt;
use std::path::{Path, PathBuf};

/// Why a store is not opened. Where nothing else is said, nothing in the folder was changed.
#[derive(Debug)]
pub enum OpenError {
    /// Another process has it open.
    InUse(PathBuf),
    /// A later version of vestibule wrote it.
    Newer {
        /// The folder.
        path: PathBuf,
        /// Its format.
        format: u64,
    },
    /// Another master key sealed it.
    OtherKey(PathBuf),
    /// The folder holds an engine's files that vestibule did not write.
    NotAStore(PathBuf),
    /// Its files are damaged: the engine cannot open them, or does not find all there must be.
    Damaged {
        /// The folder.
        path: PathBuf,
        /// What was found, or not.
        what: String,
    },
    /// The operating system refuses.
    Io {
        /// The folder or file.
        path: PathBuf,
        /// What it says.
        error: std::io::Error,
    },
}

impl OpenError {
    pub(crate) fn io(path: &Path, error: std::io::Error) -> Self {
        Self::Io { path: path.to_path_buf(), error }
    }

    pub(super) fn damaged(path: &Path, what: impl fmt::Display) -> Self {
        Self::Damaged { path: path.to_path_buf(), what: what.to_string() }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse(path) => write!(
                f,
                "another vestibule uses the store {}: stop it, or talk to it through its \
                 administration socket",
                path.display()
            ),
            Self::Newer { path, format } => write!(
                f,
                "the store {} was written by a newer version of vestibule (format {format}; this \
                 one knows {} and older): run that version, or restore a backup made by this one",
                path.display(),
                super::marker::FORMAT
            ),
            Self::OtherKey(path) => write!(
                f,
                "the store {} was sealed with another master key: give the key file that it was \
                 made with, or name another folder for a new store",
                path.display()
            ),
            Self::NotAStore(path) => write!(
                f,
                "the folder {} holds a database that vestibule did not make, or that lost its \
                 file {}: name another folder, or restore a backup",
                path.display(),
                super::marker::NAME
            ),
            Self::Damaged { path, what } => write!(
                f,
                "the store {} is damaged ({what}): move it aside and restore a backup",
                path.display()
            ),
            Self::Io { path, error } => {
                write!(f, "the store {} cannot be opened: {error}", path.display())
            }
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { error, .. } => Some(error),
            _ => None,
        }
    }
}
