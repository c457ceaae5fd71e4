//! Where our own pages are and what their cookies are called.

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
}
