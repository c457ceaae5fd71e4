//! Floor 7: the data path. What arrives at a socket is judged, and goes on to an app.
//!
//! `hygiene` says what a request must look like before anything else looks at it; `guard` enforces
//! that on the raw bytes of every connection, in front of the engine; `in_force` asks the gate,
//! `gateway` keeps what outlives a reload, `door` plugs both into the engine; `apps` knows where the
//! apps are, and gives an upstream only to a permit; `health` learns which of them are up; `waits`
//! ends apps that take too long, and `uploads` bodies that do. Nothing in here decides who may pass,
//! and nothing repairs a request: what is ambiguous is refused, since whoever repairs may repair
//! differently from the app behind.

mod answering;
mod apps;
mod bridge;
mod client;
mod door;
mod ending;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod gateway;
mod guard;
mod handshake;
mod headers;
mod health;
mod hygiene;
mod in_force;
mod judging;
mod listening;
mod passing;
mod route;
mod serve;
mod settings;
mod streams;
mod tls;
mod tracing;
mod uploads;
mod upstream;
mod waits;

pub use gateway::Gateway;
pub use guard::{Connections, TurnedAway};
pub use health::HealthCheck;
pub use in_force::Parts;
pub use listening::{Listener, Socket};
pub use route::{Health, Patience, Probe, RouteSettings, UpstreamHost};
pub use serve::{Running, Serving};
pub use settings::{Listen, Settings, UpstreamScheme, UpstreamUrl};
pub use streams::OpenStream;
pub use tls::{Challenges, Expiry, Fetching, ListenerTls, TlsFile, UpstreamTls};
