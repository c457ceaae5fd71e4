//! What this floor makes of bytes, for the targets in tests/fuzz. Nothing else may come in here.

use super::client::TrustedProxies;
use super::headers::HeaderRules;
use super::hygiene::{HeadLimits, ProtectedNames, Refusal, check_http2};
use crate::types::Network;
use http::HeaderMap;
use std::net::{IpAddr, SocketAddr};

pub use super::guard::fuzzing::{Message, message};

/// Whether a request over HTTP/2 is taken, or why not.
pub fn http2_request(
    parts: &http::request::Parts,
    target: &[u8],
    protected: &[&str],
) -> Result<(), &'static str> {
    let protected = ProtectedNames::new(protected);
    let judged = check_http2(parts, target, &protected, &HeadLimits::default());
    judged.map_err(Refusal::reason)
}

/// Which client a request is from, whether it came encrypted, and whether the peer is trusted.
pub fn way(trusted: &[Network], peer: IpAddr, headers: &HeaderMap) -> (IpAddr, bool, bool) {
    let peer = Some(SocketAddr::new(peer, 9));
    let way = TrustedProxies::new(trusted.to_vec()).way(peer, false, headers);
    (way.client.ip(), way.https, way.is_trusted)
}

/// Takes out of a head what no app may receive; whether that could be done.
pub fn strip(headers: &mut HeaderMap) -> bool {
    HeaderRules::strip(headers, false).is_ok()
}
