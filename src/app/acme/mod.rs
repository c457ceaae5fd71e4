//! Certificates that are fetched from an authority, by ACME (RFC 8555).
//!
//! ```text
//! due? ─► account ─► order ─► proof shown ─► certificate ─► a file, whole ─► reload sees it
//!   ▲                 │
//!   └── a minute … a day, longer with each failure: a line in the log
//! ```
//!
//! This only writes files; what is shown to clients is changed by reload, as with the files of
//! anybody else. Whatever fails here leaves what is in force as it is. No authority is asked for
//! what is there already, and none is asked again at once.

mod client;
mod order;
mod shelf;

use crate::crypto::random;
use crate::observe::{Fetch, Level};
use crate::proxy::{Fetching, Gateway};
use crate::types::{Host, Timestamp};
use shelf::Shelf;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// How often it is looked whether something is due.
const LOOK: Duration = Duration::from_secs(1);
/// How long after a first failure it is tried again; twice as long after each further one.
const FIRST_REST: Duration = Duration::from_secs(60);
const LONGEST_REST: Duration = Duration::from_secs(24 * 60 * 60);
/// So many failures are forgiven by a restart.
const FORGIVEN: u32 = 3;

/// When something is to be tried next, and how often it failed since it last went well.
#[derive(Clone, Copy)]
struct Try {
    at: Timestamp,
    failures: u32,
}

impl Try {
    /// Whoever restarts the gateway may have mended what was wrong, and sees at once whether that
    /// is so. One that is restarted again and again does not ask each time.
    fn at_start(shelf: &Shelf<'_>, name: &Host, now: Timestamp) -> Self {
        let due = shelf.due(name).unwrap_or(now);
        let (failures, next) = shelf.failures(name).unwrap_or((0, now));
        Self { at: if failures < FORGIVEN { due } else { due.max(next) }, failures }
    }
}

/// What was tried, by the folder it is kept in and the name.
type Tries = HashMap<(PathBuf, Host), Try>;

/// Fetches what is due, for as long as the gateway runs.
pub(super) fn start(gateway: &Arc<Gateway>) -> JoinHandle<()> {
    let gateway = Arc::clone(gateway);
    tokio::spawn(async move {
        let mut tries = Tries::new();
        loop {
            match gateway.fetching() {
                Some(fetching) => fetch_due(&gateway, &fetching, &mut tries).await,
                None => gateway.service().log().meters().note_fetches(Vec::new()),
            }
            sleep(LOOK).await;
        }
    })
}

/// Notes how it goes, for the metrics.
fn note(gateway: &Gateway, fetching: &Fetching, tries: &Tries) {
    let fetch = |name: &Host| {
        let Try { at, failures } = *tries.get(&(fetching.folder.clone(), name.clone()))?;
        Some(Fetch { name: name.to_string(), failures, next: at })
    };
    let all = fetching.names.iter().filter_map(fetch).collect();
    gateway.service().log().meters().note_fetches(all);
}

async fn fetch_due(gateway: &Gateway, fetching: &Fetching, tries: &mut Tries) {
    for name in &fetching.names {
        // A look at one may take minutes.
        note(gateway, fetching, tries);
        let now = gateway.service().clock().now();
        let shelf = Shelf::of(fetching);
        let next = tries
            .entry((fetching.folder.clone(), name.clone()))
            .or_insert_with(|| Try::at_start(&shelf, name, now));
        if next.at > now {
            continue;
        }
        let fetched = order::fetch(gateway.challenges(), fetching, &shelf, name).await;
        gateway.challenges().forget();
        let now = gateway.service().clock().now();
        match fetched {
            Ok(due) => {
                // However short its life: nobody is asked again within a minute.
                *next = Try { at: due.max(now.plus(FIRST_REST)), failures: 0 };
                let message = format!(
                    "a certificate for {name} was fetched, the next is due at {}",
                    next.at.rfc3339()
                );
                gateway.say(Level::Info, &message);
            }
            Err(why) => {
                next.failures = next.failures.saturating_add(1);
                next.at = now.plus(rest(next.failures));
                // Where that cannot be kept, nothing could be fetched either.
                let _ = shelf.keep_failures(name, next.failures, next.at);
                gateway.say(Level::Error, &failed(name, fetching, &why, next.at));
            }
        }
    }
    note(gateway, fetching, tries);
}

/// How long it is not tried again after so many failures. A little longer by chance, so that many
/// gateways whose authority was away do not come back in one moment.
fn rest(failures: u32) -> Duration {
    let doubled = FIRST_REST.saturating_mul(1 << failures.saturating_sub(1).min(16));
    let rest = doubled.min(LONGEST_REST);
    let [chance] = random().unwrap_or_default();
    rest + rest / 4 * u32::from(chance) / 256
}

/// What an operator is told; the authority's own words without what could pass for a line of ours.
fn failed(name: &Host, fetching: &Fetching, why: &str, next: Timestamp) -> String {
    let why: String = why.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let way = if fetching.by_http { "port 80" } else { "port 443" };
    format!(
        "no certificate for {name} from {}: {why}: see that the name leads to {way} of this gateway \
         from where the authority is; what is in force stays in force, and it is tried again at {}",
        fetching.directory,
        next.rfc3339()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_is_asked_again_after_a_minute_at_first_and_after_a_day_at_last() {
        let within = |failures, least: u64| {
            let secs = rest(failures).as_secs();
            assert!((least..=least * 5 / 4).contains(&secs), "{failures}: {secs}");
        };
        for (failures, least) in [(1, 60), (2, 120), (5, 960), (11, 61_440), (12, 86_400)] {
            within(failures, least);
        }
        within(u32::MAX, 86_400);
    }

    #[test]
    fn a_gateway_that_is_restarted_again_and_again_does_not_ask_each_time() {
        let folder = std::env::temp_dir().join(format!("vestibule-acme-{}", std::process::id()));
        let fetching = fetching(folder.clone());
        let (shelf, name) = (Shelf::of(&fetching), Host::parse("a.test").unwrap());
        let (now, later) = (Timestamp::from_secs(1000), Timestamp::from_secs(2000));
        let at_start = || {
            let tried = Try::at_start(&shelf, &name, now);
            (tried.failures, tried.at)
        };
        assert_eq!(at_start(), (0, now));
        for (failures, at) in [(1, now), (2, now), (3, later), (9, later)] {
            shelf.keep_failures(&name, failures, later).unwrap();
            assert_eq!(at_start(), (failures, at));
        }
        shelf.forget_failures(&name);
        assert_eq!(at_start(), (0, now));
        std::fs::remove_dir_all(folder).unwrap();
    }

    fn fetching(folder: PathBuf) -> Fetching {
        Fetching {
            directory: String::from("https://ca.test/"),
            email: None,
            ca_file: None,
            folder,
            names: Vec::new(),
            by_http: true,
        }
    }

    #[test]
    fn the_words_of_an_authority_stay_on_one_line() {
        let fetching = fetching(PathBuf::new());
        let name = Host::parse("a.test").unwrap();
        let said = failed(&name, &fetching, "no\nERROR \u{1b}[2J", Timestamp::from_secs(0));
        assert!(!said.contains(char::is_control) && said.contains("no ERROR"), "{said}");
        assert!(said.contains("port 80") && said.contains("1970-01-01T00:00:00"), "{said}");
    }
}
