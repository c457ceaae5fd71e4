//! The pages `wounds` and `asvs` of the documentation, held against the tests that they name.

use super::complain;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The sections of the page of wounds: whoever takes one off has to take it off here.
const SECTIONS: [&str; 14] = [
    "Framing (HTTP/1)",
    "HTTP/2",
    "Paths against open rules",
    "Host",
    "Identity headers",
    "Forward-auth",
    "The client's address",
    "Passwords",
    "One-time codes",
    "Sessions",
    "Return addresses",
    "Browser",
    "Reset and administration",
    "Logs, load, operation",
];

/// The chapters of ASVS 5.0, by the names that the page gives them, and how many requirements each of
/// their sections has at levels 1 and 2. What level 3 asks for comes last in a section.
const CHAPTERS: [(&str, &[u32]); 17] = [
    ("V1 Encoding and sanitization", &[2, 9, 11, 3, 2]),
    ("V2 Validation and business logic", &[3, 3, 4, 1]),
    ("V3 Web frontend", &[0, 2, 4, 6, 5, 0, 2]),
    ("V4 APIs and web services", &[3, 1, 2, 4]),
    ("V5 Files", &[1, 3, 2, 3]),
    ("V6 Authentication", &[3, 12, 4, 4, 5, 3, 0, 4]),
    ("V7 Sessions", &[3, 4, 2, 5, 2, 2]),
    ("V8 Authorization", &[2, 3, 1, 1]),
    ("V9 Self-contained tokens", &[3, 4]),
    ("V10 OAuth and OpenID Connect", &[2, 2, 4, 11, 5, 2, 3]),
    ("V11 Cryptography", &[2, 3, 3, 4, 1, 1]),
    ("V12 Secure communication", &[3, 2, 4]),
    ("V13 Configuration", &[1, 5, 2, 5]),
    ("V14 Data protection", &[2, 4, 3]),
    ("V15 Secure coding and architecture", &[3, 3, 7]),
    ("V16 Logging and errors", &[1, 5, 4, 3, 3]),
    ("V17 WebRTC", &[1, 4, 2]),
];

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// All Rust files below a folder.
fn files(folder: &str) -> Vec<PathBuf> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ext| ext == "rs") {
                found.push(path);
            }
        }
    }
    found
}

/// Where a file is in the tree of modules: `a/b.rs` and `a/b/mod.rs` are `a::b`.
fn module(path: &Path, root: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(root);
    let inside = path.strip_prefix(root).unwrap().with_extension("");
    let names: Vec<&str> = inside.iter().map(|name| name.to_str().unwrap()).collect();
    names.join("::").trim_end_matches("::mod").to_owned()
}

/// The names of the tests in a text; those of a `mod tests` at its end with that before them.
fn tests_in(text: &str) -> Vec<String> {
    let (mut found, mut is_test, mut inside) = (Vec::new(), false, "");
    for line in text.lines() {
        if line.starts_with(char::is_alphabetic) && line.ends_with("mod tests {") {
            inside = "tests::";
        }
        is_test |= line.trim_start().starts_with("#[test]");
        is_test |= line.trim_start().starts_with("#[tokio::test");
        if let Some((_, rest)) = line.split_once("fn ").filter(|_| is_test) {
            let name: String =
                rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            found.push(format!("{inside}{name}"));
            is_test = false;
        }
    }
    found
}

/// Every test there is, by the name that the pages use.
fn tests() -> BTreeSet<String> {
    let roots = [
        ("src", "src", "vestibule::"),
        ("tests/it", "tests/it", ""),
        ("tests/architecture", "tests", ""),
    ];
    let mut found: BTreeSet<String> = tests_in(&read("tests/architecture.rs"))
        .iter()
        .map(|name| format!("architecture::{name}"))
        .collect();
    for (folder, root, crate_name) in roots {
        for path in files(folder) {
            let names = tests_in(&fs::read_to_string(&path).unwrap());
            let module = module(&path, root);
            found.extend(names.iter().map(|name| format!("{crate_name}{module}::{name}")));
        }
    }
    found
}

/// A line of a table: its section, its cells, and the tests in the last of them.
struct Row {
    section: String,
    cells: Vec<String>,
    tests: Vec<String>,
}

fn rows(page: &str) -> Vec<Row> {
    let (mut section, mut found) = (String::new(), Vec::new());
    for line in page.lines() {
        if let Some(name) = line.strip_prefix("## ") {
            name.clone_into(&mut section);
        }
        let Some(cells) = line.strip_prefix("| ").and_then(|line| line.strip_suffix(" |")) else {
            continue;
        };
        let cells: Vec<String> = cells.split(" | ").map(str::to_owned).collect();
        if cells.last().is_some_and(|last| last == "tests") {
            continue;
        }
        let last = cells.get(3).map_or("", String::as_str);
        let tests = last.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        found.push(Row { section: section.clone(), cells, tests });
    }
    found
}

/// Complains of rows without a test, but those that say they have none, and of tests that are not.
fn complaints_about(page: &str, rows: &[Row]) -> Vec<String> {
    let tests = tests();
    let mut complaints = Vec::new();
    for row in rows {
        let what = row.cells.first().map_or("", String::as_str);
        if row.cells.len() != 4 {
            complaints
                .push(format!("{page}: {what:?} has {} cells: a row has four", row.cells.len()));
        }
        let says_so = row.cells.get(2).is_some_and(|answer| answer.starts_with("Not "));
        if row.tests.is_empty() && !says_so {
            let advice = "name the test that would notice, or begin the answer with \"Not \"";
            complaints.push(format!("{page}: {what:?}: {advice}"));
        }
        for name in row.tests.iter().filter(|name| !tests.contains(*name)) {
            complaints.push(format!(
                "{page}: {what:?} names {name:?}, which is no test: name one that is"
            ));
        }
    }
    complaints
}

/// The numbers of advisories in a text.
fn advisories(text: &str) -> BTreeSet<String> {
    let begins = |prefix: &'static str| text.match_indices(prefix).map(move |(at, _)| &text[at..]);
    let number = |rest: &str| {
        let end = |c: char| !(c.is_ascii_alphanumeric() || c == '-');
        rest.split(end).next().unwrap().to_owned()
    };
    begins("CVE-").chain(begins("RUSTSEC-")).map(number).collect()
}

#[test]
fn every_wound_has_its_test() {
    let page = read("src/wounds.md");
    let rows = rows(&page);
    let mut complaints = complaints_about("src/wounds.md", &rows);
    for section in SECTIONS {
        if !rows.iter().any(|row| row.section == section) {
            complaints.push(format!("src/wounds.md: nothing is under {section:?}: write its rows"));
        }
    }
    let named: BTreeSet<&String> = rows.iter().flat_map(|row| &row.tests).collect();
    for name in tests().iter().filter(|name| name.starts_with("wounds::")) {
        if !named.contains(name) {
            complaints
                .push(format!("src/wounds.md: {name} is not named: say which wound it is about"));
        }
    }
    let tried: String =
        files("tests/it/wounds").iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    for number in advisories(&page).symmetric_difference(&advisories(&tried)) {
        complaints.push(format!(
            "{number} is in one of src/wounds.md and tests/it/wounds: name it in both"
        ));
    }
    complain(&complaints);
}

#[test]
fn every_requirement_that_is_met_has_its_test() {
    let rows = rows(&read("src/asvs.md"));
    let mut complaints = complaints_about("src/asvs.md", &rows);
    let mut numbers: Vec<Vec<u32>> = Vec::new();
    for row in &rows {
        let number: Vec<u32> =
            row.cells[0].split('.').filter_map(|part| part.parse().ok()).collect();
        let chapter = row.section.trim_start_matches('V').split(' ').next().unwrap();
        if number.len() != 3 || number[0].to_string() != chapter {
            complaints.push(format!(
                "src/asvs.md: {:?} is no requirement of {}",
                row.cells[0], row.section
            ));
        }
        numbers.push(number);
    }
    if !numbers.is_sorted_by(|one, next| one < next) {
        complaints.push("src/asvs.md: requirements come in their order, once each".into());
    }
    complain(&complaints);
}

/// What the page leaves out with a reason, by number: chapters, sections and requirements.
fn left_out(page: &str) -> Vec<String> {
    let items = page.lines().filter_map(|line| line.strip_prefix("* ")?.split_once(": "));
    items
        .flat_map(|(numbers, _)| numbers.split(", "))
        .map(|number| number.trim_start_matches('V').to_owned())
        .collect()
}

/// The numbers of all requirements at levels 1 and 2.
fn published() -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for (chapter, (_, sections)) in (1..).zip(CHAPTERS) {
        for (section, many) in (1..).zip(sections) {
            all.extend((1..=*many).map(|number| format!("{chapter}.{section}.{number}")));
        }
    }
    all
}

#[test]
fn no_requirement_is_passed_over() {
    let page = read("src/asvs.md");
    let (rows, left_out, mut awaited) = (rows(&page), left_out(&page), published());
    let mut complaints = Vec::new();
    let mut complain_of = |what: &str, advice: &str| {
        complaints.push(format!("src/asvs.md: {what}: {advice}"));
    };
    for (chapter, (title, _)) in (1..).zip(CHAPTERS) {
        let is_section = rows.iter().any(|row| row.section == title);
        if is_section == left_out.contains(&format!("{chapter}")) {
            complain_of(title, "write its section, or say under \"Left out\" why there is none");
        }
    }
    for name in &left_out {
        let (before, below) = (awaited.len(), format!("{name}."));
        awaited.retain(|number| number != name && !number.starts_with(&below));
        if awaited.len() == before {
            complain_of(name, "it is left out, and is nothing in levels 1 and 2");
        }
    }
    for row in &rows {
        if !CHAPTERS.iter().any(|(title, _)| row.section == *title) {
            complain_of(&row.section, "it is no chapter");
        }
        if !awaited.remove(&row.cells[0]) {
            complain_of(&row.cells[0], "it is not in levels 1 and 2, or left out as well");
        }
    }
    for number in &awaited {
        complain_of(number, "say where it is met, or under \"Left out\" why it does not apply");
    }
    complain(&complaints);
}

#[test]
fn nothing_is_unsafe_and_no_command_is_run_but_our_own() {
    let forbids = read("Cargo.toml").lines().any(|line| line == "unsafe_code = \"forbid\"");
    assert!(forbids, "Cargo.toml: put unsafe_code = \"forbid\" back");
    let runs_one = |path: &Path| {
        let text = fs::read_to_string(path).unwrap();
        text.contains("process::Command") || text.contains("Command::new")
    };
    let modules = files("src").into_iter().filter(|path| runs_one(path));
    let modules: Vec<String> = modules.map(|path| module(&path, "src")).collect();
    let runs: Vec<&String> = modules.iter().filter(|name| !name.contains("::tests::")).collect();
    assert_eq!(runs, ["app::handover"], "nothing is started but our own binary, at a hand-over");
}

#[test]
fn every_run_looks_at_the_dependencies() {
    let looks =
        read("tests/run").lines().any(|line| line == "check dependencies tests/dependencies");
    assert!(looks, "tests/run: have it call tests/dependencies, which looks advisories up");
    let strict =
        ["unmaintained = \"all\"", "multiple-versions = \"deny\"", "unknown-registry = \"deny\""];
    let rules = read(".cargo/deny.toml");
    for rule in strict {
        assert!(rules.contains(rule), ".cargo/deny.toml: put {rule:?} back");
    }
}
