//! Floor 9: the wiring. Everything below is put together, started, and stopped again.
//!
//! ```text
//! config ─► addresses ─► master key ─► store ─► service ─┬─► portal, api, forward ─► gateway
//!                                                        ├─► administration socket, health
//!                                                        └─► background jobs
//! SIGHUP, a changed file ─► reload: config again ─► portal, api, forward ─► gateway
//! an authority ─► a certificate's file, which reload sees
//! SIGTERM ─► not ready ─► drain ─► save and flush ─► exit 0
//! ```
//!
//! The operating system's clock and randomness enter here and nowhere else. No decision is made
//! here that a request could feel.

mod acme;
mod assembly;
mod clock;
mod copying;
mod demo;
mod error;
mod files;
mod jobs;
mod master_key;
mod metrics;
mod notify;
mod reload;
mod socket;
mod watch;
mod whole;
mod wire;

pub use error::RunError;
pub use reload::{InForce, Reread};
pub use socket::{CallError, Standing, call, in_force, probe};
pub use whole::{check_backup, make_backup, restore_backup, rotate_keys};

use crate::config::Config;
use crate::crypto::{Keyring, random};
use crate::observe::{Format, Level, Log};
use crate::proxy::{Expiry, Gateway, Listener, RouteSettings, Running};
use crate::service::{AdminCap, AdminError, AdminReply, AdminRequest, Service};
use crate::store::{KvStore, Work};
use crate::types::Secret;
use arc_swap::ArcSwap;
use assembly::Assembly;
use clock::SystemClock;
use reload::Reloader;
use std::io::{IsTerminal as _, stderr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;

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

/// How it is with the gateway. Health, reload and signals share it.
struct State {
    /// Whether it takes new work.
    draining: AtomicBool,
    in_force: reload::Noted,
}

impl State {
    /// Which configuration is in force, since when, and whether the last reload went well.
    fn in_force(&self) -> Arc<InForce> {
        self.in_force.load_full()
    }
}

/// Runs the gateway until it is told to stop. `greet` is called once it accepts connections,
/// `reread` whenever the configuration may have changed.
pub fn run(config: Config, reread: Reread, greet: impl FnOnce(&Greeting)) -> Result<(), RunError> {
    let format = if stderr().is_terminal() { Format::Human } else { Format::Json };
    let (log, log_thread) = Log::start(format, stderr()).map_err(RunError::thread)?;
    // For all that is not a visitor's request: those have workers of their own.
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().map_err(RunError::thread)?;
    // Before anything is written: where an address is taken, the folder stays as it was.
    let (doors, orders) = runtime
        .block_on(async { Ok::<_, RunError>((Doors::open(&config).await?, Orders::heed()?)) })?;
    let service = open(&config, log)?;
    let outcome =
        runtime.block_on(serve((config, reread), Arc::clone(&service), doors, orders, greet));
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
        service.close().await.map_err(|error| RunError::store(error.to_string()))?;
        Ok(reply.on_route(|host, path| config.route(host, path)))
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
    let counts = log.clone();
    let store = store.watched(Arc::new(move |work, took| {
        let meters = counts.meters();
        match work {
            Work::Read => meters.reads().add(took),
            Work::Change => meters.changes().add(took),
        }
    }));
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
    (config, reread): (Config, Reread),
    service: Arc<Service>,
    doors: Doors,
    orders: Orders,
    greet: impl FnOnce(&Greeting),
) -> Result<(), RunError> {
    let state = Arc::new(State {
        draining: AtomicBool::new(false),
        in_force: ArcSwap::from_pointee(InForce {
            digest: config.digest(),
            since: service.clock().now(),
            last_reload_ok: true,
        }),
    });
    let mut assembly = Assembly::default();
    let parts = assembly.parts(&config, Arc::clone(&service)).await.map_err(RunError::thread)?;
    let seed = random().map_err(|error| RunError::store(error.to_string()))?;
    let gateway = Gateway::new(parts, u64::from_be_bytes(seed));
    let _socket = socket::listen(&config.admin_socket, &gateway, &state)?;
    if let Some(listener) = doors.health {
        socket::serve_health(listener, &gateway, &state);
    }
    say_unresolved(&gateway).await;
    let mut jobs = jobs::start(&gateway, &config.copies, &config.data_dir);
    let serving = gateway.serving(files::connections(gateway.workers()));
    let running = serving.and_then(|serving| serving.start(doors.listeners));
    let running = running.map_err(RunError::thread)?;
    let listens: Vec<String> = config.proxy.listen.iter().map(ToString::to_string).collect();
    let status = format!("listens on {}", listens.join(", "));
    greet(&Greeting {
        listens,
        public_url: config.site.public_url.to_string(),
        protects: protects(&config),
        setup_link: service
            .setup_link()
            .await
            .map_err(|why| RunError::store(AdminError::from(why).to_string()))?,
    });
    let digest = &state.in_force().digest;
    gateway.say(Level::Info, &format!("the configuration {digest} is in force"));
    gateway.say(Level::Info, "ready");
    notify::ready(&status);
    let reloader = Reloader::new(reread, config, assembly, &gateway, &state);
    let Orders { hangup, mut stop } = orders;
    jobs.push(tokio::spawn(reloader.run(hangup)));
    stop.wait().await;
    notify::stopping();
    state.draining.store(true, Ordering::SeqCst);
    gateway.say(Level::Info, "stopping: finishing what is in flight");
    wind_down(&gateway, running, &jobs).await
}

/// Finishes what is in flight, as far as there is time, and brings everything to the disk.
async fn wind_down(
    gateway: &Gateway,
    running: Running,
    jobs: &[JoinHandle<()>],
) -> Result<(), RunError> {
    let finished = running.drain(PATIENCE).await;
    jobs.iter().for_each(JoinHandle::abort);
    let closed = gateway.service().close().await;
    let word = if finished { "stopped" } else { "stopped with requests unfinished" };
    gateway.say(Level::Info, word);
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
        let speaks_tls = !config.proxy.tls.is_off();
        let encrypted = config.proxy.listen.iter().map(|at| (at, speaks_tls && at.is_tcp()));
        let plain = config.proxy.http_redirect.iter().map(|at| (at, false));
        for (listen, is_tls) in encrypted.chain(plain) {
            let bound = Listener::bind(listen, is_tls).await;
            listeners.push(bound.map_err(|error| RunError::listen(&listen.to_string(), &error))?);
        }
        let health = match config.admin_listen {
            Some(address) => Some(socket::bind_health(address).await?),
            None => None,
        };
        Ok(Self { listeners, health })
    }
}

/// What it protects, for whoever started it.
fn protects(config: &Config) -> Vec<String> {
    if config.proxy.routes.is_empty() {
        const DEMO: &str = "a built-in demo page (protect your own with --upstream URL)";
        return vec![String::from(DEMO)];
    }
    config.proxy.routes.iter().map(describe).collect()
}

fn describe(route: &RouteSettings) -> String {
    let upstreams: Vec<String> = route.upstreams.iter().map(ToString::to_string).collect();
    format!("{}{} → {}", route.key.host, route.key.path, upstreams.join(", "))
}

async fn say_unresolved(gateway: &Gateway) {
    for failure in gateway.resolve().await {
        let message = format!("an upstream's name cannot be looked up yet: {failure}");
        gateway.say(Level::Warn, &message);
    }
}

/// Certificates that end within this time, or have ended, are spoken of each day.
const SOON: Duration = Duration::from_secs(14 * 24 * 60 * 60);

fn say_expiring(gateway: &Gateway) {
    let now = gateway.service().clock().now();
    // What is fetched is renewed without anybody; whoever fetches it says where that fails.
    let fetching = gateway.fetching();
    let is_fetched = |name: &str| {
        fetching.as_ref().is_some_and(|all| all.names.iter().any(|own| own.as_str() == name))
    };
    for Expiry { name, at } in gateway.certificates() {
        if is_fetched(&name) {
            continue;
        }
        let until = at.rfc3339();
        if at <= now {
            let message = format!("the certificate for {name} has expired ({until}): renew it");
            gateway.say(Level::Error, &message);
        } else if at <= now.plus(SOON) {
            let message = format!("the certificate for {name} expires at {until}: renew it");
            gateway.say(Level::Warn, &message);
        }
    }
}

/// What the gateway is told by signals, heeded from the first moment.
struct Orders {
    /// To reload.
    hangup: Signal,
    stop: Stop,
}

/// The signals to stop.
struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Orders {
    fn heed() -> Result<Self, RunError> {
        let heed = |kind| signal(kind).map_err(RunError::thread);
        let terminate = heed(SignalKind::terminate())?;
        let interrupt = heed(SignalKind::interrupt())?;
        Ok(Self { hangup: heed(SignalKind::hangup())?, stop: Stop { terminate, interrupt } })
    }
}

impl Stop {
    async fn wait(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
