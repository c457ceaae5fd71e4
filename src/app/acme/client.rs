//! How an authority is asked.

use crate::app::asking::{Failure, ask};
use crate::service::{asking_over_tls, system_roots};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;

/// How long an answer may take in all.
const PATIENCE: Duration = Duration::from_secs(30);

/// Asks an authority.
pub(super) struct Client(TlsConnector);

impl Client {
    /// One for an authority that these certificates vouch for, or the system's.
    pub(super) fn new(ca_file: Option<&Path>) -> Result<Self, String> {
        let roots = match ca_file {
            Some(path) => from_file(path)?,
            None => system_roots()?,
        };
        asking_over_tls(roots).map(Self)
    }
}

fn from_file(path: &Path) -> Result<RootCertStore, String> {
    let wrong = |why: String| format!("acme.ca_file cannot be used: {}: {why}", path.display());
    let mut roots = RootCertStore::empty();
    let all = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    for cert in all.map_err(|error| wrong(error.to_string()))? {
        roots.add(cert).map_err(|error| wrong(error.to_string()))?;
    }
    if roots.is_empty() { Err(wrong(String::from("no certificate is in it"))) } else { Ok(roots) }
}

impl HttpClient for Client {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let tls = self.0.clone();
        Box::pin(async move {
            let asked = tokio::time::timeout(PATIENCE, encrypted(tls, request)).await;
            let answer = asked.unwrap_or_else(|_| Err("no answer within half a minute".into()));
            answer.map(BytesResponse::from).map_err(Error::Other)
        })
    }
}

async fn encrypted(
    tls: TlsConnector,
    request: Request<BodyWrapper<Bytes>>,
) -> Result<Response<Full<Bytes>>, Failure> {
    if request.uri().scheme_str() != Some("https") {
        return Err("it sends us on to where nothing is encrypted".into());
    }
    ask(Some(&tls), request).await.map(|answer| answer.map(Full::new))
}
