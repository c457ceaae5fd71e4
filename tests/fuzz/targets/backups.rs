//! Backups: of rows, of pieces that are no rows, and of nothing at all.

use super::change;
use vestibule::store::fuzzing::{backup, backup_of, restored};

/// What stands between the rows or pieces of an input, and between a key and its value.
const PART: u8 = 0x1e;
const FIELD: u8 = 0x1f;

/// The first byte says what the rest is: a file, pieces, or rows and how their backup is changed.
pub fn backups(bytes: &[u8]) {
    match bytes.split_first() {
        Some((b'f', file)) => drop(restored(file)),
        Some((b'p', pieces)) => of_pieces(pieces),
        Some((b'r', rows)) => of_rows(rows),
        _ => {}
    }
}

/// What opens is whole: written again it is the same.
fn of_pieces(bytes: &[u8]) {
    let pieces: Vec<&[u8]> = bytes.split(|byte| *byte == PART).collect();
    let sealed = backup_of(&pieces).expect("pieces are sealed");
    let Some(mut rows) = restored(&sealed) else { return };
    rows.retain(|(key, _)| key != b"I");
    let again = restored(&backup(&rows).expect("rows are written")).expect("rows are read");
    assert_eq!(again[..rows.len()], rows);
}

fn of_rows(bytes: &[u8]) {
    let mut parts = bytes.split(|byte| *byte == PART);
    let changes = parts.next().unwrap_or_default();
    let rows: Vec<_> = parts.filter_map(row).collect();
    let mut file = backup(&rows).expect("rows are written");
    let read = restored(&file).expect("rows are read");
    assert_eq!(read[..rows.len()], rows, "other rows");
    assert_eq!(read.len(), rows.len() + 1, "more than the rows, and what counts them");

    let whole = file.clone();
    change(&mut file, changes);
    assert_eq!(restored(&file).is_some(), file == whole, "a change is not noticed");
}

/// Keys are never empty, and what counts the rows is written by itself.
fn row(part: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut fields = part.splitn(2, |byte| *byte == FIELD);
    let (key, value) = (fields.next()?, fields.next().unwrap_or_default());
    (!key.is_empty() && key != b"I").then(|| (key.to_vec(), value.to_vec()))
}
