//! The audit trail: events on a chain.
//!
//! ```text
//!   anchor ◄── entry 41 ◄── entry 42 ◄── entry 43        tip: next 44, hash of 43
//!   (hash of 40, which was too old)
//! ```
//!
//! An entry is a line of JSON that ends with the hash of the line before it (`prev`); its own hash
//! is that of its line. So nobody can change, remove or slip in an entry without changing all
//! after it, and the last hash, which the [`Tip`] keeps. When the oldest entries are forgotten,
//! the tip keeps the hash that the first one left follows: the chain is shorter and as good.
//!
//! Where entries are handed out, each line has its own hash as well, as its last field: the line
//! without it is what was hashed.

use crate::crypto::ChainHash;
use crate::types::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One entry. Names are as they were at that moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number, one more than that of the entry before it.
    pub seq: u64,
    /// When it happened, RFC 3339 in UTC.
    pub at: String,
    /// What happened.
    pub event: String,
    /// Who did it: a person, an administrator, the command line, the gateway.
    pub by: String,
    /// The administrator's username.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub administrator: Option<String>,
    /// The username of the person it is about.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub user: Option<String>,
    /// Their record, which stays when the name changes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub user_id: Option<String>,
    /// The client's address.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<String>,
    /// What else there is to say.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub detail: Option<String>,
    /// The request, as the log of requests names it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub request: Option<String>,
    /// The hash of the entry before it.
    pub prev: ChainHash,
}

/// An entry as it is handed out: with its own hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The entry.
    #[serde(flatten)]
    pub entry: Entry,
    /// Of its line.
    pub hash: ChainHash,
}

/// Where the chain begins and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tip {
    /// The number of the first entry that is left.
    pub first: u64,
    /// What that one follows.
    pub anchor: ChainHash,
    /// The number of the next entry.
    pub next: u64,
    /// What that one follows: the hash of the last.
    pub hash: ChainHash,
}

impl Default for Tip {
    fn default() -> Self {
        Self { first: 1, anchor: ChainHash::START, next: 1, hash: ChainHash::START }
    }
}

impl Tip {
    /// The tip once this line stands after it.
    #[must_use]
    pub fn after(self, line: &[u8]) -> Self {
        Self { next: self.next.saturating_add(1), hash: ChainHash::of(line), ..self }
    }

    /// The tip once its first entry, which is this line, is forgotten.
    #[must_use]
    pub fn without(self, line: &[u8]) -> Self {
        Self { first: self.first.saturating_add(1), anchor: ChainHash::of(line), ..self }
    }

    /// How many entries there are.
    pub const fn len(self) -> u64 {
        self.next.saturating_sub(self.first)
    }

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// Where a chain is broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Broken {
    /// The number of the entry at which it shows.
    pub seq: u64,
    /// What is wrong there.
    pub why: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "entry {}: {}", self.seq, self.why)
    }
}

impl Broken {
    /// At that entry, for that reason.
    pub fn at(seq: u64, why: impl Into<String>) -> Self {
        Self { seq, why: why.into() }
    }
}

/// Where somebody begins to read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// At the newest, and back.
    #[default]
    Newest,
    /// At the one before this, and back.
    Before(u64),
    /// At the one after this, and on.
    After(u64),
}

/// What somebody wants to read.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Filter {
    /// About this person, or done by them, by username.
    pub user: Option<String>,
    /// Of this kind.
    pub event: Option<String>,
    /// From this address, or from addresses that begin so.
    pub from: Option<String>,
    /// Not older than this.
    pub since: Option<Timestamp>,
    /// Older than this.
    pub until: Option<Timestamp>,
}

impl Filter {
    /// Whether an entry is wanted.
    pub fn takes(&self, entry: &Entry) -> bool {
        let is = |wanted: &Option<String>, has: &Option<String>| {
            wanted.as_ref().is_none_or(|wanted| has.as_deref() == Some(wanted.as_str()))
        };
        let begins = |wanted: &Option<String>, has: &Option<String>| {
            wanted
                .as_ref()
                .is_none_or(|wanted| has.as_ref().is_some_and(|has| has.starts_with(wanted)))
        };
        // Moments in this form compare as texts do.
        (is(&self.user, &entry.user) || is(&self.user, &entry.administrator))
            && self.event.as_ref().is_none_or(|event| *event == entry.event)
            && begins(&self.from, &entry.from)
            && self.since.is_none_or(|since| entry.at >= since.rfc3339())
            && self.until.is_none_or(|until| entry.at < until.rfc3339())
    }

    /// Whether going back from this entry is in vain. A day is left for clocks that were set.
    pub fn is_past(&self, entry: &Entry) -> bool {
        const DAY: u64 = 86_400;
        let earliest = |since: Timestamp| since.as_secs().saturating_sub(DAY);
        self.since.is_some_and(|since| entry.at < Timestamp::from_secs(earliest(since)).rfc3339())
    }
}

/// Checks the next line of an export: its own hash, and that it follows the lines before it. What
/// the first line follows is taken on trust.
pub fn check_export(line: &str, before: Option<Tip>) -> Result<Tip, &'static str> {
    let (hashed, hash) = line.rsplit_once(",\"hash\":\"").ok_or("it has no hash")?;
    let hash = hash.strip_suffix("\"}").and_then(ChainHash::parse).ok_or("its hash is none")?;
    let hashed = format!("{hashed}}}");
    if ChainHash::of(hashed.as_bytes()) != hash {
        return Err("its hash is that of another text: it was changed");
    }
    let prev = hashed.rsplit_once(",\"prev\":\"").and_then(|(_, prev)| prev.strip_suffix("\"}"));
    let prev = prev.and_then(ChainHash::parse).ok_or("it does not say what it follows")?;
    let seq = hashed.strip_prefix("{\"seq\":").and_then(|rest| rest.split(',').next());
    let seq: u64 = seq.and_then(|seq| seq.parse().ok()).ok_or("it has no number")?;
    let before = before.unwrap_or(Tip { first: seq, anchor: prev, next: seq, hash: prev });
    if prev != before.hash || seq != before.next {
        return Err("it does not follow the line before it");
    }
    Ok(before.after(hashed.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(tip: Tip) -> (Entry, String) {
        let entry = Entry {
            seq: tip.next,
            at: Timestamp::from_secs(tip.next).rfc3339(),
            event: String::from("signed_in"),
            by: String::from("person"),
            administrator: None,
            user: Some(String::from("ann \",\"prev\":\"")),
            user_id: None,
            from: None,
            detail: Some(String::from("\",\"hash\":\"")),
            request: None,
            prev: tip.hash,
        };
        let text = serde_json::to_string(&entry).unwrap();
        (entry, text)
    }

    fn exported(entries: u64) -> Vec<String> {
        let mut tip = Tip { first: 7, next: 7, ..Tip::default() };
        let mut lines = Vec::new();
        for _ in 0..entries {
            let (entry, text) = entry(tip);
            tip = tip.after(text.as_bytes());
            lines.push(serde_json::to_string(&Line { entry, hash: tip.hash }).unwrap());
        }
        lines
    }

    fn check(lines: &[String]) -> Result<Option<Tip>, &'static str> {
        lines.iter().try_fold(None, |tip, line| check_export(line, tip).map(Some))
    }

    #[test]
    fn exported_lines_prove_each_other() {
        let lines = exported(4);
        let tip = check(&lines).unwrap().unwrap();
        assert_eq!((tip.first, tip.next, tip.len()), (7, 11, 4));
        assert_eq!(check(&lines[2..]).unwrap().unwrap().first, 9);
        for at in 0..lines.len() {
            let mut changed = lines.clone();
            changed[at] = changed[at].replace("signed_in", "signed_on");
            assert!(check(&changed).is_err());
        }
        assert!(check(&[lines[0].clone(), lines[2].clone()]).is_err());
        assert!(check(&[lines[1].clone(), lines[0].clone()]).is_err());
        for odd in ["", "{}", "{\"hash\":\"\"}", &lines[0][1..]] {
            assert!(check_export(odd, None).is_err(), "{odd}");
        }
    }
}
