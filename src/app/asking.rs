//! How others are asked over the network: one request a connection, over the TLS of the rest of the
//! gateway.

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Body;
use hyper_util::rt::TokioIo;
use std::error::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

/// More than any answer is long that somebody wants to read.
const LONGEST: usize = 1 << 20;

/// What went wrong.
pub(super) type Failure = Box<dyn Error + Send + Sync>;

/// Asks what the request's address names: encrypted where there is a connector, else in the clear.
/// However long it takes.
pub(super) async fn ask<B>(
    tls: Option<&TlsConnector>,
    mut request: Request<B>,
) -> Result<Response<Bytes>, Failure>
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Failure>,
{
    let authority = request.uri().authority().ok_or("its address names no host")?.clone();
    let host = authority.host().trim_matches(['[', ']']).to_owned();
    let usual = if tls.is_some() { 443 } else { 80 };
    let tcp = TcpStream::connect((host.as_str(), authority.port_u16().unwrap_or(usual))).await;
    let tcp = tcp.map_err(|error| format!("no connection to {authority}: {error}"))?;
    request.headers_mut().insert(header::HOST, HeaderValue::from_str(authority.as_str())?);
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str()).parse()?;
    *request.uri_mut() = target;
    let Some(tls) = tls else { return exchange(tcp, request).await };
    let tls = tls.connect(ServerName::try_from(host)?, tcp).await;
    exchange(tls.map_err(|error| format!("no TLS with {authority}: {error}"))?, request).await
}

async fn exchange<S, B>(stream: S, request: Request<B>) -> Result<Response<Bytes>, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Failure>,
{
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake?;
    let talk = async {
        let (parts, body) = sender.send_request(request).await?.into_parts();
        let body = Limited::new(body, LONGEST).collect().await?.to_bytes();
        Ok(Response::from_parts(parts, body))
    };
    tokio::pin!(talk);
    tokio::select! {
        answer = &mut talk => answer,
        // However it ended: the answer was whole by then, or is told why it is not.
        _ = connection => talk.await,
    }
}

/// An error with its causes, unless they are in its words already.
pub(super) fn sentence(error: &dyn Error) -> String {
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
