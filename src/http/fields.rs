//! The fields of a form or of a query, read strictly.
//!
//! The usual readers replace what is not UTF-8 and take the first or the last of two fields of one
//! name; which one, differs. A password must not be changed on its way, and nothing may be read
//! differently by whoever looked at it before us: both are refused.

use super::Request;
use crate::types::{Secret, unescaped};
use http::StatusCode;
use http::header::CONTENT_TYPE;

/// More fields than any form of ours has.
const MOST: usize = 32;

/// Fields that were sent. Without `Debug`: passwords and codes are among them.
#[derive(Default)]
pub struct Fields(Vec<(String, Secret<String>)>);

/// Why fields are not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadFields {
    /// Not the type that forms have.
    NotAForm,
    /// Longer than is taken.
    TooLarge,
    /// A field twice, too many of them, or not UTF-8.
    Malformed,
}

impl BadFields {
    /// The status that says so.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::NotAForm => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Malformed => StatusCode::BAD_REQUEST,
        }
    }
}

impl Fields {
    /// Reads a form's body.
    pub fn of_form(request: &Request, body_max: usize) -> Result<Self, BadFields> {
        if request.body.len() > body_max {
            return Err(BadFields::TooLarge);
        }
        let kind = request.header(CONTENT_TYPE.as_str()).unwrap_or_default();
        let essence = kind.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(BadFields::NotAForm);
        }
        Self::parse(&request.body).ok_or(BadFields::Malformed)
    }

    /// Reads a query. One that cannot be read has no fields: what it would have asked for is then
    /// as if nobody had.
    pub fn of_query(request: &Request) -> Self {
        Self::parse(request.query.as_bytes()).unwrap_or_default()
    }

    /// Reads the query of a call that asks for these fields at most. Unlike with a page, a wish that
    /// cannot be read must not become a wider one.
    pub fn of_strict_query(request: &Request, known: &[&str]) -> Result<Self, BadFields> {
        let fields = Self::parse(request.query.as_bytes()).ok_or(BadFields::Malformed)?;
        let fits = |(name, value): &(String, Secret<String>)| {
            known.contains(&name.as_str()) && !value.reveal().is_empty()
        };
        if fields.0.iter().all(fits) { Ok(fields) } else { Err(BadFields::Malformed) }
    }

    /// A field's value; empty where it was not sent.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(sent, _)| sent == name).map_or("", |(_, value)| value.reveal())
    }

    fn parse(encoded: &[u8]) -> Option<Self> {
        let mut fields = Self::default();
        for pair in encoded.split(|c| *c == b'&').filter(|pair| !pair.is_empty()) {
            let mut parts = pair.splitn(2, |c| *c == b'=');
            let name = decode(parts.next().unwrap_or_default())?;
            let value = decode(parts.next().unwrap_or_default())?;
            let is_new = fields.0.iter().all(|(known, _)| *known != name);
            if !is_new || fields.0.len() == MOST {
                return None;
            }
            fields.0.push((name, Secret::new(value)));
        }
        Some(fields)
    }
}

/// Undoes the encoding of forms, as browsers do it. Nothing where the outcome is not UTF-8.
fn decode(encoded: &[u8]) -> Option<String> {
    let spaced: Vec<u8> = encoded.iter().map(|c| if *c == b'+' { b' ' } else { *c }).collect();
    String::from_utf8(unescaped(&spaced)).ok()
}

#[cfg(test)]
mod tests {
    use super::super::message::tests::request;
    use super::*;
    use http::HeaderValue;

    fn form(kind: &'static str, body: &'static [u8]) -> Result<Fields, BadFields> {
        let mut request = request("POST", "/_vestibule/login");
        request.headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        request.body = body.into();
        Fields::of_form(&request, 64)
    }

    const FORM: &str = "application/x-www-form-urlencoded";

    #[test]
    fn a_form_is_read_to_the_letter() {
        let fields = form(FORM, b"a=1+2&b=%C3%A9%2B%&&c&d=x=y").ok().unwrap();
        let read = ["a", "b", "c", "d", "e"].map(|name| fields.get(name));
        assert_eq!(read, ["1 2", "é+%", "", "x=y", ""]);
        assert!(form("Application/X-WWW-Form-Urlencoded; charset=utf-8", b"a=1").is_ok());
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for bad in ["a=1&a=2", "a=1&%61=2", "a=%ff", "%ff=a", "a=%C3"] {
            assert_eq!(form(FORM, bad.as_bytes()).err(), Some(BadFields::Malformed), "{bad}");
        }
        assert_eq!(form(FORM, b"a=\xff").err(), Some(BadFields::Malformed));
    }

    #[test]
    fn other_types_and_long_bodies_are_refused() {
        for kind in ["", "text/plain", "application/json", "multipart/form-data; boundary=x"] {
            assert_eq!(form(kind, b"a=1").err(), Some(BadFields::NotAForm), "{kind}");
        }
        assert_eq!(form(FORM, &[b'a'; 65]).err(), Some(BadFields::TooLarge));
    }

    #[test]
    fn a_query_with_a_field_twice_asks_for_nothing() {
        let read = |query: &str| {
            let request = request("GET", &format!("/_vestibule/login?{query}"));
            Fields::of_query(&request).get("rd").to_owned()
        };
        assert_eq!(read("rd=%2Fpage"), "/page");
        assert_eq!(read("rd=/a&rd=//evil.test"), "");
        assert_eq!(read("rd=%ff"), "");
    }

    #[test]
    fn a_query_that_could_mean_more_than_was_meant_is_refused() {
        let read = |query: &str| {
            let request = request("GET", &format!("/_vestibule/api/v1/admin/sessions?{query}"));
            let fields = Fields::of_strict_query(&request, &["user"]);
            fields.map(|fields| fields.get("user").to_owned())
        };
        assert_eq!(read("user=ann"), Ok("ann".into()));
        assert_eq!(read(""), Ok(String::new()));
        for bad in ["user=", "user=ann&user=bob", "usr=ann", "user=%ff", "user=ann&x=1"] {
            assert_eq!(read(bad), Err(BadFields::Malformed), "{bad}");
        }
    }
}
