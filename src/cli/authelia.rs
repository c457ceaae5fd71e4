//! Authelia's user file: a mapping from names to what is known of each.

use crate::service::Newcomer;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

/// Tens of thousands of people.
const LONGEST: u64 = 8 << 20;

#[derive(Deserialize)]
struct UserFile {
    users: BTreeMap<String, Entry>,
}

/// What of a person is taken over; the file may hold more.
#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    disabled: bool,
    displayname: Option<String>,
    password: Option<String>,
    email: Option<String>,
    groups: Option<Vec<String>>,
}

/// Reads the people in a user file. What goes wrong is said without a word of what is in the file.
pub(super) fn read(path: &Path) -> Result<Vec<Newcomer>, String> {
    let fault = |why: &str| format!("the user file {}: {why}", path.display());
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(|error| fault(&error.to_string()))?;
    let read = file.take(LONGEST + 1).read_to_string(&mut text);
    read.map_err(|error| fault(&error.to_string()))?;
    if text.len() as u64 > LONGEST {
        return Err(fault("it is longer than 8 MiB; split it"));
    }
    parse(&text).map_err(|why| fault(&why))
}

pub(super) fn parse(text: &str) -> Result<Vec<Newcomer>, String> {
    let file: UserFile = serde_saphyr::from_str(text).map_err(|error| {
        let line = error.location().map(|place| format!("line {}: ", place.line()));
        let line = line.unwrap_or_default();
        format!(
            "{line}it is not as Authelia writes it: a mapping `users` from each name to its \
             `password`, `displayname`, `email` and `groups`, no name twice"
        )
    })?;
    Ok(file.users.into_iter().map(newcomer).collect())
}

fn newcomer((name, entry): (String, Entry)) -> Newcomer {
    Newcomer {
        name,
        email: entry.email,
        display_name: entry.displayname,
        groups: entry.groups.unwrap_or_default(),
        disabled: entry.disabled,
        password_hash: entry.password,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_read_as_they_stand_and_what_is_not_known_is_passed_over() {
        let people = parse(
            "---\n# yaml-language-server: …\nusers:\n  ann:\n    disabled: true\n    displayname: 'Ann O''Hara'\n    \
             password: \"$6$a$b\"\n    email: ann@example.com\n    groups: ['admins', dev]\n    \
             address: {country: AU}\n    extra: {level: 5}\n  42:\n    displayname: \"\"\n    \
             password: x\n    email:\n    groups: []\n  bob: {}\n...\n",
        )
        .unwrap();
        let [number, ann, bob] = people.as_slice() else { panic!("{}", people.len()) };
        assert_eq!((ann.name.as_str(), ann.disabled), ("ann", true));
        assert_eq!(ann.display_name.as_deref(), Some("Ann O'Hara"));
        assert_eq!(ann.password_hash.as_deref(), Some("$6$a$b"));
        assert_eq!(ann.email.as_deref(), Some("ann@example.com"));
        assert_eq!(ann.groups, ["admins", "dev"]);
        assert_eq!((number.name.as_str(), &number.email), ("42", &None));
        assert!(bob.password_hash.is_none() && bob.groups.is_empty() && !bob.disabled);
    }

    #[test]
    fn a_file_that_is_none_is_refused_by_its_line_and_without_its_words() {
        for (text, line) in [
            ("", ""),
            ("people: {}\n", ""),
            ("users:\n  ann:\n    password: [$6$marker]\n", "line 3: "),
            ("users:\n  ann: {password: $6$marker}\n  ann: {password: x}\n", "line 3: "),
            ("users:\n  ann:\n    disabled: $6$marker\n", "line 3: "),
            ("users:\n  ann:\n\t  password: $6$marker\n", "line "),
            ("users: {ann: {password: '$6$marker}}", "line "),
        ] {
            let why = parse(text).err().unwrap_or_else(|| panic!("{text}"));
            assert!(why.starts_with(line) && why.contains("no name twice"), "{text}: {why}");
            assert!(!why.contains("marker"), "{text}: {why}");
        }
    }

    #[test]
    fn aliases_that_multiply_are_refused() {
        let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..9 {
            let below = vec![format!("*a{}", level - 1); 10].join(", ");
            text.push_str(&format!("a{level}: &a{level} [{below}]\n"));
        }
        assert!(parse(&(text + "users: {ann: {groups: *a8}}\n")).is_err());
        // A long word that is repeated is as many bytes.
        let word = "x".repeat(1 << 20);
        let all = vec!["*x"; 90].join(", ");
        let text = format!("users:\n  x: {{displayname: &x {word}}}\n  ann: {{groups: [{all}]}}\n");
        assert!(parse(&text).is_err());
    }

    #[test]
    fn what_is_nested_beyond_all_measure_is_refused() {
        for (open, close) in [("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", "")] {
            for depth in [100, 10_000, 500_000] {
                let (open, close) = (open.repeat(depth), close.repeat(depth));
                assert!(parse(&format!("users: {{}}\nmore: {open}{close}\n")).is_err(), "{depth}");
                assert!(parse(&format!("users: {open}{close}\n")).is_err(), "{depth}");
            }
        }
    }
}
