//! What a running gateway can be told anew, and what has to wait for a restart.
//!
//! What is bound to sockets, folders and threads stays as it is, and so does what browsers hold on
//! to: where the portal is and how its cookies are called. All else is taken over.

use super::reader::Entry;
use super::{Config, MasterKeySource, Place, hint, load};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::iter;
use std::mem;
use std::path::PathBuf;

/// Keys that are read at the start alone.
const AT_START: [(&str, &str); 20] = [
    ("", "data_dir"),
    ("server", "listen"),
    ("server", "http_redirect"),
    ("server", "admin_listen"),
    ("server", "public_url"),
    ("server", "prefix"),
    ("server", "workers"),
    ("store", "kind"),
    ("store", "path"),
    ("secrets", "master_key"),
    ("secrets", "master_key_file"),
    ("session", "cookie_domain"),
    ("password", "hash_workers"),
    ("password", "hash_queue"),
    ("audit", "file"),
    ("audit", "syslog"),
    ("traces", "endpoint"),
    ("traces", "sample"),
    ("traces", "service"),
    ("traces", "headers_file"),
];

impl Config {
    /// What is to be in force where `running` was started with: this, but for what waits for a
    /// restart. The keys of that which are said otherwise now.
    pub fn over(mut self, running: &Self) -> (Self, Vec<String>) {
        let mut waiting = self.keep_entries(running);
        if let (MasterKeySource::Inline(now), MasterKeySource::Inline(then)) =
            (&self.master_key, &running.master_key)
            && now.reveal() != then.reveal()
        {
            // Masked alike, so that it was not found out by what is shown of it.
            waiting.push(String::from("secrets.master_key"));
        }
        let Self { data_dir, master_key, store_path, admin_socket, admin_listen, .. } =
            running.clone();
        (self.data_dir, self.master_key, self.store_path) = (data_dir, master_key, store_path);
        (self.admin_socket, self.admin_listen) = (admin_socket, admin_listen);
        self.site.public_url.clone_from(&running.site.public_url);
        self.site.prefix.clone_from(&running.site.prefix);
        self.site.cookie_domain.clone_from(&running.site.cookie_domain);
        self.site.origins.public_url.clone_from(&running.site.origins.public_url);
        self.site.origins.cookie_domain.clone_from(&running.site.origins.cookie_domain);
        self.site.brand.succeed(&running.site.brand);
        self.service.issuer.clone_from(&running.service.issuer);
        self.service.hash_workers = running.service.hash_workers;
        self.service.hash_queue = running.service.hash_queue;
        self.copies.clone_from(&running.copies);
        self.traces.clone_from(&running.traces);
        self.proxy.listen.clone_from(&running.proxy.listen);
        self.proxy.http_redirect.clone_from(&running.proxy.http_redirect);
        self.proxy.workers = running.proxy.workers;
        // Other certificates are shown at once; whether any are is a matter of the sockets.
        if self.proxy.tls.is_off() != running.proxy.tls.is_off() {
            self.proxy.tls.clone_from(&running.proxy.tls);
            waiting.push(String::from("server.tls"));
        }
        (self, waiting)
    }

    /// Keeps what `config show` says of these keys; those of which it would have said otherwise.
    fn keep_entries(&mut self, running: &Self) -> Vec<String> {
        let mut waiting = Vec::new();
        for entry in &mut self.entries {
            let at_start = AT_START.contains(&(entry.table, entry.name));
            let is_it = |other: &&Entry| (other.table, other.name) == (entry.table, entry.name);
            let Some(kept) = running.entries.iter().find(is_it).filter(|_| at_start) else {
                continue;
            };
            if mem::replace(&mut entry.toml, kept.toml.clone()) != kept.toml {
                waiting.push(hint::dotted(entry.table, entry.name));
            }
        }
        waiting
    }

    /// Whether nothing of it comes from its file.
    pub fn is_bare(&self) -> bool {
        !self.entries.iter().any(|entry| matches!(entry.place, Place::Line(_)))
    }

    /// A short name for all of it, files that were read included, but no secrets.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for entry in &self.entries {
            let toml = entry.toml.as_deref().unwrap_or_default();
            hash.update(format!("{}.{}.{}={toml}\n", entry.table, entry.nth, entry.name));
        }
        self.proxy.tls.each_certificate(|der| hash.update(der));
        // An asset is called after what is in it.
        hash.update(self.site.brand.logo.as_ref().map_or("", |logo| logo.path.as_str()));
        self.proxy
            .routes
            .iter()
            .for_each(|route| route.tls.each_certificate(|der| hash.update(der)));
        let mut name = String::new();
        for byte in hash.finalize().iter().take(6) {
            // Writing to a String does not fail.
            let _ = write!(name, "{byte:02x}");
        }
        name
    }

    /// Every file that it is read from; the usual one also while there is none.
    pub fn files(&self) -> Vec<PathBuf> {
        let file = self.file.clone().unwrap_or_else(|| PathBuf::from(load::USUAL));
        let own = iter::once(file).chain(self.logo.clone());
        let of_routes = self.proxy.routes.iter().flat_map(|route| route.tls.files());
        own.chain(self.proxy.tls.files()).chain(of_routes.map(PathBuf::from)).collect()
    }
}
