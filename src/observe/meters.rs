//! What is counted.
//!
//! Whoever counts adds to numbers of its own thread, and whoever asks adds them all up: so counting
//! is a few instructions, and no two workers wait for the same line of memory.

use super::Outcome;
use super::writer::{SEATS, seat};
use crate::domain::{AuditEvent, SignInFailure};
use crate::types::Timestamp;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long a request took, in microseconds: the upper ends of the classes but the last.
const REQUEST: [u64; 13] = [
    1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    5_000_000, 10_000_000,
];

/// The same for the store.
const STORE: [u64; 10] =
    [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 100_000, 1_000_000, 10_000_000];

/// Numbers of one thread, apart from those of others.
#[repr(align(128))]
struct Own<const N: usize>([AtomicU64; N]);

/// Some numbers, for each thread by itself.
struct Numbers<const N: usize>(Box<[Own<N>]>);

impl<const N: usize> Default for Numbers<N> {
    fn default() -> Self {
        let none = || Own(std::array::from_fn(|_| AtomicU64::new(0)));
        Self((0..SEATS).map(|_| none()).collect())
    }
}

impl<const N: usize> Numbers<N> {
    fn add(&self, which: usize, more: u64) {
        let number = self.0.get(seat()).and_then(|own| own.0.get(which));
        if let Some(number) = number {
            number.fetch_add(more, Ordering::Relaxed);
        }
    }

    fn sum(&self, which: usize) -> u64 {
        let of = |own: &Own<N>| own.0.get(which).map_or(0, |number| number.load(Ordering::Relaxed));
        self.0.iter().map(of).sum()
    }
}

/// How long things took.
pub struct Durations {
    ends: &'static [u64],
    /// So many in each class, and at the end the sum of all.
    numbers: Numbers<16>,
}

/// What was measured, added up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measured {
    /// The upper end of each class but the last, in microseconds, and how many were no longer.
    pub up_to: Vec<(u64, u64)>,
    /// How many there were.
    pub count: u64,
    /// How long all of them took, in microseconds.
    pub micros: u64,
}

/// Where the sum is.
const SUM: usize = 15;

impl Durations {
    fn new(ends: &'static [u64]) -> Self {
        Self { ends, numbers: Numbers::default() }
    }

    /// One more.
    pub fn add(&self, took: Duration) {
        self.took(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }

    fn took(&self, micros: u64) {
        self.numbers.add(self.ends.partition_point(|end| *end < micros), 1);
        self.numbers.add(SUM, micros);
    }

    /// All so far.
    pub fn measured(&self) -> Measured {
        let mut count = 0;
        let mut up_to = Vec::new();
        for (class, end) in self.ends.iter().enumerate() {
            count += self.numbers.sum(class);
            up_to.push((*end, count));
        }
        count += self.numbers.sum(self.ends.len());
        Measured { up_to, count, micros: self.numbers.sum(SUM) }
    }
}

/// What is counted of requests to one route.
pub struct RouteMeter {
    name: String,
    outcomes: Numbers<{ Outcome::ALL.len() }>,
    durations: Durations,
}

impl RouteMeter {
    fn new(name: &str) -> Self {
        let durations = Durations::new(&REQUEST);
        Self { name: name.to_owned(), outcomes: Numbers::default(), durations }
    }

    /// One more request.
    pub fn count(&self, outcome: Outcome, micros: u64) {
        self.outcomes.add(outcome as usize, 1);
        self.durations.took(micros);
    }

    /// The route, as the configuration has it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many there were of each kind.
    pub fn outcomes(&self) -> impl Iterator<Item = (Outcome, u64)> {
        Outcome::ALL.into_iter().map(|outcome| (outcome, self.outcomes.sum(outcome as usize)))
    }

    /// How long they took.
    pub const fn durations(&self) -> &Durations {
        &self.durations
    }
}

impl std::fmt::Debug for RouteMeter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RouteMeter({})", self.name)
    }
}

/// How it goes with a certificate that is fetched from an authority.
#[derive(Clone, Debug)]
pub struct Fetch {
    /// Whose.
    pub name: String,
    /// How often it failed since it last went well.
    pub failures: u32,
    /// When it is tried next.
    pub next: Timestamp,
}

/// Everything that is counted.
pub struct Meters {
    routes: Mutex<BTreeMap<String, Arc<RouteMeter>>>,
    elsewhere: Arc<RouteMeter>,
    sign_ins: Numbers<{ SignIns::NAMES.len() }>,
    lockouts: Numbers<1>,
    reads: Durations,
    changes: Durations,
    fetches: Mutex<Vec<Fetch>>,
}

/// How sign-ins end.
struct SignIns;

impl SignIns {
    const NAMES: [&'static str; 8] = [
        "signed_in",
        "program_signed_in",
        "credentials",
        "code",
        "code_reused",
        "locked",
        "address_rate",
        "account_rate",
    ];

    const fn failed(why: SignInFailure) -> usize {
        match why {
            SignInFailure::Credentials => 2,
            SignInFailure::Code => 3,
            SignInFailure::CodeReused => 4,
            SignInFailure::Locked => 5,
            SignInFailure::AddressRate => 6,
            SignInFailure::AccountRate => 7,
        }
    }
}

impl Default for Meters {
    fn default() -> Self {
        Self {
            routes: Mutex::default(),
            elsewhere: Arc::new(RouteMeter::new("")),
            sign_ins: Numbers::default(),
            lockouts: Numbers::default(),
            reads: Durations::new(&STORE),
            changes: Durations::new(&STORE),
            fetches: Mutex::default(),
        }
    }
}

impl Meters {
    /// What is counted of a route. One that is configured anew goes on where it was.
    pub fn route(&self, name: &str) -> Arc<RouteMeter> {
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(routes.entry(name.to_owned()).or_insert_with(|| RouteMeter::new(name).into()))
    }

    /// All of them, and what was asked of none.
    pub fn routes(&self) -> Vec<Arc<RouteMeter>> {
        let routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        routes.values().chain([&self.elsewhere]).map(Arc::clone).collect()
    }

    pub(super) fn request(&self, route: Option<&RouteMeter>, outcome: Outcome, micros: u64) {
        route.unwrap_or(&self.elsewhere).count(outcome, micros);
    }

    pub(super) fn event(&self, event: &AuditEvent) {
        match event {
            AuditEvent::SignedIn { .. } => self.sign_ins.add(0, 1),
            AuditEvent::ProgramSignedIn { .. } => self.sign_ins.add(1, 1),
            AuditEvent::SignInFailed { why, .. } => self.sign_ins.add(SignIns::failed(*why), 1),
            AuditEvent::LockedOut { .. } => self.lockouts.add(0, 1),
            _ => {}
        }
    }

    /// How many sign-ins ended in which way.
    pub fn sign_ins(&self) -> impl Iterator<Item = (&'static str, u64)> {
        SignIns::NAMES.iter().enumerate().map(|(at, name)| (*name, self.sign_ins.sum(at)))
    }

    /// How many accounts were locked.
    pub fn lockouts(&self) -> u64 {
        self.lockouts.sum(0)
    }

    /// How long the store took to read something.
    pub const fn reads(&self) -> &Durations {
        &self.reads
    }

    /// How long it took to change something.
    pub const fn changes(&self) -> &Durations {
        &self.changes
    }

    /// Notes how it goes with all certificates that are fetched.
    pub fn note_fetches(&self, all: Vec<Fetch>) {
        *self.fetches.lock().unwrap_or_else(PoisonError::into_inner) = all;
    }

    /// How it goes with them.
    pub fn fetches(&self) -> Vec<Fetch> {
        self.fetches.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_many_threads_count_adds_up() {
        let meters = Meters::default();
        let route = meters.route("a/");
        std::thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| (0..1000).for_each(|_| route.count(Outcome::Allowed, 1_000)));
            }
        });
        meters.request(None, Outcome::Malformed, 0);
        let count = |outcome| route.outcomes().find(|(o, _)| *o == outcome).unwrap().1;
        assert_eq!((count(Outcome::Allowed), count(Outcome::Malformed)), (20_000, 0));
        assert_eq!(meters.routes().len(), 2);
        // Configured anew, it goes on.
        meters.route("a/").count(Outcome::Allowed, 1);
        assert_eq!(count(Outcome::Allowed), 20_001);
    }

    #[test]
    fn a_duration_is_in_its_class_and_in_all_longer_ones() {
        let durations = Durations::new(&STORE);
        for micros in [0, 100, 101, 9_999_999, 10_000_000, 99_000_000] {
            durations.took(micros);
        }
        let measured = durations.measured();
        assert_eq!((measured.count, measured.micros), (6, 119_000_200));
        assert_eq!(measured.up_to.first(), Some(&(100, 2)));
        assert_eq!(measured.up_to.get(1), Some(&(250, 3)));
        assert_eq!(measured.up_to.last(), Some(&(10_000_000, 5)));
    }
}
