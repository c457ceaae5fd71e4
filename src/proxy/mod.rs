//! The data path: what arrives at a socket, is judged, and goes on to an app.
//!
//! `hygiene` says what a request must look like before anything else looks at it; `guard` enforces
//! that on the raw bytes of every connection, in front of the engine. Nothing in here decides who
//! may pass: that question is asked once, further down. And nothing in here may ever repair a
//! request: what is ambiguous is refused, since whoever repairs may repair differently from the
//! app behind.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::indexing_slicing,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic
    )
)]
#![allow(
    dead_code,
    unused_imports,
    reason = "the doors that use these items join them later"
)]

pub(crate) mod guard;
pub(crate) mod hygiene;
