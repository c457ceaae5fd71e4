//! What the listener is told about TLS: which certificates it shows, and the files they are in.

use super::certificates::Certificates;
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
    read: Option<Arc<Certificates>>,
}

impl ListenerTls {
    /// Those in these files, each a chain and its key.
    pub const fn new(pairs: Vec<(PathBuf, PathBuf)>) -> Self {
        Self { pairs, read: None }
    }

    /// Whether it speaks none.
    pub const fn is_off(&self) -> bool {
        self.pairs.is_empty()
    }

    /// The files that are named.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.pairs.iter().flat_map(|(cert, key)| [cert.as_path(), key.as_path()])
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
        self.read = Certificates::new(pairs).filter(|_| !self.is_off()).map(Arc::new);
        Ok(())
    }

    /// The certificates, once they were read.
    pub(in crate::proxy) const fn certificates(&self) -> Option<&Arc<Certificates>> {
        self.read.as_ref()
    }
}

fn pair(cert: &Path, key: &Path) -> Result<CertifiedKey, (TlsFile, String)> {
    let chain = certificates(cert).map_err(|why| (TlsFile::Cert, why))?;
    let wrong = |why: String| (TlsFile::Key, of(key, why));
    let der = PrivateKeyDer::from_pem_file(key).map_err(|error| wrong(error.to_string()))?;
    CertifiedKey::from_der(chain, der, &default_provider()).map_err(|error| {
        wrong(format!("it does not go with the certificate in {}: {error}", cert.display()))
    })
}
