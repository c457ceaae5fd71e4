//! What is in force: all that a request is judged by, put together once and never changed.
//!
//! Here is the order in which a request is looked at: is it one of our own pages, is there an app
//! for it, what does the gate say. A request holds on to what was in force when it arrived, so that
//! a reload cannot judge it by one half of this and one half of that.

use super::apps::{App, Apps, apps, resolve};
use super::bridge::{declared_length, split_target};
use super::client::TrustedProxies;
use super::gateway::{Arrival, Ctx};
use super::headers::{HeaderRules, Person};
use super::settings::Settings;
use super::tls::{Certificates, Challenges, Fetching};
use crate::api::Api;
use crate::domain::{Asked, Place};
use crate::forward::{Checked, Forward};
use crate::http::{Challenge, Cookies, Location, Request, Response, Site, credential};
use crate::observe::{Level, Outcome};
use crate::portal::Portal;
use crate::service::{Answer, AppOrigin, LiveSession, Service};
use crate::types::{ClientAddr, Host, PathView, RequestCx, RequestId};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use pingora::http::RequestHeader;
use std::net::SocketAddr;
use std::sync::Arc;

/// What it is put together from.
pub struct Parts {
    /// The use cases.
    pub service: Arc<Service>,
    /// Our own pages.
    pub portal: Arc<Portal>,
    /// The same for programs.
    pub api: Arc<Api>,
    /// The same question asked by other proxies.
    pub forward: Forward,
    /// Where all of them are.
    pub site: Arc<Site>,
    /// What the data path is told.
    pub settings: Settings,
}

/// All that a request is judged by.
pub(super) struct InForce {
    service: Arc<Service>,
    portal: Arc<Portal>,
    api: Arc<Api>,
    forward: Forward,
    site: Arc<Site>,
    headers: HeaderRules,
    apps: Apps,
    trusted: TrustedProxies,
    certificates: Option<Arc<Certificates>>,
    fetching: Option<Arc<Fetching>>,
    challenges: Arc<Challenges>,
}

/// What becomes of a request.
pub(super) enum Turn {
    /// One of our own pages answers.
    Portal,
    /// Its sender has to ask again by https.
    Encrypt(Location),
    /// An authority is shown that the name leads here.
    Prove(String),
    /// Another proxy asks about a request that it keeps.
    Check,
    /// It goes to its app.
    Forward,
    /// Its sender has to do this first.
    Challenge(Challenge),
    /// Somebody works on its app.
    Maintenance,
    /// It is refused with this status.
    Refuse(StatusCode),
}

impl InForce {
    /// Puts it together; apps that were there before stay what they are.
    pub(super) fn new(parts: Parts, challenges: &Arc<Challenges>, before: Option<&Self>) -> Self {
        let Parts { service, portal, api, forward, site, settings } = parts;
        let headers = HeaderRules::new(settings.identity, Cookies::new(&site));
        Self {
            apps: apps(settings.routes, before.map(|before| &before.apps), service.log().meters()),
            headers: headers.after(before.map(Self::headers)),
            trusted: TrustedProxies::new(settings.trusted_proxies),
            certificates: settings.tls.certificates().cloned(),
            fetching: settings.tls.to_fetch().cloned(),
            challenges: Arc::clone(challenges),
            service,
            portal,
            api,
            forward,
            site,
        }
    }

    /// The use cases.
    pub(super) const fn service(&self) -> &Arc<Service> {
        &self.service
    }

    /// Where our own pages are.
    pub(super) fn site(&self) -> &Site {
        &self.site
    }

    /// What is done to heads.
    pub(super) const fn headers(&self) -> &HeaderRules {
        &self.headers
    }

    /// Whom a connection of this peer counts for: nobody, where the peer speaks for many.
    pub(super) fn counted(&self, peer: Option<SocketAddr>) -> Option<ClientAddr> {
        self.trusted.counted(peer)
    }

    /// The certificates that clients are shown, where there are any.
    pub(super) const fn certificates(&self) -> Option<&Arc<Certificates>> {
        self.certificates.as_ref()
    }

    /// Which certificates are to be fetched.
    pub(super) const fn fetching(&self) -> Option<&Arc<Fetching>> {
        self.fetching.as_ref()
    }

    /// Whether a client that asked for this name at its handshake means a host with another
    /// certificate now.
    pub(super) fn is_misdirected(&self, server_name: Option<&str>, host: &Host) -> bool {
        self.certificates.as_ref().is_some_and(|all| all.differ(server_name, host))
    }

    /// The app at a place that was found here.
    pub(super) fn app(&self, place: Place) -> Option<&App> {
        self.apps.at(place).map(|app| &**app)
    }

    /// Every app.
    pub(super) fn apps(&self) -> impl Iterator<Item = &Arc<App>> {
        self.apps.iter().map(|(_, app)| app)
    }

    /// Whether this very app is one of them.
    pub(super) fn has(&self, app: &Arc<App>) -> bool {
        self.apps().any(|own| Arc::ptr_eq(own, app))
    }

    /// Which route is for this host and path, in words.
    pub(super) fn route(&self, host: &str, path: &str) -> Option<String> {
        self.apps.name(&Host::parse(host).ok()?, &PathView::of(path))
    }

    /// Looks the apps' names up; what could not be looked up comes back as sentences.
    pub(super) async fn resolve(&self) -> Vec<String> {
        resolve(&self.apps).await
    }

    /// Tells the operator something.
    pub(super) fn say(&self, level: Level, message: &str) {
        self.service.log().say(self.service.clock().now(), level, message);
    }

    /// Gathers what there is to know of a request whose head is in order.
    pub(super) fn arrival(
        self: Arc<Self>,
        id: RequestId,
        head: &RequestHeader,
        peer: Option<SocketAddr>,
        tls: bool,
    ) -> Option<Arrival> {
        let way = self.trusted.way(peer, tls, &head.headers);
        let client = HeaderValue::try_from(way.client.text()).ok()?;
        let authority = match head.uri.authority() {
            Some(authority) => HeaderValue::from_str(authority.as_str()).ok()?,
            None => head.headers.get(http::header::HOST)?.clone(),
        };
        let (host, _) = Host::parse_authority(authority.to_str().ok()?).ok()?;
        let cx = RequestCx { id, now: self.service.clock().now(), client: way.client };
        let is_plain = peer.is_some() && !way.https;
        Some(Arrival { force: self, cx, way, is_plain, host, client, authority })
    }

    /// Decides what becomes of a request, and asks the gate where that is for the gate to say.
    pub(super) async fn decide(
        &self,
        head: &RequestHeader,
        arrival: &Arrival,
        ctx: &mut Ctx,
    ) -> Turn {
        let is_ours =
            self.apps.knows_host(&arrival.host) || arrival.host == *self.site.public_url.host();
        if arrival.is_plain && self.certificates.is_some() {
            return self.encrypt(head, arrival, is_ours, ctx);
        }
        let (path, _) = split_target(head.raw_path());
        // At whichever host: Envoy asks at the host that it is asked for.
        if self.forward.owns(path) {
            return Turn::Check;
        }
        let view = PathView::of(path);
        if is_ours && self.portal.owns(&view) {
            ctx.outcome = Outcome::Portal;
            return Turn::Portal;
        }
        // Neither a way into our own pages by another spelling, nor one past them.
        if view.is_below(&self.site.prefix) {
            ctx.note(Outcome::NoRoute, "odd_spelling_of_the_portal");
            return Turn::Refuse(StatusCode::NOT_FOUND);
        }
        let Some((place, app)) = self.apps.find(&arrival.host, &view) else {
            ctx.note(Outcome::NoRoute, "no_route");
            return Turn::Refuse(StatusCode::NOT_FOUND);
        };
        if !app.takes(&view) {
            ctx.note(Outcome::NoRoute, "odd_spelling_of_the_prefix");
            return Turn::Refuse(StatusCode::NOT_FOUND);
        }
        ctx.app = Some(place);
        self.ask(head, arrival, &view, app, ctx).await
    }

    /// Nothing is served unencrypted where clients are shown certificates. What carries more than a
    /// question has lost its secrets already: whoever sent it has to hear of that.
    fn encrypt(
        &self,
        head: &RequestHeader,
        arrival: &Arrival,
        is_ours: bool,
        ctx: &mut Ctx,
    ) -> Turn {
        let (path, _) = split_target(head.raw_path());
        if self.fetching.is_some() && Challenges::owns(path) {
            ctx.note(Outcome::Portal, "acme_challenge");
            let text = self.challenges.text(path);
            return text.map_or(Turn::Refuse(StatusCode::NOT_FOUND), Turn::Prove);
        }
        ctx.note(Outcome::Forbidden, "not_encrypted");
        let target = std::str::from_utf8(head.raw_path());
        match target {
            _ if !is_ours => Turn::Refuse(StatusCode::NOT_FOUND),
            Ok(target) if matches!(head.method, Method::GET | Method::HEAD) => {
                Turn::Encrypt(Location::encrypted(&self.site, &arrival.host, target))
            }
            _ => Turn::Refuse(StatusCode::FORBIDDEN),
        }
    }

    /// Asks the gate about a request for an app.
    async fn ask(
        &self,
        head: &RequestHeader,
        arrival: &Arrival,
        path: &PathView<'_>,
        app: &App,
        ctx: &mut Ctx,
    ) -> Turn {
        let shown = credential(self.headers.cookies(), &head.headers);
        let asked = Asked {
            host: &arrival.host,
            path,
            method: head.method.as_str(),
            client: arrival.cx.client,
        };
        let answer = self.service.ask(shown.as_ref(), &asked, &arrival.cx).await;
        self.heed(answer, app, &head.headers, ctx)
    }

    /// Does what the gate says.
    fn heed(&self, answer: Answer, app: &App, fields: &HeaderMap, ctx: &mut Ctx) -> Turn {
        match answer {
            Answer::Allow(permit) => {
                ctx.outcome = Outcome::Allowed;
                ctx.person = permit.person().cloned();
                if app.is_in_maintenance() {
                    ctx.reason = Some("maintenance");
                    return Turn::Maintenance;
                }
                let too_long = |most| declared_length(fields).is_some_and(|len| len > most);
                if app.body_max().is_some_and(too_long) {
                    ctx.reason = Some("body_too_large");
                    return Turn::Refuse(StatusCode::PAYLOAD_TOO_LARGE);
                }
                ctx.permit = Some(permit);
                Turn::Forward
            }
            Answer::Challenge => {
                ctx.outcome = Outcome::Challenged;
                Turn::Challenge(Challenge::SignIn)
            }
            Answer::ShowFactor(person) => {
                ctx.person = Some(person);
                ctx.outcome = Outcome::Challenged;
                Turn::Challenge(Challenge::ShowFactor)
            }
            Answer::Forbid(person) => {
                ctx.person = person;
                ctx.note(Outcome::Forbidden, "policy");
                Turn::Refuse(StatusCode::FORBIDDEN)
            }
            Answer::Unavailable(why) => {
                self.say(Level::Error, &why);
                ctx.note(Outcome::Failed, "store_unavailable");
                Turn::Refuse(StatusCode::SERVICE_UNAVAILABLE)
            }
        }
    }

    /// Who it is, as an app is told that the client calls by this name.
    pub(super) fn introduce<'a>(
        &self,
        live: Option<&'a LiveSession>,
        arrival: &Arrival,
    ) -> pingora::Result<Person<'a>> {
        let authority = arrival.authority.as_bytes();
        let origin = AppOrigin { https: arrival.way.https, authority };
        let signed = self.headers.identity().assertion(&self.service, live, origin, arrival.cx.now);
        let assertion = signed.map_err(|why| {
            self.say(Level::Error, &format!("an app is not asked: {why}"));
            pingora::Error::new(pingora::ErrorType::HTTPStatus(503))
        })?;
        Ok(Person { live, assertion })
    }

    /// Whether a path is one of the calls for programs, who are told everything as JSON.
    pub(super) fn is_call(&self, path: &str) -> bool {
        self.api.owns(path)
    }

    /// Answers a request whose path is ours.
    pub(super) async fn answer(&self, request: Request) -> Response {
        if self.is_call(&request.path) {
            self.api.answer(request).await
        } else {
            self.portal.answer(request).await
        }
    }

    /// Answers another proxy. A yes also says what the app may see of what the client showed.
    pub(super) async fn check(&self, request: Request, ctx: &mut Ctx) -> pingora::Result<Response> {
        let shown = HeaderRules::shown(&request.headers);
        let Checked { mut response, about, person, outcome, reason } =
            self.forward.answer(request).await;
        ctx.note(outcome, reason);
        // It is counted with the requests for the app that it is about.
        let found =
            about.as_ref().and_then(|(_, host, path)| self.apps.find(host, &PathView::of(path)));
        ctx.app = found.map(|(place, _)| place);
        (ctx.about, ctx.person) = (about, person);
        if outcome == Outcome::Allowed {
            let keeps_tokens = found.is_some_and(|(_, app)| app.telling(None).keeps_authorization);
            response.headers.extend(HeaderRules::left_of(shown, keeps_tokens)?);
        }
        Ok(response)
    }
}
