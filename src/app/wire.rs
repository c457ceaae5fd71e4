//! Small HTTP servers of our own: administration, health, the demo page.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::error::Error;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};

/// How long a request head may take.
const HEAD: Duration = Duration::from_secs(10);

/// Serves one connection to its end.
pub(super) async fn connection<S, F, A, B>(stream: S, answer: F)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Fn(Request<Incoming>) -> A + Send,
    A: Future<Output = Response<B>> + Send,
    B: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    let service = service_fn(|request| {
        let answer = answer(request);
        async { Ok::<_, Infallible>(answer.await) }
    });
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(HEAD);
    // Whoever breaks off has nothing to be told.
    let _ = server.serve_connection(TokioIo::new(stream), service).await;
}

/// How long to wait when the process is out of file descriptors, before trying again.
const BREATHER: Duration = Duration::from_millis(50);

/// To be awaited where a connection could not be accepted.
pub(super) async fn breathe() {
    tokio::time::sleep(BREATHER).await;
}

/// An answer of plain text.
pub(super) fn text(status: http::StatusCode, body: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(body.as_bytes())));
    *response.status_mut() = status;
    response
}
