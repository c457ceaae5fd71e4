//! Who is at the other end, and by which way they came.

use crate::types::{ClientAddr, Network};
use http::HeaderMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Whose word about the client is believed.
#[derive(Clone, Debug, Default)]
pub(crate) struct TrustedProxies(Vec<Network>);

/// What is known about the way of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Way {
    /// The client: the peer, or the rightmost address that no trusted proxy vouches for as its own.
    pub(super) client: ClientAddr,
    /// Whether the client came encrypted.
    pub(super) https: bool,
    /// Whether the peer itself is a trusted proxy.
    pub(super) is_trusted: bool,
}

impl TrustedProxies {
    /// Believes the peers of these networks.
    pub(super) const fn new(networks: Vec<Network>) -> Self {
        Self(networks)
    }

    fn trusts(&self, addr: ClientAddr) -> bool {
        self.0.iter().any(|network| network.contains(addr))
    }

    /// Whom a connection counts against; nobody where its peer speaks for many, or is on a Unix
    /// socket.
    pub(super) fn counted(&self, peer: Option<SocketAddr>) -> Option<ClientAddr> {
        let peer = ClientAddr::from(peer?.ip());
        (!self.trusts(peer)).then_some(peer)
    }

    /// Works out the way. A peer on a Unix socket is this machine: nobody else can reach it, and
    /// it is trusted where 127.0.0.1 is.
    pub(super) fn way(&self, peer: Option<SocketAddr>, tls: bool, headers: &HeaderMap) -> Way {
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |peer| peer.ip());
        let mut client = ClientAddr::from(peer);
        if self.0.is_empty() || !self.trusts(client) {
            return Way { client, https: tls, is_trusted: false };
        }
        let proto = only(headers, "x-forwarded-proto");
        let https = tls || proto.is_some_and(|proto| proto.eq_ignore_ascii_case(b"https"));
        for entry in hops(headers) {
            // What is no address ends the chain: the hop that sent it is the last that is known.
            let Some(hop) = address(entry) else { break };
            client = hop;
            if !self.trusts(hop) {
                break;
            }
        }
        Way { client, https, is_trusted: true }
    }
}

/// The value of a field that must be there once.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a [u8]> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    values.next().is_none().then(|| first.as_bytes())
}

/// The hops of all `X-Forwarded-For` fields, from the nearest to the farthest.
fn hops(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let mut fields: Vec<&[u8]> =
        headers.get_all("x-forwarded-for").iter().map(http::HeaderValue::as_bytes).collect();
    fields.reverse();
    fields.into_iter().flat_map(|field| field.rsplit(|c| *c == b','))
}

/// An address, perhaps with a port.
fn address(entry: &[u8]) -> Option<ClientAddr> {
    let text = std::str::from_utf8(entry.trim_ascii()).ok()?;
    let ip = text.parse::<IpAddr>().or_else(|_| text.parse::<SocketAddr>().map(|addr| addr.ip()));
    ip.ok().map(ClientAddr::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, fields: &[&str]) -> String {
        let trusted = ["10.0.0.0/8", "127.0.0.1"].map(|net| Network::parse(net).unwrap());
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append("x-forwarded-for", field.parse().unwrap());
        }
        let peer = Some(SocketAddr::new(peer.parse().unwrap(), 9));
        TrustedProxies::new(trusted.to_vec()).way(peer, false, &headers).client.to_string()
    }

    #[test]
    fn the_client_is_the_rightmost_address_nobody_trusted_vouches_for() {
        assert_eq!(client("10.0.0.1", &["6.6.6.6, 192.0.2.7, 10.0.0.2"]), "192.0.2.7");
        assert_eq!(client("10.0.0.1", &["6.6.6.6", "192.0.2.7"]), "192.0.2.7");
        assert_eq!(client("10.0.0.1", &["::ffff:192.0.2.7"]), "192.0.2.7");
        assert_eq!(client("10.0.0.1", &["[2001:db8::1]:443"]), "2001:db8::1");
    }

    #[test]
    fn nobody_else_is_believed_and_garbage_ends_the_chain() {
        assert_eq!(client("192.0.2.1", &["6.6.6.6"]), "192.0.2.1");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &["6.6.6.6, unknown"]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &["6.6.6.6, ' or 1=1, 10.0.0.9"]), "10.0.0.9");
        assert_eq!(client("10.0.0.1", &["10.0.0.2, 10.0.0.3"]), "10.0.0.2");
    }

    #[test]
    fn a_peer_is_trusted_for_its_own_address_and_not_for_what_it_says() {
        let trusted = ["10.0.0.0/8", "127.0.0.1"].map(|net| Network::parse(net).unwrap());
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", "10.0.0.1".parse().unwrap());
        let is_trusted = |trusted: &[Network], peer: Option<&str>| {
            let peer = peer.map(|peer| SocketAddr::new(peer.parse().unwrap(), 9));
            TrustedProxies::new(trusted.to_vec()).way(peer, false, &headers).is_trusted
        };
        assert!(is_trusted(&trusted, Some("10.9.9.9")) && is_trusted(&trusted, None));
        assert!(is_trusted(&trusted, Some("::ffff:10.0.0.1")));
        assert!(!is_trusted(&trusted, Some("192.0.2.1")));
        assert!(!is_trusted(&trusted[..1], None) && !is_trusted(&[], None));
    }

    #[test]
    fn connections_count_against_clients_and_not_against_proxies() {
        let trusted = TrustedProxies::new(vec![Network::parse("10.0.0.0/8").unwrap()]);
        let counted = |peer: &str| {
            let peer = trusted.counted(Some(SocketAddr::new(peer.parse().unwrap(), 9)));
            peer.map(|peer| peer.to_string())
        };
        assert_eq!(counted("192.0.2.1"), Some("192.0.2.1".into()));
        assert_eq!(counted("10.9.9.9"), None);
        assert_eq!(trusted.counted(None), None, "a Unix socket");
    }

    #[test]
    fn the_protocol_is_believed_of_trusted_proxies_alone_and_said_once() {
        let trusted = TrustedProxies::new(vec![Network::parse("10.0.0.0/8").unwrap()]);
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-proto", "https".parse().unwrap());
        let way = |peer: &str, headers: &HeaderMap| {
            trusted.way(Some(SocketAddr::new(peer.parse().unwrap(), 9)), false, headers).https
        };
        assert!(way("10.0.0.1", &headers));
        assert!(!way("192.0.2.1", &headers));
        headers.append("x-forwarded-proto", "https".parse().unwrap());
        assert!(!way("10.0.0.1", &headers));
    }
}
