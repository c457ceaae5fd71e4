//! How an authority is asked: one request a connection, over the TLS of the rest of the gateway.

use crate::service::system_roots;
use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::rt::TokioIo;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// How long an answer may take in all.
const PATIENCE: Duration = Duration::from_secs(30);
/// More than any chain of certificates is long.
const LONGEST: usize = 1 << 20;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Asks an authority.
pub(super) struct Client(TlsConnector);

impl Client {
    /// One for an authority that these certificates vouch for, or the system's.
    pub(super) fn new(ca_file: Option<&Path>) -> Result<Self, String> {
        let roots = match ca_file {
            Some(path) => from_file(path)?,
            None => system_roots()?,
        };
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let config = config.with_safe_default_protocol_versions().map_err(|e| sentence(&e))?;
        let mut config = config.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(TlsConnector::from(Arc::new(config))))
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
            let asked = tokio::time::timeout(PATIENCE, ask(tls, request)).await;
            let answer = asked.unwrap_or_else(|_| Err("no answer within half a minute".into()));
            answer.map(BytesResponse::from).map_err(Error::Other)
        })
    }
}

async fn ask(
    tls: TlsConnector,
    mut request: Request<BodyWrapper<Bytes>>,
) -> Result<Response<Full<Bytes>>, Failure> {
    let authority = request.uri().authority().ok_or("its address names no host")?.clone();
    if request.uri().scheme_str() != Some("https") {
        return Err("it sends us on to where nothing is encrypted".into());
    }
    let host = authority.host().trim_matches(['[', ']']).to_owned();
    let tcp = TcpStream::connect((host.as_str(), authority.port_u16().unwrap_or(443))).await;
    let tcp = tcp.map_err(|error| format!("no connection to {authority}: {error}"))?;
    let tls = tls.connect(ServerName::try_from(host)?, tcp).await;
    let tls = tls.map_err(|error| format!("no TLS with {authority}: {error}"))?;
    request.headers_mut().insert(header::HOST, HeaderValue::from_str(authority.as_str())?);
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str()).parse()?;
    *request.uri_mut() = target;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(tls)).await?;
    let talk = async {
        let (parts, body) = sender.send_request(request).await?.into_parts();
        let body = Limited::new(body, LONGEST).collect().await?.to_bytes();
        Ok(Response::from_parts(parts, Full::new(body)))
    };
    tokio::pin!(talk);
    tokio::select! {
        answer = &mut talk => answer,
        // However it ended: the answer was whole by then, or is told why it is not.
        _ = connection => talk.await,
    }
}

/// An error with its causes, unless they are in its words already.
pub(super) fn sentence(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}
