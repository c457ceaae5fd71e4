//! A strict doorkeeper in front of the engine's HTTP/1 parser.
//!
//! The engine takes bare line feeds, two framings at once, heads of 900 kB and heads that arrive
//! over minutes, and answers some faults with pages of its own that reach no hook and no log. So
//! every accepted connection is wrapped: the engine reads only what this module has read first,
//! one message at a time, byte for byte.
//!
//! ```text
//!                    a session begins                 head complete, no body
//!          ┌────────┐ ───────────────▶ ┌────────┐ ──────────────────────────┐
//!   start ▶│  Held  │                  │  Head  │                           │
//!          │        │ ◀──────────────┐ └────────┘ ─────┐ head complete      │
//!          └────────┘   last byte    │                 ▼                    │
//!            │    ▲                ┌──────────────────────┐                 │
//!        101 │    │                │ Length(n) or Chunked │                 │
//!            ▼    │                └──────────────────────┘                 │
//!         Opaque  └────────────────────────────────────────────────────────┘
//!
//!   Http2: from the start, by ALPN or because the engine's own look at the first 24 bytes was
//!   answered with the preface.
//!   Any fault: one small answer if none is under way, a short linger, the end.
//! ```
//!
//! *Held* is what keeps requests apart. No byte of the next head is released before the engine
//! opens its next session on the connection, which it does only once the previous answer is
//! written and flushed. The engine asks for the connection's digest exactly once a session; that
//! question is the signal. After a WebSocket handshake the client stays held until a `101` has
//! been written, so nothing sent early can pass as anything but what it turns out to be.
//!
//! What must never happen here: repairing a message, echoing a byte of it, releasing a byte that
//! was not validated, or reading a message in a way the engine would not. Only fields between
//! neighbours (`Upgrade` to anything but a WebSocket, `HTTP2-Settings`, `Keep-Alive`,
//! `Proxy-Connection`) are taken out, as every hop must.

mod answer;
mod buffer;
mod chunked;
mod connections;
mod control;
mod deadline;
mod delegate;
mod framing;
mod front;
#[cfg(feature = "fuzzing")]
pub(super) mod fuzzing;
mod head;
mod response;
mod stream;
#[cfg(test)]
mod tests;

pub use connections::{Connections, TurnedAway};
pub(crate) use control::{Busy, ConnControl, Passed};
pub(crate) use front::{Front, GuardSettings, Refused};
