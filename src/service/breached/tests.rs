//! Lists in files: read whole, and halved.

use super::list::{List, WINDOW, check, knows};
use super::{BreachSource, Breaches, PLACES, RangeUrl, Unknown, sorted};
use crate::crypto::{Password, Spelling, random};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

const TYPED: &str = "correct horse";

fn spellings(typed: &str) -> Vec<Spelling> {
    Password::new(typed).unwrap().spellings(typed)
}

fn file(text: &[u8]) -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("vestibule-list-{}-{number}", std::process::id());
    let path = std::env::temp_dir().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

/// A list with this text, without a name.
fn list(text: &[u8]) -> List {
    let path = file(text);
    let list = List::open(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    list
}

fn scan(text: &[u8]) -> bool {
    list(text).scan(&spellings(TYPED)).unwrap()
}

/// So many hashes in order, of so many digits, each with what comes behind it.
fn hashes(count: u64, digits: usize, behind: &str) -> Vec<String> {
    let mut state = u64::from_ne_bytes(random().unwrap());
    let mut next = || {
        // SplitMix64: asking the operating system a million times takes longer than the test.
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (state ^ state >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    };
    let mut hash = || format!("{:016X}{:016X}{:08X}", next(), next(), next() >> 32);
    let mut all: Vec<String> =
        (0..count).map(|_| format!("{}{behind}", &hash()[..digits])).collect();
    all.sort();
    all
}

#[test]
fn a_line_is_found_wherever_it_stands() {
    let other = spellings("another").remove(0);
    let filler = format!("{}\n", other.sha1()).repeat(WINDOW / 41 - 1);
    for before in (0..90).map(|extra| format!("{filler}{}\n", "x".repeat(extra))) {
        assert!(!scan(before.as_bytes()));
        for line in [TYPED.to_owned(), format!("{}:12\r", spellings(TYPED)[0].sha1())] {
            assert!(scan(format!("{before}{line}").as_bytes()));
            assert!(scan(format!("{before}{line}\n{filler}{filler}").as_bytes()));
        }
    }
    assert!(scan(format!("\u{feff}{TYPED}\n").as_bytes()));
    assert!(!scan(b"\n\n\r\n"));
}

#[test]
fn a_line_that_is_longer_than_the_window_is_passed_over_and_its_end_is_no_line() {
    for extra in 0..3 {
        let long = "x".repeat(WINDOW * 2 - TYPED.len() + extra);
        assert!(!scan(format!("{long}{TYPED}\n").as_bytes()));
        assert!(!scan(format!("{long}{TYPED}").as_bytes()));
        assert!(scan(format!("{long}\n{TYPED}\n").as_bytes()));
        assert!(scan(format!("{TYPED}\n{long}").as_bytes()));
    }
}

#[test]
fn a_file_that_is_cut_short_while_it_is_read_is_an_error_and_no_answer() {
    let mut list = list(b"one\ntwo\n");
    list.length += 1;
    let error = list.scan(&spellings(TYPED)).unwrap_err();
    assert!(error.to_string().contains("shorter"), "{error}");
    list.length = 10 * WINDOW as u64;
    assert!(sorted::knows(&list, &spellings(TYPED)).is_err());
}

#[test]
fn what_is_no_file_with_something_in_it_is_no_list() {
    assert!(check(Path::new("/nowhere/list")).is_err());
    assert_eq!(check(&std::env::temp_dir()).unwrap_err().to_string(), "it is not a file");
    assert_eq!(check(Path::new("/dev/null")).unwrap_err().to_string(), "it is not a file");
    let empty = file(b"");
    assert_eq!(check(&empty).unwrap_err().to_string(), "it is empty");
    std::fs::write(&empty, "one").unwrap();
    check(&empty).unwrap();
    std::fs::remove_file(empty).unwrap();
}

/// Bisection and a full pass give the same answer, wherever the hash stands or would stand.
#[test]
fn halving_and_reading_whole_agree() {
    for (digits, behind, end) in
        [(40, "", "\n"), (40, ":7", "\r\n"), (16, ":123456789", "\n"), (10, "", "\r\n")]
    {
        for turn in 0..16 {
            let typed = format!("{TYPED} {digits} {turn} {end:?}");
            let wanted = spellings(&typed);
            let mut lines = hashes(30_000, digits, behind);
            if turn % 4 == 1 {
                // At the very start, at the very end, or where it belongs.
                let digits = &wanted[0].sha1()[..digits];
                lines.retain(|line| match turn {
                    1 => line.as_str() > digits,
                    5 => line.as_str() < digits,
                    _ => true,
                });
                lines.push(format!("{digits}{behind}"));
                lines.sort();
            }
            let is_lower = turn % 3 == 0;
            let mut text = lines.join(end);
            if turn % 2 == 0 {
                text.push_str(end);
            }
            let text = if is_lower { text.to_ascii_lowercase() } else { text };
            let list = list(text.as_bytes());
            let answer = sorted::knows(&list, &wanted).unwrap();
            assert_eq!(answer, Some(list.scan(&wanted).unwrap()), "{digits} {turn}");
            assert_eq!(answer, Some(turn % 4 == 1), "{digits} {turn}");
        }
    }
}

#[test]
fn every_line_of_a_sorted_list_is_found_by_halving() {
    // Passwords that are hex themselves, so that each line can be asked for.
    for (digits, end) in [(40, "\n"), (12, "\r\n")] {
        let lines = hashes(8_000, digits, ":2");
        let list = list(lines.join(end).as_bytes());
        for line in lines.iter().step_by(53).chain(lines.first()).chain(lines.last()) {
            let wanted = spellings(line.strip_suffix(":2").unwrap());
            assert_eq!(sorted::knows(&list, &wanted).unwrap(), Some(true), "{line}");
        }
    }
}

#[test]
fn a_list_out_of_order_is_noticed_and_never_halved_to_a_wrong_no() {
    let wanted = spellings(TYPED);
    let hash = wanted[0].sha1().to_owned();
    let ordered = hashes(200_000, 40, "");
    let mut added = ordered.clone();
    added.push(hash.clone());
    let mut plain = ordered.clone();
    plain.push(TYPED.to_owned());
    let mut reversed = ordered.clone();
    reversed.reverse();
    reversed.insert(77, hash);
    let mut shorter = ordered.clone();
    shorter[0].truncate(39);
    for (lines, sorted) in
        [(&ordered, true), (&added, false), (&plain, false), (&reversed, false), (&shorter, false)]
    {
        let list = list(lines.join("\n").as_bytes());
        assert_eq!(sorted::looks_sorted(&list).unwrap(), sorted);
    }
    // On the way to the hash: a stretch that belongs elsewhere, where nobody had looked.
    let mut moved = ordered;
    let at = moved.partition_point(|line| line.as_str() < wanted[0].sha1());
    moved[at.saturating_sub(9_000)..at + 9_000].reverse();
    moved.insert(at, wanted[0].sha1().to_owned());
    let list = list(moved.join("\n").as_bytes());
    assert_ne!(sorted::knows(&list, &wanted).unwrap(), Some(false));
}

#[test]
fn a_large_list_is_halved_where_it_is_sorted_and_read_whole_where_it_is_not() {
    let mut lines = String::new();
    for number in 0_u64..1_800_000 {
        writeln!(lines, "{number:016X}{:024X}:1", number.wrapping_mul(0x9E37_79B9)).unwrap();
    }
    assert!(lines.len() as u64 > 64 << 20);
    let path = file(lines.as_bytes());
    assert!(sorted::looks_sorted(&List::open(&path).unwrap()).unwrap());
    let known = format!("{:016X}{:024X}", 1_234_567, 1_234_567_u64 * 0x9E37_79B9);
    assert!(knows(&path, &spellings(&known)).unwrap());
    assert!(!knows(&path, &spellings(TYPED)).unwrap());
    lines.push_str(TYPED);
    std::fs::write(&path, lines).unwrap();
    assert!(knows(&path, &spellings(TYPED)).unwrap());
    std::fs::remove_file(path).unwrap();
}

#[tokio::test]
async fn who_comes_while_too_many_wait_is_told_so_at_once() {
    // It takes connections, as the system does for it, and never says a word.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let url = RangeUrl::parse(&url).unwrap();
    let source = BreachSource::Api { url, accept_unanswered: false };
    let breaches = Arc::new(Breaches::new(&source));
    let password = Password::new(TYPED).unwrap();
    let mut asked = tokio::task::JoinSet::new();
    for _ in 0..=PLACES {
        let (breaches, password) = (Arc::clone(&breaches), password.clone());
        asked.spawn(async move { breaches.knows(&password, TYPED).await });
    }
    let first = asked.join_next().await.unwrap().unwrap();
    assert!(matches!(first, Err(Unknown::Busy)));
    while let Some(answer) = asked.join_next().await {
        assert!(matches!(answer.unwrap(), Err(Unknown::Failed(why)) if why.contains("no answer")));
    }
}
