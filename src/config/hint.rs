//! Keys that nobody asked for, and what was probably meant.

use super::fault::{Fault, Place, Wrong};
use super::tree::{Placed, Value, variable};

/// How alike two names must be, from 0 to 1, for one to be taken for a slip of the other.
const NEAR: f64 = 0.85;

/// A key as people write it: `session.idle`.
pub(super) fn dotted(table: &str, name: &str) -> String {
    if table.is_empty() { name.to_owned() } else { format!("{table}.{name}") }
}

/// Adds the fault for a key that nobody asked for.
pub(super) fn unknown(
    table: &str,
    name: &str,
    placed: Placed,
    known: &[(&'static str, &'static str)],
    faults: &mut Vec<Fault>,
) {
    let Placed { place, value } = placed;
    if let (Value::Table(keys), "", Place::Variable(_)) = (&value, table, &place) {
        // A table that only variables made: each of them is at fault, not the table.
        for (key, said) in keys {
            let wrong = with_hint("unknown key", key_meant(name, key, known, &said.place));
            faults.push(wrong.at(said.place.clone(), dotted(name, key)));
        }
        return;
    }
    let holds_tables = match &value {
        Value::Table(_) => true,
        Value::List(items) => items.iter().any(|item| matches!(item.value, Value::Table(_))),
        _ => false,
    };
    let wrong = if holds_tables && table.is_empty() {
        with_hint("unknown table", table_meant(name, known))
    } else {
        with_hint("unknown key", key_meant(table, name, known, &place))
    };
    faults.push(wrong.at(place, dotted(table, name)));
}

fn with_hint(problem: &str, meant: Vec<String>) -> Wrong {
    let wrong = Wrong::new(problem);
    if meant.is_empty() {
        wrong
    } else {
        wrong.advise(format!("did you mean {}?", meant.join(" or ")))
    }
}

/// A slip in this table or one of a similar name; else the same name in another table.
fn key_meant(
    table: &str,
    name: &str,
    known: &[(&'static str, &'static str)],
    place: &Place,
) -> Vec<String> {
    let spelled = |(table, name): &(&str, &str)| match place {
        Place::Variable(_) => variable(table, name),
        _ => dotted(table, name),
    };
    let slip = known
        .iter()
        .filter(|(other, _)| likeness(table, other) >= NEAR)
        .map(|key| (likeness(name, key.1), key))
        .filter(|(likeness, _)| *likeness >= NEAR)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    if let Some((_, key)) = slip {
        return vec![spelled(key)];
    }
    let mut elsewhere: Vec<String> =
        known.iter().filter(|key| key.1 == name).map(spelled).collect();
    elsewhere.sort();
    elsewhere.dedup();
    elsewhere
}

fn table_meant(name: &str, known: &[(&'static str, &'static str)]) -> Vec<String> {
    let near = known.iter().map(|(table, _)| (likeness(name, table), table));
    let best = near.filter(|(likeness, _)| *likeness >= NEAR).max_by(|a, b| a.0.total_cmp(&b.0));
    best.map(|(_, table)| format!("[{table}]")).into_iter().collect()
}

fn likeness(a: &str, b: &str) -> f64 {
    if a == b { 1.0 } else { strsim::jaro_winkler(a, b) }
}
