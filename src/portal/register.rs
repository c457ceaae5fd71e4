//! People who add themselves.

use super::onward::onward;
use super::steps::{new_password, typed_twice};
use super::{Acted, Visit};
use crate::http::html::Input;
use crate::http::{Answer, Response};
use crate::service::{Denied, Registration};
use maud::html;

const REGISTER: &str = "/register";

/// The form, where people may add themselves.
pub(super) fn show(visit: &Visit<'_>, answer: Option<&Answer>) -> Response {
    if !visit.service().registration_is_open() {
        return visit.stopped(&Denied::RegistrationDisabled);
    }
    let username = Input {
        name: "username",
        label: "Username",
        autocomplete: "username",
        value: Some(visit.fields.get("username")),
        first: true,
        ..Input::default()
    };
    let name = Input {
        name: "display_name",
        label: "Your name (optional)",
        autocomplete: "name",
        value: Some(visit.fields.get("display_name")),
        optional: true,
        first: false,
        ..Input::default()
    };
    let email = Input {
        name: "email",
        label: "E-mail (optional)",
        kind: Some("email"),
        autocomplete: "email",
        value: Some(visit.fields.get("email")),
        ..name
    };
    let inputs = html! {
        (username.show(answer))
        (name.show(answer))
        (email.show(answer))
        (new_password(answer, false))
        button { "Create account" }
    };
    let body = html! {
        (visit.form(REGISTER, &[], &inputs))
        p { a href=(visit.link("/login").as_str()) { "I have an account" } }
    };
    visit.form_page("Create an account", answer, &body)
}

/// Adds whoever asks, and signs them in as far as their new password leads.
pub(super) async fn act(visit: &Visit<'_>) -> Acted {
    let fields = &visit.fields;
    let new = Registration {
        username: fields.get("username"),
        email: fields.get("email"),
        display_name: fields.get("display_name"),
        password: typed_twice(visit)?,
    };
    let (service, visitor) = (visit.service(), visit.visitor());
    service.register(new, visitor.cx).await?;
    let wish = visit.wish().map(str::to_owned);
    match service.sign_in(new.username, new.password, false, wish, visitor).await {
        Ok(progress) => Ok(onward(visit, progress)),
        // They are there now, and only have to wait a little before they sign in.
        Err(Denied::RateLimited(_) | Denied::Busy) => Ok(visit.send_to("/login")),
        Err(denied) => Err(denied.into()),
    }
}
