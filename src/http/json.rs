//! The body of a call, read strictly.
//!
//! A body is refused for the first of these that is so: too large, of another type, not JSON,
//! not what this call takes. What is said about it names a field of ours and repeats nothing that
//! was sent, which may be a password in the wrong place.
//!
//! What comes out are requests. No proof and no session has a reading from JSON that a request
//! could name.

use super::{Answer, Request};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::error::Category;

/// Why a body is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadJson {
    /// Longer than is taken.
    TooLarge,
    /// Not the type that calls have.
    NotJson,
    /// Not JSON, whatever the call.
    Malformed,
    /// JSON, but not what this call takes; a sentence says why.
    Invalid(String),
}

impl From<BadJson> for Answer {
    fn from(bad: BadJson) -> Self {
        match bad {
            BadJson::TooLarge => {
                let text = "What was sent is larger than is taken here.";
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", text)
            }
            BadJson::NotJson => {
                let text = "Send application/json, in UTF-8.";
                Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", text)
            }
            BadJson::Malformed => {
                let text = "What was sent is not JSON.";
                Self::new(StatusCode::BAD_REQUEST, "malformed", text)
            }
            BadJson::Invalid(text) => Self::invalid(text),
        }
    }
}

/// Reads a body. A call that needs no field takes an empty one, of no type as well.
pub fn read_json<T: DeserializeOwned>(request: &Request, body_max: usize) -> Result<T, BadJson> {
    let body = request.body.as_ref();
    if body.len() > body_max {
        return Err(BadJson::TooLarge);
    }
    let has_type = request.headers.contains_key(CONTENT_TYPE);
    if has_type && !is_json(request.header(CONTENT_TYPE.as_str()).unwrap_or_default()) {
        return Err(BadJson::NotJson);
    }
    if body.is_empty() {
        let needed = if has_type { BadJson::Malformed } else { BadJson::NotJson };
        return parse(b"{}").map_err(|_| needed);
    }
    if has_type { parse(body) } else { Err(BadJson::NotJson) }
}

/// Whether a content type is JSON in UTF-8, whatever else it says.
fn is_json(kind: &str) -> bool {
    let mut parts = kind.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    is_json
        && parts.filter(|parameter| !parameter.is_empty()).all(|parameter| {
            parameter.split_once('=').is_some_and(|(name, value)| {
                let is_charset = name.trim().eq_ignore_ascii_case("charset");
                !is_charset || value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
            })
        })
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, BadJson> {
    // Once for the grammar alone, so that what is not JSON is that whatever else it is.
    let text = std::str::from_utf8(body).map_err(|_| BadJson::Malformed)?;
    serde_json::from_str::<IgnoredAny>(text).map_err(|_| BadJson::Malformed)?;
    // A list would be taken for the fields in their order.
    if !text.trim_start().starts_with('{') {
        return Err(BadJson::Invalid("An object is taken here.".into()));
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let field = error.path().iter().next().map(ToString::to_string).unwrap_or_default();
        match error.inner().classify() {
            Category::Data => BadJson::Invalid(sentence(&error.inner().to_string(), &field)),
            Category::Syntax | Category::Eof | Category::Io => BadJson::Malformed,
        }
    })
}

/// What is wrong, in words of our own. The reader's words repeat values, and names that are not
/// ours.
fn sentence(error: &str, field: &str) -> String {
    let quoted = |start: &str| error.strip_prefix(start)?.split('`').next();
    if let Some(name) = quoted("missing field `") {
        return format!("`{name}` is missing.");
    }
    if let Some(name) = quoted("duplicate field `") {
        return format!("`{name}` is there twice.");
    }
    if error.starts_with("unknown field `") {
        // What follows the last of these is ours, up to where in the text it was.
        let ours = error.rsplit_once(", expected ").map_or("", |(_, ours)| ours);
        let ours = ours.split(" at line ").next().unwrap_or_default();
        let ours = ours.strip_prefix("one of ").unwrap_or(ours);
        let known = if ours.is_empty() { String::new() } else { format!(" Known: {ours}.") };
        return format!("There is a field that is not known here.{known}");
    }
    // Only a field that is known has come to be read.
    format!("`{field}` is not what is taken there.")
}

#[cfg(test)]
mod tests {
    use super::super::message::tests::request;
    use super::*;
    use crate::types::GroupName;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Taken {
        name: String,
        age: Option<u8>,
        #[serde(default)]
        groups: Vec<GroupName>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Nothing {}

    fn read<T: DeserializeOwned>(kind: Option<&str>, body: &[u8]) -> Result<T, BadJson> {
        let mut request = request("POST", "/_vestibule/api/v1/x");
        request.headers.extend(kind.map(|kind| (CONTENT_TYPE, kind.parse().unwrap())));
        request.body = body.to_vec().into();
        read_json(&request, 128)
    }

    fn refused(body: &str) -> BadJson {
        read::<Taken>(Some("application/json"), body.as_bytes()).unwrap_err()
    }

    #[test]
    fn json_in_utf_8_is_taken_under_its_own_type_alone() {
        let body = r#" {"name": "Zoë", "age": null} "#.as_bytes();
        for kind in [
            "application/json",
            "Application/JSON; charset=UTF-8",
            "application/json;charset=\"utf-8\"",
            "application/json; q=1;",
        ] {
            assert_eq!(read::<Taken>(Some(kind), body).unwrap().name, "Zoë", "{kind}");
        }
        for kind in [
            "text/plain",
            "application/jsonp",
            "application/problem+json",
            "application/json; charset=latin1",
            "application/x-www-form-urlencoded",
            "",
        ] {
            assert_eq!(read::<Taken>(Some(kind), body), Err(BadJson::NotJson), "{kind}");
        }
        assert_eq!(read::<Taken>(None, body), Err(BadJson::NotJson));
    }

    #[test]
    fn what_is_not_json_is_malformed_whatever_else_it_is() {
        for bad in ["{", "{}{}", "{\"x\":1,}", "{\"name\":1,\"x\":tru}", "{'name':1}", "nope", " "]
        {
            assert_eq!(refused(bad), BadJson::Malformed, "{bad}");
        }
        let kind = Some("application/json");
        assert_eq!(read::<Taken>(kind, b"{\"name\":\"\xff\"}"), Err(BadJson::Malformed));
        assert_eq!(read::<Taken>(kind, b""), Err(BadJson::Malformed));
        assert_eq!(read::<Taken>(None, b""), Err(BadJson::NotJson));
        assert_eq!(read::<Taken>(kind, &[b' '; 129]), Err(BadJson::TooLarge));
    }

    #[test]
    fn what_is_not_taken_is_said_without_repeating_it() {
        for (body, text) in [
            (r#"{}"#, "`name` is missing."),
            (r#"{"name":"a","name":"hunter2"}"#, "`name` is there twice."),
            (r#"{"name":["hunter2"]}"#, "`name` is not what is taken there."),
            (r#"{"name":null}"#, "`name` is not what is taken there."),
            (r#"{"name":"a","age":"hunter2"}"#, "`age` is not what is taken there."),
            (r#"{"name":"a","groups":["hunter2,"]}"#, "`groups` is not what is taken there."),
            (
                r#"{"name":"a","hunter2, expected x":1}"#,
                "There is a field that is not known here. Known: `name`, `age`, `groups`.",
            ),
            (r#"["hunter2"]"#, "An object is taken here."),
            (r#""hunter2""#, "An object is taken here."),
        ] {
            assert_eq!(refused(body), BadJson::Invalid(text.into()), "{body}");
        }
    }

    #[test]
    fn a_call_that_needs_nothing_takes_nothing() {
        for (kind, body) in
            [(None, ""), (Some("application/json"), ""), (Some("application/json"), "{}")]
        {
            assert_eq!(read(kind, body.as_bytes()), Ok(Nothing {}));
        }
        assert_eq!(read::<Nothing>(Some("text/plain"), b""), Err(BadJson::NotJson));
        let more = read::<Nothing>(Some("application/json"), br#"{"x":1}"#);
        assert!(matches!(more, Err(BadJson::Invalid(_))), "{more:?}");
    }
}
