//! Takes keys one by one, remembers what it took, and at the end says what nobody asked for.
//!
//! Reading a key is what declares it. From these readings alone come the defaults, the list of
//! known keys for "did you mean", and the effective configuration; so they cannot drift apart.

use super::fault::{Fault, Place, Wrong};
use super::hint;
use super::kinds::{Items, OneOrMore, Raw, quoted};
use super::tree::{Placed, Table, Value};

/// A key that was read: the name, and what came of it.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub table: &'static str,
    /// Which of several tables of that name, from one; 0 where there can be only one.
    pub nth: usize,
    pub name: &'static str,
    /// As TOML; nothing where the key has no value.
    pub toml: Option<String>,
    pub place: Place,
}

/// What a secret is shown as, and what is therefore never taken for one.
pub(super) const MASK: &str = "********";

/// Everything that was said, and what has been made of it so far.
#[derive(Default)]
pub(super) struct Reader {
    root: Table,
    unread: Vec<(&'static str, Table)>,
    entries: Vec<Entry>,
    faults: Vec<Fault>,
}

impl Reader {
    pub(super) fn new(root: Table, faults: Vec<Fault>) -> Self {
        Self { root, faults, ..Self::default() }
    }

    /// Reads the keys before any table.
    pub(super) fn top<T>(&mut self, read: impl FnOnce(&mut Section<'_>) -> T) -> T {
        let root = std::mem::take(&mut self.root);
        let mut section = Section { reader: self, at: ("", 0), table: root, place: Place::File };
        let result = read(&mut section);
        self.root = section.table;
        result
    }

    /// Reads the keys of a table.
    pub(super) fn section<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Section<'_>) -> T,
    ) -> T {
        let (table, place) = match self.root.remove(name) {
            Some(Placed { value: Value::Table(table), place }) => (table, place),
            Some(Placed { value, place }) => {
                let wrong = Wrong::new(format!("must be a table, not {}", value.kind()))
                    .advise(format!("write [{name}] and its keys below"));
                self.faults.push(wrong.at(place.clone(), name));
                (Table::new(), place)
            }
            None => (Table::new(), Place::Default),
        };
        self.read((name, 0), table, place, read)
    }

    /// Reads each of several tables of one name.
    pub(super) fn each<T>(
        &mut self,
        name: &'static str,
        mut read: impl FnMut(&mut Section<'_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        self.rehearse(name, &mut read);
        let Some(Placed { value, place }) = self.root.remove(name) else { return Some(Vec::new()) };
        let Value::List(items) = value else {
            let wrong = Wrong::new("must be a list of tables")
                .advise(format!("write [[{name}]] in the file"));
            self.faults.push(wrong.at(place, name));
            return None;
        };
        let results: Vec<Option<T>> = (1..)
            .zip(items)
            .map(|(nth, item)| match item.value {
                Value::Table(table) => self.read((name, nth), table, item.place, &mut read),
                value => {
                    let wrong = Wrong::new(format!("must be a table, not {}", value.kind()));
                    self.faults.push(wrong.at(item.place, name));
                    None
                }
            })
            .collect();
        results.into_iter().collect()
    }

    /// Teaches the keys of a table of which there may be none, by reading an empty one.
    fn rehearse<T>(&mut self, name: &'static str, read: &mut impl FnMut(&mut Section<'_>) -> T) {
        let mut scratch = Self::default();
        scratch.read((name, 0), Table::new(), Place::File, read);
        let silent = |entry| Entry { toml: None, ..entry };
        self.entries.extend(scratch.entries.into_iter().map(silent));
    }

    fn read<T>(
        &mut self,
        at: (&'static str, usize),
        table: Table,
        place: Place,
        read: impl FnOnce(&mut Section<'_>) -> T,
    ) -> T {
        let mut section = Section { reader: self, at, table, place };
        let result = read(&mut section);
        let rest = section.table;
        self.unread.push((at.0, rest));
        result
    }

    /// What was read, and everything that is wrong, keys that nobody asked for included.
    pub(super) fn finish(mut self) -> (Vec<Entry>, Vec<Fault>) {
        self.unread.push(("", self.root));
        let known: Vec<_> = self.entries.iter().map(|entry| (entry.table, entry.name)).collect();
        for (table, rest) in self.unread {
            for (name, placed) in rest {
                hint::unknown(table, &name, placed, &known, &mut self.faults);
            }
        }
        (self.entries, self.faults)
    }
}

/// One table while its keys are read. Nothing that comes back as `None` goes without a fault, so
/// that whoever reads can read everything first and give up afterwards.
pub(super) struct Section<'r> {
    reader: &'r mut Reader,
    at: (&'static str, usize),
    table: Table,
    place: Place,
}

impl Section<'_> {
    /// Reads a key. The default is written as it would be in a variable, and judged alike; a key
    /// without one must be set.
    pub(super) fn read<'d, R: Raw, T>(
        &mut self,
        name: &'static str,
        default: impl Into<Option<&'d str>>,
        parse: impl FnOnce(R) -> Result<T, Wrong>,
    ) -> Option<T> {
        let raw = self.take::<R>(name, default.into())?;
        parse(raw).map_err(|wrong| self.blame(&[name], wrong)).ok()
    }

    /// Reads a list.
    pub(super) fn list<T>(
        &mut self,
        name: &'static str,
        default: &str,
        parse: impl Fn(&str) -> Result<T, Wrong>,
    ) -> Option<Vec<T>> {
        let items = self.take::<Items>(name, Some(default))?;
        self.items(name, items, parse)
    }

    /// Reads a list that must be set, or the only one of its texts by itself.
    pub(super) fn one_or_more<T>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, Wrong>,
    ) -> Option<Vec<T>> {
        let OneOrMore(items) = self.take(name, None)?;
        self.items(name, items, parse)
    }

    fn items<T>(
        &mut self,
        name: &'static str,
        Items(items): Items,
        parse: impl Fn(&str) -> Result<T, Wrong>,
    ) -> Option<Vec<T>> {
        let key = self.key(name);
        let faults = &mut self.reader.faults;
        let judge = |(text, place): (String, Place)| {
            parse(&text).map_err(|wrong| faults.push(wrong.at(place, key.clone()))).ok()
        };
        items.into_iter().map(judge).collect::<Vec<_>>().into_iter().collect()
    }

    /// Reads a secret, which is never shown. Inside: nothing where it is not set.
    pub(super) fn secret<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(String) -> Result<T, Wrong>,
    ) -> Option<Option<T>> {
        let Some(placed) = self.table.remove(name) else {
            self.record(name, None, Place::Default);
            return Some(None);
        };
        self.record(name, Some(quoted(MASK)), placed.place.clone());
        let unmasked = |text: String| match text.as_str() {
            MASK => Err(Wrong::new("this is the mask under which secrets are shown")
                .advise("put the secret itself in its place")),
            _ => parse(text),
        };
        let result = String::take(placed).and_then(unmasked);
        result.map_err(|wrong| self.blame(&[name], wrong)).ok().map(Some)
    }

    /// Declares a key that must not be set here.
    pub(super) fn absent(&mut self, name: &'static str, wrong: Wrong) {
        let said = self.table.remove(name);
        let place = said.as_ref().map_or(Place::Default, |placed| placed.place.clone());
        self.record(name, None, place);
        if said.is_some() {
            self.blame(&[name], wrong);
        }
    }

    /// Blames the first of these keys that somebody set for what is wrong between them.
    pub(super) fn blame(&mut self, names: &[&'static str], wrong: Wrong) {
        let is_set = |name: &&&str| self.place(name) != Place::Default;
        let name = names.iter().find(is_set).or(names.first()).copied().unwrap_or_default();
        let place = match self.place(name) {
            Place::Default => self.place.clone(),
            place => place,
        };
        let key = self.key(name);
        self.reader.faults.push(wrong.at(place, key));
    }

    /// Where a key that was read was set.
    pub(super) fn place(&self, name: &str) -> Place {
        let is_it = |entry: &&Entry| (entry.table, entry.nth) == self.at && entry.name == name;
        let entry = self.reader.entries.iter().rev().find(is_it);
        entry.map_or(Place::Default, |entry| entry.place.clone())
    }

    fn take<R: Raw>(&mut self, name: &'static str, default: Option<&str>) -> Option<R> {
        let loose =
            |text: &str| Placed { place: Place::Default, value: Value::Loose(text.to_owned()) };
        let Some(placed) = self.table.remove(name).or_else(|| default.map(loose)) else {
            self.record(name, None, Place::Default);
            self.blame(&[name], Wrong::new("must be set"));
            return None;
        };
        let place = placed.place.clone();
        let taken = R::take(placed);
        self.record(name, taken.as_ref().ok().map(R::toml), place);
        taken.map_err(|wrong| self.blame(&[name], wrong)).ok()
    }

    fn record(&mut self, name: &'static str, toml: Option<String>, place: Place) {
        let (table, nth) = self.at;
        self.reader.entries.push(Entry { table, nth, name, toml, place });
    }

    fn key(&self, name: &str) -> String {
        hint::dotted(self.at.0, name)
    }
}
