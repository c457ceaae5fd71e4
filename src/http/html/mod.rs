//! The frame of our pages, the inputs of our forms, the one style sheet and the one script.
//!
//! Text is escaped by the macro that writes it. What is put in unescaped is made here or in the
//! portal from our own constants, never from what somebody sent. No page has another script, a
//! style attribute or anything from another host: the policy in the headers forbids all three.

mod form;
mod moment;
mod script;
mod strength;

use form::notice;
pub(crate) use form::{Input, form};
pub(crate) use moment::moment;
use script::SCRIPT;
pub(crate) use script::script_source;
pub(crate) use strength::{meter, say};

/// The style sheet, but for the colour.
pub(super) const STYLE: &str = include_str!("style.css");

use super::{Answer, Language, Location, Response, Site};
use http::StatusCode;
use http::header::{CONTENT_LANGUAGE, HeaderValue, RETRY_AFTER, VARY};
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// A page of ours.
pub(crate) fn page(
    site: &Site,
    language: Language,
    status: StatusCode,
    title: &str,
    body: &Markup,
) -> Response {
    framed(site, language, status, (title, title), body, None)
}

/// A page with a form, and above it what went wrong when it was sent.
pub(crate) fn form_page(
    site: &Site,
    language: Language,
    status: StatusCode,
    title: &str,
    answer: Option<&Answer>,
    body: &Markup,
) -> Response {
    let words = language.words();
    let body = html! { (notice(words, answer)) (body) };
    let state = answer.map(|_| (words.frame.not_done_title)(title));
    let titles = (state.as_deref().unwrap_or(title), title);
    with_retry(framed(site, language, status, titles, &body, None), answer)
}

/// A page that says what could not be done, where there is no form to say it next to.
pub(crate) fn answer_page(
    site: &Site,
    language: Language,
    title: &str,
    answer: &Answer,
) -> Response {
    let text = language.words().answer(answer);
    with_retry(page(site, language, answer.status, title, &sentence(&text)), Some(answer))
}

/// A page that refuses, and says where to go from here, where there is somewhere.
pub(crate) fn refusal_page(
    site: &Site,
    language: Language,
    status: StatusCode,
    title: &str,
    text: &str,
) -> Response {
    let words = language.words();
    let account = Location::page(site, "/account");
    let body = html! {
        (sentence(text))
        @match status.as_u16() {
            403 | 404 => a .button.quiet href=(account.as_str()) { (words.inputs.your_account) },
            // This very page, once more.
            502..=504 => a .button href="" { (words.frame.try_again) },
            _ => {}
        }
    };
    page(site, language, status, title, &body)
}

/// A page that sends the browser on by itself, and has a link for when it does not. Used instead
/// of a redirect where that would follow a form to another host, which browsers refuse because
/// of `form-action`.
pub(crate) fn onward_page(site: &Site, language: Language, to: &Location) -> Response {
    let words = &language.words().frame;
    let body = html! { p { a href=(to.as_str()) { (words.follow) } } };
    let titles = (words.signed_in, words.signed_in);
    framed(site, language, StatusCode::OK, titles, &body, Some(to))
}

fn with_retry(mut response: Response, answer: Option<&Answer>) -> Response {
    if let Some(seconds) = answer.and_then(|answer| answer.retry_after) {
        response.headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// A paragraph.
pub(crate) fn sentence(text: &str) -> Markup {
    html! { p { (text) } }
}

fn framed(
    site: &Site,
    language: Language,
    status: StatusCode,
    (title, heading): (&str, &str),
    body: &Markup,
    onward: Option<&Location>,
) -> Response {
    let brand = &site.brand;
    let markup = html! {
        (DOCTYPE)
        html lang=(language.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                @if let Some(to) = onward {
                    meta http-equiv="refresh" content={ "0;url=" (to.as_str()) };
                }
                title { (title) " · " (brand.name) }
                link rel="stylesheet" href={ (site.prefix) (brand.style.path) };
                // Without this, browsers ask the app for an icon.
                link rel="icon" href="data:,";
            }
            body {
                header {
                    p {
                        @match &brand.logo {
                            Some(logo) => img src={ (site.prefix) (logo.path) } alt=(brand.name);,
                            None => (brand.name),
                        }
                    }
                }
                main {
                    h1 { (heading) }
                    (body)
                }
                (footer(site))
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    let html = markup.into_string().into();
    let mut response = Response::new(site, status, "text/html; charset=utf-8", html);
    response.headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
    response.headers.insert(VARY, HeaderValue::from_static("Accept-Language"));
    response
}

/// What the operator has to say on every page, if anything.
fn footer(site: &Site) -> Markup {
    let (text, links) = (&site.brand.text, &site.brand.links);
    html! {
        @if !text.is_empty() || !links.is_empty() {
            footer {
                @if !text.is_empty() { p { (text) } }
                @if !links.is_empty() {
                    ul { @for (text, url) in links { li { a href=(url) { (text) } } } }
                }
            }
        }
    }
}

/// A picture that we made ourselves.
pub(crate) fn picture(svg: &str, label: &str) -> Markup {
    html! { div .picture role="img" aria-label=(label) { (PreEscaped(svg)) } }
}
