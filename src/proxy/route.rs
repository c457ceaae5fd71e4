//! What the data path is told about one app.

use super::settings::UpstreamUrl;
use super::tls::UpstreamTls;
use crate::domain::RouteKey;
use http::HeaderValue;
use std::time::Duration;

/// One app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteSettings {
    /// Which requests are for it.
    pub key: RouteKey,
    /// Where it is; several take turns.
    pub upstreams: Vec<UpstreamUrl>,
    /// Whether the app is sent tokens of ours as well.
    pub keeps_authorization: bool,
    /// Whether the app is sent the path without that of the route.
    pub strip_prefix: bool,
    /// Whether somebody works on it, so that nobody is let through for now.
    pub maintenance: bool,
    /// What the app is told as its host.
    pub host: UpstreamHost,
    /// The longest body it is sent.
    pub body_max: Option<u64>,
    /// How long it may take.
    pub patience: Patience,
    /// How it is watched.
    pub health: Health,
    /// Whom it is trusted to be, and who we are to it.
    pub tls: UpstreamTls,
}

impl RouteSettings {
    /// An app of which nothing else was said.
    pub fn new(key: RouteKey, upstreams: Vec<UpstreamUrl>) -> Self {
        Self {
            key,
            upstreams,
            keeps_authorization: false,
            strip_prefix: false,
            maintenance: false,
            host: UpstreamHost::Keep,
            body_max: None,
            patience: Patience::default(),
            health: Health::default(),
            tls: UpstreamTls::default(),
        }
    }
}

/// What an app is told as its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpstreamHost {
    /// What the client said.
    Keep,
    /// The host and port under which it is reached.
    Upstream,
    /// This.
    Named(HeaderValue),
}

/// How long an app may take. Nothing is limited in total.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// To take a connection.
    pub connect: Duration,
    /// From the end of the request to the head of the answer.
    pub first_byte: Option<Duration>,
    /// Between one byte and the next, in whichever direction.
    pub idle: Option<Duration>,
}

impl Default for Patience {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), first_byte: None, idle: None }
    }
}

/// How an app is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// What is tried.
    pub probe: Probe,
    /// How often.
    pub interval: Duration,
    /// How long it may take.
    pub timeout: Duration,
    /// So many failures in a row make an upstream one that is down.
    pub down_after: u32,
    /// So many successes in a row make it one that is up again.
    pub up_after: u32,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            probe: Probe::Off,
            interval: Duration::from_secs(10),
            timeout: Duration::from_secs(2),
            down_after: 3,
            up_after: 1,
        }
    }
}

/// What is tried to learn whether an upstream is up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probe {
    /// Nothing.
    Off,
    /// To connect, with TLS where the app is behind TLS.
    Connect,
    /// To get this; a status from 200 to 399 is a good one.
    Get(String),
}
