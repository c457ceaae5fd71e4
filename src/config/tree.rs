//! What was said, key by key, each with its place: the file first, then what replaces it.

use super::Overrides;
use super::fault::{Fault, Place, Wrong};
use std::collections::BTreeMap;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Keys and what was said about them.
pub(super) type Table = BTreeMap<String, Placed>;

/// A value and where it was said.
#[derive(Debug)]
pub(super) struct Placed {
    pub place: Place,
    pub value: Value,
}

/// What a key can be given.
#[derive(Debug)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
    Fraction(String),
    Boolean(bool),
    List(Vec<Placed>),
    Table(Table),
    /// Of a type that no key has, by its name.
    Foreign(&'static str),
    /// From where there are no types, a variable or a default: the key decides what it is.
    Loose(String),
}

impl Value {
    /// Its type, as people call it.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) | Self::Loose(_) => "a string",
            Self::Integer(_) => "an integer",
            Self::Fraction(_) => "a fraction",
            Self::Boolean(_) => "true or false",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Foreign(name) => name,
        }
    }
}

/// Reads the file.
pub(super) fn parse(text: &str) -> Result<Table, Fault> {
    let table = DeTable::parse(text).map_err(|error| {
        let place = error.span().map_or(Place::File, |span| line(text, span.start));
        Wrong::new(format!("this is not TOML: {}", error.message())).at(place, "")
    })?;
    Ok(keys(text, table.get_ref()))
}

fn keys(text: &str, table: &DeTable<'_>) -> Table {
    let entry = |(key, value): (&Spanned<_>, &Spanned<_>)| {
        let key_name: &std::borrow::Cow<'_, str> = key.get_ref();
        let place = line(text, key.span().start);
        (key_name.clone().into_owned(), Placed { place, value: convert(text, value.get_ref()) })
    };
    table.iter().map(entry).collect()
}

fn convert(text: &str, value: &DeValue<'_>) -> Value {
    let item = |item: &Spanned<DeValue<'_>>| Placed {
        place: line(text, item.span().start),
        value: convert(text, item.get_ref()),
    };
    match value {
        DeValue::String(content) => Value::Text(content.clone().into_owned()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Value::Foreign("a number beyond all measure"), Value::Integer),
        DeValue::Boolean(flag) => Value::Boolean(*flag),
        DeValue::Array(items) => Value::List(items.iter().map(item).collect()),
        DeValue::Table(table) => Value::Table(keys(text, table)),
        DeValue::Float(number) => Value::Fraction(number.as_str().to_owned()),
        DeValue::Datetime(_) => Value::Foreign("a date"),
    }
}

fn line(text: &str, offset: usize) -> Place {
    Place::Line(text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1)
}

/// What every variable of ours begins with.
const PREFIX: &str = "VESTIBULE_";

/// Variables of ours that are not keys.
const NOT_KEYS: [&str; 2] = ["VESTIBULE_CONFIG", "VESTIBULE_HANDOVER"];

/// Kubernetes tells every container of a service called `vestibule` where it is.
fn is_of_kubernetes(name: &str) -> bool {
    !name.contains("__")
        && ["PORT", "SERVICE_HOST", "SERVICE_PORT"].iter().any(|p| name.starts_with(p))
}

/// The variable that sets a key.
pub(super) fn variable(table: &str, name: &str) -> String {
    let border = if table.is_empty() { "" } else { "__" };
    format!("{PREFIX}{table}{border}{name}").to_uppercase()
}

/// Variables that everybody who tells of traces heeds, and the keys that they set. A binary that
/// tells of none does not: they may be there for all programs of a machine.
const OF_ALL: &[(&str, &str)] = if cfg!(feature = "otlp") {
    &[("OTEL_EXPORTER_OTLP_ENDPOINT", "traces__endpoint"), ("OTEL_SERVICE_NAME", "traces__service")]
} else {
    &[]
};

/// The key that a variable sets, if it sets one.
fn key(variable: &str) -> Option<String> {
    let Some(name) = variable.strip_prefix(PREFIX) else {
        let of_all = OF_ALL.iter().find(|(of_all, _)| *of_all == variable);
        return of_all.map(|(_, key)| (*key).to_owned());
    };
    let is_key = !NOT_KEYS.contains(&variable) && !is_of_kubernetes(name);
    is_key.then(|| name.to_lowercase())
}

/// Lays the environment over the file. Names that are no keys are laid too: whoever reads the
/// tree finds them as it finds the file's.
pub(super) fn lay_environment<'e>(
    root: &mut Table,
    environment: impl Iterator<Item = (&'e str, &'e str)>,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    // Ours win over those that everybody heeds.
    let (of_all, own): (Vec<_>, Vec<_>) =
        environment.partition(|(variable, _)| !variable.starts_with(PREFIX));
    for (variable, text) in of_all.into_iter().chain(own) {
        let Some(name) = key(variable) else { continue };
        let place = Place::Variable(variable.to_owned());
        let path: Vec<&str> = name.split("__").collect();
        let placed = Placed { place: place.clone(), value: Value::Loose(text.to_owned()) };
        if let Err(wrong) = lay(root, &path, placed) {
            faults.push(wrong.at(place, path.join(".")));
        }
    }
    faults
}

/// Lays the arguments of the command over all else.
pub(super) fn lay_overrides(root: &mut Table, overrides: &Overrides) -> Vec<Fault> {
    let loose = |text: &String| Value::Loose(text.clone());
    let texts = |texts: &[String], flag| {
        let item = |text: &String| Placed { place: Place::Flag(flag), value: loose(text) };
        (!texts.is_empty()).then(|| Value::List(texts.iter().map(item).collect()))
    };
    let flags = [
        ("--data", &["data_dir"][..], overrides.data.as_ref().map(loose)),
        ("--listen", &["server", "listen"], texts(&overrides.listen, "--listen")),
        ("--public-url", &["server", "public_url"], overrides.public_url.as_ref().map(loose)),
        ("--upstream", &["route"], overrides.upstream.as_deref().map(only_route)),
    ];
    let mut faults = Vec::new();
    for (flag, path, value) in flags {
        let place = Place::Flag(flag);
        let Some(value) = value else { continue };
        if flag == "--upstream" {
            root.remove("route");
        }
        if let Err(wrong) = lay(root, path, Placed { place: place.clone(), value }) {
            faults.push(wrong.at(place, path.first().copied().unwrap_or_default()));
        }
    }
    faults
}

/// The one app that `--upstream` names, in place of all routes.
fn only_route(upstream: &str) -> Value {
    let place = Place::Flag("--upstream");
    let said = |text: &str| Placed { place: place.clone(), value: Value::Loose(text.to_owned()) };
    let route = [("host", "*"), ("path", "/"), ("upstream", upstream)]
        .map(|(key, text)| (key.to_owned(), said(text)));
    Value::List(vec![Placed { place: place.clone(), value: Value::Table(route.into()) }])
}

/// Puts a value in its place, over what was there; but never one value over a whole table.
fn lay(root: &mut Table, path: &[&str], placed: Placed) -> Result<(), Wrong> {
    let Some((name, rest)) = path.split_first() else { return Ok(()) };
    if !rest.is_empty() {
        let empty = || Placed { place: placed.place.clone(), value: Value::Table(Table::new()) };
        let inner = root.entry((*name).to_owned()).or_insert_with(empty);
        return match &mut inner.value {
            Value::Table(table) => lay(table, rest, placed),
            other => Err(Wrong::new(format!("{name} is {}, not a table", other.kind()))),
        };
    }
    let is_table = matches!(root.get(*name), Some(Placed { value: Value::Table(_), .. }));
    if is_table {
        return Err(Wrong::new(format!("{name} is a table"))
            .advise(format!("set its keys one by one, as {}", variable(name, "key"))));
    }
    root.insert((*name).to_owned(), placed);
    Ok(())
}
