//! The gateway as people, programs and attackers meet it: the real binary, real sockets.
#![allow(clippy::pedantic, clippy::disallowed_methods)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod harness;

mod account;
mod api;
mod assertion;
mod audit;
mod backup;
mod bad_input;
mod breached;
mod browser;
mod commands;
mod console;
mod crash;
mod deadlines;
mod disk;
mod first_run;
mod forms;
mod forward;
mod http2;
mod hygiene;
mod identity;
mod keys;
mod ladder;
mod language;
mod limits;
mod mixing;
mod operating;
mod peers;
mod programs;
mod races;
mod routing;
mod rules;
mod secrets;
mod sign_in;
mod streaming;
mod time;
mod upstream_care;
mod upstreams;
mod websocket;
