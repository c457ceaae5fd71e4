//! Limits that hold: whoever asks too much of the gateway gets a bounded part of it, and everybody
//! else goes on as if nobody had.
//!
//! This machine has sixteen million addresses of its own, so that the crowds come from others than
//! the person whose requests must not suffer.

mod crowds;
mod room;

use crate::harness::{App, House, Options};
use crowds::from;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::runtime::Runtime;

/// How long everything at once goes on: long enough for the latest deadline of all.
const SIEGE: Duration = Duration::from_secs(34);

/// How long one request of somebody else may take meanwhile, in a build without optimisation on a
/// machine with other things to do.
const BOUND: Duration = Duration::from_secs(8);

/// Files for some four hundred connections, of which each address may have fifty-odd.
const FILES: u32 = 1024;

fn house(files: u32) -> House {
    let app = App::start();
    let mut options = Options { files: Some(files), ..Options::upstream(&app.url()) };
    options.env.push((String::from("VESTIBULE_SERVER__WORKERS"), String::from("2")));
    House::with(app, options)
}

/// What somebody who is signed in has seen.
#[derive(Debug, Default)]
struct Seen {
    answers: usize,
    together: Duration,
    slowest: Duration,
}

/// Asks again and again, on a new connection each time.
fn somebody_else(house: &House, ends: &AtomicBool) -> Seen {
    let mut seen = Seen::default();
    while !ends.load(Ordering::SeqCst) {
        let since = Instant::now();
        assert_eq!(house.get("/x", "").text(), "hello", "after {seen:?}");
        seen.together += since.elapsed();
        seen.slowest = seen.slowest.max(since.elapsed());
        seen.answers += 1;
        std::thread::sleep(Duration::from_millis(20));
    }
    seen
}

#[test]
fn a_siege_of_every_kind_harms_nobody_else_and_leaves_nothing_behind() {
    let mut house = house(FILES);
    let address = house.gateway.address;
    let before = house.gateway.memory();
    let runtime = Runtime::new().unwrap();
    let ends = AtomicBool::new(false);
    let (seen, fates, memory) = std::thread::scope(|scope| {
        let seen = scope.spawn(|| somebody_else(&house, &ends));
        let crowds = crowds::all().map(|crowd| runtime.spawn(crowd.besiege(address, SIEGE)));
        // Once everybody has come, and when the last are about to be sent away.
        let memory = [SIEGE / 3, SIEGE / 3].map(|wait| {
            std::thread::sleep(wait);
            house.gateway.memory()
        });
        let fates = crowds.map(|crowd| runtime.block_on(crowd).unwrap());
        ends.store(true, Ordering::SeqCst);
        (seen.join().unwrap(), fates, memory)
    });
    println!("{} requests taken back", crowds::TAKEN_BACK.load(Ordering::Relaxed));
    println!("others: {seen:?}; memory in KiB: {before}, then {memory:?}");
    for fate in &fates {
        println!("{}: {} came, the longest stay {:?}", fate.habit, fate.came, fate.longest);
        assert!(fate.longest < fate.bound, "somebody stayed: {fate:?}");
        assert!(fate.came > 0, "no crowd: {fate:?}");
    }
    assert!(seen.slowest < BOUND && seen.answers > 100, "{seen:?}");
    let [early, late] = memory;
    assert!(early < before + 96 * 1024, "from {before} to {early} KiB");
    assert!(late < early + 16 * 1024, "it grows: from {early} to {late} KiB");
    // Those who laid siege are served again, too, now that they ask like others.
    runtime.block_on(async {
        let mut stream = from(2, address).await.unwrap();
        stream.write_all(b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 401 "), "{}", String::from_utf8_lossy(&answer));
    });
    house.gateway.stop();
    assert!(!house.gateway.log().contains("panic"), "{}", house.gateway.log());
}
