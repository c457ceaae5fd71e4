//! One gateway for the tests of a file that do not disturb each other.

use super::app::App;
use super::gateway::{Gateway, Options};
use std::sync::{Arc, Mutex, Weak};

/// A gateway that is started by the first test that wants it and killed after the last. A static
/// would never be dropped, and would leave a process and a folder behind.
pub struct Shared(Mutex<Weak<Behind>>);

/// A gateway with an app behind it.
pub struct Behind {
    pub app: App,
    pub gateway: Gateway,
}

impl Shared {
    pub const fn new() -> Self {
        Self(Mutex::new(Weak::new()))
    }

    /// The gateway, configured with these sections by whoever comes first.
    pub fn get(&self, config: &str) -> Arc<Behind> {
        // A test that failed while it started one says so itself.
        let mut held = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(behind) = held.upgrade() {
            return behind;
        }
        let app = App::start();
        let gateway = Gateway::start(Options::upstream(&app.url()).config(config));
        let behind = Arc::new(Behind { app, gateway });
        *held = Arc::downgrade(&behind);
        behind
    }
}
