//! What the data path is told by the configuration.

use super::route::RouteSettings;
use super::tls::ListenerTls;
use crate::http::IdentityNames;
use crate::types::{Host, Network};
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Where connections come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// `127.0.0.1:8080`
    Tcp(SocketAddr),
    /// `unix:/run/vestibule.sock`
    Unix(PathBuf),
}

impl Listen {
    /// Reads both forms.
    pub fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix("unix:") {
            Some(path) if path.starts_with('/') => Some(Self::Unix(path.into())),
            Some(_) => None,
            None => text.parse().ok().map(Self::Tcp),
        }
    }
}

impl Listen {
    /// Whether it is an address that others than this machine may reach.
    pub const fn is_tcp(&self) -> bool {
        matches!(self, Self::Tcp(_))
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(addr) => addr.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// Where an app is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpstreamUrl {
    /// `http://host:port`, or `h2c://host:port` for an app that speaks HTTP/2 without TLS.
    Tcp {
        /// Name or address.
        host: Host,
        /// Port.
        port: u16,
        /// How it is spoken to.
        scheme: UpstreamScheme,
    },
    /// `unix:/run/app.sock`
    Unix(PathBuf),
}

/// How an app is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpstreamScheme {
    /// HTTP/1.1
    Http,
    /// TLS; HTTP/2 where the app offers it.
    Https,
    /// HTTP/2 without TLS, known beforehand: gRPC servers.
    H2c,
}

impl UpstreamScheme {
    /// The port that need not be said.
    pub const fn port(self) -> u16 {
        match self {
            Self::Http | Self::H2c => 80,
            Self::Https => 443,
        }
    }
}

impl UpstreamUrl {
    /// Whether it is reached over TLS.
    pub const fn is_tls(&self) -> bool {
        matches!(self, Self::Tcp { scheme: UpstreamScheme::Https, .. })
    }

    /// Reads the forms above. A path is not part of it: the app receives the path as it came.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const FORMS: &str =
            "write http://host:port, https://host:port, h2c://host:port or unix:/path";
        if let Some(path) = text.strip_prefix("unix:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return if path.starts_with('/') { Ok(Self::Unix(path.into())) } else { Err(FORMS) };
        }
        let (scheme, rest) = text.split_once("://").ok_or(FORMS)?;
        let scheme = match scheme {
            "http" => UpstreamScheme::Http,
            "https" => UpstreamScheme::Https,
            "h2c" => UpstreamScheme::H2c,
            _ => return Err(FORMS),
        };
        let (host, port) =
            Host::parse_authority(rest.strip_suffix('/').unwrap_or(rest)).map_err(|_| FORMS)?;
        Ok(Self::Tcp { host, port: port.unwrap_or(scheme.port()), scheme })
    }
}

impl fmt::Display for UpstreamUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port, scheme } => {
                let scheme = match scheme {
                    UpstreamScheme::Http => "http",
                    UpstreamScheme::Https => "https",
                    UpstreamScheme::H2c => "h2c",
                };
                write!(f, "{scheme}://{host}:{port}")
            }
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// What the data path is told by the configuration.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where connections come in.
    pub listen: Vec<Listen>,
    /// Where requests come in that are sent on to https://, and nothing else.
    pub http_redirect: Vec<Listen>,
    /// The certificates that are shown at TCP addresses.
    pub tls: ListenerTls,
    /// Whose `X-Forwarded-*` are believed.
    pub trusted_proxies: Vec<Network>,
    /// Threads; 0: one a core.
    pub workers: usize,
    /// The apps. None: the built-in demo page.
    pub routes: Vec<RouteSettings>,
    /// What the app is told about a person.
    pub identity: IdentityNames,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upstreams_read_back_as_they_were_written() {
        for (text, shown) in [
            ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
            ("http://app/", "http://app:80"),
            ("https://app.internal", "https://app.internal:443"),
            ("h2c://[::1]:50051", "h2c://[::1]:50051"),
            ("unix:/run/app.sock", "unix:/run/app.sock"),
            ("unix:///run/app.sock", "unix:/run/app.sock"),
        ] {
            assert_eq!(UpstreamUrl::parse(text).unwrap().to_string(), shown);
        }
        for bad in
            ["", "app:80", "ftp://app", "http://", "http://app/path", "http://u@app", "unix:x"]
        {
            assert!(UpstreamUrl::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_listener_is_an_address_or_a_socket_file() {
        assert_eq!(Listen::parse("127.0.0.1:80").unwrap().to_string(), "127.0.0.1:80");
        assert_eq!(Listen::parse("unix:/run/v.sock").unwrap().to_string(), "unix:/run/v.sock");
        assert!(Listen::parse("localhost:80").is_none() && Listen::parse("unix:v.sock").is_none());
    }
}
