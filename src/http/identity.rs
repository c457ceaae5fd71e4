//! How an app is told who somebody is, by the proxy in front of it or by ours.

use crate::service::{AppOrigin, LiveSession, Service, Unsigned};
use crate::types::Timestamp;
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
    /// All of it, signed.
    pub assertion: Option<HeaderName>,
}

impl Default for IdentityNames {
    fn default() -> Self {
        Self {
            user: Some(HeaderName::from_static("remote-user")),
            groups: Some(HeaderName::from_static("remote-groups")),
            name: Some(HeaderName::from_static("remote-name")),
            email: Some(HeaderName::from_static("remote-email")),
            assertion: Some(HeaderName::from_static("x-vestibule-assertion")),
        }
    }
}

impl IdentityNames {
    /// The names an app is told by.
    pub fn names(&self) -> impl Iterator<Item = &HeaderName> {
        let Self { user, groups, name, email, assertion } = self;
        [user, groups, name, email, assertion].into_iter().flatten()
    }

    /// Each name that an app is told by, and what it is told of this person. Without a person, and
    /// of what a person does not have, nothing: then nothing may be left under that name either.
    pub fn told<'a>(
        &'a self,
        person: Option<&'a LiveSession>,
        assertion: Option<&'a HeaderValue>,
    ) -> impl Iterator<Item = (&'a HeaderName, Option<&'a HeaderValue>)> {
        let identity = person.map(LiveSession::identity);
        let pairs = [
            (&self.user, identity.map(|identity| &identity.user)),
            (&self.groups, identity.map(|identity| &identity.groups)),
            (&self.name, identity.map(|identity| &identity.name)),
            (&self.email, identity.map(|identity| &identity.email)),
            (&self.assertion, assertion),
        ];
        pairs.into_iter().filter_map(|(name, value)| {
            Some((name.as_ref()?, value.filter(|value| !value.is_empty())))
        })
    }

    /// The signed statement of who this is, where apps are told one. There is no telling the rest
    /// without it: an app that relies on it would take the person for nobody.
    pub fn assertion(
        &self,
        service: &Service,
        person: Option<&LiveSession>,
        origin: AppOrigin<'_>,
        now: Timestamp,
    ) -> Result<Option<HeaderValue>, Unsigned> {
        let person = person.filter(|_| self.assertion.is_some());
        person.map(|live| service.assertion(live, origin, now)).transpose()
    }
}
