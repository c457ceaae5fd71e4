//! Whom an app behind TLS is trusted to be, and who we are to it.
//!
//! The engine panics at a certificate it cannot parse, so that it is given none that was not parsed
//! before. An app whose files were never read is not reached at all. There is no way to skip
//! verification, on purpose.

use super::{TlsFile, certificates, of};
use crate::types::Host;
use pingora::protocols::tls::CaType;
use pingora::tls::{PrivateKeyDer, RootCertStore};
use pingora::upstreams::peer::HttpPeer;
use pingora::utils::tls::{CertKey, WrappedX509, parse_x509};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::rustls;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;

/// What is said about TLS to an app.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpstreamTls {
    /// The certificates that may vouch for it, in place of the system's.
    ca: Option<PathBuf>,
    /// Our certificate and its key.
    identity: Option<(PathBuf, PathBuf)>,
    /// The name it must prove, where that is not the one in its address.
    server_name: Option<Host>,
    read: Option<Files>,
}

/// The files, read.
#[derive(Clone, Default)]
struct Files {
    ca: Option<Arc<CaType>>,
    identity: Option<Arc<CertKey>>,
}

/// Files are the same where the same is in them.
impl PartialEq for Files {
    fn eq(&self, other: &Self) -> bool {
        let ca = |files: &Self| -> Option<Vec<Vec<u8>>> {
            let all = files.ca.as_deref()?;
            Some(all.iter().map(|cert| cert.borrow_raw_cert().clone()).collect())
        };
        let identity = |files: &Self| -> Option<(Vec<Vec<u8>>, Vec<u8>)> {
            let pair = files.identity.as_ref()?;
            let chain = std::iter::once(pair.leaf()).chain(pair.intermediates());
            Some((chain.map(|cert| cert.borrow_raw_cert().clone()).collect(), pair.key().clone()))
        };
        ca(self) == ca(other) && identity(self) == identity(other)
    }
}

impl Eq for Files {}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("read")
    }
}

impl UpstreamTls {
    /// An app that these certificates may vouch for, that knows us by this certificate and key,
    /// and that must prove this name; what is not given is as usual.
    pub const fn new(
        ca: Option<PathBuf>,
        identity: Option<(PathBuf, PathBuf)>,
        server_name: Option<Host>,
    ) -> Self {
        Self { ca, identity, server_name, read: None }
    }

    /// Whether nothing is said.
    pub const fn is_usual(&self) -> bool {
        self.ca.is_none() && self.identity.is_none() && self.server_name.is_none()
    }

    /// The files that it names.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        let pair = self.identity.iter().flat_map(|(cert, key)| [cert, key]);
        self.ca.iter().chain(pair).map(PathBuf::as_path)
    }

    /// Shows every certificate that was read, in DER.
    pub fn each_certificate(&self, mut show: impl FnMut(&[u8])) {
        let Some(Files { ca, identity }) = &self.read else { return };
        let vouching = ca.iter().flat_map(|ca| ca.iter());
        let own = identity.iter().map(|pair| pair.leaf());
        vouching.chain(own).for_each(|cert| show(cert.borrow_raw_cert()));
    }

    /// Reads the files; what is wrong with which of them.
    pub fn read_files(&mut self) -> Result<(), (TlsFile, String)> {
        let ca = self.ca.as_deref().map(authorities).transpose();
        let ca = ca.map_err(|why| (TlsFile::Ca, why))?;
        let identity = self.identity.as_ref().map(|(cert, key)| identity(cert, key)).transpose()?;
        self.read = Some(Files { ca, identity });
        Ok(())
    }

    /// Prepares a peer; none where the files were not read.
    pub(in crate::proxy) fn dress(&self, mut peer: HttpPeer) -> Option<HttpPeer> {
        if self.is_usual() || !peer.is_tls() {
            return Some(peer);
        }
        let files = self.read.as_ref()?;
        peer.options.ca.clone_from(&files.ca);
        peer.client_cert_key.clone_from(&files.identity);
        if let Some(name) = &self.server_name {
            name.as_str().clone_into(&mut peer.sni);
        }
        Some(peer)
    }
}

fn authorities(path: &Path) -> Result<Arc<CaType>, String> {
    let mut store = RootCertStore::empty();
    let all = certificates(path)?;
    for cert in &all {
        store.add(cert.clone()).map_err(|error| of(path, error))?;
    }
    Ok(all.into_iter().map(|cert| WrappedX509::new(cert.to_vec(), parse_x509)).collect())
}

fn identity(cert: &Path, key: &Path) -> Result<Arc<CertKey>, (TlsFile, String)> {
    let chain = certificates(cert).map_err(|why| (TlsFile::Cert, why))?;
    let of_key = |why: String| (TlsFile::Key, of(key, why));
    let key = PrivateKeyDer::from_pem_file(key).map_err(|error| of_key(error.to_string()))?;
    let bytes = key.secret_der().to_vec();
    // The engine guesses the key's form from its bytes, and panics where it cannot.
    PrivateKeyDer::try_from(bytes.as_slice()).map_err(|why| of_key(why.to_owned()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            let nobody = RootCertStore::empty();
            builder.with_root_certificates(nobody).with_client_auth_cert(chain.clone(), key)
        })
        .map_err(|error| of_key(format!("it does not go with the certificate: {error}")))?;
    Ok(Arc::new(CertKey::new(chain.iter().map(|cert| cert.to_vec()).collect(), bytes)))
}
