//! What the app is told, and what it must not be told by anyone else.

use super::client::Way;
use super::hygiene::ProtectedNames;
use super::settings::IdentityNames;
use crate::http::{Cookies, is_our_authorization, shows_token};
use crate::service::LiveSession;
use crate::types::RequestId;
use http::header::{AUTHORIZATION, COOKIE, HeaderName, HeaderValue, SET_COOKIE};
use pingora::http::{RequestHeader, ResponseHeader};
use std::sync::Arc;

const FORWARDED_FOR: &str = "X-Forwarded-For";
const FORWARDED_PROTO: &str = "X-Forwarded-Proto";
const FORWARDED_HOST: &str = "X-Forwarded-Host";
const REQUEST_ID: &str = "X-Request-Id";

/// Fields by which a client could speak for a proxy, in the folded spelling: besides all of
/// [`FAMILIES`].
const SPOKEN_FOR: [&[u8]; 17] = [
    b"forwarded",
    b"true-client-ip",
    b"cf-connecting-ip",
    b"fastly-client-ip",
    b"x-real-ip",
    b"x-client-ip",
    b"x-cluster-client-ip",
    b"x-host",
    b"x-forwarded",
    b"x-override-url",
    b"client-ip",
    b"wl-proxy-client-ip",
    b"x-http-method",
    b"x-http-method-override",
    b"x-method-override",
    b"x-request-id",
    // To a CGI app, the proxy it is to send its own requests through.
    b"proxy",
];

/// Beginnings of such names.
const FAMILIES: [&[u8]; 5] =
    [b"x-forwarded-", b"x-vestibule-", b"x-original-", b"x-rewrite-", b"x-envoy-"];

/// What is done to the head of a request before the app sees it.
pub(super) struct HeaderRules {
    identity: IdentityNames,
    /// Usual names that this app is not told: it may still look for them.
    unused: Vec<HeaderName>,
    cookies: Cookies,
    protected: Arc<ProtectedNames>,
}

impl HeaderRules {
    /// Prepares the rules for these names.
    pub(super) fn new(identity: IdentityNames, cookies: Cookies) -> Self {
        let own = [FORWARDED_FOR, FORWARDED_PROTO, FORWARDED_HOST, REQUEST_ID];
        let (told, mut unused) = (names_of(&identity), names_of(&IdentityNames::default()));
        unused.retain(|name| !told.contains(name));
        let names = own.into_iter().chain(told.iter().chain(&unused).map(HeaderName::as_str));
        // The assertion is to come; nobody may use its name before.
        let names = names.chain(["x-vestibule-assertion"]);
        let protected = Arc::new(ProtectedNames::new(names));
        Self { identity, unused, cookies, protected }
    }

    /// Names that only the gateway may use.
    pub(super) const fn protected(&self) -> &Arc<ProtectedNames> {
        &self.protected
    }

    /// How our cookies are called.
    pub(super) const fn cookies(&self) -> &Cookies {
        &self.cookies
    }

    /// Takes out what the client said about itself and writes what the gateway knows.
    pub(super) fn rewrite(
        &self,
        head: &mut RequestHeader,
        person: Option<&LiveSession>,
        way: &Way,
        id: RequestId,
        authority: &HeaderValue,
    ) -> pingora::Result<()> {
        Self::strip(head);
        Self::strip_cookies(head)?;
        self.tell(head, person)?;
        head.insert_header(FORWARDED_FOR, way.client.to_string())?;
        let proto = HeaderValue::from_static(if way.https { "https" } else { "http" });
        head.insert_header(FORWARDED_PROTO, proto)?;
        head.insert_header(FORWARDED_HOST, authority)?;
        head.insert_header(REQUEST_ID, id.hex().as_slice())
    }

    /// Writes who it is, over whatever the client wrote there; where there is nothing to write,
    /// there is nothing left.
    fn tell(&self, head: &mut RequestHeader, person: Option<&LiveSession>) -> pingora::Result<()> {
        let IdentityNames { user, groups, name, email } = &self.identity;
        let identity = person.map(LiveSession::identity);
        let told = [
            (user, identity.map(|identity| &identity.user)),
            (groups, identity.map(|identity| &identity.groups)),
            (name, identity.map(|identity| &identity.name)),
            (email, identity.map(|identity| &identity.email)),
        ];
        for (name, value) in told {
            match (name, value.filter(|value| !value.is_empty())) {
                (Some(name), Some(value)) => head.insert_header(name, value)?,
                (Some(name), None) => drop(head.remove_header(name)),
                (None, _) => {}
            }
        }
        for name in &self.unused {
            head.remove_header(name);
        }
        Ok(())
    }

    fn strip(head: &mut RequestHeader) {
        // One pass over the names; most requests have nothing to take out.
        let unwanted = |name: &&HeaderName| is_spoken_for(name.as_str().as_bytes());
        let found: Vec<HeaderName> = head.headers.keys().filter(unwanted).cloned().collect();
        for name in &found {
            head.remove_header(name);
        }
    }

    /// The gateway's cookies never reach an app. Several fields, as HTTP/2 may send them, become
    /// one, since that is all HTTP/1 knows.
    fn strip_cookies(head: &mut RequestHeader) -> pingora::Result<()> {
        let mut fields = head.headers.get_all(COOKIE).iter();
        let Some(first) = fields.next() else { return Ok(()) };
        let is_one = fields.next().is_none();
        if is_one && !first.as_bytes().split(|c| *c == b';').any(is_ours) {
            return Ok(());
        }
        let all = head.headers.get_all(COOKIE).iter();
        let pairs = all.flat_map(|field| field.as_bytes().split(|c| *c == b';'));
        let mut kept = Vec::new();
        for pair in pairs.map(<[u8]>::trim_ascii) {
            if !pair.is_empty() && !is_ours(pair) {
                kept.extend_from_slice(if kept.is_empty() { b"" } else { b"; " });
                kept.extend_from_slice(pair);
            }
        }
        head.remove_header(&COOKIE);
        if kept.is_empty() { Ok(()) } else { head.insert_header(COOKIE, kept) }
    }

    /// Tokens of ours never reach an app; what it asks for in the same field by itself does.
    pub(super) fn strip_authorization(head: &mut RequestHeader) -> pingora::Result<()> {
        if !shows_token(&head.headers) {
            return Ok(());
        }
        let sent = head.headers.get_all(AUTHORIZATION).iter();
        let theirs = sent.filter(|field| !is_our_authorization(field.as_bytes()));
        let theirs: Vec<HeaderValue> = theirs.cloned().collect();
        head.remove_header(&AUTHORIZATION);
        theirs.into_iter().try_for_each(|field| head.append_header(AUTHORIZATION, field).map(drop))
    }

    /// Apps cannot set the gateway's cookies.
    pub(super) fn strip_response(head: &mut ResponseHeader) -> pingora::Result<()> {
        let values = head.headers.get_all(SET_COOKIE);
        if !values.iter().any(|value| is_ours(value.as_bytes())) {
            return Ok(());
        }
        let others = values.iter().filter(|value| !is_ours(value.as_bytes()));
        let kept: Vec<HeaderValue> = others.cloned().collect();
        head.remove_header(&SET_COOKIE);
        kept.into_iter().try_for_each(|value| head.append_header(SET_COOKIE, value).map(drop))
    }
}

/// The names an app is told by.
fn names_of(identity: &IdentityNames) -> Vec<HeaderName> {
    let IdentityNames { user, groups, name, email } = identity;
    [user, groups, name, email].into_iter().flatten().cloned().collect()
}

/// Whether a cookie is one of the gateway's. A cookie without a name comes back from browsers as
/// its bare value, so that `=vestibule=x` would return as `vestibule=x`.
fn is_ours(pair: &[u8]) -> bool {
    let begin = pair.iter().position(|c| *c != b'=' && !c.is_ascii_whitespace());
    let pair = pair.get(begin.unwrap_or(pair.len())..).unwrap_or_default();
    let name = pair.split(|c| *c == b'=').next().unwrap_or_default();
    Cookies::is_ours(name.trim_ascii())
}

/// Whether a client could speak for a proxy by this name, in any spelling some server folds.
fn is_spoken_for(name: &[u8]) -> bool {
    if !matches!(name.first(), Some(b'x' | b'f' | b't' | b'c' | b'p' | b'w')) {
        return false;
    }
    let fold = |c: &u8| if c.is_ascii_alphanumeric() { *c } else { b'-' };
    let is = |known: &[u8]| name.iter().map(fold).eq(known.iter().copied());
    let begins = |known: &[u8]| {
        name.get(..known.len()).is_some_and(|s| s.iter().map(fold).eq(known.iter().copied()))
    };
    FAMILIES.iter().any(|family| begins(family)) || SPOKEN_FOR.iter().any(|known| is(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_spelling_lets_a_client_speak_for_a_proxy() {
        for name in [
            "x-forwarded-for",
            "x_forwarded_for",
            "x.original.url",
            "x-rewrite_url",
            "forwarded",
            "x-vestibule-assertion",
            "x-forwarded-anything",
            "true-client-ip",
            "x-http-method-override",
            "proxy",
        ] {
            assert!(is_spoken_for(name.as_bytes()), "{name}");
        }
        for name in [
            "accept",
            "x-requested-with",
            "x-csrf-token",
            "content-type",
            "cookie",
            "x-forwardedfor",
        ] {
            assert!(!is_spoken_for(name.as_bytes()), "{name}");
        }
    }
}
