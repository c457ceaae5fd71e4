//! The kinds of values: which types of TOML they come in, and what their texts mean.

use super::fault::{Place, Wrong};
use super::tree::{Placed, Table, Value};
use crate::domain::Rate;
use std::fmt::{Display, Write as _};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

/// A type in which a value is written, before its meaning is looked at. Nothing is made to fit:
/// a number in quotes is a text.
pub(super) trait Raw: Sized {
    /// Takes a value of this type.
    fn take(placed: Placed) -> Result<Self, Wrong>;
    /// Writes it as TOML.
    fn toml(&self) -> String;
}

fn must_be(what: &str, value: &Value, advice: &str) -> Wrong {
    Wrong::new(format!("must be {what}, not {}", value.kind())).advise(advice)
}

impl Raw for String {
    fn take(placed: Placed) -> Result<Self, Wrong> {
        match placed.value {
            Value::Text(text) | Value::Loose(text) => Ok(text),
            other => Err(must_be("a string", &other, "write it in quotes")),
        }
    }

    fn toml(&self) -> String {
        quoted(self)
    }
}

impl Raw for i64 {
    fn take(placed: Placed) -> Result<Self, Wrong> {
        match placed.value {
            Value::Integer(number) => Ok(number),
            Value::Loose(text) => {
                text.parse().map_err(|_| Wrong::new(format!("{text:?} is not an integer")))
            }
            other => Err(must_be("an integer", &other, "write it in digits, without quotes")),
        }
    }

    fn toml(&self) -> String {
        self.to_string()
    }
}

/// A part of a whole: a fraction, or none and all of it as 0 and 1.
pub(super) struct Part(String);

impl Raw for Part {
    fn take(placed: Placed) -> Result<Self, Wrong> {
        match placed.value {
            Value::Integer(number) => Ok(Self(number.to_string())),
            Value::Fraction(text) | Value::Loose(text) => Ok(Self(text)),
            other => Err(must_be("a fraction", &other, "write 0.1, without quotes")),
        }
    }

    fn toml(&self) -> String {
        self.0.clone()
    }
}

impl Raw for bool {
    fn take(placed: Placed) -> Result<Self, Wrong> {
        match placed.value {
            Value::Boolean(flag) => Ok(flag),
            Value::Loose(text) => {
                text.parse().map_err(|_| Wrong::new(format!("{text:?} is neither true nor false")))
            }
            other => Err(must_be("true or false", &other, "write it without quotes")),
        }
    }

    fn toml(&self) -> String {
        self.to_string()
    }
}

/// A number of bytes: an integer, or a text with a unit.
pub(super) struct Amount(String);

impl Amount {
    /// Whether nothing is said, which turns something off.
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Raw for Amount {
    fn take(placed: Placed) -> Result<Self, Wrong> {
        match placed.value {
            Value::Integer(number) => Ok(Self(number.to_string())),
            Value::Text(text) | Value::Loose(text) => Ok(Self(text)),
            other => Err(must_be("a size", &other, SIZES)),
        }
    }

    fn toml(&self) -> String {
        quoted(&self.0)
    }
}

/// A list of texts, each with its place: a fault in a long list names its own line.
pub(super) struct Items(pub Vec<(String, Place)>);

impl Raw for Items {
    fn take(placed: Placed) -> Result<Self, Wrong> {
        let listed = |item: Placed| {
            let place = item.place.clone();
            String::take(item).map(|text| (text, place))
        };
        match placed.value {
            Value::List(items) => items.into_iter().map(listed).collect::<Result<_, _>>().map(Self),
            Value::Loose(text) if text.is_empty() => Ok(Self(Vec::new())),
            Value::Loose(text) => {
                let item = |text: &str| (text.trim().to_owned(), placed.place.clone());
                Ok(Self(text.split(',').map(item).collect()))
            }
            other => Err(must_be("a list of strings", &other, "write [\"…\", \"…\"]")),
        }
    }

    fn toml(&self) -> String {
        let items: Vec<String> = self.0.iter().map(|(text, _)| quoted(text)).collect();
        format!("[{}]", items.join(", "))
    }
}

/// A list of texts, or the only one of them by itself.
pub(super) struct OneOrMore(pub Items);

impl Raw for OneOrMore {
    fn take(placed: Placed) -> Result<Self, Wrong> {
        match placed.value {
            Value::Text(text) => Ok(Self(Items(vec![(text, placed.place)]))),
            _ => Items::take(placed).map(Self),
        }
    }

    fn toml(&self) -> String {
        self.0.toml()
    }
}

/// A certificate and its key, or several such pairs, each a table of two texts.
pub(super) struct Pairs(pub Vec<(String, String)>);

impl Raw for Pairs {
    fn take(placed: Placed) -> Result<Self, Wrong> {
        match placed.value {
            Value::Table(table) => pair(table).map(|pair| Self(vec![pair])),
            Value::List(items) => {
                let table = |item: Placed| match item.value {
                    Value::Table(table) => pair(table),
                    other => Err(must_be("a table", &other, PAIRS)),
                };
                items.into_iter().map(table).collect::<Result<_, _>>().map(Self)
            }
            Value::Loose(text) if text.is_empty() => Ok(Self(Vec::new())),
            other => Err(must_be("a table", &other, PAIRS)),
        }
    }

    fn toml(&self) -> String {
        let pair = |(cert, key): &(String, String)| {
            format!("{{ cert = {}, key = {} }}", quoted(cert), quoted(key))
        };
        match self.0.as_slice() {
            [only] => pair(only),
            pairs => format!("[{}]", pairs.iter().map(pair).collect::<Vec<_>>().join(", ")),
        }
    }
}

const PAIRS: &str = "write { cert = \"…\", key = \"…\" }, or several of these in [ ]";

fn pair(mut table: Table) -> Result<(String, String), Wrong> {
    let mut text = |name: &str| {
        let placed = table.remove(name);
        let placed = placed.ok_or_else(|| Wrong::new(format!("has no {name}")).advise(PAIRS))?;
        String::take(placed)
    };
    let pair = (text("cert")?, text("key")?);
    match table.into_keys().next() {
        Some(name) => Err(Wrong::new(format!("{name} is an unknown key")).advise(PAIRS)),
        None => Ok(pair),
    }
}

/// A TOML string.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            // Writing to a String does not fail.
            c if c.is_control() => drop(write!(quoted, "\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// `30s 15m 12h 30d`. None at all is refused: nothing that lasts no time makes sense.
pub(super) fn duration(text: String) -> Result<Duration, Wrong> {
    const UNITS: [(char, u64); 4] = [('s', 1), ('m', 60), ('h', 3600), ('d', 86_400)];
    let refused =
        || Wrong::new(format!("{text:?} is not a duration")).advise("write 30s, 15m, 12h or 30d");
    let unit = |(unit, seconds)| Some((digits(text.strip_suffix(unit)?)?, seconds));
    let (count, seconds) = UNITS.into_iter().find_map(unit).ok_or_else(refused)?;
    match count.checked_mul(seconds) {
        Some(0) => Err(Wrong::new("must not be zero").advise("write 30s, 15m, 12h or 30d")),
        Some(total) => Ok(Duration::from_secs(total)),
        None => Err(refused()),
    }
}

/// A duration as the configuration writes it, for whoever is given one elsewhere.
pub fn duration_of(text: &str) -> Result<Duration, String> {
    duration(text.to_owned()).map_err(Wrong::sentence)
}

/// `10/1m`: so many times in so long.
pub(super) fn rate(text: String) -> Result<Rate, Wrong> {
    let refused = || Wrong::new(format!("{text:?} is not a rate")).advise("write 10/1m");
    let (times, per) = text.split_once('/').ok_or_else(refused)?;
    let times = digits(times).and_then(|times| u32::try_from(times).ok());
    let times = times.filter(|times| *times > 0).ok_or_else(refused)?;
    Ok(Rate { times, per: duration(per.to_owned()).map_err(|_| refused())? })
}

const SIZES: &str = "write 64KiB, 1MiB or plain bytes";

/// `64KiB`, `1MiB`, or plain bytes, within these bounds.
pub(super) fn size(bounds: RangeInclusive<usize>) -> impl FnOnce(Amount) -> Result<usize, Wrong> {
    const UNITS: [(&str, u64); 4] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("", 1)];
    move |Amount(text)| {
        let unit = |(unit, bytes)| Some((digits(text.strip_suffix(unit)?)?, bytes));
        let (count, bytes) = UNITS
            .into_iter()
            .find_map(unit)
            .ok_or_else(|| Wrong::new(format!("{text:?} is not a size")).advise(SIZES))?;
        let total = count.checked_mul(bytes).and_then(|total| usize::try_from(total).ok());
        total.filter(|total| bounds.contains(total)).ok_or_else(|| {
            let (least, most) = (bounds.start(), bounds.end());
            Wrong::new(format!("{text:?} is not from {least} to {most} bytes"))
        })
    }
}

/// Digits and nothing else: no sign, no blank.
fn digits(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// A whole number within these bounds.
pub(super) fn within<N>(bounds: RangeInclusive<N>) -> impl FnOnce(i64) -> Result<N, Wrong>
where
    N: TryFrom<i64> + PartialOrd + Display,
{
    move |number| {
        N::try_from(number).ok().filter(|n| bounds.contains(n)).ok_or_else(|| {
            let (least, most) = (bounds.start(), bounds.end());
            Wrong::new(format!("{number} is out of bounds"))
                .advise(format!("write {least} to {most}"))
        })
    }
}

/// A part, from none to all.
pub(super) fn part(Part(text): Part) -> Result<f64, Wrong> {
    text.parse().ok().filter(|part| (0.0..=1.0).contains(part)).ok_or_else(|| {
        Wrong::new(format!("{text:?} is not a part of all")).advise("write 0.0 to 1.0")
    })
}

/// True or false.
#[expect(clippy::unnecessary_wraps, reason = "every kind has the same form")]
pub(super) fn flag(flag: bool) -> Result<bool, Wrong> {
    Ok(flag)
}

/// A file or folder; relative ones are taken from the working directory.
pub(super) fn path(text: String) -> Result<PathBuf, Wrong> {
    if text.is_empty() || text.contains('\0') {
        return Err(Wrong::new(format!("{text:?} is not a path")));
    }
    Ok(text.into())
}

/// One of these words.
pub(super) fn one_of<T: Copy>(
    words: &'static [(&'static str, T)],
) -> impl FnOnce(String) -> Result<T, Wrong> {
    move |text| {
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning);
        found.ok_or_else(|| {
            let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            Wrong::new(format!("{text:?} is unknown"))
                .advise(format!("write one of {}", words.join(", ")))
        })
    }
}

/// A text that may be empty, which turns something off.
pub(super) fn optional<T>(
    parse: impl FnOnce(String) -> Result<T, Wrong>,
) -> impl FnOnce(String) -> Result<Option<T>, Wrong> {
    move |text| if text.is_empty() { Ok(None) } else { parse(text).map(Some) }
}
