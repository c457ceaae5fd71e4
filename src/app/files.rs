//! How many files and sockets the process may have open.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Sockets and files kept for the store, the administration socket, the log and the rest.
const RESERVE: u64 = 128;

/// Connections beyond which more would only cost memory.
const MOST: usize = 10_000;

/// Below so many, a handful of addresses can have most of the room.
pub(super) const FEW: usize = 1_000;

/// What a worker needs for itself: to wait for sockets and timers, and each listening socket.
const A_WORKER: usize = 8;

/// Raises the limit as far as it goes, and says how many connections fit below it beside so many
/// workers: each may need a second one, to an app, and a quarter as many are kept that nobody
/// uses.
pub(super) fn connections(workers: usize) -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Where it may not be raised, the one in force counts.
    let _ = setrlimit(Resource::Nofile, limit);
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let kept = RESERVE.saturating_add(u64::try_from(workers * A_WORKER).unwrap_or(u64::MAX));
    let places = files.saturating_sub(kept).saturating_mul(4) / 9;
    let fit = usize::try_from(places).unwrap_or(MOST);
    fit.clamp(1, MOST)
}
