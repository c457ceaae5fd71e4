//! Floor 6: the same for programs, as JSON.
//!
//! Every call is a type: its fields are the body, [`call::Call::act`] is what it does, and who may
//! make it is a type too, which only [`call::Caller::of`] gives out. [`table`] says which call is
//! where; the router, the authorisation and the description ([`openapi`]) come from it.
//!
//! ```text
//!   a request ──► another site's? ──► the table ──► who is it? ──► the body ──► service ──► JSON
//!                   403                404 405       401 403     413 415 400 422
//! ```
//!
//! Nothing here decides anything that the pages do not ask the service for as well. A no is a
//! problem (RFC 9457) in the words of `http`, and names no value that was sent.

mod account;
mod admin;
mod call;
mod openapi;
mod programs;
mod records;
mod sign_in;
mod table;
mod totp;
mod trouble;
mod visit;

use crate::http::{
    Answer, Cookies, Entry, Fields, Found, Parameters, Request, Response, Router, Site,
    is_from_elsewhere, problem_of, say_token_is_bad,
};
use crate::observe::Level;
use crate::service::{Denied, Service};
use call::Written;
use http::header::ALLOW;
use http::{HeaderValue, Method, StatusCode};
use std::sync::Arc;
use table::{Line, table};
use trouble::{Trouble, UNAUTHENTICATED};
use visit::Visit;

/// What the paths of calls begin with, below the prefix.
const ROOT: &str = "/api/";

/// What follows that in the one version there is.
const VERSION: &str = "v1";

/// The calls.
pub struct Api {
    service: Arc<Service>,
    site: Arc<Site>,
    cookies: Cookies,
    router: Router<Line>,
    openapi: serde_json::Value,
}

impl Api {
    /// Lays the table of calls, and describes it.
    pub fn new(service: Arc<Service>, site: Arc<Site>) -> Self {
        let cookies = Cookies::new(&site);
        let lines = table();
        let openapi = openapi::describe(&lines, &site, &cookies);
        let entry = |line: Line| Entry::call(line.method.clone(), line.path, line);
        let router = Router::new(lines.into_iter().map(entry).collect());
        Self { service, site, cookies, router, openapi }
    }

    /// Whether a path is one of calls, in this version or another.
    pub fn owns(&self, path: &str) -> bool {
        path.strip_prefix(&self.site.prefix).is_some_and(|below| below.starts_with(ROOT))
    }

    /// Answers a call.
    pub async fn answer(&self, request: Request) -> Response {
        let response = match self.respond(&request).await {
            Ok(response) => response,
            Err(trouble) => self.refuse(&request, trouble),
        };
        if request.method == Method::HEAD { response.without_body() } else { response }
    }

    async fn respond(&self, request: &Request) -> Result<Response, Trouble> {
        // Before all else, so that another site's page learns nothing, not even from preflights.
        if is_from_elsewhere(&self.site, request) {
            return Err(Trouble::cross_site());
        }
        let below = request.path.strip_prefix(&self.site.prefix);
        let path = below.and_then(|path| path.strip_prefix(ROOT)?.strip_prefix(VERSION));
        match path.map_or(Found::Nothing, |path| self.router.find(&request.method, path)) {
            Found::Entry(entry, words) => self.serve(&entry.handler, request, words).await,
            Found::OtherMethods(allow) => {
                let text = "There is something at this address, but not for this method.";
                let status = StatusCode::METHOD_NOT_ALLOWED;
                let answer = Answer::new(status, "method_not_allowed", text);
                let mut response = problem_of(&self.site, &answer);
                response.headers.extend(HeaderValue::try_from(allow).map(|allow| (ALLOW, allow)));
                Ok(response)
            }
            Found::Nothing => Err(Trouble::not_found("There is no call at this address.")),
        }
    }

    async fn serve(
        &self,
        line: &Line,
        request: &Request,
        words: Parameters,
    ) -> Result<Response, Trouble> {
        let query = if line.query.is_empty() {
            Fields::default()
        } else {
            let read = Fields::of_strict_query(request, line.query);
            read.map_err(|_| Answer::invalid("The query is not what is taken here."))?
        };
        let visit = Visit::new(self, request, words, query);
        let Written { body, cookies } = (line.serve)(&visit).await?;
        let response = Response::new(&self.site, line.status, "application/json", body.into());
        Ok(response.with_cookies(cookies))
    }

    /// Says no; why we could not, to the operator alone.
    fn refuse(&self, request: &Request, trouble: Trouble) -> Response {
        let answer = match trouble {
            Trouble::Answer(answer) => answer,
            Trouble::Denied(denied) => {
                if let Denied::Unavailable(cause) = &denied {
                    self.service.log().say(request.cx.now, Level::Error, cause);
                }
                Answer::to(&denied, request.cx.now)
            }
        };
        let mut response = problem_of(&self.site, &answer);
        if answer.code == UNAUTHENTICATED {
            say_token_is_bad(&mut response, &request.headers);
        }
        response
    }
}
