//! Where the time of a request went, for a collector that speaks OpenTelemetry's protocol.
//!
//! A request is told to one trace: one span for all of it, one for what its app was asked, one for
//! each step that took long on purpose. They are put down as moments while the request lasts, and
//! told at its end in one piece, which waits in a queue of bounded length until `app` sends it on.
//! Where the queue is full it is dropped and counted: no request waits for a collector.
//!
//! Who, what was asked behind a `?`, cookies and codes are never handed to this module, as little
//! as to the log.
//!
//! All of it is behind the feature `otlp`. Without it the same names do nothing, and the compiler
//! leaves them out.

#[cfg(not(feature = "otlp"))]
mod absent;
#[cfg(feature = "otlp")]
mod context;
#[cfg(feature = "otlp")]
mod otlp;
#[cfg(feature = "otlp")]
mod steps;
#[cfg(feature = "otlp")]
mod tracer;

#[cfg(not(feature = "otlp"))]
pub use absent::{Finished, Steps, Trace, Tracer, step, watched};
#[cfg(feature = "otlp")]
pub use otlp::{Moment, body};
#[cfg(feature = "otlp")]
pub use steps::{Steps, step, watched};
#[cfg(feature = "otlp")]
pub use tracer::{Ended, Finished, Trace, Tracer};

use http::{HeaderName, HeaderValue, Uri};

/// What traces are told by the configuration.
#[derive(Clone, Debug)]
pub struct TraceSettings {
    /// Where they are sent.
    pub endpoint: Uri,
    /// Which part of those that begin here, from 0 to 1.
    pub sample: f64,
    /// The name of this gateway among all that tell of themselves there.
    pub service: String,
    /// Fields that the collector asks for; they may be secret.
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

/// How a request came in and went on, besides what the log says of it.
#[derive(Clone, Debug)]
pub struct Passage {
    /// The version of HTTP that the client spoke.
    pub version: &'static str,
    /// Whether it came encrypted.
    pub https: bool,
    /// Where its app is, if it was asked: a name or an address, and the port.
    pub app: Option<(String, Option<u16>)>,
    /// How often it was sent to an app again.
    pub resent: usize,
}
