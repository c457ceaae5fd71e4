//! How an app is told who somebody is, by the proxy in front of it or by ours.

use crate::service::LiveSession;
use http::{HeaderName, HeaderValue};

/// Names of the headers that tell the app who somebody is; `None` leaves one out.
#[derive(Clone, Debug)]
pub struct IdentityNames {
    /// The username.
    pub user: Option<HeaderName>,
    /// The groups, joined by commas.
    pub groups: Option<HeaderName>,
    /// The display name.
    pub name: Option<HeaderName>,
    /// The e-mail address.
    pub email: Option<HeaderName>,
}

impl Default for IdentityNames {
    fn default() -> Self {
        Self {
            user: Some(HeaderName::from_static("remote-user")),
            groups: Some(HeaderName::from_static("remote-groups")),
            name: Some(HeaderName::from_static("remote-name")),
            email: Some(HeaderName::from_static("remote-email")),
        }
    }
}

impl IdentityNames {
    /// Each name that an app is told by, and what it is told of this person. Without a person, and
    /// of what a person does not have, nothing: then nothing may be left under that name either.
    pub fn told<'a>(
        &'a self,
        person: Option<&'a LiveSession>,
    ) -> impl Iterator<Item = (&'a HeaderName, Option<&'a HeaderValue>)> {
        let identity = person.map(LiveSession::identity);
        let pairs = [
            (&self.user, identity.map(|identity| &identity.user)),
            (&self.groups, identity.map(|identity| &identity.groups)),
            (&self.name, identity.map(|identity| &identity.name)),
            (&self.email, identity.map(|identity| &identity.email)),
        ];
        pairs.into_iter().filter_map(|(name, value)| {
            Some((name.as_ref()?, value.filter(|value| !value.is_empty())))
        })
    }
}
