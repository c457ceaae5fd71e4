//! vestibule: a reverse proxy that asks for a password and a second factor.
#![forbid(unsafe_code)]

pub mod crypto;
pub mod domain;
pub mod store;
pub mod types;
