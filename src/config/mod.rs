//! Floor 8: from what people write to what each floor is told.
//!
//! Three layers say what is wanted: the file, over it the environment, over that the command's
//! arguments. They are laid into one tree in which every value knows its place, and the tree is
//! read key by key:
//!
//! ```text
//! file ─┐
//! VESTIBULE_… ─┼─► tree ─► reader ─► each floor's Settings ─► Config
//! --listen ─┘               └─► faults, all of them, each with its place
//! ```
//!
//! A key is declared by reading it: `s.read("idle", "1h", duration)` is its name, its default and
//! its kind in one line, and what the reader remembers of it is the effective configuration, the
//! list that misspelt keys are held against, and the proof that the example is complete. A reading
//! that fails leaves a fault and `None`; so every function here reads all it needs first and only
//! then gives up, and nobody has to repair a file one line at a time.
//!
//! Nothing here reads the environment, and [`load`] alone reads files: the rest is a function
//! from texts to [`Config`]. Types are never bent: `"30"` is no number and `3600` no duration.

mod access;
mod acme;
mod apps;
mod audit;
mod branding;
mod breached;
mod fault;
mod hint;
mod kinds;
mod load;
mod reader;
mod reload;
mod rules;
mod server;
mod show;
#[cfg(test)]
mod tests;
mod traces;
mod tree;
mod upstream;

pub use fault::{Fault, Faults, Place};
pub use kinds::duration_of as duration;
pub use load::load;

use crate::crypto::Keyring;
use crate::domain::{ReturnOrigins, RouteTable};
use crate::observe::Copies;
use crate::observe::traces::TraceSettings;
use crate::types::{Host, HostPattern, PathView, Secret};
use crate::{http, proxy, service};
use fault::Wrong;
use reader::{Entry, Reader, Section};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// What the command's arguments say. They win over everything else.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `--config`: the file to read.
    pub config: Option<PathBuf>,
    /// `--data`: the folder for store, master key and administration socket.
    pub data: Option<String>,
    /// `--listen`, perhaps several times.
    pub listen: Vec<String>,
    /// `--public-url`
    pub public_url: Option<String>,
    /// `--upstream`: one app, in place of every route.
    pub upstream: Option<String>,
}

/// Where the master key is.
#[derive(Clone, Debug)]
pub enum MasterKeySource {
    /// In this file.
    File {
        /// The file.
        path: PathBuf,
        /// Whether a missing one is made: only where the folder of our own data would hold it.
        make: bool,
    },
    /// Given by itself.
    Inline(Secret<Vec<u8>>),
}

/// Everything the gateway is told.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file it came from, to be watched; none where it is made of defaults.
    pub file: Option<PathBuf>,
    /// Where our own data lies.
    pub data_dir: PathBuf,
    /// Where the master key is.
    pub master_key: MasterKeySource,
    /// Where the store is.
    pub store_path: PathBuf,
    /// Where the commands reach a running gateway.
    pub admin_socket: PathBuf,
    /// Where health and metrics are; none where they are switched off.
    pub admin_listen: Option<SocketAddr>,
    /// For the use cases.
    pub service: service::Settings,
    /// Where the audit trail is copied to.
    pub copies: Copies,
    /// Where traces are sent, if any are.
    pub traces: Option<TraceSettings>,
    /// For our own pages.
    pub site: http::Site,
    /// For the data path.
    pub proxy: proxy::Settings,
    /// A picture for our own pages.
    logo: Option<PathBuf>,
    /// Fields that the collector of traces asks for.
    traces_headers: Option<PathBuf>,
    entries: Vec<Entry>,
}

impl Config {
    /// Makes the configuration of the file's name and text, of the environment, and of the
    /// command's arguments; or says everything that is wrong with them.
    pub fn parse<'e>(
        file: Option<(&Path, &str)>,
        environment: impl IntoIterator<Item = (&'e str, &'e str)>,
        overrides: &Overrides,
    ) -> Result<Self, Faults> {
        let name =
            file.map_or_else(|| String::from("configuration"), |f| f.0.display().to_string());
        let text = file.map_or("", |(_, text)| text);
        let mut root = tree::parse(text).map_err(|fault| Faults::new(&name, vec![fault]))?;
        let mut faults = tree::lay_environment(&mut root, environment.into_iter());
        faults.extend(tree::lay_overrides(&mut root, overrides));
        let mut reader = Reader::new(root, faults);
        let config = read(&mut reader);
        let (entries, faults) = reader.finish();
        let file = file.map(|(path, _)| path.to_owned());
        match config {
            Some(config) if faults.is_empty() => Ok(Self { file, entries, ..config }),
            _ => Err(Faults::new(&name, faults)),
        }
    }

    /// Looks whether the files it names can be read that a gateway needs and does not make. For
    /// whoever is about to serve: somebody must be able to be disabled while a list is gone.
    pub fn with_files(self) -> Result<Self, Faults> {
        let list = breached::with_readable_list(&self);
        let (config, own) = server::with_certificates(self);
        let (config, certificates) = upstream::with_certificates(config);
        let (config, logo) = branding::with_logo(config);
        let (config, headers) = traces::with_headers(config);
        let faults: Vec<Fault> = list.err().into_iter().chain(own).chain(certificates).collect();
        let faults: Vec<Fault> = faults.into_iter().chain(logo).chain(headers).collect();
        if faults.is_empty() {
            return Ok(config);
        }
        let file = config.file.as_ref().map(|path| path.display().to_string());
        Err(Faults::new(file.as_deref().unwrap_or("configuration"), faults))
    }

    /// What is wrong with a key that was read without a fault.
    fn fault(&self, (table, nth): (&str, usize), name: &str, wrong: Wrong) -> Fault {
        let is_it = |entry: &&Entry| (entry.table, entry.nth) == (table, nth) && entry.name == name;
        let place = self.entries.iter().find(is_it).map(|entry| entry.place.clone());
        wrong.at(place.unwrap_or(Place::File), format!("{table}.{name}"))
    }
}

impl Config {
    /// Which route is for this host and path, in words.
    pub fn route(&self, host: &str, path: &str) -> Option<String> {
        let keys = self.proxy.routes.iter().map(|route| (route.key.clone(), ())).collect();
        let (host, path) = (Host::parse(host).ok()?, PathView::of(path));
        RouteTable::new(keys).name(&host, &path)
    }
}

fn read(reader: &mut Reader) -> Option<Config> {
    let data_dir = reader.top(|s| s.read("data_dir", "vestibule-data", kinds::path));
    let acme = reader.section("acme", acme::read);
    let fetches = acme.as_ref().is_some_and(Option::is_some);
    let server = reader.section("server", |s| server::read(s, fetches));
    // A folder that was refused still lets the keys below it be judged.
    let data = data_dir.clone().unwrap_or_default();
    let store_path = reader.section("store", |s| store(s, &data));
    let master_key = reader.section("secrets", |s| master_key(s, &data));
    let rules = rules::read(reader, server.public_url.as_ref());
    let identity = reader.section("identity", apps::identity);
    let branding = reader.section("branding", branding::read);
    let traces = reader.section("traces", traces::read);
    let routes = apps::routes(reader, server.prefix.as_deref());
    let (public_url, rules, routes) = (server.public_url?, rules?, routes?);
    let origins = ReturnOrigins {
        public_url: public_url.clone(),
        hosts: named_hosts(&routes),
        cookie_domain: rules.cookie_domain.clone(),
    };
    let (brand, logo) = branding?;
    let (traces, traces_headers) =
        traces?.map(|traces| (traces.settings, traces.headers_file)).unzip();
    let by_http = !server.http_redirect.as_ref()?.is_empty();
    let fetching = acme?.map(|acme| acme.fetching(&data, by_http, &public_url, &routes));
    Some(Config {
        file: None,
        data_dir: data_dir?,
        master_key: master_key?,
        store_path: store_path?,
        admin_socket: data.join("admin.sock"),
        admin_listen: server.admin_listen?,
        service: rules.service,
        copies: rules.copies,
        traces,
        site: http::Site {
            public_url,
            prefix: server.prefix?,
            cookie_domain: rules.cookie_domain,
            origins,
            body_max: rules.body_max,
            brand,
        },
        proxy: proxy::Settings {
            listen: server.listen?,
            http_redirect: server.http_redirect?,
            tls: server.tls?.fetching(fetching),
            trusted_proxies: server.trusted_proxies?,
            workers: server.workers?,
            routes,
            identity: identity?,
        },
        logo,
        traces_headers: traces_headers.flatten(),
        entries: Vec::new(),
    })
}

fn store(s: &mut Section<'_>, data: &Path) -> Option<PathBuf> {
    let kind = s.read("kind", "sled", |kind: String| match kind.as_str() {
        "sled" => Ok(()),
        "postgres" => Err(Wrong::new("the PostgreSQL store is not in this version")
            .advise("write \"sled\", the embedded store")),
        _ => Err(Wrong::new(format!("{kind:?} is unknown")).advise("write \"sled\"")),
    });
    let path = s.read("path", data.join("store").to_str(), kinds::path);
    kind.and(path)
}

fn master_key(s: &mut Section<'_>, data: &Path) -> Option<MasterKeySource> {
    let inline = s.secret("master_key", |key| match Keyring::from_master(key.as_bytes()) {
        Ok(_) => Ok(Secret::new(key.into_bytes())),
        Err(error) => Err(Wrong::new(error.to_string()).advise("give 32 random bytes or more")),
    });
    if s.place("master_key") != Place::Default {
        let both = Wrong::new("is given beside secrets.master_key").advise("keep one of the two");
        s.absent("master_key_file", both);
        return inline?.map(MasterKeySource::Inline);
    }
    let usual = data.join("master.key");
    let path = s.read("master_key_file", usual.to_str(), kinds::path)?;
    Some(MasterKeySource::File { make: path == usual, path })
}

/// The hosts that routes name. The catch-all names nobody.
fn named_hosts(routes: &[proxy::RouteSettings]) -> Vec<HostPattern> {
    let mut hosts: Vec<HostPattern> = routes.iter().map(|route| route.key.host.clone()).collect();
    hosts.retain(|host| *host != HostPattern::Any);
    hosts.sort();
    hosts.dedup();
    hosts
}
