//! Inputs that nobody thought of, held against what must be true of all of them.
//!
//! One binary for all targets; FUZZ_TARGET says which. `tests/fuzz/run` builds it with
//! what tells the fuzzer which code an input has reached.
#![no_main]

mod targets;

use libfuzzer_sys::{Corpus, fuzz_target};
use std::sync::OnceLock;
use targets::Target;

/// Reads the name once, and ends with the list of names where it is none of them.
fn target() -> Target {
    static CHOSEN: OnceLock<Target> = OnceLock::new();
    *CHOSEN.get_or_init(|| {
        let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
        targets::ALL.iter().find(|(known, _)| *known == name).map_or_else(
            || {
                let names: Vec<&str> = targets::ALL.iter().map(|(known, _)| *known).collect();
                println!("{}", names.join("\n"));
                std::process::exit(if name == "list" { 0 } else { 2 });
            },
            |(_, target)| *target,
        )
    })
}

fuzz_target!(|bytes: &[u8]| -> Corpus {
    target()(bytes);
    Corpus::Keep
});
