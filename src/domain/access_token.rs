//! Tokens that programs of a person's carry, made by an administrator, good until their time is
//! over or they are revoked.

use super::proof::SecondFactor;
use super::session::Session;
use crate::types::{
    ClientAddr, DisplayName, GroupName, Host, HostPattern, Network, SessionId, Timestamp, TokenId,
    UserId,
};
use serde::{Deserialize, Serialize};

/// A token as the store keeps it, under its digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessToken {
    /// Its name in lists and logs.
    pub id: TokenId,
    /// What it is called.
    pub name: DisplayName,
    /// In whose name it speaks.
    pub user: UserId,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends; the end of time where nothing was said.
    pub expires_at: Timestamp,
    /// Whether it counts as one factor only.
    pub one_factor: bool,
    /// Where it may be used.
    pub limits: TokenLimits,
}

/// Where a token may be used. What is not limited is as wide as the person's own reach.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenLimits {
    /// The groups it has, of those the person is in.
    pub groups: Vec<GroupName>,
    /// Where its user may be.
    pub networks: Vec<Network>,
    /// Which hosts it is for.
    pub hosts: Vec<HostPattern>,
}

impl AccessToken {
    /// The session under which requests with it are made. It is in no store: the token is.
    pub fn session(&self) -> Session {
        let factor = (!self.one_factor).then_some((SecondFactor::Token, self.created_at));
        let id = SessionId::from_bytes(*self.id.as_bytes());
        Session::of_token(id, self.user, factor, self.created_at, self.expires_at)
    }
}

impl TokenLimits {
    /// Whether it may be used at this host from there.
    pub fn admit(&self, host: &Host, client: ClientAddr) -> bool {
        let hosts = self.hosts.is_empty() || self.hosts.iter().any(|known| known.matches(host));
        let networks =
            self.networks.is_empty() || self.networks.iter().any(|known| known.contains(client));
        hosts && networks
    }

    /// What is left of a person's groups.
    #[must_use]
    pub fn narrow(&self, groups: &[GroupName]) -> Vec<GroupName> {
        let has = |group: &&GroupName| self.groups.is_empty() || self.groups.contains(group);
        groups.iter().filter(has).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    #[test]
    fn a_token_reaches_no_further_than_its_limits() {
        let group = |name: &str| GroupName::parse(name).unwrap();
        let host = |name: &str| Host::parse(name).unwrap();
        let from = |ip: [u8; 4]| ClientAddr::from(IpAddr::from(ip));
        let limits = TokenLimits {
            groups: vec![group("ci"), group("admins")],
            networks: vec![Network::parse("10.0.0.0/8").unwrap()],
            hosts: vec![HostPattern::parse("*.example.com").unwrap()],
        };
        assert!(limits.admit(&host("a.example.com"), from([10, 1, 2, 3])));
        assert!(!limits.admit(&host("example.com"), from([10, 1, 2, 3])));
        assert!(!limits.admit(&host("a.example.com"), from([11, 1, 2, 3])));
        assert_eq!(limits.narrow(&[group("staff"), group("ci")]), [group("ci")]);
        let free = TokenLimits::default();
        assert!(free.admit(&host("b.test"), from([192, 0, 2, 1])));
        assert_eq!(free.narrow(&[group("staff")]), [group("staff")]);
    }
}
