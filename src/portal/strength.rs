//! How hard a new password is to guess: said after a try that was refused, and to the script of a
//! page on which somebody chooses one.
//!
//! The script asks from the page's own form, with its token and the cookie that belongs to it, so
//! that nobody else has passwords weighed here. It is told a number and a sentence.

use super::{Portal, Visit};
use crate::crypto::Strength;
use crate::http::html::{meter, say};
use crate::http::{
    Answer, Fields, Location, Parameters, Request, Response, is_from_elsewhere, problem_of, refusal,
};
use crate::service::Denied;
use http::StatusCode;
use maud::Markup;

/// Where the script asks.
pub(super) const STRENGTH: &str = "/password/strength";

/// As much as it sends at most.
const MOST: usize = 8 * 1024;

/// Answers the script.
pub(super) async fn weigh(portal: &Portal, request: &Request) -> Response {
    let refused = |status| refusal(&portal.site, request.language(), false, status);
    if is_from_elsewhere(&portal.site, request) {
        return refused(StatusCode::FORBIDDEN);
    }
    let fields = match Fields::of_form(request, MOST) {
        Ok(fields) => fields,
        Err(bad) => return refused(bad.status()),
    };
    let visit = match Visit::new(portal, request, Parameters::default(), fields) {
        Ok(visit) if visit.carries_token() => visit,
        Ok(_) => return refused(StatusCode::FORBIDDEN),
        Err(response) => return response,
    };
    match typed(&visit).await {
        Ok(strength) => {
            // A number and texts always make JSON.
            let body = serde_json::to_vec(&say(visit.words(), strength)).unwrap_or_default();
            Response::new(&portal.site, StatusCode::OK, "application/json", body.into())
        }
        Err(denied) => problem_of(&portal.site, &visit.answer(&denied)),
    }
}

/// The meter of a form; with what there is to say, where a try was refused.
pub(super) async fn shown(visit: &Visit<'_>, answer: Option<&Answer>) -> Markup {
    let was_tried = answer.is_some() && !visit.fields.get("password").is_empty();
    let strength = if was_tried { typed(visit).await.ok() } else { None };
    meter(visit.words(), &Location::page(visit.site(), STRENGTH), strength)
}

/// Weighs the password that was typed, for whoever the form is about.
async fn typed(visit: &Visit<'_>) -> Result<Strength, Denied> {
    let fields = &visit.fields;
    let about = ["username", "email", "display_name"].map(|name| fields.get(name));
    let words = { about.into_iter() }.chain([visit.site().brand.name.as_str()]);
    let known = words.flat_map(|text| text.split(|c: char| !c.is_alphanumeric()));
    let known = known.take(16).map(str::to_owned).collect();
    visit.service().strength(fields.get("password"), known, &visit.request.cx).await
}
