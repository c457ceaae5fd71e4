//! Floor 9: the wiring. Everything below is put together, started, and stopped again.
//!
//! ```text
//! config ─► addresses ─► master key ─► store ─► service ─┬─► portal, api, forward ─► gateway
//!                                                        ├─► administration socket, health
//!                                                        └─► background jobs
//! SIGHUP, a changed file ─► reload: config again ─► portal, api, forward ─► gateway
//! an authority ─► a certificate's file, which reload sees
//! SIGTERM ─► not ready ─► drain ─► save and flush ─► exit 0
//! SIGQUIT ─► another binary prepares ─► it takes over ─► drain ─► exit 0
//! ```
//!
//! The operating system's clock and randomness enter here and nowhere else. No decision is made
//! here that a request could feel.

mod acme;
mod asking;
mod assembly;
mod clock;
mod copying;
mod demo;
mod disk;
mod doors;
mod error;
#[cfg(feature = "otlp")]
mod exporting;
mod files;
mod handover;
mod jobs;
mod leaving;
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
use crate::observe::traces::{Finished, Tracer};
use crate::observe::{Format, Level, Log};
use crate::proxy::{Expiry, Gateway, RouteSettings};
use crate::service::{AdminCap, AdminError, AdminReply, AdminRequest, Service};
use crate::store::{KvStore, Unopened, Work};
use crate::types::Secret;
use arc_swap::ArcSwap;
use assembly::Assembly;
use clock::SystemClock;
use doors::Doors;
use handover::Predecessor;
use reload::Reloader;
use std::io::{IsTerminal as _, stderr};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};

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
    fn new(config: &Config, service: &Service) -> Self {
        let (digest, since) = (config.digest(), service.clock().now());
        let in_force = InForce { digest, since, last_reload_ok: true };
        Self { draining: AtomicBool::new(false), in_force: ArcSwap::from_pointee(in_force) }
    }

    /// Which configuration is in force, since when, and whether the last reload went well.
    fn in_force(&self) -> Arc<InForce> {
        self.in_force.load_full()
    }
}

/// Runs the gateway until it is told to stop. `greet` is called once it accepts connections,
/// `reread` whenever the configuration may have changed.
pub fn run(config: Config, reread: Reread, greet: impl FnOnce(&Greeting)) -> Result<(), RunError> {
    let (before, inherited) = handover::inherit()?;
    let format = if stderr().is_terminal() { Format::Human } else { Format::Json };
    let (log, log_thread) = Log::start(format, stderr()).map_err(RunError::thread)?;
    // For all that is not a visitor's request: those have workers of their own.
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().map_err(RunError::thread)?;
    // Before anything is written: where an address is taken, the folder stays as it was.
    let (doors, orders) = runtime.block_on(async {
        Ok::<_, RunError>((Doors::open(&config, inherited).await?, Orders::heed()?))
    })?;
    let (service, files) = around_store(&config, log)?;
    let start = Start { config, reread, files, doors, orders, before };
    let outcome = runtime.block_on(serve(start, Arc::clone(&service), greet));
    // A request that outlasted all patience must not keep the process.
    runtime.shutdown_timeout(Duration::from_secs(1));
    drop(service);
    drop(log_thread);
    outcome
}

/// Waits for whoever hands over, if anybody does, to let go of the store.
async fn handed_over(
    before: Option<UnixStream>,
    orders: &mut Orders,
) -> Result<Option<Predecessor>, RunError> {
    let Some(before) = before else { return Ok(None) };
    let mut before = Predecessor::over(before)?;
    tokio::select! {
        outcome = before.lets_go() => outcome.map(|()| Some(before)),
        () = orders.stop.wait() => Err(RunError::sentence(String::from("told to stop"))),
    }
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

/// The keys of the store that is there, or is to be made. Nothing is changed in one that is there.
fn keys(config: &Config) -> Result<Keyring, RunError> {
    private_folder(&config.data_dir)?;
    let keys = master_key::load(&config.master_key, whole::key_of(config)?.as_deref())?;
    let fits = KvStore::fits(&config.store_path, &keys);
    fits.map_err(|error| RunError::store(error.to_string()))?;
    Ok(keys)
}

/// The store's files, which are opened last.
struct Files {
    store: Arc<KvStore>,
    unopened: Unopened,
}

impl Files {
    /// Opens them.
    fn open(self, config: &Config) -> Result<Arc<KvStore>, RunError> {
        let opened = self.unopened.open(&config.store_path);
        opened.map_err(|error| RunError::store(error.to_string()))?;
        Ok(self.store)
    }
}

/// The use cases, around a store that is still to be opened.
fn around_store(config: &Config, log: Log) -> Result<(Arc<Service>, Files), RunError> {
    let keys = keys(config)?;
    let (store, unopened) = KvStore::unopened(keys.clone()).map_err(RunError::thread)?;
    let (counts, hears) = (log.clone(), log.clone());
    let store = store.heard(Arc::new(move |happening| hears.audit(happening)));
    let store = Arc::new(store.watched(Arc::new(move |work, took| {
        let meters = counts.meters();
        match work {
            Work::Read => meters.reads().add(took),
            Work::Change => meters.changes().add(took),
        }
    })));
    let portal = format!("{}{}", config.site.public_url, config.site.prefix);
    let (of_service, clock) = (Arc::clone(&store), Arc::new(SystemClock));
    let service = Service::start(of_service, keys, config.service.clone(), portal, clock, log);
    Ok((service.map(Arc::new).map_err(RunError::thread)?, Files { store, unopened }))
}

/// The same around one that is open.
fn open(config: &Config, log: Log) -> Result<Arc<Service>, RunError> {
    let (service, files) = around_store(config, log)?;
    files.open(config)?;
    Ok(service)
}

/// Makes the folder, for its owner alone. One that exists is left as it is.
fn private_folder(path: &Path) -> Result<(), RunError> {
    use std::os::unix::fs::DirBuilderExt as _;
    let mut builder = std::fs::DirBuilder::new();
    let made = builder.recursive(true).mode(0o700).create(path);
    made.map_err(|error| RunError::file("make the folder", path, &error))
}

/// What there is before anything serves.
struct Start {
    config: Config,
    reread: Reread,
    files: Files,
    doors: Doors,
    orders: Orders,
    before: Option<UnixStream>,
}

async fn serve(
    start: Start,
    service: Arc<Service>,
    greet: impl FnOnce(&Greeting),
) -> Result<(), RunError> {
    let Start { config, reread, files, mut doors, mut orders, before } = start;
    let state = Arc::new(State::new(&config, &service));
    let mut assembly = Assembly::default();
    let parts = assembly.parts(&config, Arc::clone(&service)).await.map_err(RunError::thread)?;
    let seed = random().map_err(|error| RunError::store(error.to_string()))?;
    let (tracer, finished) = Tracer::new(config.traces.as_ref());
    let seed = u64::from_be_bytes(seed);
    let gateway = Gateway::new(parts, tracer, seed, self::files::connections);
    say_unresolved(&gateway).await;
    say_small(&gateway);
    let serving = gateway.serving().map_err(RunError::thread)?;
    // All that takes time is done: in a hand-over nobody accepts from here on until it serves.
    let before = handed_over(before, &mut orders).await?;
    let store = files.open(&config)?;
    let admin_socket = config.admin_socket.clone();
    let counters = leaving::Counters::open(&admin_socket, &mut doors, &gateway, &state)?;
    let mut jobs = jobs::start(&gateway, &config.copies, &config.data_dir);
    export(&gateway, &config, finished)?;
    let running = serving.start(&doors.listeners).map_err(RunError::thread)?;
    let greeting = greeting(&config, &service).await?;
    let status = format!("listens on {}", greeting.listens.join(", "));
    greet(&greeting);
    let digest = &state.in_force().digest;
    gateway.say(Level::Info, &format!("the configuration {digest} is in force"));
    gateway.say(Level::Info, "ready");
    notify::ready(&status, before.is_some());
    if let Some(before) = before {
        before.hears_of_serving().await;
    }
    let reloader = Reloader::new(reread, config, assembly, &gateway, &state);
    let Orders { hangup, quit, stop } = orders;
    jobs.push(tokio::spawn(reloader.run(hangup)));
    let house = leaving::House {
        gateway,
        state,
        store,
        running,
        doors,
        counters: Some(counters),
        jobs,
        admin_socket,
    };
    house.until_told(quit, stop).await
}

/// Sends traces on, where this binary can.
#[cfg_attr(
    not(feature = "otlp"),
    expect(clippy::unnecessary_wraps, reason = "a binary that can may have no roots to trust")
)]
fn export(
    gateway: &Arc<Gateway>,
    config: &Config,
    finished: Option<Finished>,
) -> Result<(), RunError> {
    #[cfg(feature = "otlp")]
    if let Some((settings, finished)) = config.traces.clone().zip(finished) {
        let started = exporting::Exporter::start(gateway, settings, finished);
        return started.map_err(RunError::sentence);
    }
    #[cfg(not(feature = "otlp"))]
    let _ = (gateway, config, finished);
    Ok(())
}

async fn greeting(config: &Config, service: &Service) -> Result<Greeting, RunError> {
    let link = service.setup_link().await;
    Ok(Greeting {
        listens: config.proxy.listen.iter().map(ToString::to_string).collect(),
        public_url: config.site.public_url.to_string(),
        protects: protects(config),
        setup_link: link.map_err(|why| RunError::store(AdminError::from(why).to_string()))?,
    })
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

/// Says so where there is room for few: some that are slow would have all of it.
fn say_small(gateway: &Gateway) {
    let room = gateway.connections().max();
    if room < self::files::FEW {
        let message = format!(
            "there is room for {room} connections only, since this process may have few files open: \
             raise the hard limit (LimitNOFILE= of systemd, ulimits of Docker, ulimit -Hn)"
        );
        gateway.say(Level::Warn, &message);
    }
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
    /// To hand over to another binary.
    quit: Signal,
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
        let (hangup, quit) = (heed(SignalKind::hangup())?, heed(SignalKind::quit())?);
        Ok(Self { hangup, quit, stop: Stop { terminate, interrupt } })
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
