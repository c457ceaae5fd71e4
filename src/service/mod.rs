//! Floor 4: the use cases.

mod settings;

pub use settings::Settings;
