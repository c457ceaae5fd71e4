//! What the scenarios are told with: a gateway, an app behind it that keeps every byte it
//! receives, a browser without a screen, and people.

mod app;
mod brittle;
mod brittle_disk;
mod browser;
mod chance;
mod gateway;
mod h2;
mod house;
mod http;
mod json;
mod people;
mod shared;
mod small_disk;
mod temp;
mod tls;
mod world;

pub use app::App;
pub use brittle_disk::BrittleDisk;
pub use browser::{Browser, attribute, filled_in};
pub use chance::Chance;
pub use gateway::{Gateway, Options, free_port, run};
pub use h2::{H2App, h2_body, h2_connect, h2_data, h2_exchange};
pub use house::{House, session_of};
pub use http::{PATIENCE, Reply, connect, exchange, read_head, read_reply, read_until, send_raw};
pub use json::{Called, ROOT};
pub use people::{ADMIN_PASSWORD, Person, code_after, code_at, code_now, step_now};
pub use shared::{Behind, Shared};
pub use small_disk::SmallDisk;
pub use temp::TempDir;
pub use tls::{fixture, serve_tls};
pub use world::World;
