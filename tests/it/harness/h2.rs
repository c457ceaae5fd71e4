//! HTTP/2 by prior knowledge, as a client and as an app.

use super::http::{PATIENCE, Reply};
use ::h2::client::SendRequest;
use ::h2::{RecvStream, server};
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// Opens a connection and speaks HTTP/2 from its first byte.
pub async fn h2_connect(address: SocketAddr) -> SendRequest<Bytes> {
    let stream = TcpStream::connect(address).await.unwrap();
    let (sender, connection) = ::h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    timeout(PATIENCE, sender.ready()).await.unwrap().unwrap()
}

/// Sends a request with its whole body and reads its whole answer.
pub async fn h2_exchange(
    sender: &SendRequest<Bytes>,
    request: Request<()>,
    body: &[u8],
) -> Result<Reply, ::h2::Error> {
    let mut sender = sender.clone().ready().await?;
    let (response, mut sending) = sender.send_request(request, body.is_empty())?;
    if !body.is_empty() {
        sending.send_data(Bytes::copy_from_slice(body), true)?;
    }
    let (head, mut receiving) = timeout(PATIENCE, response).await.unwrap()?.into_parts();
    let fields = head.headers.iter();
    let headers =
        fields.map(|(n, v)| (n.to_string(), String::from_utf8_lossy(v.as_bytes()).into()));
    let headers = headers.collect();
    let body = h2_body(&mut receiving).await?;
    Ok(Reply { status: head.status.as_u16(), headers, body })
}

/// Reads a body to its end.
pub async fn h2_body(receiving: &mut RecvStream) -> Result<Vec<u8>, ::h2::Error> {
    let mut body = Vec::new();
    while let Some(data) = h2_data(receiving).await {
        body.extend_from_slice(&data?);
    }
    Ok(body)
}

/// Reads the next part of a body.
pub async fn h2_data(receiving: &mut RecvStream) -> Option<Result<Bytes, ::h2::Error>> {
    let data = timeout(PATIENCE, receiving.data()).await.unwrap()?;
    if let Ok(data) = &data {
        let _ = receiving.flow_control().release_capacity(data.len());
    }
    Some(data)
}

/// An app that speaks HTTP/2 without TLS: it says who asked for what, echoes each part of a body as
/// it comes, and ends with trailers, as gRPC does, and with a cookie that it has no right to.
pub struct H2App {
    pub address: SocketAddr,
    received: Arc<Mutex<Vec<(http::Method, http::Uri, HeaderMap)>>>,
}

impl H2App {
    pub fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::default();
        let app = Self { address, received: Arc::clone(&received) };
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async move {
                let listener = TcpListener::from_std(listener).unwrap();
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(connection(stream, Arc::clone(&received)));
                }
            });
        });
        app
    }

    /// The heads it received so far.
    pub fn received(&self) -> Vec<(http::Method, http::Uri, HeaderMap)> {
        self.received.lock().unwrap().clone()
    }
}

async fn connection(
    stream: TcpStream,
    received: Arc<Mutex<Vec<(http::Method, http::Uri, HeaderMap)>>>,
) {
    let Ok(mut connection) = server::handshake(stream).await else { return };
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        let (head, mut body) = request.into_parts();
        let response = Response::builder()
            .header("content-type", "application/grpc")
            .header(
                "x-for",
                head.headers.get("remote-user").map_or("".as_bytes(), |u| u.as_bytes()),
            )
            .header("x-target", head.uri.path());
        let response = response.body(()).unwrap();
        received.lock().unwrap().push((head.method, head.uri, head.headers));
        tokio::spawn(async move {
            let Ok(mut sending) = respond.send_response(response, false) else { return };
            while let Some(Ok(data)) = body.data().await {
                let _ = body.flow_control().release_capacity(data.len());
                let _ = sending.send_data(data, false);
            }
            let mut trailers = HeaderMap::new();
            trailers.insert("grpc-status", "0".parse().unwrap());
            trailers.insert("grpc-message", "fine".parse().unwrap());
            trailers.insert("set-cookie", "vestibule=planted; Path=/".parse().unwrap());
            let _ = sending.send_trailers(trailers);
        });
    }
}
