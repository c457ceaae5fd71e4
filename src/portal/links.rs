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
    let (path, title, text) = words(page.purpose);
    let inputs = html! {
        (sentence(text))
        (inputs(visit, &page, answer))
        button { "Go on" }
    };
    let form = visit.form(path, &[("token", &token.reveal())], &inputs);
    visit.form_page(title, answer, &form)
}

async fn load(visit: &Visit<'_>) -> Result<(Bearer, LinkPage), Denied> {
    let token = Bearer::parse(visit.fields.get("token")).ok_or(Denied::LinkGone)?;
    let page = visit.service().link_page(&token, &visit.request.cx).await?;
    Ok((token, page))
}

const fn words(purpose: LinkPurpose) -> (&'static str, &'static str, &'static str) {
    match purpose {
        LinkPurpose::Setup => (
            "/setup",
            "Set up the first administrator",
            "Nobody can sign in yet. Choose the name and the password of the first administrator.",
        ),
        LinkPurpose::Invitation => {
            ("/invite", "Welcome", "You have been invited. Choose your password.")
        }
        LinkPurpose::NewPassword => {
            ("/invite", "Choose a new password", "Your second factor stays as it is.")
        }
        LinkPurpose::NewSecondFactor => (
            "/invite",
            "Enrol a new authenticator",
            "Prove that it is you with your password. Then you can enrol.",
        ),
    }
}

fn inputs(visit: &Visit<'_>, page: &LinkPage, answer: Option<&Answer>) -> Markup {
    let username = page.username.as_ref().map_or("", |name| name.as_str());
    match page.purpose {
        LinkPurpose::Setup => {
            let name = Input {
                name: "username",
                label: "Username",
                autocomplete: "username",
                value: Some(visit.fields.get("username")),
                first: true,
                ..Input::default()
            };
            html! { (name.show(answer)) (new_password(answer, false)) }
        }
        LinkPurpose::Invitation | LinkPurpose::NewPassword => {
            html! { (whose(username)) (new_password(answer, true)) }
        }
        LinkPurpose::NewSecondFactor => {
            let password = Input {
                name: "password",
                label: "Password",
                kind: Some("password"),
                autocomplete: "current-password",
                first: true,
                ..Input::default()
            };
            html! { (whose(username)) (password.show(answer)) }
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
