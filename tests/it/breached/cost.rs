//! What a long list costs.

use super::{CHOSEN, listed, refuses, sha1, takes};
use crate::harness::{Gateway, Options, TempDir};
use std::fmt::Write as _;
use std::time::{Duration, Instant};

const LINES: u64 = 1_000_000;

/// A figure that the system keeps of a process.
fn figure(gateway: &Gateway, file: &str, name: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{}/{file}", gateway.pid())).unwrap();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn median<T: Ord + Copy>(values: &mut [T]) -> T {
    values.sort_unstable();
    values[values.len() / 2]
}

#[derive(Default)]
struct Figures {
    start: Vec<Duration>,
    password: Vec<Duration>,
    /// What was read by the end of the start, in KiB.
    read: Vec<u64>,
    /// The most memory there was by the end, in KiB.
    memory: Vec<u64>,
}

impl Figures {
    fn add(&mut self, options: &Options) {
        let since = Instant::now();
        let gateway = Gateway::start(options.clone());
        self.start.push(since.elapsed());
        self.read.push(figure(&gateway, "io", "rchar:") / 1024);
        let since = Instant::now();
        takes(&gateway, "dave", CHOSEN);
        self.password.push(since.elapsed());
        self.memory.push(figure(&gateway, "status", "VmHWM:"));
    }
}

#[test]
fn a_list_of_a_million_lines_costs_no_start_and_no_memory() {
    let folder = TempDir::new();
    let mut hashes: Vec<u64> =
        (0..LINES).map(|number| number.wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect();
    hashes.sort_unstable();
    let mut text = String::new();
    for hash in hashes {
        writeln!(text, "{hash:016X}{:024X}:1", hash >> 8).unwrap();
    }
    let last = "the very last line of the list";
    writeln!(text, "{}", sha1(last)).unwrap();
    let path = folder.join("list");
    std::fs::write(&path, text).unwrap();

    let (without, with) = (Options::default(), Options::default().config(&listed(&path)));
    let (mut off, mut on) = (Figures::default(), Figures::default());
    for _ in 0..5 {
        off.add(&without);
        on.add(&with);
    }
    let [off, on] = [off, on].map(|mut figures| {
        let times = (median(&mut figures.start), median(&mut figures.password));
        (times, median(&mut figures.read), median(&mut figures.memory))
    });
    for (name, ((start, password), read, memory)) in [("off", off), ("a million lines", on)] {
        println!(
            "{name}: start {start:.0?} ({read} KiB read), user add {password:.0?}, peak {memory} KiB"
        );
    }
    // Times depend on what else the machine does; what is read does not.
    assert!(on.1 < off.1 + 1024, "a start reads the list");
    assert!(on.2 < off.2 + 16 * 1024, "the list is kept in memory");
    refuses(&Gateway::start(with), last, "stolen");
}
