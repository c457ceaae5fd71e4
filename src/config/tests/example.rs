use super::{meaning, parse};

const EXAMPLE: &str = include_str!("../../../config.toml.example");
const README: &str = include_str!("../../../README.md");

/// The example with every `# key = value` and `# [table]` taken at its word.
fn uncommented() -> String {
    let is_key = |text: &str| {
        text.split_once(" = ").is_some_and(|(key, _)| {
            key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        })
    };
    let line = |line: &'static str| {
        let rest = line.strip_prefix("# ").unwrap_or(line);
        if is_key(rest) || rest.starts_with('[') { rest } else { line }
    };
    EXAMPLE.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_example_is_valid_as_it_is_and_says_nothing() {
    let config = parse(EXAMPLE).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(meaning(&config), meaning(&parse("").unwrap()));
}

#[test]
fn the_example_documents_every_key_and_its_default() {
    let mut written = parse(&uncommented()).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(written.proxy.routes.len(), 1);
    for entry in written.entries.iter().filter(|entry| entry.toml.is_some()) {
        let is_written = matches!(entry.place, crate::config::Place::Line(_));
        assert!(is_written, "{}.{} is not in the example", entry.table, entry.name);
    }
    for entry in &written.entries {
        assert!(EXAMPLE.contains(entry.name), "{} is not in the example", entry.name);
    }
    written.proxy.routes.clear();
    written.site.origins.hosts.clear();
    // The one rule it shows says what holds without it.
    written.service.access = crate::domain::AccessRules::default();
    assert_eq!(meaning(&written), meaning(&parse("").unwrap()));
}

#[test]
fn what_is_said_of_guessing_and_lockouts_is_what_holds() {
    let service = parse("").unwrap().service;
    let (rates, failures) = (service.rates, service.failures);
    let rate = |rate: crate::domain::Rate| (rate.times, rate.per.as_secs());
    assert_eq!((rate(rates.per_address), rate(rates.per_account)), ((10, 60), (10, 900)));
    assert_eq!((failures.lockout_after, failures.lockout_for.as_secs()), (10, 1800));
    let said = README.replace('\n', " ");
    for sentence in [
        "ten sign-ins a minute from one address (an IPv6 network of 56 bits is one), ten in a \
         quarter of an hour at one account, and ten failures in a row, of passwords and codes \
         together, lock it for half an hour.",
        "A browser that somebody has signed in with before is counted by itself, so strangers \
         cannot lock its owner out.",
    ] {
        assert!(said.contains(sentence), "the README does not say: {sentence}");
    }
}
