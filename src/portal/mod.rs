//! Floor 6: the pages for people.
//!
//! [`Portal::answer`] takes a request for one of our pages and gives the page. Each page has a
//! `show` and, where it has a form, an `act`: a form that cannot be taken is shown again with the
//! reason, by the same `show`, so that nobody ends up in a dead end.
//!
//! ```text
//!   /setup /invite ──┐
//!                    ▼
//!   /login ──► /login/second-factor ──► /password ──► /enroll ──► /recovery-codes ──► where they
//!      │              (each only where it is the next step)              │             wanted to go
//!      └─────────────────────────────────────────────────────────────────┴──────────────────►
//! ```
//!
//! Nothing here decides what the next step is, or who may go where: that is asked of the service.
//! No page writes back a password or a code, and no address is followed that was not checked at
//! that moment.

mod account;
mod authenticator;
mod console;
mod demo;
mod enrol;
mod links;
mod listing;
mod login;
mod onward;
mod password;
mod recovery;
mod register;
mod steps;
mod strength;
mod visit;

pub use demo::{Demo, demo_page};

use crate::http::{
    Answer, Cookies, Csrf, Entry, Fields, Found, Language, Location, Parameters, Request, Response,
    Router, Site, Trouble, error_page, is_from_elsewhere, is_own_document, is_page_navigation,
    refusal,
};
use crate::service::{Denied, Service};
use crate::types::PathView;
use http::header::{ALLOW, CACHE_CONTROL};
use http::{HeaderValue, Method, StatusCode};
use std::sync::Arc;
use visit::Visit;

/// The pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Page {
    Home,
    Login,
    SecondFactor,
    NewPassword,
    Enrolment,
    RecoveryCodes,
    Account,
    Logout,
    Link,
    Register,
    Asset,
    Keys,
    Strength,
    Console(console::Screen),
}

/// Where acting on a form led.
type Acted = Result<Response, Trouble>;

/// The pages for people.
pub struct Portal {
    service: Arc<Service>,
    site: Arc<Site>,
    cookies: Cookies,
    router: Router<Page>,
}

impl Portal {
    /// Lays the table of pages.
    pub fn new(service: Arc<Service>, site: Arc<Site>) -> Self {
        let cookies = Cookies::new(&site);
        Self { router: Router::new(table(&site)), site, cookies, service }
    }

    /// Whether a path is ours: in the form that rules look at, or as it was sent. What only one
    /// of the two readings calls ours gets our 404 and reaches no app.
    pub fn owns(&self, path: &PathView<'_>) -> bool {
        path.is_below(&self.site.prefix) || path.raw_below(&self.site.prefix).is_some()
    }

    /// Answers a request for one of our pages.
    pub async fn answer(&self, request: Request) -> Response {
        let response = self.respond(&request).await;
        if request.method == Method::HEAD { response.without_body() } else { response }
    }

    async fn respond(&self, request: &Request) -> Response {
        let is_page = is_page_navigation(&request.method, &request.headers);
        let below = request.path.strip_prefix(&self.site.prefix);
        let found = below.map_or(Found::Nothing, |path| self.router.find(&request.method, path));
        match found {
            Found::Entry(entry, _) if entry.handler == Page::Asset => self.asset(below),
            Found::Entry(entry, _) if entry.handler == Page::Keys => self.keys(),
            // A script's question, and no page.
            Found::Entry(entry, _) if entry.handler == Page::Strength => {
                strength::weigh(self, request).await
            }
            Found::Entry(entry, named) => self.serve(entry, named, request).await,
            Found::OtherMethods(allow) => {
                let status = StatusCode::METHOD_NOT_ALLOWED;
                let mut response = refusal(&self.site, request.language(), is_page, status);
                response.headers.extend(HeaderValue::try_from(allow).map(|allow| (ALLOW, allow)));
                response
            }
            Found::Nothing => {
                refusal(&self.site, request.language(), is_page, StatusCode::NOT_FOUND)
            }
        }
    }

    async fn serve(&self, entry: &Entry<Page>, named: Parameters, request: &Request) -> Response {
        let language = request.language();
        if !is_own_document(request) {
            return refusal(&self.site, language, false, StatusCode::FORBIDDEN);
        }
        let page = entry.handler;
        if entry.csrf == Csrf::Safe {
            return match Visit::new(self, request, named, Fields::of_query(request)) {
                Ok(visit) => self.show(page, &visit, None).await,
                Err(response) => response,
            };
        }
        if is_from_elsewhere(&self.site, request) {
            let (title, text) = language.words().refusals.from_elsewhere;
            return error_page(&self.site, language, StatusCode::FORBIDDEN, title, text);
        }
        let fields = match Fields::of_form(request, self.site.body_max) {
            Ok(fields) => fields,
            Err(bad) => return refusal(&self.site, language, true, bad.status()),
        };
        match Visit::new(self, request, named, fields) {
            Ok(visit) if visit.carries_token() => self.act(page, &visit).await,
            Ok(visit) => self.show(page, &visit, Some(&Answer::stale_form())).await,
            Err(response) => response,
        }
    }

    /// Shows a page, with the answer to what was sent where there is one.
    async fn show(&self, page: Page, visit: &Visit<'_>, answer: Option<&Answer>) -> Response {
        match page {
            Page::Home => Response::see_other(&self.site, &Location::page(&self.site, "/account")),
            Page::Login => login::show(visit, answer).await,
            Page::SecondFactor => steps::show_second_factor(visit, answer).await,
            Page::NewPassword => password::show(visit, answer).await,
            Page::Enrolment => enrol::show(visit, answer).await,
            Page::RecoveryCodes => recovery::show(visit, answer).await,
            Page::Account => account::show(visit, answer).await,
            Page::Logout => account::show_logout(visit, answer).await,
            Page::Link => links::show(visit, answer).await,
            Page::Register => register::show(visit, answer).await,
            Page::Asset => self.asset(visit.request.path.strip_prefix(&self.site.prefix)),
            Page::Keys => self.keys(),
            Page::Strength => strength::weigh(self, visit.request).await,
            Page::Console(screen) => console::show(visit, screen, answer).await,
        }
    }

    /// Does what a form asks for.
    async fn act(&self, page: Page, visit: &Visit<'_>) -> Response {
        let acted = match page {
            Page::Login => login::act(visit).await,
            Page::SecondFactor => steps::act_second_factor(visit).await,
            Page::NewPassword => password::act(visit).await,
            Page::Enrolment => enrol::act(visit).await,
            Page::Logout => account::act_logout(visit).await,
            Page::Link => links::act(visit).await,
            Page::RecoveryCodes => recovery::act(visit).await,
            Page::Account => account::act(visit).await,
            Page::Register => register::act(visit).await,
            Page::Console(screen) => console::act(visit, screen).await,
            // These have no form; the table has no line that leads here.
            Page::Home | Page::Asset | Page::Keys | Page::Strength => {
                let status = StatusCode::METHOD_NOT_ALLOWED;
                return refusal(&self.site, visit.language(), true, status);
            }
        };
        match acted {
            Ok(response) => response,
            Err(Trouble::Answer(answer)) => self.show(page, visit, Some(&answer)).await,
            // Showing a step that is not next leads to the one that is.
            Err(Trouble::Denied(Denied::WrongStep)) => self.show(page, visit, None).await,
            Err(Trouble::Denied(
                denied @ (Denied::Expired
                | Denied::LinkGone
                | Denied::SessionRevoked
                | Denied::RegistrationDisabled
                | Denied::Unavailable(_)),
            )) => visit.stopped(&denied),
            Err(Trouble::Denied(denied)) => {
                let answer = Answer::to(&denied, visit.request.cx.now);
                self.show(page, visit, Some(&answer)).await
            }
        }
    }

    /// The keys that apps check what they are told with. Kept for minutes only, so that a new master
    /// key is known everywhere soon.
    fn keys(&self) -> Response {
        let Some(keys) = self.service.published_keys() else {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            return refusal(&self.site, Language::English, false, status);
        };
        let body = serde_json::json!({ "keys": keys }).to_string();
        let mut response =
            Response::new(&self.site, StatusCode::OK, "application/json", body.into());
        response.headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
        response
    }

    /// The style sheet or the logo: its name changes with its content, so it may be kept for ever.
    fn asset(&self, path: Option<&str>) -> Response {
        let found = self.site.brand.assets().find(|asset| Some(asset.path.as_str()) == path);
        let Some(asset) = found else {
            return refusal(&self.site, Language::default(), false, StatusCode::NOT_FOUND);
        };
        let body = asset.body.clone();
        let mut response = Response::new(&self.site, StatusCode::OK, asset.kind, body);
        let kept = HeaderValue::from_static("public, max-age=31536000, immutable");
        response.headers.insert(CACHE_CONTROL, kept);
        response
    }
}

/// Every page there is.
fn table(site: &Site) -> Vec<Entry<Page>> {
    let assets = site.brand.assets().map(|asset| Entry::page(asset.path.clone(), Page::Asset));
    let pages = [
        Entry::page("", Page::Home),
        Entry::page("/", Page::Home),
        Entry::page("/login", Page::Login),
        Entry::form("/login", Page::Login),
        Entry::page("/login/second-factor", Page::SecondFactor),
        Entry::form("/login/second-factor", Page::SecondFactor),
        Entry::page("/password", Page::NewPassword),
        Entry::form("/password", Page::NewPassword),
        Entry::form(strength::STRENGTH, Page::Strength),
        Entry::page("/enroll", Page::Enrolment),
        Entry::form("/enroll", Page::Enrolment),
        Entry::page("/recovery-codes", Page::RecoveryCodes),
        Entry::form("/recovery-codes", Page::RecoveryCodes),
        Entry::page("/account", Page::Account),
        Entry::form("/account", Page::Account),
        Entry::page("/register", Page::Register),
        Entry::form("/register", Page::Register),
        Entry::page("/logout", Page::Logout),
        Entry::form("/logout", Page::Logout),
        Entry::page("/setup", Page::Link),
        Entry::form("/setup", Page::Link),
        Entry::page("/invite", Page::Link),
        Entry::form("/invite", Page::Link),
        Entry::page("/jwks.json", Page::Keys),
    ];
    assets.chain(pages).chain(console::table(Page::Console)).collect()
}
