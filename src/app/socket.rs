//! The administration socket and the health address.
//!
//! Health answers on both. What changes anything is asked on the socket alone: a file that only
//! its owner can open, so that whoever reaches it could read the master key as well.

use super::error::RunError;
use super::{State, metrics, wire};
use crate::observe::Level;
use crate::proxy::{Gateway, Socket};
use crate::service::{AdminCap, AdminReply, AdminRequest, Named, Service};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Either, Full, Limited};
use hyper::body::{Body, Frame, Incoming};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs::Permissions;
use std::future::poll_fn;
use std::io::{self, BufWriter, Write};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

/// Where it is told which configuration is in force.
const IN_FORCE: &str = "/in-force";

/// More than any administrator has to say at once: tens of thousands of people to import.
const LONGEST: usize = 16 << 20;

/// Where it is asked which sessions go on, by the gateway that handed over to this one.
const GOING_ON: &str = "/going-on";

/// How long whoever is being answered may take, where nobody else is any more.
const PATIENCE: Duration = Duration::from_secs(3);

/// Takes the administration socket, in place of a file that was left behind: the store's lock is
/// held by now.
pub(super) fn bind_admin(path: &Path) -> Result<Socket, RunError> {
    let fault = |error: &io::Error| RunError::file("open the administration socket", path, error);
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(fault(&error)),
        _ => {}
    }
    // Closed to others from the first moment, not only once its mode is set.
    let usual = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o177));
    let bound = UnixListener::bind(path);
    rustix::process::umask(usual);
    let listener = bound.and_then(UnixListener::into_std).map_err(|error| fault(&error))?;
    let mode = std::fs::set_permissions(path, Permissions::from_mode(0o600));
    mode.map_err(|error| fault(&error))?;
    Ok(Socket::Unix(listener))
}

/// Takes the health address.
pub(super) async fn bind_health(address: SocketAddr) -> Result<Socket, RunError> {
    let fault = |error: io::Error| {
        RunError::sentence(format!(
            "cannot listen on {address} (server.admin_listen): {error}: choose another address, or \"\" for none"
        ))
    };
    let bound = TcpListener::bind(address).await;
    bound.and_then(TcpListener::into_std).map(Socket::Tcp).map_err(fault)
}

/// Somebody answers at a socket for as long as this is kept.
pub(super) struct Counter {
    open: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Counter {
    /// Begins to answer.
    pub(super) fn open(
        socket: &Socket,
        gateway: &Arc<Gateway>,
        state: &Arc<State>,
    ) -> io::Result<Self> {
        let administers = matches!(socket, Socket::Unix(_));
        let desk = Desk { gateway: Arc::clone(gateway), state: Arc::clone(state), administers };
        let (open, closed) = oneshot::channel();
        let task = match socket {
            Socket::Tcp(socket) => {
                let socket = TcpListener::from_std(socket.try_clone()?)?;
                tokio::spawn(attend(desk, closed, move |cx| {
                    socket.poll_accept(cx).map_ok(|it| it.0)
                }))
            }
            Socket::Unix(socket) => {
                let socket = UnixListener::from_std(socket.try_clone()?)?;
                tokio::spawn(attend(desk, closed, move |cx| {
                    socket.poll_accept(cx).map_ok(|it| it.0)
                }))
            }
        };
        Ok(Self { open, task })
    }

    /// Accepts no more, and finishes what it was asked for.
    pub(super) async fn close(self) {
        drop(self.open);
        let mut task = self.task;
        if timeout(PATIENCE, &mut task).await.is_err() {
            task.abort();
        }
    }
}

/// How many may ask at once: half of the files that are kept for such things.
const AT_ONCE: usize = 64;

/// Answers whoever comes, until it closes; then whoever is there already.
async fn attend<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    desk: Desk,
    mut closed: oneshot::Receiver<()>,
    mut accept: impl FnMut(&mut Context<'_>) -> Poll<io::Result<S>> + Send + 'static,
) {
    let mut talks = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = poll_fn(&mut accept) => accepted,
            _ = &mut closed => break,
        };
        while talks.try_join_next().is_some() {}
        match accepted {
            // Beyond that they would take the files of those who are served.
            Ok(_) if talks.len() >= AT_ONCE => {}
            Ok(stream) => {
                let desk = desk.clone();
                talks.spawn(wire::connection(stream, move |request| desk.clone().answer(request)));
            }
            Err(_) => wire::breathe().await,
        }
    }
    talks.join_all().await;
}

/// Who answers at either place.
#[derive(Clone)]
struct Desk {
    gateway: Arc<Gateway>,
    state: Arc<State>,
    /// Whether more than health may be asked of it.
    administers: bool,
}

impl Desk {
    async fn answer(self, request: Request<Incoming>) -> Response<Either<Full<Bytes>, Stream>> {
        match (request.method(), request.uri().path()) {
            (&Method::GET, "/metrics") if !self.administers => {
                numbers(&self.gateway, &self.state).map(Either::Left)
            }
            (&Method::POST, "/administer") if self.administers => {
                administer(&self.gateway, request).await.map(Either::Left)
            }
            (&Method::POST, "/backup") if self.administers => {
                Response::new(Either::Right(backup(&self.gateway)))
            }
            (&Method::POST, GOING_ON) if self.administers => {
                going_on(&self.gateway.service(), request).await.map(Either::Left)
            }
            (&Method::GET, IN_FORCE) if self.administers => standing(&self.state).map(Either::Left),
            _ => health(&self.gateway.service(), &self.state, &request).await.map(Either::Left),
        }
    }
}

async fn health(
    service: &Service,
    state: &State,
    request: &Request<Incoming>,
) -> Response<Full<Bytes>> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return wire::text(StatusCode::METHOD_NOT_ALLOWED, "only GET\n");
    }
    match request.uri().path() {
        "/healthz" => wire::text(StatusCode::OK, "alive\n"),
        "/readyz" if state.draining.load(Ordering::SeqCst) => {
            wire::text(StatusCode::SERVICE_UNAVAILABLE, "draining\n")
        }
        "/readyz" => match service.check().await {
            Ok(()) => wire::text(StatusCode::OK, "ready\n"),
            Err(_) => wire::text(StatusCode::SERVICE_UNAVAILABLE, "the store is not available\n"),
        },
        _ => wire::text(StatusCode::NOT_FOUND, "nothing here\n"),
    }
}

fn standing(state: &State) -> Response<Full<Bytes>> {
    let now = state.in_force();
    let standing = Standing {
        digest: now.digest.clone(),
        since: now.since.rfc3339(),
        last_reload_ok: now.last_reload_ok,
    };
    json(&standing)
}

fn json(reply: &impl Serialize) -> Response<Full<Bytes>> {
    serde_json::to_vec(reply).map_or_else(
        |_| wire::text(StatusCode::INTERNAL_SERVER_ERROR, "the reply cannot be written\n"),
        |json| Response::new(Full::new(Bytes::from(json))),
    )
}

async fn administer(gateway: &Gateway, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let body = Limited::new(request.into_body(), LONGEST).collect().await;
    let Ok(body) = body.map(http_body_util::Collected::to_bytes) else {
        return wire::text(StatusCode::PAYLOAD_TOO_LARGE, "too much\n");
    };
    let Ok(request) = serde_json::from_slice::<AdminRequest>(&body) else {
        return wire::text(StatusCode::BAD_REQUEST, "this gateway is of another version\n");
    };
    let reply = gateway.service().administer(request, &AdminCap::of_command_line()).await;
    json(&reply.on_route(|host, path| gateway.route(host, path)))
}

/// What Prometheus reads.
fn numbers(gateway: &Gateway, state: &State) -> Response<Full<Bytes>> {
    let text = metrics::exposition(gateway, state);
    let mut response = Response::new(Full::new(Bytes::from(text)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(metrics::TEXT));
    response
}

/// A backup on its way to a command.
fn backup(gateway: &Arc<Gateway>) -> Stream {
    let (sender, pieces) = mpsc::channel(IN_FLIGHT);
    let gateway = Arc::clone(gateway);
    let broken = sender.clone();
    tokio::spawn(async move {
        let out = Outlet { sender, runtime: Handle::current() };
        let out = BufWriter::with_capacity(PIECE, out);
        if let Err(error) =
            gateway.service().backup(Box::new(out), &AdminCap::of_command_line()).await
        {
            gateway.say(Level::Error, &format!("no backup was made: {error}"));
            // The one who waits must not take what there is for the whole.
            let _ = broken.send(Err(io::Error::other("broken off"))).await;
        }
    });
    Stream(pieces)
}

/// Bytes that go out together.
const PIECE: usize = 128 << 10;

/// Pieces that wait to be read.
const IN_FLIGHT: usize = 4;

/// How long somebody may take to read one. What changes meanwhile is remembered for them.
const READER: Duration = Duration::from_secs(60);

/// A body whose pieces come from elsewhere.
struct Stream(mpsc::Receiver<io::Result<Bytes>>);

impl Body for Stream {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.0.poll_recv(cx).map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }
}

/// The other end of one, for a thread that may wait.
struct Outlet {
    sender: mpsc::Sender<io::Result<Bytes>>,
    runtime: Handle,
}

impl Write for Outlet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = self.sender.send(Ok(Bytes::copy_from_slice(bytes)));
        let sent = self.runtime.block_on(async { timeout(READER, piece).await });
        match sent {
            Ok(Ok(())) => Ok(bytes.len()),
            Ok(Err(_)) => Err(io::ErrorKind::BrokenPipe.into()),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn going_on(service: &Service, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let Some(named) = read::<Vec<Named>>(request).await else {
        return wire::text(StatusCode::BAD_REQUEST, "this gateway is of another version\n");
    };
    let mut going_on = Vec::with_capacity(named.len());
    for one in named {
        going_on.push(service.goes_on(one).await);
    }
    json(&going_on)
}

async fn read<T: DeserializeOwned>(request: Request<Incoming>) -> Option<T> {
    let body = Limited::new(request.into_body(), LONGEST).collect().await.ok()?;
    serde_json::from_slice(&body.to_bytes()).ok()
}

/// Asks the gateway that was handed over to whether these go on.
pub(super) async fn ask_going_on(path: &Path, named: &[Named]) -> Result<Vec<bool>, CallError> {
    let body = serde_json::to_vec(named).map_err(failed)?;
    let (_, body) = exchange(path, Method::POST, GOING_ON, body).await?;
    let going_on: Vec<bool> = serde_json::from_slice(&body).map_err(failed)?;
    if going_on.len() == named.len() { Ok(going_on) } else { Err(failed("it left some out")) }
}

/// Why a running gateway could not be asked.
#[derive(Debug)]
pub enum CallError {
    /// None runs.
    NotRunning,
    /// One runs, but this happened.
    Failed(String),
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRunning => f.write_str("no gateway runs on this data folder"),
            Self::Failed(why) => write!(f, "the running gateway could not be asked: {why}"),
        }
    }
}

/// Asks a running gateway.
pub async fn call(path: &Path, request: &AdminRequest) -> Result<AdminReply, CallError> {
    let body = serde_json::to_vec(request).map_err(failed)?;
    let (status, body) = exchange(path, Method::POST, "/administer", body).await?;
    if status != StatusCode::OK {
        return Err(failed(String::from_utf8_lossy(&body).trim()));
    }
    serde_json::from_slice(&body).map_err(|_| failed("its version is another"))
}

/// Which configuration a running gateway has in force.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Standing {
    /// Its short name.
    pub digest: String,
    /// Since when.
    pub since: String,
    /// Whether the last reload, if there was one, was not refused.
    pub last_reload_ok: bool,
}

/// Asks a running gateway which configuration it has in force.
pub async fn in_force(path: &Path) -> Result<Standing, CallError> {
    let (_, body) = exchange(path, Method::GET, IN_FORCE, Vec::new()).await?;
    serde_json::from_slice(&body).map_err(|_| failed("its version is another"))
}

/// Asks a running gateway whether it is up or ready; the answer in a word.
pub async fn probe(path: &Path, ready: bool) -> Result<Result<String, String>, CallError> {
    let target = if ready { "/readyz" } else { "/healthz" };
    let (status, body) = exchange(path, Method::GET, target, Vec::new()).await?;
    let word = String::from_utf8_lossy(&body).trim().to_owned();
    Ok(if status == StatusCode::OK { Ok(word) } else { Err(word) })
}

async fn exchange(
    path: &Path,
    method: Method,
    target: &str,
    body: Vec<u8>,
) -> Result<(StatusCode, Bytes), CallError> {
    let (head, body) = send(path, method, target, body).await?.into_parts();
    let body = body.collect().await.map_err(failed)?.to_bytes();
    Ok((head.status, body))
}

async fn send(
    path: &Path,
    method: Method,
    target: &str,
    body: Vec<u8>,
) -> Result<Response<Incoming>, CallError> {
    let stream = UnixStream::connect(path).await.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => CallError::NotRunning,
        _ => failed(format!("{}: {error}", path.display())),
    })?;
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(failed)?;
    tokio::spawn(connection);
    let request = Request::builder().method(method).uri(target).header("host", "vestibule");
    let request = request.body(Full::new(Bytes::from(body))).map_err(failed)?;
    sender.send_request(request).await.map_err(failed)
}

/// Has a running gateway make a backup, and writes down what it hands out.
pub(super) async fn receive_backup(path: &Path, out: &mut impl Write) -> Result<(), CallError> {
    let response = send(path, Method::POST, "/backup", Vec::new()).await?;
    if response.status() != StatusCode::OK {
        return Err(failed("its version is another"));
    }
    let unwritten = |error: io::Error| failed(format!("the backup cannot be written: {error}"));
    let mut body = response.into_body();
    while let Some(frame) = body.frame().await {
        // Why it ended early is in the gateway's log.
        let frame = frame.map_err(|_| failed("it broke off: its log says why"))?;
        if let Some(piece) = frame.data_ref() {
            out.write_all(piece).map_err(unwritten)?;
        }
    }
    out.flush().map_err(unwritten)
}

fn failed(why: impl ToString) -> CallError {
    CallError::Failed(why.to_string())
}
