//! The map of the house, as a test.
//!
//! Reads the sources and checks that every module imports only from floors below, that foreign
//! crates stay behind their fences, and that files and functions keep to the size budget. What
//! fails says what to do. Run it with `--nocapture` to see the measurements as a table.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "architecture/pages.rs"]
mod pages;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// The floors, from the ground up. A module imports from floors below its own.
const FLOORS: [&[&str]; 11] = [
    &["types"],
    &["crypto"],
    &["domain"],
    &["store", "observe"],
    &["service"],
    &["http"],
    &["portal", "api", "forward"],
    &["proxy"],
    &["config"],
    &["app"],
    &["cli"],
];

/// What may be named where: a piece of code, and the places it may stand in.
const FENCES: [(&str, &[&str]); 33] = [
    ("pingora::", &["proxy/"]),
    ("maud::", &["http/html", "portal/"]),
    ("::sled::", &["store/"]),
    ("use sled", &["store/sled"]),
    // The servers of our own, and one client: a new password is judged where it is hashed, so the
    // service asks for it itself, from a file that knows nothing else.
    ("hyper::", &["app/", "service/breached/api.rs"]),
    (
        "tokio_rustls::",
        &[
            "service/breached/api.rs",
            "proxy/tls/",
            "app/acme/client.rs",
            "app/asking.rs",
            "app/exporting.rs",
        ],
    ),
    ("instant_acme::", &["app/acme/"]),
    ("rcgen::", &["proxy/tls/challenges.rs"]),
    ("x509_parser::", &["proxy/tls/"]),
    ("listenfd::", &["app/doors.rs"]),
    ("clap::", &["cli/"]),
    ("qrcode::", &["http/qr.rs"]),
    ("png::", &["http/qr.rs"]),
    ("schemars::", &["api/", "http/refusal.rs"]),
    ("toml::", &["config/"]),
    ("argon2::", &["crypto/"]),
    ("bcrypt::", &["crypto/"]),
    ("scrypt::", &["crypto/"]),
    ("pbkdf2::", &["crypto/"]),
    ("sha_crypt::", &["crypto/"]),
    ("serde_saphyr::", &["cli/authelia.rs"]),
    ("clap_complete::", &["cli/"]),
    ("clap_mangen::", &["cli/"]),
    ("sha1::", &["crypto/"]),
    ("zxcvbn::", &["crypto/strength.rs"]),
    ("chacha20poly1305::", &["crypto/"]),
    ("p256::", &["crypto/"]),
    ("Spent::durably(", &["store/", "domain/proof.rs"]),
    ("FullyAuthenticated::granted(", &["domain/"]),
    ("AdminCap::of_command_line(", &["app/"]),
    ("PendingSignIn::restore(", &["store/"]),
    // A session or a proof that is read from a text is one that was never earned. What
    // `http/json.rs` reads are requests, of types that `api` declares and that hold neither.
    ("serde_json::from_", &["store/", "app/", "http/json.rs"]),
    ("serde_json::Deserializer", &["http/json.rs"]),
];

/// No input, output or waiting here: decisions are pure.
const PURE: [&str; 3] = ["types/", "crypto/", "domain/"];
const IMPURE: [&str; 7] =
    ["tokio", "async fn", "std::fs", "std::net::Tcp", "std::net::Udp", "std::env", "std::thread"];

const FILE_QUESTIONED: usize = 500;
const FILE_REFUSED: usize = 800;
const FUNCTION_QUESTIONED: usize = 60;
const FUNCTION_REFUSED: usize = 100;

/// Functions above the questioned size that were looked at and kept, with the reason.
const KEPT: [(&str, &str); 0] = [];

struct Source {
    /// Below `src/`.
    path: String,
    /// Without the tests at its end.
    code: String,
}

impl Source {
    fn module(&self) -> &str {
        self.path.split(['/', '.']).next().unwrap()
    }

    fn lines(&self) -> usize {
        self.code.lines().count()
    }

    fn is_test(&self) -> bool {
        self.path.contains("/tests") || self.path.ends_with("tests.rs")
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ext| ext == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let code = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap().to_owned();
                let path = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                found.push(Source { path, code });
            }
        }
    }
    found.retain(|source| !source.is_test());
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|modules| modules.contains(&module))
}

/// Code without comments, which may name anything.
fn statements(code: &str) -> impl Iterator<Item = (usize, &str)> {
    code.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .map(|(n, l)| (n + 1, l))
}

/// The modules of ours a line names: `crate::store::…`, `crate::{store, …}`.
fn imported(line: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for rest in line.split("crate::").skip(1) {
        let list = rest.strip_prefix('{').map(|list| list.split('}').next().unwrap_or(list));
        for item in list.unwrap_or(rest).split(',') {
            let name: String =
                item.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            found.insert(name);
            if list.is_none() {
                break;
            }
        }
    }
    found
}

fn complain(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn every_module_imports_from_floors_below_alone() {
    let mut complaints = Vec::new();
    for source in sources().iter().filter(|source| !["lib", "main"].contains(&source.module())) {
        let Some(own) = floor(source.module()) else {
            complaints
                .push(format!("src/{} is on no floor: give its module one in FLOORS", source.path));
            continue;
        };
        for (number, line) in statements(&source.code) {
            for name in imported(line) {
                if name != source.module() && floor(&name).is_some_and(|other| other >= own) {
                    complaints.push(format!(
                        "src/{}:{number}: `{}` is on floor {own} and imports `{name}` from floor {}: \
                         move what is needed to a floor below both, or pass it in as an argument",
                        source.path,
                        source.module(),
                        floor(&name).unwrap()
                    ));
                }
            }
        }
    }
    complain(&complaints);
}

#[test]
fn foreign_crates_and_proofs_stay_behind_their_fences() {
    let mut complaints = Vec::new();
    for source in sources() {
        for (number, line) in statements(&source.code) {
            for (piece, places) in FENCES {
                let named = line.match_indices(piece).any(|(at, _)| {
                    let before = line[..at].chars().next_back();
                    !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
                        || piece.starts_with(':')
                });
                if named && !places.iter().any(|place| source.path.starts_with(place)) {
                    complaints.push(format!(
                        "src/{}:{number}: `{piece}` belongs into {places:?} alone: call what is there",
                        source.path
                    ));
                }
            }
        }
    }
    complain(&complaints);
}

#[test]
fn decisions_neither_read_nor_wait() {
    let mut complaints = Vec::new();
    for source in sources().iter().filter(|s| PURE.iter().any(|pure| s.path.starts_with(pure))) {
        for (number, line) in statements(&source.code) {
            if let Some(piece) = IMPURE.iter().find(|piece| line.contains(**piece)) {
                complaints.push(format!(
                    "src/{}:{number}: `{piece}` on a floor without input and output: let `service` or \
                     `app` do it and pass the result in",
                    source.path
                ));
            }
        }
    }
    complain(&complaints);
}

#[test]
fn the_doorways_for_fuzzing_are_closed_unless_somebody_asks_for_them() {
    let mut complaints = Vec::new();
    for source in sources() {
        let lines: Vec<&str> = source.code.lines().collect();
        for (at, line) in
            lines.iter().enumerate().filter(|(_, line)| line.ends_with("mod fuzzing;"))
        {
            if at == 0 || lines[at - 1] != r#"#[cfg(feature = "fuzzing")]"# {
                complaints.push(format!("src/{}: `{line}` is open to everybody", source.path));
            }
        }
        // The doors may only be walked through from outside.
        let is_doorway = source.path.ends_with("fuzzing.rs");
        let names_one = |(_, line): &(usize, &str)| line.contains("fuzzing::");
        if let Some((number, _)) = statements(&source.code).find(names_one).filter(|_| !is_doorway)
        {
            complaints
                .push(format!("src/{}:{number}: nothing of ours goes by a doorway", source.path));
        }
    }
    let manifest = include_str!("../Cargo.toml");
    if manifest.lines().any(|line| line.starts_with("default") || line == "fuzzing = true") {
        complaints.push("Cargo.toml: no feature is on by default".to_owned());
    }
    complain(&complaints);
}

#[test]
fn every_file_says_what_it_is_for() {
    let silent = sources().into_iter().filter(|source| !source.code.starts_with("//!"));
    complain(
        &silent
            .map(|s| format!("src/{}: begin it with `//!` and what it is for", s.path))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn files_and_functions_keep_to_their_size() {
    let sources = sources();
    let mut complaints = Vec::new();
    for source in sources.iter().filter(|source| source.lines() > FILE_QUESTIONED) {
        let lines = source.lines();
        let verdict = if lines > FILE_REFUSED { "refused" } else { "questioned" };
        complaints.push(format!(
            "src/{}: {lines} lines ({verdict}): split it by what it speaks of",
            source.path
        ));
    }
    let functions = functions(&sources);
    for (name, lines) in &functions {
        let kept = KEPT.iter().any(|(kept, _)| kept == name) && *lines <= FUNCTION_REFUSED;
        if *lines > FUNCTION_QUESTIONED && !kept {
            complaints
                .push(format!("src/{name}: {lines} lines: give its steps names of their own"));
        }
    }
    println!("{}", table(&sources, &functions));
    complain(&complaints);
}

/// Every function and its length. The sources are formatted, so a function ends at the first
/// closing brace as far in as it began.
fn functions(sources: &[Source]) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    for source in sources {
        let lines: Vec<&str> = source.code.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let text = line.trim_start();
            let Some(rest) = text.split("fn ").nth(1) else { continue };
            let words = text.split("fn ").next().unwrap();
            let is_head = words.split_whitespace().all(|word| {
                word.starts_with("pub")
                    || ["const", "async", "unsafe", "extern", "in"].contains(&word)
                    || word.ends_with(')')
            });
            if !is_head || text.ends_with(';') {
                continue;
            }
            let indent = &line[..line.len() - text.len()];
            // What a trait asks for has no body, also where it takes several lines to say.
            let end_of_head = lines[at..].iter().find(|end| end.starts_with(&format!("{indent})")));
            if text.ends_with('(') && end_of_head.is_some_and(|end| end.ends_with(';')) {
                continue;
            }
            let close = format!("{indent}}}");
            let length = lines[at..].iter().position(|end| *end == close).unwrap_or(0) + 1;
            let name: String =
                rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            found.push((format!("{}: {name}", source.path), length));
        }
    }
    found.sort_by_key(|(_, lines)| std::cmp::Reverse(*lines));
    found
}

fn median(mut numbers: Vec<usize>) -> usize {
    numbers.sort_unstable();
    numbers.get(numbers.len() / 2).copied().unwrap_or(0)
}

fn table(sources: &[Source], functions: &[(String, usize)]) -> String {
    let mut text = String::from("floor  module    files  lines  largest file\n");
    for (floor, modules) in FLOORS.iter().enumerate() {
        for module in *modules {
            let own: Vec<&Source> =
                sources.iter().filter(|source| source.module() == *module).collect();
            let total: usize = own.iter().map(|source| source.lines()).sum();
            let largest = own.iter().max_by_key(|source| source.lines()).unwrap();
            let (path, most) = (&largest.path, largest.lines());
            writeln!(text, "{floor:>5}  {module:<9} {:>5}  {total:>5}  {path} ({most})", own.len())
                .unwrap();
        }
    }
    let files = median(sources.iter().map(Source::lines).collect());
    let lengths = median(functions.iter().map(|(_, lines)| *lines).collect());
    let total: usize = sources.iter().map(Source::lines).sum();
    writeln!(text, "{} files, {total} lines, median file {files}", sources.len()).unwrap();
    writeln!(text, "{} functions, median {lengths} lines; the largest:", functions.len()).unwrap();
    for (name, lines) in functions.iter().take(5) {
        writeln!(text, "  {lines:>3}  {name}").unwrap();
    }
    text
}
