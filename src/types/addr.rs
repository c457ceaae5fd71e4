//! Where a request comes from.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// A client's address: an IPv4 address written as IPv6 is the IPv4 address it stands for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "IpAddr", into = "IpAddr")]
pub struct ClientAddr(IpAddr);

impl ClientAddr {
    /// What of it stands for whoever is counted by their address: an IPv4 address, or the 56 bits of
    /// an IPv6 address that a household or a small office has. By the 64 bits of one of its
    /// networks, each would count as 256.
    #[must_use]
    pub fn site(self) -> Self {
        match self.0 {
            IpAddr::V4(_) => self,
            IpAddr::V6(ip) => Self(Ipv6Addr::from(u128::from(ip) >> 72 << 72).into()),
        }
    }

    /// As text. The usual kind by hand, since every request is told on with its own.
    pub fn text(self) -> String {
        let IpAddr::V4(ip) = self.0 else { return self.0.to_string() };
        let mut text = String::with_capacity("255.255.255.255".len());
        for (number, octet) in ip.octets().into_iter().enumerate() {
            if number > 0 {
                text.push('.');
            }
            let digit = |of: u8| char::from(b'0' + of % 10);
            if octet >= 100 {
                text.push(digit(octet / 100));
            }
            if octet >= 10 {
                text.push(digit(octet / 10));
            }
            text.push(digit(octet));
        }
        text
    }

    /// The address itself.
    pub const fn ip(self) -> IpAddr {
        self.0
    }
}

impl From<IpAddr> for ClientAddr {
    fn from(ip: IpAddr) -> Self {
        Self(ip.to_canonical())
    }
}

impl From<ClientAddr> for IpAddr {
    fn from(addr: ClientAddr) -> Self {
        addr.0
    }
}

impl fmt::Display for ClientAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for ClientAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A block of addresses in CIDR notation; a bare address is a block of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network(ipnet::IpNet);

impl Network {
    /// Reads `10.0.0.0/8`, `fd00::/8` or a bare address. Not `10.0.0.1/8`: whoever writes that may
    /// mean one address, and would open sixteen million.
    pub fn parse(text: &str) -> Option<Self> {
        Self::read(text).filter(|network| network.0.addr() == network.0.network())
    }

    fn read(text: &str) -> Option<Self> {
        let net = text.parse::<ipnet::IpNet>();
        net.or_else(|_| text.parse::<IpAddr>().map(Into::into)).ok().map(Self)
    }

    /// Whether the address lies in the block.
    pub fn contains(&self, addr: ClientAddr) -> bool {
        self.0.contains(&addr.ip())
    }

    /// Whether the block is the whole Internet: trusting it would be trusting anyone.
    pub fn is_everyone(&self) -> bool {
        self.0.prefix_len() == 0
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.to_string()
    }
}

impl std::str::FromStr for Network {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text).ok_or("a network looks like 10.0.0.0/8 or 192.0.2.1")
    }
}

impl TryFrom<String> for Network {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        // What was kept was once accepted.
        Self::read(&text).ok_or("no network")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addr(text: &str) -> ClientAddr {
        ClientAddr::from(text.parse::<IpAddr>().unwrap())
    }

    #[test]
    fn an_ipv4_address_written_as_ipv6_is_the_ipv4_address() {
        assert_eq!(addr("::ffff:192.0.2.7"), addr("192.0.2.7"));
        assert!(Network::parse("192.0.2.0/24").unwrap().contains(addr("::ffff:192.0.2.7")));
    }

    #[test]
    fn an_address_is_written_as_everybody_writes_it() {
        for text in ["0.0.0.0", "9.10.99.100", "255.255.255.255", "127.0.0.1", "2001:db8::1"] {
            assert_eq!(addr(text).text(), text);
        }
    }

    #[test]
    fn one_ipv6_network_is_one_client() {
        assert_eq!(addr("2001:db8:1:200::7").site(), addr("2001:db8:1:2ff:ffff::8").site());
        assert_ne!(addr("2001:db8:1:200::7").site(), addr("2001:db8:1:300::7").site());
        assert_ne!(addr("192.0.2.7").site(), addr("192.0.2.8").site());
    }

    #[test]
    fn a_network_is_a_block_or_a_single_address() {
        assert!(Network::parse("::1").unwrap().contains(addr("::1")));
        assert!(Network::parse("0.0.0.0/0").unwrap().is_everyone());
        assert!(Network::parse("10.0.0.0/33").is_none());
        assert!(Network::parse("10.0.0.1/8").is_none() && Network::parse("10.0.0.1/32").is_some());
    }
}
