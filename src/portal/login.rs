//! Name and password.

use super::onward::{leave, onward};
use super::{Acted, Visit};
use crate::domain::{Asked, ReturnUrl};
use crate::http::html::Input;
use crate::http::{Answer, Response};
use crate::service::{Answer as Gate, Denied};
use crate::types::PathView;
use http::StatusCode;
use maud::html;

/// The form; or, for somebody who is signed in already, the way to where they wanted to go.
pub(super) async fn show(visit: &Visit<'_>, answer: Option<&Answer>) -> Response {
    if answer.is_none()
        && let Some(response) = already(visit).await
    {
        return response;
    }
    let words = visit.words();
    let why = visit.why();
    let status = answer.map_or(StatusCode::OK, |answer| answer.status);
    let answer = answer.or(why.as_ref());
    let name = Input {
        name: "username",
        label: words.login.name,
        autocomplete: "username",
        value: Some(visit.fields.get("username")),
        first: true,
        ..Input::default()
    };
    let password = Input {
        name: "password",
        label: words.inputs.password,
        kind: Some("password"),
        reveal: words.inputs.reveal,
        autocomplete: "current-password",
        ..Input::default()
    };
    let remember = !visit.fields.get("remember").is_empty();
    let inputs = html! {
        (name.show(answer))
        (password.show(answer))
        label .check {
            input type="checkbox" name="remember" value="on" checked[remember];
            (words.login.remember)
        }
        button { (words.login.button) }
    };
    let body = html! {
        (visit.form("/login", &[], &inputs))
        @if visit.service().registration_is_open() {
            p { a href=(visit.link("/register").as_str()) { (words.login.register) } }
        }
    };
    visit.form_page_as(status, words.login.title, answer, &body)
}

/// Whether whoever asks may go on as they are. It is the gate that is asked about where they want
/// to go, not only whether there is a session: somebody whom the gate would send back here at once
/// has to sign in anew, or would go in circles.
async fn already(visit: &Visit<'_>) -> Option<Response> {
    match visit.live().await {
        Ok(Some(_)) => {}
        Ok(None) => return None,
        Err(error) => return Some(visit.stopped(&error.into())),
    }
    let request = visit.request;
    let url =
        ReturnUrl::parse(visit.wish().unwrap_or_default(), &request.host, &visit.site().origins);
    let Some((host, path)) = url.and_then(|url| url.target(&request.host)) else {
        return Some(leave(visit, None));
    };
    let (view, client) = (PathView::of(&path), request.cx.client);
    let asked = Asked { host: &host, path: &view, method: "GET", client };
    match visit.service().ask(visit.session().as_ref(), &asked, &request.cx).await {
        Gate::Allow(_) => Some(leave(visit, visit.wish())),
        Gate::Forbid(_) => Some(leave(visit, None)),
        Gate::ShowFactor(_) => Some(visit.send_to("/login/second-factor")),
        Gate::Challenge => None,
        Gate::Unavailable(cause) => Some(visit.stopped(&Denied::Unavailable(cause))),
    }
}

/// Signs in.
pub(super) async fn act(visit: &Visit<'_>) -> Acted {
    let fields = &visit.fields;
    let remember = !fields.get("remember").is_empty();
    let wish = visit.wish().map(str::to_owned);
    let (name, password) = (fields.get("username"), fields.get("password"));
    let progress = visit.service().sign_in(name, password, remember, wish, visit.visitor()).await?;
    Ok(onward(visit, progress))
}
