//! vestibule: a reverse proxy that asks for a password and a second factor.
#![forbid(unsafe_code)]

pub mod crypto;
pub mod domain;
pub mod http;
pub mod observe;
pub mod portal;
pub mod proxy;
pub mod service;
pub mod store;
pub mod types;
