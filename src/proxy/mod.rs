//! Floor 7: pingora's data path.

mod settings;

pub use settings::{IdentityNames, Listen, RouteSettings, Settings, UpstreamScheme, UpstreamUrl};
