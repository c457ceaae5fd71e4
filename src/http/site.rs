//! Where our own pages are and what their cookies are called.

use super::Brand;
use crate::domain::ReturnOrigins;
use crate::types::{Host, PublicUrl};

/// Where our own pages are, on every protected host and on the portal's own.
#[derive(Clone, Debug)]
pub struct Site {
    /// How browsers reach the portal.
    pub public_url: PublicUrl,
    /// What the paths of our own pages begin with: `/_vestibule`.
    pub prefix: String,
    /// Set: one sign-in for every host below it.
    pub cookie_domain: Option<Host>,
    /// Where redirects may lead.
    pub origins: ReturnOrigins,
    /// The longest body of a request for our own pages, in bytes.
    pub body_max: usize,
    /// Whose pages they are.
    pub brand: Brand,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::types::HostPattern;

    /// A portal at this address, with two routes.
    pub(crate) fn site(url: &str, cookie_domain: Option<&str>) -> Site {
        let public_url = PublicUrl::parse(url).unwrap();
        let cookie_domain = cookie_domain.map(|domain| Host::parse(domain).unwrap());
        let route = |host| HostPattern::parse(host).unwrap();
        let origins = ReturnOrigins {
            public_url: public_url.clone(),
            hosts: vec![route("wiki.example.org"), route("app.example.net")],
            cookie_domain: cookie_domain.clone(),
        };
        let prefix = String::from("/_vestibule");
        let brand = Brand::default();
        Site { public_url, prefix, cookie_domain, origins, body_max: 65_536, brand }
    }
}
