//! One request for a call, and what calls ask of it.

use super::Api;
use super::call::Reply;
use super::records::{Hidden, SignIn};
use super::trouble::Trouble;
use crate::http::{
    Cookies, Fields, Parameters, Request, cookies_after, credential, read_json, shows_token,
};
use crate::service::{Credential, Denied, LiveSession, Progress, Service, Visitor};
use crate::types::{Bearer, RequestCx};
use http::header::{COOKIE, ORIGIN, USER_AGENT};
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// One request for a call.
pub(super) struct Visit<'a> {
    api: &'a Api,
    /// As it came.
    pub request: &'a Request,
    words: Parameters,
    query: Fields,
    browser: Option<Bearer>,
}

/// By which of its tokens a call goes, where it may go by several.
pub(super) enum Whose {
    /// That of a sign-in under way.
    Pending(Bearer),
    /// That of a session.
    Person(Arc<LiveSession>),
}

impl<'a> Visit<'a> {
    pub fn new(api: &'a Api, request: &'a Request, words: Parameters, query: Fields) -> Self {
        let browser = api.cookies.known_browser(&request.headers);
        Self { api, request, words, query, browser }
    }

    pub fn service(&self) -> &'a Service {
        &self.api.service
    }

    pub fn cookies(&self) -> &'a Cookies {
        &self.api.cookies
    }

    pub fn cx(&self) -> &'a RequestCx {
        &self.request.cx
    }

    /// The description of all calls.
    pub fn openapi(&self) -> &'a serde_json::Value {
        &self.api.openapi
    }

    /// Who takes a step.
    pub fn visitor(&self) -> Visitor<'_> {
        let user_agent = self.request.header(USER_AGENT.as_str()).unwrap_or_default();
        Visitor {
            cx: &self.request.cx,
            user_agent,
            browser: self.browser.as_ref(),
            keeps_cookies: self.request.headers.contains_key(COOKIE),
        }
    }

    /// What stood where the path has a word.
    pub fn word(&self, word: &str) -> &str {
        self.words.get(word)
    }

    /// A field of the query, where it is there.
    pub fn asked(&self, name: &str) -> Option<&str> {
        Some(self.query.get(name)).filter(|value| !value.is_empty())
    }

    /// Reads the body.
    pub fn body<C: DeserializeOwned>(&self) -> Result<C, Trouble> {
        Ok(read_json(self.request, self.api.site.body_max)?)
    }

    /// Whether a browser says that a page sent this.
    pub fn is_of_a_script(&self) -> bool {
        let says = |name| self.request.headers.contains_key(name);
        says(ORIGIN.as_str()) || says("sec-fetch-site") || says("sec-fetch-mode")
    }

    /// What the request shows.
    pub fn credential(&self) -> Option<Credential> {
        credential(self.cookies(), &self.request.headers)
    }

    /// Who is signed in, if anybody. A program whose token is not good is told so, and not taken
    /// for nobody.
    pub async fn person(&self) -> Result<Option<Arc<LiveSession>>, Trouble> {
        let shown = self.credential();
        let live = self.service().person(shown.as_ref(), &self.request.host, self.cx()).await;
        let live = live.map_err(Denied::from)?;
        if live.is_none() && shows_token(&self.request.headers) {
            return Err(Trouble::unauthenticated());
        }
        Ok(live)
    }

    /// The token of the sign-in under way: the body's, or else a browser's.
    pub fn pending(&self, sent: Option<&Hidden>) -> Result<Bearer, Denied> {
        let token = match sent {
            Some(sent) => Bearer::parse(sent.reveal()),
            None => self.cookies().step_token(&self.request.headers),
        };
        token.ok_or(Denied::Expired)
    }

    /// By which token the call goes: the body's, or else that of a browser's sign-in under way,
    /// or else the session's. Only by the body's where a page's script sent it: an app on this
    /// host has the same origin, and its scripts would choose a password or enrol an authenticator
    /// for whoever looks at it. Whoever began a sign-in by calls has its token.
    pub async fn whose(&self, sent: Option<&Hidden>) -> Result<Whose, Trouble> {
        if sent.is_some() {
            return Ok(Whose::Pending(self.pending(sent)?));
        }
        if self.is_of_a_script() {
            return Err(Trouble::of_a_script());
        }
        let step = self.cookies().step_token(&self.request.headers);
        if let Some(token) = &step
            && self.service().pending(token, self.cx()).await.is_ok()
        {
            return Ok(Whose::Pending(token.clone()));
        }
        match self.person().await? {
            Some(live) if live.is_token() => Err(Trouble::not_by_token()),
            Some(live) => Ok(Whose::Person(live)),
            // What is no good any more is told so by the step itself.
            None => step.map(Whose::Pending).ok_or_else(Trouble::unauthenticated),
        }
    }

    /// Where a step of a sign-in led.
    pub fn onward(&self, progress: Progress) -> Reply<SignIn> {
        let cookies = cookies_after(self.cookies(), &progress, self.request);
        Reply::new(SignIn::after(progress)).with(cookies)
    }
}
