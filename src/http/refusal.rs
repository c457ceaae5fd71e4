//! Refusals that belong to no form: a page for people, a problem (RFC 9457) for programs.

use super::html::{page, refusal_page, sentence};
use super::words::Titled;
use super::{Answer, Language, Response, Site, Words};
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;

/// When whoever was answered 503 may try again, in seconds.
const SOON: u64 = 5;

/// The same where somebody works on the app.
const LATER: u64 = 120;

/// A problem, as RFC 9457 has it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub struct ProblemDetails<'a> {
    /// `about:blank`: the status says which kind it is.
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'a str,
    status: u16,
    /// A stable word, for programs.
    code: &'a str,
    /// A sentence, for people. It repeats nothing that was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
}

/// A problem, for programs.
pub fn problem(site: &Site, status: StatusCode, code: &str, title: &str) -> Response {
    let kind = "about:blank";
    written(
        site,
        status,
        &ProblemDetails { kind, title, status: status.as_u16(), code, detail: None },
    )
}

/// A no as a problem: the title is the status's own, as RFC 9457 has it for a problem of no other
/// type, and the sentence is the detail.
pub fn problem_of(site: &Site, answer: &Answer) -> Response {
    let status = answer.status;
    let problem = ProblemDetails {
        kind: "about:blank",
        title: status.canonical_reason().unwrap_or_default(),
        status: status.as_u16(),
        code: answer.code,
        detail: Some(&answer.text),
    };
    let mut response = written(site, status, &problem);
    if let Some(seconds) = answer.retry_after {
        response.headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn written(site: &Site, status: StatusCode, problem: &ProblemDetails<'_>) -> Response {
    // Texts and a number always make JSON.
    let body = serde_json::to_vec(problem).unwrap_or_default();
    Response::new(site, status, "application/problem+json", body.into())
}

/// A page that says what went wrong and what to do.
pub fn error_page(
    site: &Site,
    language: Language,
    status: StatusCode,
    title: &str,
    text: &str,
) -> Response {
    page(site, language, status, title, &sentence(text))
}

/// Refuses in the words that belong to the status: a person in their language, a program in
/// English.
pub fn refusal(
    site: &Site,
    language: Language,
    is_navigation: bool,
    status: StatusCode,
) -> Response {
    let wait = (status == StatusCode::SERVICE_UNAVAILABLE).then_some(SOON);
    refused(site, language, is_navigation, status, wait, |words| said(words, status))
}

/// Says that somebody works on an app.
pub fn maintenance(site: &Site, language: Language, is_navigation: bool) -> Response {
    let said: fn(&Words) -> _ = |words| ("maintenance", words.refusals.maintenance);
    let status = StatusCode::SERVICE_UNAVAILABLE;
    refused(site, language, is_navigation, status, Some(LATER), said)
}

fn refused(
    site: &Site,
    language: Language,
    is_navigation: bool,
    status: StatusCode,
    wait: Option<u64>,
    said: impl Fn(&Words) -> (&'static str, Titled),
) -> Response {
    let mut response = if is_navigation {
        let (_, (title, text)) = said(language.words());
        refusal_page(site, language, status, title, text)
    } else {
        let (code, (title, text)) = said(Language::English.words());
        let kind = "about:blank";
        let (status_code, detail) = (status.as_u16(), Some(text));
        let problem = ProblemDetails { kind, title, status: status_code, code, detail };
        written(site, status, &problem)
    };
    if let Some(seconds) = wait {
        response.headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// A stable code, a title, and what to do.
const fn said(words: &Words, status: StatusCode) -> (&'static str, Titled) {
    let refusals = &words.refusals;
    match status.as_u16() {
        403 => ("forbidden", refusals.forbidden),
        404 => ("not_found", refusals.not_found),
        405 => ("method_not_allowed", refusals.method_not_allowed),
        408 => ("timeout", refusals.timeout),
        413 => ("too_large", refusals.too_large),
        414 => ("uri_too_long", refusals.uri_too_long),
        415 => ("unsupported_media_type", refusals.unsupported_media_type),
        431 => ("headers_too_large", refusals.headers_too_large),
        502 => ("bad_gateway", refusals.bad_gateway),
        503 => ("unavailable", refusals.unavailable),
        504 => ("gateway_timeout", refusals.gateway_timeout),
        400..=499 => ("bad_request", refusals.bad_request),
        _ => ("internal", refusals.internal),
    }
}

#[cfg(test)]
mod tests {
    use super::super::site::tests::site;
    use super::*;

    #[test]
    fn people_get_a_page_and_programs_a_problem() {
        let site = site("https://login.example.com", None);
        let page = refusal(&site, Language::English, true, StatusCode::FORBIDDEN);
        assert_eq!(
            (page.status.as_u16(), &page.headers["content-type"]),
            (403, &http::HeaderValue::from_static("text/html; charset=utf-8"))
        );
        let problem = refusal(&site, Language::German, false, StatusCode::BAD_GATEWAY);
        let body: serde_json::Value = serde_json::from_slice(&problem.body).unwrap();
        assert_eq!(
            (body["code"].as_str(), body["status"].as_u64()),
            (Some("bad_gateway"), Some(502))
        );
    }

    #[test]
    fn whoever_comes_while_somebody_works_on_an_app_reads_that() {
        let site = site("https://login.example.com", None);
        for language in Language::ALL {
            let page = maintenance(&site, language, true);
            assert_eq!(
                (page.status.as_u16(), &page.headers[RETRY_AFTER]),
                (503, "120".parse().as_ref().unwrap())
            );
            let html = String::from_utf8(page.body.to_vec()).unwrap();
            assert!(html.contains(language.words().refusals.maintenance.0), "{html}");
        }
    }

    #[test]
    fn whoever_comes_while_nothing_can_be_checked_reads_that_and_when_to_come_back() {
        let site = site("https://login.example.com", None);
        let unavailable = StatusCode::SERVICE_UNAVAILABLE;
        for language in Language::ALL {
            let page = refusal(&site, language, true, unavailable);
            assert_eq!(page.status, unavailable);
            assert_eq!(page.headers[RETRY_AFTER], "5");
            let html = String::from_utf8(page.body.to_vec()).unwrap();
            let (title, text) = language.words().refusals.unavailable;
            assert!(html.contains(title) && html.contains(text), "{html}");
            // This very page once more, by a link that no script is needed for.
            assert!(html.contains("href=\"\"") && html.contains(language.words().frame.try_again));
        }
        assert_eq!(refusal(&site, Language::English, false, unavailable).headers[RETRY_AFTER], "5");
        let down = refusal(&site, Language::English, true, StatusCode::BAD_GATEWAY);
        assert!(!down.headers.contains_key(RETRY_AFTER));
    }

    #[test]
    fn text_on_a_page_is_text() {
        let site = site("https://login.example.com", None);
        let page = error_page(
            &site,
            Language::English,
            StatusCode::NOT_FOUND,
            "<b>",
            "<script>alert(1)</script>",
        );
        let html = String::from_utf8(page.body.to_vec()).unwrap();
        assert!(html.contains("&lt;script&gt;") && html.matches("<script").count() == 1);
        assert!(html.contains("<title>&lt;b&gt;"));
    }
}
