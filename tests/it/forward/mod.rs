//! Forward-auth: other proxies ask about requests that they keep.

mod answers;
mod steps;
mod verdicts;

use crate::harness::{App, House, Options, Reply};
use std::fmt::Write as _;

/// A request that a proxy keeps, and asks about.
#[derive(Clone, Copy)]
pub struct Kept<'a> {
    pub method: &'a str,
    pub host: &'a str,
    pub target: &'a str,
    /// Whole lines: what its client shows and says.
    pub fields: &'a str,
}

impl<'a> Kept<'a> {
    pub fn get(host: &'a str, target: &'a str) -> Self {
        Self { method: "GET", host, target, fields: "" }
    }

    pub fn with(self, fields: &'a str) -> Self {
        Self { fields, ..self }
    }
}

/// The dialects in which they ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    AuthRequest,
    ForwardAuth,
    ExtAuthz,
}

pub const DIALECTS: [Dialect; 3] = [Dialect::AuthRequest, Dialect::ForwardAuth, Dialect::ExtAuthz];

impl Dialect {
    /// The check, word for word; `portal` is the origin of the portal, if the proxy names one.
    pub fn check(self, kept: &Kept<'_>, portal: &str) -> String {
        let Kept { method, host, target, fields } = kept;
        let rd = if portal.is_empty() { String::new() } else { format!("?rd={portal}") };
        let mut check = match self {
            Self::AuthRequest => format!(
                "GET /_vestibule/authz/auth-request{rd} HTTP/1.1\r\nHost: gateway.test\r\n\
                 X-Original-URL: https://{host}{target}\r\nX-Original-Method: {method}\r\n"
            ),
            Self::ForwardAuth => format!(
                "GET /_vestibule/authz/forward-auth{rd} HTTP/1.1\r\nHost: gateway.test\r\n\
                 X-Forwarded-Method: {method}\r\nX-Forwarded-Proto: https\r\n\
                 X-Forwarded-Host: {host}\r\nX-Forwarded-Uri: {target}\r\n"
            ),
            Self::ExtAuthz => format!(
                "{method} /_vestibule/authz/ext-authz{target} HTTP/1.1\r\nHost: {host}\r\n\
                 X-Forwarded-Proto: https\r\n"
            ),
        };
        if self == Self::ExtAuthz && !portal.is_empty() {
            write!(check, "X-Vestibule-URL: {portal}\r\n").unwrap();
        }
        check + fields + "Connection: close\r\n\r\n"
    }
}

/// What a browser says of itself that goes to a page.
pub const PAGE: &str = "Accept: text/html\r\nSec-Fetch-Mode: navigate\r\n";

const RULES: &str = r#"
[[rule]]
path = "/public"
policy = "bypass"
[[rule]]
path = "/admin"
groups = ["admins"]
policy = "two_factor"
[[rule]]
path = "/admin"
policy = "deny"
[[rule]]
path = "/closed"
policy = "deny"
[[rule]]
path = "/net"
networks = ["10.0.0.0/8"]
policy = "bypass"
[[rule]]
path = "/read"
methods = ["GET"]
policy = "bypass"
[[rule]]
host = "one.test"
policy = "one_factor"
"#;

/// A gateway that believes this machine, with a route for `*.test` and Ann signed in.
pub fn house() -> House {
    house_with("trusted_proxies = [\"127.0.0.1\"]", "")
}

pub fn house_with(server: &str, more: &str) -> House {
    let app = App::start();
    let route = format!("[[route]]\nhost = \"*.test\"\nupstream = [\"{}\"]\n", app.url());
    let options = Options { server: server.to_owned(), ..Options::default() };
    House::with(app, options.config(&format!("{more}{RULES}{route}")))
}

/// Asks about a request.
pub fn ask(house: &House, dialect: Dialect, kept: &Kept<'_>) -> Reply {
    house.ask(&dialect.check(kept, ""))
}
