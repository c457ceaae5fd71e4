//! The certificates that clients are shown, and which of them is for whom.

use crate::types::{Host, Timestamp};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use tokio_rustls::rustls::SignatureScheme;
use tokio_rustls::rustls::sign::CertifiedKey;
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

/// Until when a certificate is good for a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// The name, as the certificate has it.
    pub name: String,
    /// The first moment at which it is good no more.
    pub at: Timestamp,
}

/// One certificate with its key.
pub(super) struct Shown {
    /// In lower case.
    names: Vec<String>,
    not_before: Timestamp,
    not_after: Timestamp,
    pair: Arc<CertifiedKey>,
}

/// The certificates that clients are shown; the first one also to those who name none of ours.
pub(in crate::proxy) struct Certificates(Vec<Shown>);

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().flat_map(|shown| &shown.names)).finish()
    }
}

/// The same where the same is shown.
impl PartialEq for Certificates {
    fn eq(&self, other: &Self) -> bool {
        self.0.iter().map(|shown| &shown.pair.cert).eq(other.0.iter().map(|o| &o.pair.cert))
    }
}

impl Eq for Certificates {}

impl Certificates {
    /// Those of these pairs, each of which was checked to be one.
    pub(super) fn new(pairs: Vec<CertifiedKey>) -> Option<Self> {
        pairs.into_iter().map(Shown::new).collect::<Option<_>>().map(Self)
    }

    /// The one for whoever asks for this name and can check these signatures.
    pub(super) fn choose(
        &self,
        name: Option<&str>,
        schemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        let place = self.place(name);
        // Of two for the same name, the one whose signature they can check.
        let twins = self
            .0
            .iter()
            .filter(|shown| name.is_some_and(|name| shown.is_for(name)) && shown.signs(schemes));
        let usual = self.0.get(place)?;
        let other = twins.into_iter().next();
        let chosen = if usual.signs(schemes) { usual } else { other.unwrap_or(usual) };
        Some(Arc::clone(&chosen.pair))
    }

    /// Whether whoever asked for this name was shown another certificate than this host has.
    pub(in crate::proxy) fn differ(&self, name: Option<&str>, host: &Host) -> bool {
        let is_same = name.is_some_and(|name| name.eq_ignore_ascii_case(host.as_str()));
        self.0.len() > 1 && !is_same && self.place(name) != self.place(Some(host.as_str()))
    }

    /// Until when each is good, by name.
    pub(in crate::proxy) fn expiries(&self) -> impl Iterator<Item = Expiry> + '_ {
        self.0.iter().flat_map(|shown| {
            let expiry = |name: &String| Expiry { name: name.clone(), at: shown.not_after };
            shown.names.iter().map(expiry)
        })
    }

    /// Every certificate that is shown first, in DER.
    pub(super) fn leaves(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().filter_map(|shown| shown.pair.cert.first()).map(AsRef::as_ref)
    }

    /// Which one is for this name: one that has it, else one that has a pattern for it.
    fn place(&self, name: Option<&str>) -> usize {
        let Some(name) = name else { return 0 };
        let named = self.0.iter().position(|shown| shown.has(name));
        named.or_else(|| self.0.iter().position(|shown| shown.is_for(name))).unwrap_or(0)
    }
}

impl Shown {
    pub(super) fn new(pair: CertifiedKey) -> Option<Self> {
        let (_, cert) = X509Certificate::from_der(pair.cert.first()?.as_ref()).ok()?;
        let names = cert.subject_alternative_name().ok().flatten();
        let names = names.map(|names| names.value.general_names.iter().filter_map(name).collect());
        let moment = |secs: i64| Timestamp::from_secs(u64::try_from(secs).unwrap_or_default());
        let not_before = moment(cert.validity().not_before.timestamp());
        let not_after = moment(cert.validity().not_after.timestamp());
        let names = names.unwrap_or_default();
        Some(Self { names, not_before, not_after, pair: Arc::new(pair) })
    }

    /// When it is to be replaced: two thirds through its life, and a little later by what its last
    /// byte says, so that not everybody's certificates of one day come due in one second.
    pub(super) fn due(&self) -> Timestamp {
        let life = self.not_after.since(self.not_before);
        let last = self.pair.cert.first().and_then(|cert| cert.last().copied());
        let spread = life / 30 * u32::from(last.unwrap_or_default()) / 256;
        self.not_before.plus(life * 2 / 3 + spread)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.names.iter().any(|own| own.eq_ignore_ascii_case(name))
    }

    /// `*.example.com` is for one label in place of the star.
    fn is_for(&self, name: &str) -> bool {
        let below = name.split_once('.').map(|(_, parent)| parent);
        let covers = |own: &String| {
            own.strip_prefix("*.")
                .zip(below)
                .is_some_and(|(own, below)| own.eq_ignore_ascii_case(below))
        };
        self.has(name) || self.names.iter().any(covers)
    }

    fn signs(&self, schemes: &[SignatureScheme]) -> bool {
        self.pair.key.choose_scheme(schemes).is_some()
    }
}

/// A name as hosts are written.
fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
        GeneralName::IPAddress(bytes) => {
            let v4 = <[u8; 4]>::try_from(*bytes).map(|v4| IpAddr::from(Ipv4Addr::from(v4)));
            let v6 = <[u8; 16]>::try_from(*bytes).map(|v6| IpAddr::from(Ipv6Addr::from(v6)));
            match v4.or(v6).ok()? {
                IpAddr::V4(address) => Some(address.to_string()),
                IpAddr::V6(address) => Some(format!("[{address}]")),
            }
        }
        _ => None,
    }
}
