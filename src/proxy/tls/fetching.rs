//! Certificates that are fetched from an authority: whose, for which names, and where they are kept.

use super::certificates::Shown;
use super::listener::pair;
use crate::types::{Host, Timestamp};
use std::path::{Path, PathBuf};
use tokio_rustls::rustls::sign::CertifiedKey;

/// What is to be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetching {
    /// The address of the authority's directory.
    pub directory: String,
    /// Where it may write to.
    pub email: Option<String>,
    /// The certificates that may vouch for it, in place of the system's.
    pub ca_file: Option<PathBuf>,
    /// What is kept of it.
    pub folder: PathBuf,
    /// Each gets a certificate of its own: one that fails holds up no other.
    pub names: Vec<Host>,
    /// Whether clients can come without TLS, as the authority then does.
    pub by_http: bool,
}

impl Fetching {
    /// Where the certificate for a name is kept: chain and key in one file, so that they change as
    /// one.
    pub fn file(&self, name: &Host) -> PathBuf {
        self.folder.join(format!("{name}.pem"))
    }

    /// All of them.
    pub(super) fn files(&self) -> impl Iterator<Item = PathBuf> {
        self.names.iter().map(|name| self.file(name))
    }

    /// Those that are there. One that cannot be used is as good as none: it is fetched again.
    pub(super) fn pairs(&self) -> impl Iterator<Item = CertifiedKey> {
        self.files().filter_map(|file| pair(&file, &file).ok())
    }

    /// When what is in this file is to be replaced; none where it is no certificate for this name.
    pub fn due(file: &Path, name: &Host) -> Option<Timestamp> {
        Shown::new(pair(file, file).ok()?).filter(|shown| shown.has(name.as_str()))?.due().into()
    }
}
