//! The audit trail as it is handed out.

use super::change;
use vestibule::cli::fuzzing::exported_trail;
use vestibule::crypto::ChainHash;
use vestibule::domain::{Entry, Line, Tip};

/// What stands between the parts of an input, and between the fields of an entry: what a field says
/// may have line breaks in it.
const PART: u8 = 0x1e;
const FIELD: u8 = 0x1f;

/// The number of the first entry.
const FIRST: u64 = 7;

/// The first part says how an export is changed, the second how its lines are moved, each other is
/// an entry.
pub fn trail(bytes: &[u8]) {
    let mut parts = bytes.split(|byte| *byte == PART);
    let (changes, moves) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let lines = exported(parts.take(4));
    if lines.is_empty() {
        return;
    }
    let whole = exported_trail(lines.join("\n").as_bytes()).expect("an export is not whole");
    assert_eq!((whole.first, whole.len()), (FIRST, lines.len() as u64));

    let mut moved = lines.clone();
    for step in moves.chunks_exact(2).take(8) {
        let [which, to] = [step[0], step[1]].map(|at| usize::from(at) % moved.len());
        match step[0] >> 6 {
            _ if moved.len() == 1 => moved.push(moved[0].clone()),
            0 => moved.swap(which, to),
            1 => drop(moved.remove(which)),
            2 => moved.insert(to, moved[which].clone()),
            _ => moved.truncate(which.max(1)),
        }
    }
    let mut text = moved.join("\n").into_bytes();
    change(&mut text, changes);
    let found = exported_trail(&text);
    assert_eq!(found.is_ok(), is_a_part_of(&text, &lines), "{found:?}");
}

/// The lines of an export whose entries say this.
fn exported<'p>(parts: impl Iterator<Item = &'p [u8]>) -> Vec<String> {
    let mut tip = Tip { first: FIRST, next: FIRST, ..Tip::default() };
    let mut lines = Vec::new();
    for part in parts {
        let entry = entry(part, tip);
        let text = serde_json::to_string(&entry).expect("an entry");
        assert_eq!(serde_json::from_str::<Entry>(&text).expect("an entry"), entry);
        tip = tip.after(text.as_bytes());
        let line = Line { entry, hash: ChainHash::of(text.as_bytes()) };
        let text = serde_json::to_string(&line).expect("a line");
        assert!(!text.contains(|c: char| c < ' '), "more than a line");
        assert_eq!(serde_json::from_str::<Line>(&text).expect("a line"), line);
        lines.push(text);
    }
    lines
}

fn entry(part: &[u8], tip: Tip) -> Entry {
    let mut fields = part.split(|byte| *byte == FIELD);
    let mut field = || fields.next().map(|field| String::from_utf8_lossy(field).into_owned());
    Entry {
        seq: tip.next,
        at: field().unwrap_or_default(),
        event: field().unwrap_or_default(),
        by: field().unwrap_or_default(),
        administrator: field(),
        user: field(),
        user_id: field(),
        from: field(),
        detail: field(),
        request: field(),
        prev: tip.hash,
    }
}

/// Whether these are lines of the export one after another. That the first or the last are missing
/// does not show in a file; how many there are is told.
fn is_a_part_of(text: &[u8], lines: &[String]) -> bool {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let left: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    let ends = |line: &[u8], of: &String| line.strip_suffix(b"\r").unwrap_or(line) == of.as_bytes();
    lines.windows(left.len()).any(|part| left.iter().zip(part).all(|(line, of)| ends(line, of)))
}
