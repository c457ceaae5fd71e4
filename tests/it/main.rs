//! The gateway as people, programs and attackers meet it: the real binary, real sockets.

mod harness;

mod bad_input;
mod commands;
mod first_run;
mod forms;
mod secrets;
mod sign_in;
mod time;
