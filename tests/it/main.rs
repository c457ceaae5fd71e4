//! The gateway as people, programs and attackers meet it: the real binary, real sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod harness;

mod first_run;
