//! HTTP/2: cheap frames that cost the other side much. Each flood ends with its connection or is
//! waited out, and meanwhile everybody else is served.

use super::frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, Frames, HEADERS, PING, PRIORITY, RST_STREAM,
    SETTINGS, WHOLE, WINDOW_UPDATE, block, frame,
};
use crate::harness::House;
use std::time::{Duration, Instant};

/// What the last ping says.
const LAST: &[u8; 8] = b"the last";

/// How much more memory than before a flood may cost, in KiB.
const ROOM: usize = 96 * 1024;

fn memory(house: &House) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", house.gateway.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// A request's head that passes.
fn head(house: &House) -> Vec<u8> {
    block(&[
        (":method", "POST"),
        (":scheme", "http"),
        (":authority", "app.test"),
        (":path", "/flood"),
        ("cookie", &house.cookie),
    ])
}

/// Sends frames, up to so many turns, until the connection is closed on us; whether it was. All
/// the while somebody else gets an answer in time, and afterwards.
fn flood(house: &House, turns: u32, mut turn: impl FnMut(u32) -> Vec<u8> + Send) -> bool {
    let before = memory(house);
    let ended = std::thread::scope(|scope| {
        let flooding = scope.spawn(move || {
            let mut frames = Frames::open(house.gateway.address);
            let mut reader = frames.reader();
            let reading = std::thread::spawn(move || reader.ends_before(LAST));
            // All that is sent is also read: the last frame is one that is answered.
            let _ = (0..turns).all(|number| frames.send(&turn(number)));
            frames.send(&frame(PING, 0, 0, LAST));
            let ended = reading.join().unwrap();
            frames.leave();
            ended
        });
        while !flooding.is_finished() {
            assert_served(house);
        }
        flooding.join().unwrap()
    });
    assert_served(house);
    let after = memory(house);
    assert!(after < before + ROOM, "{before} KiB before, {after} KiB after");
    ended
}

fn assert_served(house: &House) {
    let began = Instant::now();
    assert_eq!(house.get("/other", "").text(), "hello");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

/// How many requests of the flood the app has seen.
fn seen(house: &House) -> usize {
    house.app.take_received().matches(" /flood ").count()
}

/// CVE-2023-44487 (rapid reset): streams that are opened and given up at once.
#[test]
fn streams_that_are_reset_at_once_end_the_connection() {
    let house = House::new();
    let head = head(&house);
    let ended = flood(&house, 20_000, |number| {
        let stream = 1 + 2 * number;
        let opened = frame(HEADERS, WHOLE, stream, &head);
        [opened, frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes())].concat()
    });
    assert!(ended, "twenty thousand streams were taken");
    let seen = seen(&house);
    assert!(seen < 5_000, "{seen} requests reached the app");
}

/// CVE-2025-8671 (MadeYouReset): streams on which the client makes the server reset, by a fault of
/// each kind that concerns a stream alone.
#[test]
fn streams_that_we_are_made_to_reset_end_the_connection() {
    let house = House::new();
    let head = head(&house);
    type Fault = fn(u32) -> Vec<u8>;
    let faults: [(&str, Fault); 4] = [
        ("no more window", |stream| frame(WINDOW_UPDATE, 0, stream, &0_u32.to_be_bytes())),
        ("too much window", |stream| {
            frame(WINDOW_UPDATE, 0, stream, &0x7fff_ffff_u32.to_be_bytes())
        }),
        ("its own parent", |stream| {
            frame(PRIORITY, 0, stream, &[&stream.to_be_bytes()[..], &[0]].concat())
        }),
        ("data behind the end", |stream| {
            [frame(DATA, END_STREAM, stream, b""), frame(DATA, 0, stream, b"x")].concat()
        }),
    ];
    for (what, fault) in faults {
        let ended = flood(&house, 5_000, |number| {
            let stream = 1 + 2 * number;
            [frame(HEADERS, END_HEADERS, stream, &head), fault(stream)].concat()
        });
        assert!(ended, "{what}: five thousand streams were taken");
        let seen = seen(&house);
        assert!(seen < 2_500, "{what}: {seen} requests reached the app");
    }
}

/// RUSTSEC-2024-0332 (CONTINUATION flood): a head that goes on without end, empty or full.
#[test]
fn a_head_without_end_ends_the_connection() {
    let house = House::new();
    let head = head(&house);
    let large = block(&[("x", &"x".repeat(16_000))]);
    for (what, piece) in [("empty", &[][..]), ("small", &[0x88]), ("large", large.as_slice())] {
        let ended = flood(&house, 20_000, |number| {
            let begin = if number == 0 { frame(HEADERS, END_STREAM, 1, &head) } else { Vec::new() };
            [begin, frame(CONTINUATION, 0, 1, piece)].concat()
        });
        assert!(ended, "{what}: twenty thousand pieces were taken");
        assert_eq!(seen(&house), 0, "{what}");
    }
}

/// No advisory of its own here: floods of pings, of settings, of frames with nothing in them. What costs nothing to answer is answered as fast as it is read.
#[test]
fn empty_frames_pings_and_settings_keep_nobody_else_waiting() {
    let house = House::new();
    let head = head(&house);
    flood(&house, 50_000, |_| frame(PING, 0, 0, &[7; 8]));
    flood(&house, 50_000, |_| frame(SETTINGS, 0, 0, &[]));
    flood(&house, 50_000, |_| frame(PRIORITY, 0, 1, &[0, 0, 0, 0, 1]));
    let ended = flood(&house, 50_000, |number| {
        let begin = if number == 0 { frame(HEADERS, END_HEADERS, 1, &head) } else { Vec::new() };
        [begin, frame(DATA, 0, 1, b"")].concat()
    });
    assert!(ended, "fifty thousand pieces of nothing were taken");
    // Windows that grow by one, again and again, and settings that shrink and grow them.
    flood(&house, 50_000, |_| frame(WINDOW_UPDATE, 0, 0, &1_u32.to_be_bytes()));
    flood(&house, 20_000, |number| {
        let size = if number % 2 == 0 { 1_u32 } else { 65_535 };
        frame(SETTINGS, 0, 0, &[&[0, 4][..], &size.to_be_bytes()].concat())
    });
}

/// No advisory of its own here: a few bytes that say again and again what was said once at
/// length.
#[test]
fn a_head_that_refers_to_itself_grows_no_larger_than_a_head_may_be() {
    let house = House::new();
    // Once at length and kept, then four thousand times by its number.
    let mut bomb = vec![0x40];
    bomb.extend(&block(&[("x", &"x".repeat(3_000))])[1..]);
    let bomb = [head(&house), bomb, vec![0xbe; 4_000]].concat();
    flood(&house, 50, |number| frame(HEADERS, WHOLE, 1 + 2 * number, &bomb));
    assert_eq!(seen(&house), 0);
}
