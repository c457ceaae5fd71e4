//! The gateway as people, programs and attackers meet it: the real binary, real sockets.

mod harness;

mod deadlines;
mod first_run;
mod http2;
mod hygiene;
mod identity;
mod mixing;
mod operating;
mod routing;
mod streaming;
mod upstreams;
mod websocket;
