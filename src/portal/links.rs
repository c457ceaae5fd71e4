//! The pages behind one-time links.
//!
//! The token is in the page's address and in a hidden field of its form. Looking at the page uses
//! nothing up. The address goes nowhere: the referrer policy of our pages names the origin alone,
//! and the page has nothing from elsewhere in it.

use super::onward::onward;
use super::steps::{new_password, typed_twice, whose};
use super::{Acted, Visit};
use crate::domain::LinkPurpose;
use crate::http::html::{Input, sentence};
use crate::http::words::{Links, Titled};
use crate::http::{Answer, Response};
use crate::service::{Denied, LinkPage};
use crate::types::Bearer;
use maud::{Markup, html};

/// The form for what the link is good for.
pub(super) async fn show(visit: &Visit<'_>, answer: Option<&Answer>) -> Response {
    let (token, page) = match load(visit).await {
        Ok(found) => found,
        Err(denied) => return visit.stopped(&denied),
    };
    let words = visit.words();
    let (path, (title, text)) = purpose(&words.links, page.purpose);
    let inputs = html! {
        (sentence(text))
        (inputs(visit, &page, answer).await)
        button { (words.inputs.go_on) }
    };
    let form = visit.form(path, &[("token", &token.reveal())], &inputs);
    visit.new_password_page(title, answer, &form)
}

async fn load(visit: &Visit<'_>) -> Result<(Bearer, LinkPage), Denied> {
    let token = Bearer::parse(visit.fields.get("token")).ok_or(Denied::LinkGone)?;
    let page = visit.service().link_page(&token, &visit.request.cx).await?;
    Ok((token, page))
}

/// Where the form leads, and what the page says.
const fn purpose(words: &Links, purpose: LinkPurpose) -> (&'static str, Titled) {
    match purpose {
        LinkPurpose::Setup => ("/setup", words.setup),
        LinkPurpose::Invitation => ("/invite", words.invitation),
        LinkPurpose::NewPassword => ("/invite", words.new_password),
        LinkPurpose::NewSecondFactor => ("/invite", words.new_second_factor),
    }
}

async fn inputs(visit: &Visit<'_>, page: &LinkPage, answer: Option<&Answer>) -> Markup {
    let words = visit.words();
    let username = page.username.as_ref().map_or("", |name| name.as_str());
    match page.purpose {
        LinkPurpose::Setup => {
            let name = Input {
                name: "username",
                label: words.inputs.username,
                autocomplete: "username",
                value: Some(visit.fields.get("username")),
                first: true,
                ..Input::default()
            };
            html! { (name.show(answer)) (new_password(visit, answer, false).await) }
        }
        LinkPurpose::Invitation | LinkPurpose::NewPassword => {
            html! { (whose(words, "", username)) (new_password(visit, answer, true).await) }
        }
        LinkPurpose::NewSecondFactor => {
            let password = Input {
                name: "password",
                label: words.inputs.password,
                kind: Some("password"),
                reveal: words.inputs.reveal,
                autocomplete: "current-password",
                first: true,
                ..Input::default()
            };
            html! { (whose(words, "", username)) (password.show(answer)) }
        }
    }
}

/// Does what the link is good for.
pub(super) async fn act(visit: &Visit<'_>) -> Acted {
    let (token, page) = load(visit).await?;
    let (service, visitor) = (visit.service(), visit.visitor());
    let progress = match page.purpose {
        LinkPurpose::Setup => {
            let password = typed_twice(visit)?;
            let name = visit.fields.get("username");
            service.use_setup_link(&token, name, password, visitor).await?
        }
        LinkPurpose::Invitation | LinkPurpose::NewPassword => {
            service.use_password_link(&token, typed_twice(visit)?, visitor).await?
        }
        LinkPurpose::NewSecondFactor => {
            let password = visit.fields.get("password");
            service.use_factor_link(&token, password, visitor).await?
        }
    };
    Ok(onward(visit, progress))
}
