//! Inputs that nobody thought of, held against what must be true of all of them.
//!
//! One binary for all targets; FUZZ_TARGET says which. `tests/fuzz/run` builds it with
//! what tells the fuzzer which code an input has reached.
#![no_main]

mod memory;
mod targets;

use libfuzzer_sys::fuzz_target;
use memory::Counted;
use std::sync::OnceLock;
use targets::Target;

#[global_allocator]
static MEMORY: Counted = Counted::new();

/// Reads the name once.
fn target() -> Target {
    static CHOSEN: OnceLock<Target> = OnceLock::new();
    *CHOSEN.get_or_init(|| {
        let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
        let is_it = |(known, _): &&(&str, Target)| *known == name;
        targets::ALL.iter().find(is_it).map_or_else(
            || panic!("{name:?} is no target: FUZZ_TARGET names one of {:?}", targets::names()),
            |(_, target)| *target,
        )
    })
}

fuzz_target!(|bytes: &[u8]| target()(bytes));
