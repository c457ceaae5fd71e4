use super::{meaning, parse};

const EXAMPLE: &str = include_str!("../../../config.toml.example");

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
