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
pub(super) async fn show(visit: &Visit<'_>, answer: Option<&Answer>) -> Response {
    if !visit.service().registration_is_open() {
        return visit.stopped(&Denied::RegistrationDisabled);
    }
    let words = visit.words();
    let username = Input {
        name: "username",
        label: words.inputs.username,
        autocomplete: "username",
        value: Some(visit.fields.get("username")),
        first: true,
        ..Input::default()
    };
    let name = Input {
        name: "display_name",
        label: words.register.display_name,
        autocomplete: "name",
        value: Some(visit.fields.get("display_name")),
        optional: true,
        first: false,
        ..Input::default()
    };
    let email = Input {
        name: "email",
        label: words.register.email,
        kind: Some("email"),
        autocomplete: "email",
        value: Some(visit.fields.get("email")),
        ..name
    };
    let inputs = html! {
        (username.show(answer))
        (name.show(answer))
        (email.show(answer))
        (new_password(visit, answer, false).await)
        button { (words.register.button) }
    };
    let body = html! {
        (visit.form(REGISTER, &[], &inputs))
        p { a href=(visit.link("/login").as_str()) { (words.register.login) } }
    };
    visit.new_password_page(words.register.title, answer, &body)
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
