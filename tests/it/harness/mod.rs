//! What the scenarios are told with: a gateway, an app behind it that keeps every byte it
//! receives, a browser without a screen, and people.

mod app;
mod browser;
mod gateway;
mod http;
mod people;
mod temp;

pub use app::App;
pub use browser::Browser;
pub use gateway::{Gateway, Options};
pub use people::{ADMIN_PASSWORD, Person, code_now};
