//! One request for a page, and what every page asks of it.

use super::Portal;
use crate::crypto::new_bearer;
use crate::domain::ReturnUrl;
use crate::http::html::{self, answer_page, form_page};
use crate::http::{
    Answer, Challenge, Cookies, Fields, Language, Location, Parameters, Request, Response, Site,
    Words, challenge, form_token, token_fits,
};
use crate::observe::Level;
use crate::service::{Credential, Denied, LiveSession, Service, Visitor};
use crate::store::StoreError;
use crate::types::Bearer;
use http::StatusCode;
use http::header::USER_AGENT;
use maud::Markup;
use std::sync::Arc;

/// The field that carries the form token.
const FORM_TOKEN: &str = "form_token";

/// One request for a page.
pub(super) struct Visit<'a> {
    portal: &'a Portal,
    /// As it came.
    pub request: &'a Request,
    /// What stood where the page's path has words.
    pub named: Parameters,
    /// The form's fields, or the query's.
    pub fields: Fields,
    language: Language,
    nonce: Bearer,
    nonce_is_new: bool,
    browser: Option<Bearer>,
}

impl<'a> Visit<'a> {
    /// Begins. Fails only where the operating system has no randomness.
    pub fn new(
        portal: &'a Portal,
        request: &'a Request,
        named: Parameters,
        fields: Fields,
    ) -> Result<Self, Response> {
        let known = portal.cookies.form_nonce(&request.headers);
        let nonce_is_new = known.is_none();
        let nonce = known.map_or_else(new_bearer, Ok);
        match nonce {
            Ok(nonce) => {
                let browser = portal.cookies.known_browser(&request.headers);
                let language = request.language();
                Ok(Self { portal, request, named, fields, language, nonce, nonce_is_new, browser })
            }
            Err(error) => Err(unavailable(portal, request, &error.to_string())),
        }
    }

    pub fn service(&self) -> &'a Service {
        &self.portal.service
    }

    pub fn site(&self) -> &'a Site {
        &self.portal.site
    }

    /// The language of the page.
    pub const fn language(&self) -> Language {
        self.language
    }

    /// What the page says in it.
    pub const fn words(&self) -> &'static Words {
        self.language.words()
    }

    pub fn cookies(&self) -> &'a Cookies {
        &self.portal.cookies
    }

    /// Whether the form carries the token that belongs to this browser.
    pub fn carries_token(&self) -> bool {
        !self.nonce_is_new && token_fits(self.service(), &self.nonce, self.fields.get(FORM_TOKEN))
    }

    /// Who takes a step.
    pub fn visitor(&self) -> Visitor<'_> {
        let user_agent = self.request.header(USER_AGENT.as_str()).unwrap_or_default();
        Visitor {
            cx: &self.request.cx,
            user_agent,
            browser: self.browser.as_ref(),
            keeps_cookies: true,
        }
    }

    /// Where to go afterwards, where that was said and may be followed. Looked at each time it is
    /// used: what has been carried through a form is no better than what came with a link.
    pub fn wish(&self) -> Option<&str> {
        let wish = self.fields.get("rd");
        ReturnUrl::parse(wish, &self.request.host, &self.site().origins).map(|_| wish)
    }

    /// One of our pages, with the wish kept.
    pub fn link(&self, page: &'static str) -> Location {
        Location::page(self.site(), page).with("rd", self.wish().unwrap_or_default())
    }

    /// Sends the browser to one of our pages, with the wish kept.
    pub fn send_to(&self, page: &'static str) -> Response {
        Response::see_other(self.site(), &self.link(page))
    }

    /// A form that leads to one of our pages. It carries its token, the wish and what else is
    /// named.
    pub fn form(
        &self,
        action: &'static str,
        hidden: &[(&'static str, &str)],
        inputs: &Markup,
    ) -> Markup {
        self.form_to(&Location::page(self.site(), action), hidden, inputs)
    }

    /// The same, where the page's path has words.
    pub fn form_to(
        &self,
        action: &Location,
        hidden: &[(&'static str, &str)],
        inputs: &Markup,
    ) -> Markup {
        let token = form_token(self.service(), &self.nonce);
        let mut carried = vec![(FORM_TOKEN, token.as_str())];
        carried.push(("rd", self.wish().unwrap_or_default()));
        carried.extend_from_slice(hidden);
        html::form(action, &carried, inputs)
    }

    /// A page with a form.
    pub fn form_page(&self, title: &str, answer: Option<&Answer>, body: &Markup) -> Response {
        let status = answer.map_or(StatusCode::OK, |answer| answer.status);
        self.form_page_as(status, title, answer, body)
    }

    /// A page on which somebody chooses a password, whose script asks how hard it is to guess.
    pub fn new_password_page(
        &self,
        title: &str,
        answer: Option<&Answer>,
        body: &Markup,
    ) -> Response {
        self.form_page(title, answer, body).asking()
    }

    /// A page with a form, under this status.
    pub fn form_page_as(
        &self,
        status: StatusCode,
        title: &str,
        answer: Option<&Answer>,
        body: &Markup,
    ) -> Response {
        let response = form_page(self.site(), self.language, status, title, answer, body);
        if !self.nonce_is_new {
            return response;
        }
        response.with_cookie(self.cookies().set_form_nonce(&self.nonce))
    }

    /// A page without one.
    pub fn page(&self, title: &str, body: &Markup) -> Response {
        html::page(self.site(), self.language, StatusCode::OK, title, body)
    }

    /// What this browser shows.
    pub fn session(&self) -> Option<Credential> {
        self.cookies().session_token(&self.request.headers).map(Credential::Session)
    }

    /// Who that is, if anybody.
    pub async fn live(&self) -> Result<Option<Arc<LiveSession>>, StoreError> {
        let request = self.request;
        self.service().person(self.session().as_ref(), &request.host, &request.cx).await
    }

    /// The session this browser carries, or the response that asks to sign in.
    pub async fn person(&self) -> Result<(Bearer, Arc<LiveSession>), Response> {
        let request = self.request;
        if let Some(token) = self.cookies().session_token(&request.headers) {
            match self.live().await {
                Ok(Some(live)) => return Ok((token, live)),
                Ok(None) => {}
                Err(error) => return Err(self.stopped(&error.into())),
            }
        }
        let target = match request.query.as_str() {
            "" => request.path.clone(),
            query => format!("{}?{query}", request.path),
        };
        Err(challenge(self.site(), Challenge::SignIn, &request.method, &request.headers, &target))
    }

    /// The page for a no that ends it: no form would help.
    pub fn stopped(&self, denied: &Denied) -> Response {
        match denied {
            Denied::Expired | Denied::WrongStep | Denied::SessionRevoked => self.begin_anew(),
            Denied::Unavailable(cause) => unavailable(self.portal, self.request, cause),
            _ => {
                let title = self.words().frame.not_possible;
                answer_page(self.site(), self.language, title, &self.answer(denied))
            }
        }
    }

    /// The words for a no.
    pub fn answer(&self, denied: &Denied) -> Answer {
        Answer::to(denied, self.request.cx.now)
    }

    /// The words for why somebody was sent here, where there is more to say than the page does.
    pub fn why(&self) -> Option<Answer> {
        match self.fields.get("why") {
            "expired" => Some(self.answer(&Denied::Expired)),
            "unsent" => Some(Answer::unsent()),
            _ => None,
        }
    }

    /// Leads back to the first step, which will say why.
    pub fn begin_anew(&self) -> Response {
        let login = self.link("/login").with("why", "expired");
        Response::see_other(self.site(), &login).with_cookie(self.cookies().clear_step())
    }
}

/// Tells the operator why, and the visitor that.
fn unavailable(portal: &Portal, request: &Request, cause: &str) -> Response {
    portal.service.log().say(request.cx.now, Level::Error, cause);
    let answer = Answer::to(&Denied::Unavailable(String::new()), request.cx.now);
    let language = request.language();
    answer_page(&portal.site, language, language.words().frame.not_available, &answer)
}
