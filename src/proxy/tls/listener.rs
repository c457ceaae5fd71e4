//! What the listener is told about TLS: which certificates it shows, the files they are in, and which
//! of them are fetched.

use super::certificates::Certificates;
use super::fetching::Fetching;
use super::{TlsFile, certificates, of};
use pingora::tls::PrivateKeyDer;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::sign::CertifiedKey;

/// Certificates that the listener shows; none, and it speaks no TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListenerTls {
    pairs: Vec<(PathBuf, PathBuf)>,
    fetching: Option<Arc<Fetching>>,
    read: Option<Arc<Certificates>>,
}

impl ListenerTls {
    /// Those in these files, each a chain and its key.
    pub const fn new(pairs: Vec<(PathBuf, PathBuf)>) -> Self {
        Self { pairs, fetching: None, read: None }
    }

    /// Besides, those that are fetched.
    #[must_use]
    pub fn fetching(self, fetching: Option<Fetching>) -> Self {
        Self { fetching: fetching.map(Arc::new), ..self }
    }

    /// What is to be fetched.
    pub(in crate::proxy) const fn to_fetch(&self) -> Option<&Arc<Fetching>> {
        self.fetching.as_ref()
    }

    /// Whether some are to be fetched, and for no name.
    pub fn fetches_nothing(&self) -> bool {
        self.fetching.as_ref().is_some_and(|fetching| fetching.names.is_empty())
    }

    /// Whether it speaks none.
    pub const fn is_off(&self) -> bool {
        self.pairs.is_empty() && self.fetching.is_none()
    }

    /// The files that are named.
    pub fn files(&self) -> impl Iterator<Item = PathBuf> {
        let named = self.pairs.iter().flat_map(|(cert, key)| [cert.clone(), key.clone()]);
        named.chain(self.fetching.iter().flat_map(|fetching| fetching.files()))
    }

    /// Shows every certificate that was read, in DER.
    pub fn each_certificate(&self, show: impl FnMut(&[u8])) {
        self.read.iter().flat_map(|read| read.leaves()).for_each(show);
    }

    /// Reads the files; everything that is wrong with them.
    pub fn read_files(&mut self) -> Result<(), Vec<(TlsFile, String)>> {
        let (mut pairs, mut wrongs) = (Vec::new(), Vec::new());
        for (cert, key) in &self.pairs {
            match pair(cert, key) {
                Ok(pair) => pairs.push(pair),
                Err(wrong) => wrongs.push(wrong),
            }
        }
        if !wrongs.is_empty() {
            return Err(wrongs);
        }
        // One that is not there yet is nobody's fault: until it is, no hands are shaken for it.
        pairs.extend(self.fetching.iter().flat_map(|fetching| fetching.pairs()));
        self.read = Certificates::new(pairs).filter(|_| !self.is_off()).map(Arc::new);
        Ok(())
    }

    /// The certificates, once they were read.
    pub(in crate::proxy) const fn certificates(&self) -> Option<&Arc<Certificates>> {
        self.read.as_ref()
    }
}

pub(super) fn pair(cert: &Path, key: &Path) -> Result<CertifiedKey, (TlsFile, String)> {
    let chain = certificates(cert).map_err(|why| (TlsFile::Cert, why))?;
    let wrong = |why: String| (TlsFile::Key, of(key, why));
    let der = PrivateKeyDer::from_pem_file(key).map_err(|error| wrong(error.to_string()))?;
    CertifiedKey::from_der(chain, der, &default_provider()).map_err(|error| {
        wrong(format!("it does not go with the certificate in {}: {error}", cert.display()))
    })
}
