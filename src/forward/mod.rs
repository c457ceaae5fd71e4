//! Floor 6: for other proxies, which ask before they pass a request on.
//!
//! ```text
//!   a trusted peer? ──► one dialect's fields, into one value ──► where the portal is ──► the gate
//!        403                     404 400                              400               200 401 302
//!                                                                                       303 403 503
//! ```
//!
//! A verdict is the gate's, about the same host, path, method, client and credential as if the
//! request had come to the proxy of our own; nothing here weighs anything. A yes always carries
//! every identity header, empty where there is nothing to tell, so that a proxy that copies them
//! overwrites what its client sent under those names.

mod dialect;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;

use crate::domain::{Asked, PortalOrigin};
use crate::http::{
    Answer, Challenge, Cookies, IdentityNames, Language, Location, Request, Response, Site,
    credential, is_page_navigation, problem_of, referring_page, refusal, shows_token, unauthorised,
};
use crate::observe::{Level, Outcome};
use crate::service::{Answer as Gate, LiveSession, Service, Unsigned};
use crate::types::{Host, PathView, Timestamp};
use bytes::Bytes;
use dialect::{Dialect, Kept};
use http::{HeaderValue, Method, StatusCode};
use std::sync::Arc;

/// What the paths of the endpoints begin with, below the prefix.
const ROOT: &str = "/authz";

/// Where Envoy names the portal's origin, whose checks have the client's own query.
const PORTAL: &str = "x-vestibule-url";

/// The endpoints that other proxies ask.
pub struct Forward {
    service: Arc<Service>,
    site: Arc<Site>,
    cookies: Cookies,
    identity: IdentityNames,
}

/// What a check came to: the answer, and what there is to log of it.
pub struct Checked {
    /// What the proxy is answered.
    pub response: Response,
    /// What was asked about: a method, a host and a path; none where that could not be read.
    pub about: Option<(Method, Host, String)>,
    /// Who it is.
    pub person: Option<Arc<LiveSession>>,
    /// What became of it.
    pub outcome: Outcome,
    /// Why, or in which dialect it was asked.
    pub reason: &'static str,
}

/// An answer, what to call it, and whose it is.
type Verdict = (Response, Outcome, &'static str, Option<Arc<LiveSession>>);

impl Forward {
    /// Endpoints that tell by these names who somebody is.
    pub fn new(service: Arc<Service>, site: Arc<Site>, identity: IdentityNames) -> Self {
        let cookies = Cookies::new(&site);
        Self { service, site, cookies, identity }
    }

    /// Whether a path is one of the endpoints, or would be. Byte for byte: what follows may be
    /// spelled in any way, and is what is asked about.
    pub fn owns(&self, path: &str) -> bool {
        self.below(path).is_some()
    }

    fn below<'p>(&self, path: &'p str) -> Option<&'p str> {
        let below = path.strip_prefix(&self.site.prefix)?.strip_prefix(ROOT)?;
        (below.is_empty() || below.starts_with('/')).then_some(below)
    }

    /// Answers a check. Its body, if it has one, is of no interest.
    pub async fn answer(&self, request: Request) -> Checked {
        let (about, verdict) = match self.read(&request) {
            Ok((dialect, kept, portal)) => {
                let verdict = self.judge(&request, dialect, &kept, &portal).await;
                let path = kept.path().to_owned();
                (Some((kept.method, kept.host, path)), verdict)
            }
            Err((response, reason)) => (None, (response, Outcome::Malformed, reason, None)),
        };
        let (response, outcome, reason, person) = verdict;
        let is_head = request.method == Method::HEAD;
        let response = if is_head { response.without_body() } else { response };
        Checked { response, about, person, outcome, reason }
    }

    /// Reads what is asked about and where the portal is.
    fn read<'r>(
        &self,
        request: &'r Request,
    ) -> Result<(Dialect<'r>, Kept, PortalOrigin), (Response, &'static str)> {
        let refuse = |status| refusal(&self.site, Language::English, false, status);
        // Before anything is read: whoever is not believed learns nothing by trying.
        if !request.peer_is_trusted {
            return Err((refuse(StatusCode::FORBIDDEN), "untrusted_peer"));
        }
        let dialect = self.below(&request.path).and_then(Dialect::of);
        let dialect = dialect.ok_or_else(|| (refuse(StatusCode::NOT_FOUND), "no_endpoint"))?;
        let kept = dialect.read(request).map_err(|name| {
            let text = format!("The check must name a request, and its {name} does not.");
            (self.bad_request(text), "bad_forwarding_header")
        })?;
        let portal = self.portal(request, dialect).ok_or_else(|| {
            let text = "The portal that the check names is neither at public_url nor on the host \
                        of a route.";
            (self.bad_request(text.to_owned()), "bad_portal")
        })?;
        Ok((dialect, kept, portal))
    }

    /// Tells the operator, who reads it in the proxy's log, what is wrong with the check.
    fn bad_request(&self, text: String) -> Response {
        let answer = Answer::new(StatusCode::BAD_REQUEST, "bad_forwarding_header", text);
        problem_of(&self.site, &answer)
    }

    /// Where the portal is that a visitor is sent to.
    fn portal(&self, request: &Request, dialect: Dialect<'_>) -> Option<PortalOrigin> {
        let origins = &self.site.origins;
        match dialect {
            Dialect::ExtAuthz(_) if !request.headers.contains_key(PORTAL) => Some(origins.portal()),
            Dialect::ExtAuthz(_) => origins.portal_at(request.header(PORTAL)?),
            // What else is in the query may be the client's: some proxies add it by themselves.
            _ => {
                let query = form_urlencoded::parse(request.query.as_bytes());
                let mut named = query.filter(|(name, _)| name == "rd");
                match (named.next(), named.next()) {
                    (None, _) => Some(origins.portal()),
                    (Some((_, origin)), None) => origins.portal_at(&origin),
                    (Some(_), Some(_)) => None,
                }
            }
        }
    }

    /// Asks the gate, once.
    async fn judge(
        &self,
        request: &Request,
        dialect: Dialect<'_>,
        kept: &Kept,
        portal: &PortalOrigin,
    ) -> Verdict {
        let is_page = is_page_navigation(&kept.method, &request.headers);
        let refuse = |status| refusal(&self.site, request.language(), is_page, status);
        let view = PathView::of(kept.path());
        // Our own pages answer there, in every spelling, and no app ever does.
        if view.is_below(&self.site.prefix) || view.raw_below(&self.site.prefix).is_some() {
            let response = refuse(StatusCode::FORBIDDEN);
            return (response, Outcome::Forbidden, "path_of_the_portal", None);
        }
        let (shown, cx) = (credential(&self.cookies, &request.headers), &request.cx);
        let asked = Asked {
            host: &kept.host,
            path: &view,
            method: kept.method.as_str(),
            client: cx.client,
        };
        let challenge = |first| self.challenge(first, request, dialect, kept, portal);
        let unable = |why: String, reason| {
            self.service.log().say(cx.now, Level::Error, &why);
            (refuse(StatusCode::SERVICE_UNAVAILABLE), Outcome::Failed, reason, None)
        };
        match self.service.ask(shown.as_ref(), &asked, cx).await {
            Gate::Allow(permit) => {
                let person = permit.person().cloned();
                match self.allow(person.as_deref(), kept, cx.now) {
                    Ok(response) => (response, Outcome::Allowed, dialect.name(), person),
                    Err(why) => unable(why.to_string(), "unsigned"),
                }
            }
            Gate::Challenge => {
                let response = challenge(Challenge::SignIn);
                (response, Outcome::Challenged, dialect.name(), None)
            }
            Gate::ShowFactor(person) => {
                let response = challenge(Challenge::ShowFactor);
                (response, Outcome::Challenged, dialect.name(), Some(person))
            }
            Gate::Forbid(person) => {
                (refuse(StatusCode::FORBIDDEN), Outcome::Forbidden, "policy", person)
            }
            Gate::Unavailable(why) => unable(why, "store_unavailable"),
        }
    }

    /// Yes, and who it is: under every name something, if only nothing.
    fn allow(
        &self,
        person: Option<&LiveSession>,
        kept: &Kept,
        now: Timestamp,
    ) -> Result<Response, Unsigned> {
        let assertion = self.identity.assertion(&self.service, person, kept.origin(), now)?;
        let kind = "text/plain; charset=utf-8";
        let mut response = Response::new(&self.site, StatusCode::OK, kind, Bytes::new());
        for (name, value) in self.identity.told(person, assertion.as_ref()) {
            let value = value.cloned().unwrap_or_else(|| HeaderValue::from_static(""));
            response.headers.insert(name, value);
        }
        Ok(response)
    }

    /// Not before this is done. Says where, but to a program, which has no use for a page; and
    /// sends a person there, where the proxy hands on what it is answered.
    fn challenge(
        &self,
        first: Challenge,
        request: &Request,
        dialect: Dialect<'_>,
        kept: &Kept,
        portal: &PortalOrigin,
    ) -> Response {
        let (method, headers) = (&kept.method, &request.headers);
        if shows_token(headers) {
            return unauthorised(&self.site, first, headers);
        }
        let page = Location::page_at(&self.site, portal, first.page());
        let asks = matches!(*method, Method::GET | Method::HEAD);
        // What was sent is not sent again: whoever sent it goes back to where they filled it in.
        let to = if asks {
            page.with("rd", &kept.url())
        } else {
            let back = referring_page(headers, kept.authority.as_bytes());
            let back = back.map_or_else(|| kept.url(), |path| kept.at(path));
            page.with("rd", &back).with("why", "unsent")
        };
        if dialect.hands_on() && is_page_navigation(method, headers) {
            let status = if asks { StatusCode::FOUND } else { StatusCode::SEE_OTHER };
            return Response::redirect(&self.site, status, &to);
        }
        unauthorised(&self.site, first, headers).naming(&to)
    }
}
