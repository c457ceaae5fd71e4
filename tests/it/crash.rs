//! What was acknowledged is there, however the gateway ended.
//!
//! Several workers use the gateway as people and administrators do, and write down what it
//! acknowledged to them. Then it ends, they stop, it is started again, and all they wrote down is
//! held against it, and so is its own audit trail.

mod load;
mod trail;
mod truth;

use crate::harness::{App, Chance, Gateway, Options, PATIENCE};
use load::{LOCKOUT, Part, Role};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use trail::Gaps;

/// How often each thing was acknowledged.
type Tally = BTreeMap<&'static str, u32>;

/// When the end comes: after so many acknowledgements, and so much later than the last of them.
fn moment(chance: &mut Chance) -> (usize, Duration) {
    let later = chance.below(40_000).try_into().unwrap();
    (1 + chance.below(16), Duration::from_micros(later))
}

/// A gateway that never calls it enough: what is refused must be refused for what it is.
fn patient(app: &App) -> Options {
    let config = format!(
        "[limits]\nlockout_after = {LOCKOUT}\nlockout_for = \"12h\"\n\
         [session]\nidle = \"12h\"\nlifetime = \"12h\"\n[password]\nhash_workers = 2\n"
    );
    Options::upstream(&app.url()).config(&config)
}

fn parts() -> Vec<Part> {
    [Role::Codes, Role::Codes, Role::Links, Role::Commands, Role::Guesses]
        .into_iter()
        .enumerate()
        .map(|(number, role)| Part::new(number, role))
        .collect()
}

/// Lets everyone work until so much was acknowledged and a while longer, ends the gateway in the
/// midst of it, and waits for them to notice.
fn end_under_load(
    gateway: &Gateway,
    parts: &mut [Part],
    (acknowledgements, later): (usize, Duration),
    signal: &str,
    tally: &mut Tally,
) {
    let (sender, receiver) = channel();
    let ending = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for part in parts {
            let (sender, ending) = (sender.clone(), &ending);
            scope.spawn(move || {
                while !ending.load(Ordering::SeqCst) {
                    if part.act(gateway, &sender).is_none() {
                        let expected = ending.load(Ordering::SeqCst);
                        assert!(expected, "it fell silent by itself:\n{}", gateway.log());
                        return;
                    }
                }
            });
        }
        drop(sender);
        for _ in 0..acknowledgements {
            count(tally, receiver.recv_timeout(PATIENCE).expect("it acknowledges nothing"));
        }
        linger(&receiver, later, tally);
        ending.store(true, Ordering::SeqCst);
        gateway.signal(signal);
        for what in receiver {
            count(tally, what);
        }
    });
}

/// Listens for so long, so that the end comes at any moment and not just after something.
fn linger(receiver: &Receiver<&'static str>, later: Duration, tally: &mut Tally) {
    let end = Instant::now() + later;
    while let Some(left) = end.checked_duration_since(Instant::now()) {
        match receiver.recv_timeout(left) {
            Ok(what) => count(tally, what),
            Err(_) => return,
        }
    }
}

fn count(tally: &mut Tally, what: &'static str) {
    *tally.entry(what).or_default() += 1;
}

/// Holds everybody's notes, and the trail, against the gateway; what is not as they say.
fn faults(gateway: &Gateway, parts: &mut [Part], everything: bool) -> Faults {
    let listed = truth::listed(gateway);
    let gaps = trail::gaps(gateway, parts, &listed);
    let lost = std::thread::scope(|scope| {
        let checks: Vec<_> = parts
            .iter_mut()
            .map(|part| scope.spawn(|| part.check(gateway, &listed, everything)))
            .collect();
        checks.into_iter().flat_map(|check| check.join().unwrap()).collect()
    });
    Faults { lost, gaps }
}

/// What was acknowledged and is not there, and where the trail is not what there is.
#[derive(Debug)]
struct Faults {
    lost: Vec<String>,
    gaps: Gaps,
}

impl Faults {
    fn are_none(&self) -> bool {
        self.lost.is_empty() && self.gaps.are_none()
    }
}

/// How often it is killed: thirty times, or as often as KILL_ROUNDS says.
fn kill_rounds() -> u32 {
    let said = std::env::var("KILL_ROUNDS").ok();
    said.map_or(30, |rounds| rounds.parse().expect("KILL_ROUNDS is a number"))
}

#[test]
fn whatever_was_acknowledged_survives_thirty_kills_in_the_midst_of_work() {
    let (mut chance, began, app) = (Chance::new(), Instant::now(), App::start());
    let mut gateway = Gateway::start(patient(&app));
    let (mut parts, mut tally) = (parts(), Tally::new());
    let (mut rounds, wanted) = (0, kill_rounds());
    // Some things are rarely done in the moment before a kill: it goes on until each was.
    let is_rich = |tally: &Tally| load::KINDS.iter().all(|what| tally.contains_key(what));
    while rounds < wanted || rounds < 8 * wanted && !is_rich(&tally) {
        rounds += 1;
        end_under_load(&gateway, &mut parts, moment(&mut chance), "-KILL", &mut tally);
        gateway = gateway.kill_and_restart();
        let faults = faults(&gateway, &mut parts, false);
        assert!(faults.are_none(), "after kill {rounds}: {faults:#?}\n{}", gateway.log());
    }
    let faults = faults(&gateway, &mut parts, true);
    assert!(faults.are_none(), "{faults:#?}\n{}", gateway.log());
    let all: u32 = tally.values().sum();
    println!(
        "{rounds} kills, {all} acknowledged {tally:?}, none lost, each told, {:?}",
        began.elapsed()
    );
    assert!(all > 100, "too little was acknowledged to show anything: {tally:?}");
    for what in load::KINDS {
        assert!(tally.contains_key(what), "never once {what}: {tally:?}");
    }
}

#[test]
fn told_to_stop_in_the_midst_of_work_it_ends_well_and_loses_nothing() {
    let (mut chance, app) = (Chance::new(), App::start());
    let mut gateway = Gateway::start(patient(&app));
    let (mut parts, mut tally) = (parts(), Tally::new());
    for _ in 0..3 {
        end_under_load(&gateway, &mut parts, moment(&mut chance), "-TERM", &mut tally);
        assert_eq!(gateway.wait(), Some(0), "{}", gateway.log());
        assert!(gateway.log().contains(r#""message":"stopped""#), "{}", gateway.log());
        gateway = gateway.kill_and_restart();
        let faults = faults(&gateway, &mut parts, true);
        assert!(faults.are_none(), "{faults:#?}\n{}", gateway.log());
    }
    println!("3 stops, acknowledged {tally:?}, none lost");
}
