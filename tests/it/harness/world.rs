//! The portal in this process, with a clock set by hand.

use super::brittle::BrittleStore;
use super::browser::{Browser, Server};
use super::http::{PATIENCE, Reply};
use super::people::ADMIN_PASSWORD;
use std::io::Write;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use vestibule::api::Api;
use vestibule::crypto::{HashParams, Keyring};
use vestibule::domain::{Rate, ReturnOrigins};
use vestibule::forward::Forward;
use vestibule::http::{Brand, IdentityNames, Request, Site};
use vestibule::observe::{Format, Log, LogThread};
use vestibule::portal::Portal;
use vestibule::service::{
    AdminCap, AdminReply, AdminRequest, NewUser, RateRules, Service, Settings,
};
use vestibule::store::{KvStore, Store};
use vestibule::types::{
    ClientAddr, Clock, Host, PublicUrl, RequestCx, RequestId, Timestamp, Username,
};

const HOST: &str = "127.0.0.1:8080";
const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";

struct HandSet(AtomicU64);

impl Clock for HandSet {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(self.0.load(Ordering::SeqCst))
    }
}

/// What was logged.
#[derive(Clone, Default)]
struct Logged(Arc<Mutex<Vec<u8>>>);

impl Write for Logged {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(line)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A portal and everything below it, and the time.
pub struct World {
    runtime: Runtime,
    portal: Portal,
    api: Api,
    forward: Forward,
    pub service: Arc<Service>,
    clock: Arc<HandSet>,
    logged: Logged,
    /// Writes for as long as it is held.
    _writing: LogThread,
}

impl World {
    /// One in which nobody tries too often.
    pub fn new(settings: Settings) -> Arc<Self> {
        let any = Rate { times: u32::MAX, per: Duration::from_secs(60) };
        let rates = RateRules { per_address: any, per_account: any };
        Self::with_rates(Settings { rates, ..settings })
    }

    /// One in which the settings say how often may be tried.
    pub fn with_rates(settings: Settings) -> Arc<Self> {
        let keys = Keyring::from_master(KEY).unwrap();
        Self::over(Arc::new(KvStore::in_memory(keys).unwrap()), settings)
    }

    /// One whose store can be made to fail.
    pub fn brittle(settings: Settings) -> (Arc<Self>, Arc<BrittleStore>) {
        let keys = Keyring::from_master(KEY).unwrap();
        let store = Arc::new(BrittleStore::new(KvStore::in_memory(keys).unwrap()));
        (Self::over(Arc::clone(&store) as _, settings), store)
    }

    fn over(store: Arc<dyn Store>, settings: Settings) -> Arc<Self> {
        let keys = || Keyring::from_master(KEY).unwrap();
        let hash = HashParams { memory_kib: 64, iterations: 1 };
        let settings = Settings { hash, hash_workers: 1, ..settings };
        let public_url = PublicUrl::parse(&format!("http://{HOST}")).unwrap();
        let site = Site {
            public_url: public_url.clone(),
            prefix: "/_vestibule".into(),
            cookie_domain: None,
            origins: ReturnOrigins { public_url, hosts: Vec::new(), cookie_domain: None },
            body_max: 65_536,
            brand: Brand::default(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        // Far enough from every border of a step that a test can count from here.
        let clock = Arc::new(HandSet(AtomicU64::new(1_800_000_015)));
        let logged = Logged::default();
        let (log, writing) = Log::start(Format::Json, logged.clone()).unwrap();
        let at = format!("http://{HOST}/_vestibule");
        let service = Service::start(store, keys(), settings, at, Arc::clone(&clock) as _, log);
        let service = Arc::new(service.unwrap());
        let site = Arc::new(site);
        let portal = Portal::new(Arc::clone(&service), Arc::clone(&site));
        let api = Api::new(Arc::clone(&service), Arc::clone(&site));
        let forward = Forward::new(Arc::clone(&service), site, IdentityNames::default());
        Arc::new(Self { runtime, portal, api, forward, service, clock, logged, _writing: writing })
    }

    /// What the time is, in seconds since 1970.
    pub fn now(&self) -> u64 {
        self.clock.0.load(Ordering::SeqCst)
    }

    /// Lets so many seconds pass.
    pub fn pass(&self, seconds: u64) {
        self.clock.0.fetch_add(seconds, Ordering::SeqCst);
    }

    /// Sets the clock back by so many seconds.
    pub fn set_back(&self, seconds: u64) {
        self.clock.0.fetch_sub(seconds, Ordering::SeqCst);
    }

    /// Sets the clock.
    pub fn set(&self, moment: u64) {
        self.clock.0.store(moment, Ordering::SeqCst);
    }

    /// A browser at another address than the usual one.
    pub fn browser_from(self: &Arc<Self>, address: &str) -> Browser {
        let mut browser = self.browser();
        browser.added = format!("X-Forwarded-For: {address}\r\n");
        browser
    }

    pub fn browser(self: &Arc<Self>) -> Browser {
        let world = Arc::clone(self);
        let server: Server = Arc::new(move |bytes: &[u8]| world.answer(bytes));
        Browser::at(HOST, server)
    }

    pub fn admin(&self, request: AdminRequest) -> AdminReply {
        match self.runtime.block_on(self.service.administer(request, &AdminCap::of_command_line()))
        {
            AdminReply::Failed { error } => panic!("{error}"),
            reply => reply,
        }
    }

    /// Adds somebody with a password; the secret of their authenticator, if they get one.
    pub fn add(&self, name: &str, totp: bool) -> Option<String> {
        self.add_as(name, totp, false).0
    }

    /// Adds somebody with a second factor: their secret and their recovery codes.
    pub fn add_enrolled(&self, name: &str) -> (String, Vec<String>) {
        let (totp, codes) = self.add_as(name, true, false);
        (totp.unwrap(), codes.unwrap())
    }

    /// Adds somebody who must choose another password first.
    pub fn add_who_must_change(&self, name: &str) {
        self.add_as(name, false, true);
    }

    fn add_as(
        &self,
        name: &str,
        totp: bool,
        must_change_password: bool,
    ) -> (Option<String>, Option<Vec<String>>) {
        let new = NewUser {
            username: Username::parse(name).unwrap(),
            email: None,
            display_name: None,
            groups: Vec::new(),
            password: Some(ADMIN_PASSWORD.into()),
            totp,
            must_change_password,
        };
        match self.admin(AdminRequest::UserAdd(new)) {
            AdminReply::Added { totp, recovery_codes, .. } => {
                (totp.map(|totp| totp.secret), recovery_codes)
            }
            _ => panic!("not added"),
        }
    }

    /// The log, once this is in it.
    pub fn logged(&self, awaited: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let text = String::from_utf8(self.logged.0.lock().unwrap().clone()).unwrap();
            if text.contains(awaited) {
                return text;
            }
            assert!(Instant::now() < deadline, "{awaited:?} is not in the log:\n{text}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Runs something of the service's to its end.
    pub fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// Answers the bytes of one request.
    pub fn answer(&self, bytes: &[u8]) -> Reply {
        let text = std::str::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let mut lines = head.lines();
        let line: Vec<&str> = lines.next().unwrap().split(' ').collect();
        let (path, query) = line[1].split_once('?').unwrap_or((line[1], ""));
        let mut headers = http::HeaderMap::new();
        for line in lines {
            let (name, value) = line.split_once(": ").unwrap();
            let name: http::HeaderName = name.parse().unwrap();
            headers.append(name, value.parse().unwrap());
        }
        let host = headers["host"].to_str().unwrap().to_owned();
        // As if a proxy had said so that is trusted.
        let address = headers.get("x-forwarded-for").map(|value| value.to_str().unwrap());
        let client: IpAddr = address.unwrap_or("192.0.2.7").parse().unwrap();
        let request = Request {
            method: line[0].parse().unwrap(),
            host: Host::parse_authority(&host).unwrap().0,
            authority: host,
            path: path.into(),
            query: query.into(),
            headers,
            body: body.to_owned().into(),
            peer_is_trusted: true,
            cx: RequestCx {
                id: RequestId::from_bytes([1; 16]),
                now: self.clock.now(),
                client: ClientAddr::from(client),
            },
        };
        let response = if self.forward.owns(&request.path) {
            self.runtime.block_on(self.forward.answer(request)).response
        } else if self.api.owns(&request.path) {
            self.runtime.block_on(self.api.answer(request))
        } else {
            self.runtime.block_on(self.portal.answer(request))
        };
        let headers = response.headers.iter();
        Reply {
            status: response.status.as_u16(),
            headers: headers
                .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
                .collect(),
            body: response.body.to_vec(),
        }
    }
}
