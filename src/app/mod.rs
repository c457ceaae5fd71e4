//! Floor 9: the wiring. Everything below is put together, started, and stopped again.
//!
//! ```text
//! config ─► addresses ─► master key ─► store ─► service ─┬─► portal, api, forward ─► gateway
//!                                                        ├─► administration socket, health
//!                                                        └─► background jobs
//! SIGTERM ─► not ready ─► drain ─► save and flush ─► exit 0
//! ```
//!
//! The operating system's clock and randomness enter here and nowhere else. No decision is made
//! here that a request could feel.

mod clock;
mod copying;
mod demo;
mod error;
mod files;
mod jobs;
mod master_key;
mod socket;
mod whole;
mod wire;

pub use error::RunError;
pub use socket::{CallError, call, probe};
pub use whole::{check_backup, make_backup, restore_backup, rotate_keys};

use crate::api::Api;
use crate::config::Config;
use crate::crypto::{Keyring, random};
use crate::forward::Forward;
use crate::observe::{Format, Level, Log};
use crate::portal::{Demo, Portal};
use crate::proxy::{Gateway, Listener, Parts, RouteSettings};
use crate::service::{AdminCap, AdminError, AdminReply, AdminRequest, Service};
use crate::store::KvStore;
use crate::types::Secret;
use clock::SystemClock;
use std::io::{IsTerminal as _, stderr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How long requests in flight may take to finish once the gateway is told to stop. Kubernetes
/// kills after thirty seconds.
const PATIENCE: Duration = Duration::from_secs(25);

/// What is said to whoever started the gateway, once it runs.
#[derive(Debug)]
pub struct Greeting {
    /// Where it listens.
    pub listens: Vec<String>,
    /// How browsers reach it.
    pub public_url: String,
    /// What it protects.
    pub protects: Vec<String>,
    /// The link for the first administrator, where there is nobody yet.
    pub setup_link: Option<Secret<String>>,
}

/// Whether the gateway takes new work. Health, jobs and signals share it.
#[derive(Default)]
struct State {
    draining: AtomicBool,
}

/// Runs the gateway until it is told to stop. `greet` is called once it accepts connections.
pub fn run(config: Config, greet: impl FnOnce(&Greeting)) -> Result<(), RunError> {
    let format = if stderr().is_terminal() { Format::Human } else { Format::Json };
    let (log, log_thread) = Log::start(format, stderr()).map_err(RunError::thread)?;
    // For all that is not a visitor's request: those have workers of their own.
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().map_err(RunError::thread)?;
    // Before anything is written: where an address is taken, the folder stays as it was.
    let (doors, orders) = runtime
        .block_on(async { Ok::<_, RunError>((Doors::open(&config).await?, Orders::heed()?)) })?;
    let service = open(&config, log)?;
    let outcome = runtime.block_on(serve(config, Arc::clone(&service), doors, orders, greet));
    // A request that outlasted all patience must not keep the process.
    runtime.shutdown_timeout(Duration::from_secs(1));
    drop(service);
    drop(log_thread);
    outcome
}

/// Does what an administrator asks for on the store itself, where no gateway runs.
pub fn administer(config: &Config, request: AdminRequest) -> Result<AdminReply, RunError> {
    let (log, log_thread) = Log::start(Format::Human, std::io::sink()).map_err(RunError::thread)?;
    let service = open(config, log)?;
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().map_err(RunError::thread)?;
    let reply = runtime.block_on(async {
        let reply = service.administer(request, &AdminCap::of_command_line()).await;
        service.close().await.map_err(|error| RunError::store(error.to_string())).map(|()| reply)
    });
    // What is still looking up a name on the network must not keep the command.
    runtime.shutdown_background();
    drop(log_thread);
    reply
}

fn open(config: &Config, log: Log) -> Result<Arc<Service>, RunError> {
    private_folder(&config.data_dir)?;
    let keys = master_key::load(&config.master_key, whole::key_of(config)?.as_deref())?;
    let store = KvStore::open(&config.store_path, keys.clone())
        .map_err(|error| RunError::store(error.to_string()))?;
    start(config, keys, store, log)
}

fn start(
    config: &Config,
    keys: Keyring,
    store: KvStore,
    log: Log,
) -> Result<Arc<Service>, RunError> {
    let portal = format!("{}{}", config.site.public_url, config.site.prefix);
    let (store, clock) = (Arc::new(store), Arc::new(SystemClock));
    let service = Service::start(store, keys, config.service.clone(), portal, clock, log);
    service.map(Arc::new).map_err(RunError::thread)
}

/// Makes the folder, for its owner alone. One that exists is left as it is.
fn private_folder(path: &Path) -> Result<(), RunError> {
    use std::os::unix::fs::DirBuilderExt as _;
    let mut builder = std::fs::DirBuilder::new();
    let made = builder.recursive(true).mode(0o700).create(path);
    made.map_err(|error| RunError::file("make the folder", path, &error))
}

async fn serve(
    mut config: Config,
    service: Arc<Service>,
    doors: Doors,
    mut orders: Orders,
    greet: impl FnOnce(&Greeting),
) -> Result<(), RunError> {
    let state = Arc::new(State::default());
    let mut protects: Vec<String> = config.proxy.routes.iter().map(describe).collect();
    if config.proxy.routes.is_empty() {
        let user = config.proxy.identity.user.clone();
        let demo = Demo { user, prefix: config.site.prefix.clone() };
        config.proxy.routes.push(demo::start(demo).await.map_err(RunError::thread)?);
        protects.push(String::from("a built-in demo page (protect your own with --upstream URL)"));
    }
    let site = Arc::new(config.site.clone());
    let gateway = Gateway::new(Parts {
        portal: Arc::new(Portal::new(Arc::clone(&service), Arc::clone(&site))),
        api: Arc::new(Api::new(Arc::clone(&service), Arc::clone(&site))),
        forward: Forward::new(
            Arc::clone(&service),
            Arc::clone(&site),
            config.proxy.identity.clone(),
        ),
        service: Arc::clone(&service),
        site,
        settings: config.proxy.clone(),
        seed: u64::from_be_bytes(random().map_err(|error| RunError::store(error.to_string()))?),
    });
    let _socket = socket::listen(&config.admin_socket, &service, &state)?;
    if let Some(listener) = doors.health {
        socket::serve_health(listener, &service, &state);
    }
    say_unresolved(&service, &gateway).await;
    let jobs = jobs::start(&service, &gateway, &config.copies);
    let running = gateway.serving(files::connections(gateway.workers())).start(doors.listeners);
    let running = running.map_err(RunError::thread)?;
    greet(&Greeting {
        listens: config.proxy.listen.iter().map(ToString::to_string).collect(),
        public_url: config.site.public_url.to_string(),
        protects,
        setup_link: service
            .setup_link()
            .await
            .map_err(|why| RunError::store(AdminError::from(why).to_string()))?,
    });
    say(&service, Level::Info, "ready");
    orders.stop().await;
    state.draining.store(true, Ordering::SeqCst);
    say(&service, Level::Info, "stopping: finishing what is in flight");
    let finished = running.drain(PATIENCE).await;
    jobs.iter().for_each(tokio::task::JoinHandle::abort);
    let closed = service.close().await;
    say(
        &service,
        Level::Info,
        if finished { "stopped" } else { "stopped with requests unfinished" },
    );
    closed.map_err(|error| RunError::store(error.to_string()))
}

/// Where connections come in.
struct Doors {
    listeners: Vec<Listener>,
    health: Option<TcpListener>,
}

impl Doors {
    async fn open(config: &Config) -> Result<Self, RunError> {
        let mut listeners = Vec::new();
        for listen in &config.proxy.listen {
            let bound = Listener::bind(listen).await;
            listeners.push(bound.map_err(|error| RunError::listen(&listen.to_string(), &error))?);
        }
        let health = match config.admin_listen {
            Some(address) => Some(socket::bind_health(address).await?),
            None => None,
        };
        Ok(Self { listeners, health })
    }
}

fn describe(route: &RouteSettings) -> String {
    let upstreams: Vec<String> = route.upstreams.iter().map(ToString::to_string).collect();
    format!("{}{} → {}", route.key.host, route.key.path, upstreams.join(", "))
}

async fn say_unresolved(service: &Service, gateway: &Gateway) {
    for failure in gateway.resolve().await {
        say(
            service,
            Level::Warn,
            &format!("an upstream's name cannot be looked up yet: {failure}"),
        );
    }
}

fn say(service: &Service, level: Level, message: &str) {
    service.log().say(service.clock().now(), level, message);
}

/// What the gateway is told by signals, heeded from the first moment.
struct Orders {
    terminate: Signal,
    interrupt: Signal,
}

impl Orders {
    fn heed() -> Result<Self, RunError> {
        let terminate = signal(SignalKind::terminate()).map_err(RunError::thread)?;
        let interrupt = signal(SignalKind::interrupt()).map_err(RunError::thread)?;
        Ok(Self { terminate, interrupt })
    }

    async fn stop(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
