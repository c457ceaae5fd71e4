//! Addresses of clients, and those that redirects lead to.

use super::{fields, lines};
use http::HeaderValue;
use std::net::IpAddr;
use url::Url;
use vestibule::domain::{ReturnOrigins, ReturnUrl};
use vestibule::proxy::fuzzing::way;
use vestibule::types::{ClientAddr, Host, HostPattern, Network, PublicUrl};

fn trusted() -> [Network; 2] {
    ["10.0.0.0/8", "fd00::/8"].map(|network| Network::parse(network).expect("a network"))
}

/// The first byte says whether the peer is trusted, the rest is the head.
pub fn client(bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first() else { return };
    let peer: IpAddr = if first % 2 == 0 { [10, 0, 0, 1] } else { [192, 0, 2, 1] }.into();
    let headers = fields(rest);
    let trusted = trusted();
    let (client, https, is_trusted) = way(&trusted, peer, &headers);
    if first % 2 == 1 {
        assert_eq!((client, https, is_trusted), (peer, false, false), "a stranger is believed");
        return;
    }
    assert_eq!(client, client.to_canonical(), "two spellings of one client");
    // Whatever a client claims stands to the left of what the proxies wrote.
    let is_vouched_for = trusted.iter().any(|network| network.contains(ClientAddr::from(client)));
    let mut claimed = http::HeaderMap::new();
    claimed.append("x-forwarded-for", HeaderValue::from_static("6.6.6.6, 7.7.7.7"));
    for (name, value) in &headers {
        claimed.append(name, value.clone());
    }
    if !is_vouched_for {
        assert_eq!(way(&trusted, peer, &claimed).0, client, "a claim is believed");
    }
}

/// The first line is an address to return to, the second the host somebody is at.
pub fn return_urls(bytes: &[u8]) {
    let mut lines = lines(bytes);
    let (Some(raw), here) = (lines.next(), lines.next().unwrap_or("app.example.net")) else {
        return;
    };
    let Ok(here) = Host::parse(here) else { return };
    let origins = ReturnOrigins {
        public_url: PublicUrl::parse("https://login.example.com:8443").expect("an address"),
        hosts: vec![HostPattern::parse("*.wiki.example.org").expect("a pattern")],
        cookie_domain: Some(Host::parse("example.com").expect("a host")),
    };
    let Some(to) = ReturnUrl::parse(raw, &here, &origins) else { return };
    assert_eq!(ReturnUrl::parse(to.as_str(), &here, &origins).as_ref(), Some(&to), "not twice");
    HeaderValue::try_from(to.as_str()).expect("no value of a field");
    // As a browser reads it, which drops line breaks and takes backslashes for slashes.
    // Which is at no host that it could not go to: some end in a number and are no address.
    let Ok(base) = Url::parse(&format!("https://{here}/_vestibule/login")) else { return };
    let reached = base.join(to.as_str()).expect("a browser goes nowhere");
    let host = Host::parse(reached.host_str().expect("a host")).expect("a host of ours");
    let stays = reached.origin() == base.origin();
    assert_eq!(reached.scheme(), "https");
    assert!(reached.username().is_empty() && reached.password().is_none());
    let known = |parent: &str| host.as_str().ends_with(&format!(".{parent}"));
    let is_ours = stays
        || host == here
        || host.as_str() == "example.com"
        || known("example.com")
        || known("wiki.example.org");
    assert!(is_ours, "{raw} leads to {host}");
    assert!(matches!(reached.port_or_known_default(), Some(80 | 443 | 8443)));
    assert_eq!(to.target(&here).map(|(host, _)| host), Some(host), "read as another host");
}
