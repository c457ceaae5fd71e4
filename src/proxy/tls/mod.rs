//! TLS on both sides: who an app is and who we are to it, and who we are to clients.
//!
//! Files are read and judged before anything goes by them: at the start, and again at each reload.
//! Nothing here looks at a file while a connection waits for it, and nothing skips verification.

mod certificates;
mod challenges;
mod fetching;
mod listener;
mod stream;
mod upstream;

pub(super) use certificates::Certificates;
pub use certificates::Expiry;
pub use challenges::Challenges;
pub use fetching::Fetching;
pub use listener::ListenerTls;
pub(super) use stream::Handshake;
pub use upstream::UpstreamTls;

use pingora::tls::CertificateDer;
use std::fmt;
use std::path::Path;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// Which of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsFile {
    /// The certificates that may vouch for the app.
    Ca,
    /// Our certificate.
    Cert,
    /// Its key.
    Key,
}

fn of(path: &Path, why: impl fmt::Display) -> String {
    format!("{}: {why}", path.display())
}

/// The certificates in a PEM file: one at least, and each one that can be parsed.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let all = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let all = all.map_err(|error| of(path, error))?;
    if all.is_empty() {
        return Err(of(path, "there is no certificate in it"));
    }
    let is_bad = |cert: &CertificateDer<'_>| X509Certificate::from_der(cert.as_ref()).is_err();
    if all.iter().any(is_bad) {
        return Err(of(path, "what is in it is no certificate"));
    }
    Ok(all)
}
