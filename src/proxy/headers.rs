//! What the app is told, and what it must not be told by anyone else.

use super::bridge::split_target;
use super::gateway::Arrival;
use super::hygiene::ProtectedNames;
use crate::http::{Cookies, IdentityNames, is_our_authorization, shows_token};
use crate::service::LiveSession;
use crate::types::PathView;
use http::header::{AUTHORIZATION, COOKIE, HOST, HeaderName, HeaderValue, SET_COOKIE};
use http::request::Parts;
use http::{HeaderMap, Request};
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::{ErrorType, OrErr as _};
use std::mem;
use std::sync::Arc;

static FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
static FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
static FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
static FORWARDED_PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");
static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Fields that are written anew, at most.
const WRITTEN: usize = 9;

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

/// Who it is, as the app is told.
pub(super) struct Person<'a> {
    /// Nobody where nobody was asked for.
    pub(super) live: Option<&'a LiveSession>,
    /// The same, signed.
    pub(super) assertion: Option<HeaderValue>,
}

/// What one app is told otherwise than others.
pub(super) struct Telling<'a> {
    /// Whether it is sent tokens of ours as well.
    pub(super) keeps_authorization: bool,
    /// Its host, where that is not what the client said.
    pub(super) host: Option<&'a HeaderValue>,
    /// What is taken off the path.
    pub(super) prefix: Option<&'a HeaderValue>,
}

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
        let own = [&FORWARDED_FOR, &FORWARDED_PROTO, &FORWARDED_HOST, &REQUEST_ID];
        let usual = IdentityNames::default();
        let is_unused = |name: &&HeaderName| identity.names().all(|told| told != *name);
        let unused: Vec<HeaderName> = usual.names().filter(is_unused).cloned().collect();
        let names = own.into_iter().chain(identity.names()).chain(&unused);
        let protected = Arc::new(ProtectedNames::new(names.map(HeaderName::as_str)));
        Self { identity, unused, cookies, protected }
    }

    /// Takes the place of others: where they have the same names, what was judged by those is not
    /// judged again.
    #[must_use]
    pub(super) fn after(mut self, before: Option<&Self>) -> Self {
        if let Some(before) = before.filter(|before| before.protected == self.protected) {
            self.protected = Arc::clone(&before.protected);
        }
        self
    }

    /// Names that only the gateway may use.
    pub(super) const fn protected(&self) -> &Arc<ProtectedNames> {
        &self.protected
    }

    /// By which names apps are told who somebody is.
    pub(super) const fn identity(&self) -> &IdentityNames {
        &self.identity
    }

    /// How our cookies are called.
    pub(super) const fn cookies(&self) -> &Cookies {
        &self.cookies
    }

    /// Lets go of the case in which the client wrote its names. It means nothing, HTTP/2 has none,
    /// and the engine keeps it in a map of its own that is copied, searched and grown as often as
    /// that of the fields.
    pub(super) fn forget_case(head: &mut RequestHeader) {
        if head.has_case() {
            *head = take(head).into();
        }
    }

    /// Takes out what the client said about itself and writes what the gateway knows.
    pub(super) fn rewrite(
        &self,
        head: &mut RequestHeader,
        person: &Person<'_>,
        arrival: &Arrival,
        telling: &Telling<'_>,
    ) -> pingora::Result<()> {
        // Its fields by themselves: through the engine, every name would be parsed again.
        let mut parts = take(head);
        let fields = &mut parts.headers;
        fields.reserve(WRITTEN);
        Self::strip(fields, telling.keeps_authorization)?;
        self.tell(fields, person);
        let Arrival { cx, way, client, authority, .. } = arrival;
        let proto = HeaderValue::from_static(if way.https { "https" } else { "http" });
        fields.insert(&FORWARDED_FOR, client.clone());
        fields.insert(&FORWARDED_PROTO, proto);
        fields.insert(&FORWARDED_HOST, authority.clone());
        fields.insert(&REQUEST_ID, value(&cx.id.hex())?);
        if let Some(host) = telling.host {
            fields.insert(HOST, host.clone());
        }
        let Some(prefix) = telling.prefix else {
            *head = parts.into();
            return Ok(());
        };
        fields.insert(&FORWARDED_PREFIX, prefix.clone());
        if !fields.contains_key(HOST) {
            // On HTTP/2 the host may be told with the target alone, which is written anew.
            fields.insert(HOST, authority.clone());
        }
        *head = parts.into();
        Self::take_off(head, prefix)
    }

    /// Takes what the app knows nothing of off the target; what is left stays as it came.
    fn take_off(head: &mut RequestHeader, prefix: &HeaderValue) -> pingora::Result<()> {
        let (path, _) = split_target(head.raw_path());
        let prefix = prefix.to_str().unwrap_or_default();
        let Some(left) = PathView::of(path).without(prefix) else {
            return Err(pingora::Error::new(ErrorType::HTTPStatus(404)));
        };
        let mut target = left.as_bytes().to_vec();
        target.extend_from_slice(head.raw_path().get(path.len()..).unwrap_or_default());
        head.set_raw_path(&target)
    }

    /// Writes who it is, over whatever the client wrote there; where there is nothing to write,
    /// there is nothing left.
    fn tell(&self, fields: &mut HeaderMap, person: &Person<'_>) {
        for (name, value) in self.identity.told(person.live, person.assertion.as_ref()) {
            match value {
                Some(value) => drop(fields.insert(name, value.clone())),
                None => drop(fields.remove(name)),
            }
        }
        for name in &self.unused {
            fields.remove(name);
        }
    }

    /// Takes out what is not the client's to say, and what opens something here.
    pub(super) fn strip(fields: &mut HeaderMap, keeps_tokens: bool) -> pingora::Result<()> {
        Self::strip_spoken_for(fields);
        Self::strip_cookies(fields)?;
        if !keeps_tokens {
            Self::strip_authorization(fields);
        }
        Ok(())
    }

    /// The fields by which somebody gets in here, as they were sent.
    pub(super) fn shown(sent: &HeaderMap) -> HeaderMap {
        let of = |name: HeaderName| {
            sent.get_all(&name).iter().map(move |value| (name.clone(), value.clone()))
        };
        [COOKIE, AUTHORIZATION].into_iter().flat_map(of).collect()
    }

    /// What an app may see of these, for another proxy to write over what its client sent: empty
    /// where that is nothing.
    pub(super) fn left_of(mut shown: HeaderMap, keeps_tokens: bool) -> pingora::Result<HeaderMap> {
        let names: Vec<HeaderName> = shown.keys().cloned().collect();
        Self::strip(&mut shown, keeps_tokens)?;
        for name in names {
            shown.entry(name).or_insert(HeaderValue::from_static(""));
        }
        Ok(shown)
    }

    fn strip_spoken_for(fields: &mut HeaderMap) {
        // One pass over the names; most requests have nothing to take out.
        let unwanted = |name: &&HeaderName| is_spoken_for(name.as_str().as_bytes());
        let found: Vec<HeaderName> = fields.keys().filter(unwanted).cloned().collect();
        for name in &found {
            fields.remove(name);
        }
    }

    /// The gateway's cookies never reach an app. Several fields, as HTTP/2 may send them, become
    /// one, since that is all HTTP/1 knows.
    fn strip_cookies(fields: &mut HeaderMap) -> pingora::Result<()> {
        let mut sent = fields.get_all(COOKIE).iter();
        let Some(first) = sent.next() else { return Ok(()) };
        let is_one = sent.next().is_none();
        if is_one && !first.as_bytes().split(|c| *c == b';').any(is_ours) {
            return Ok(());
        }
        let all = fields.get_all(COOKIE).iter();
        let pairs = all.flat_map(|field| field.as_bytes().split(|c| *c == b';'));
        let mut kept = Vec::new();
        for pair in pairs.map(<[u8]>::trim_ascii) {
            if !pair.is_empty() && !is_ours(pair) {
                kept.extend_from_slice(if kept.is_empty() { b"" } else { b"; " });
                kept.extend_from_slice(pair);
            }
        }
        if kept.is_empty() {
            fields.remove(COOKIE);
        } else {
            fields.insert(COOKIE, value(&kept)?);
        }
        Ok(())
    }

    /// Tokens of ours never reach an app; what it asks for in the same field by itself does.
    fn strip_authorization(fields: &mut HeaderMap) {
        if !shows_token(fields) {
            return;
        }
        let sent = fields.get_all(AUTHORIZATION).iter();
        let theirs = sent.filter(|field| !is_our_authorization(field.as_bytes()));
        let theirs: Vec<HeaderValue> = theirs.cloned().collect();
        fields.remove(AUTHORIZATION);
        for field in theirs {
            fields.append(AUTHORIZATION, field);
        }
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

/// The head by its parts. An empty one stays behind until they are put back.
fn take(head: &mut RequestHeader) -> Parts {
    let (empty, ()) = Request::new(()).into_parts();
    mem::replace(head, empty.into()).into()
}

fn value(bytes: &[u8]) -> pingora::Result<HeaderValue> {
    HeaderValue::from_bytes(bytes).or_err(ErrorType::InvalidHTTPHeader, "not a field's value")
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
    let begins = |known: &[u8]| {
        name.get(..known.len()).is_some_and(|s| s.iter().map(fold).eq(known.iter().copied()))
    };
    let is = |known: &[u8]| name.len() == known.len() && begins(known);
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
