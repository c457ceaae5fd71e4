//! What a check says, for the targets in tests/fuzz. Nothing else may come in here.

use super::dialect::Dialect;
use crate::http::Request;
use crate::types::Host;
use http::Method;

/// The request that a proxy keeps, as it is judged.
#[derive(Debug, PartialEq, Eq)]
pub struct Asked {
    /// Its method.
    pub method: Method,
    /// Its host.
    pub host: Host,
    /// What the browser calls the host.
    pub authority: String,
    /// The path that rules are asked about.
    pub path: String,
    /// The address in the browser's bar.
    pub url: String,
}

/// Reads a check; none where there is no such endpoint, or what is wrong with it.
pub fn check(request: &Request) -> Option<Result<Asked, &'static str>> {
    let below = request.path.strip_prefix("/_vestibule/authz")?;
    let kept = Dialect::of(below)?.read(request);
    Some(kept.map(|kept| Asked {
        path: kept.path().to_owned(),
        url: kept.url(),
        method: kept.method,
        host: kept.host,
        authority: kept.authority,
    }))
}
