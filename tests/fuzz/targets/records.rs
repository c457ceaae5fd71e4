//! Rows of the store.

use vestibule::store::fuzzing::rewritten;

/// The first byte is the kind, the rest the row. What was read is written and read again as the
/// same; but for what is sealed, which never looks the same twice.
pub fn records(bytes: &[u8]) {
    let Some((kind, row)) = bytes.split_first() else { return };
    let Some(once) = rewritten(*kind, row) else { return };
    let twice = rewritten(*kind, &once).expect("what was written cannot be read");
    if b"slafkrtIdT".contains(kind) {
        assert_eq!(once, twice, "it changes each time");
    } else {
        assert_eq!(once.len(), twice.len(), "it changes each time");
    }
}
