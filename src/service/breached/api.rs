//! The list at a service on the network, asked by range.
//!
//! What leaves this machine are the first five of the forty digits of a password's SHA-1; whoever
//! answers sends the rest of every hash in that range, padded so that not even its length tells
//! which it was. Everything else, from a name that cannot be looked up to a line too many, is no
//! answer.

use super::range;
use super::url::RangeUrl;
use crate::crypto::Spelling;
use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_util::rt::TokioIo;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// How long an answer may take in all, from the look-up of the name to the last byte: somebody
/// sits before a form.
const PATIENCE: Duration = Duration::from_secs(2);

/// More than any range is long; a padded one has some forty KiB.
const LONGEST: usize = 4 << 20;

const USER_AGENT: &str = concat!("vestibule/", env!("CARGO_PKG_VERSION"));

/// The service.
pub(super) struct Api {
    url: RangeUrl,
    /// Nothing where it is on this machine and asked in the clear.
    tls: Option<Result<TlsConnector, String>>,
}

impl Api {
    pub(super) fn new(url: &RangeUrl) -> Self {
        Self {
            url: url.clone(),
            tls: url.is_https().then(|| system_roots().and_then(asking_over_tls)),
        }
    }

    /// Whether it knows one of these, or why that cannot be said.
    pub(super) async fn knows(&self, spellings: &[Spelling]) -> Result<bool, String> {
        let asked = tokio::time::timeout(PATIENCE, self.ask(spellings)).await;
        let seconds = PATIENCE.as_secs();
        let answer = asked.unwrap_or_else(|_| Err(format!("no answer within {seconds} seconds")));
        answer.map_err(|why| format!("{}: {why}", self.url))
    }

    async fn ask(&self, spellings: &[Spelling]) -> Result<bool, String> {
        for spelling in spellings {
            let parts = spelling.sha1().split_at_checked(range::PREFIX);
            let (prefix, rest) = parts.ok_or("there is no hash to ask for")?;
            let body = self.range(prefix).await?;
            if range::holds(&body, rest).ok_or("what it answered is no range of hashes")? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn range(&self, prefix: &str) -> Result<Bytes, String> {
        let (host, port) = (self.url.host(), self.url.port());
        let tcp = TcpStream::connect((host, port)).await;
        let tcp = tcp.map_err(|error| format!("no connection: {error}"))?;
        let request = Request::get(self.url.target(prefix))
            .header(header::HOST, self.url.authority())
            .header(header::USER_AGENT, USER_AGENT)
            .header("add-padding", "true")
            .body(Empty::new())
            .map_err(sentence)?;
        let Some(tls) = &self.tls else { return exchange(tcp, request).await };
        let name = ServerName::try_from(host.to_owned()).map_err(sentence)?;
        let tls = tls.as_ref().map_err(Clone::clone)?.connect(name, tcp).await;
        exchange(tls.map_err(|error| format!("no TLS: {error}"))?, request).await
    }
}

/// Sends a request and reads the whole answer.
async fn exchange<S>(stream: S, request: Request<Empty<Bytes>>) -> Result<Bytes, String>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(sentence)?;
    let talk = async {
        let response = sender.send_request(request).await.map_err(sentence)?;
        if response.status() != StatusCode::OK {
            return Err(format!("it answered {}", response.status().as_u16()));
        }
        let body = Limited::new(response.into_body(), LONGEST).collect().await;
        Ok(body.map_err(sentence)?.to_bytes())
    };
    tokio::pin!(talk);
    tokio::select! {
        answer = &mut talk => answer,
        // However it ended: the answer was whole by then, or is told why it is not.
        _ = connection => talk.await,
    }
}

/// An error with its causes, which hyper keeps out of its own words.
fn sentence(error: impl Into<Box<dyn Error + Send + Sync>>) -> String {
    let error = error.into();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// Whom the system trusts, or those whom `SSL_CERT_FILE` names.
pub fn system_roots() -> Result<RootCertStore, String> {
    let found = rustls_native_certs::load_native_certs();
    let found = found.map_err(|error| format!("the root certificates cannot be read: {error}"))?;
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found);
    if roots.is_empty() {
        return Err(String::from("there are no root certificates: install ca-certificates"));
    }
    Ok(roots)
}

/// TLS as the rest of the gateway speaks it to apps, for those who are asked in HTTP/1.1: ring, and
/// the authorities that are trusted to vouch for them.
pub fn asking_over_tls(roots: RootCertStore) -> Result<TlsConnector, String> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().map_err(sentence)?;
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}
