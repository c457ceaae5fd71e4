//! What a request shows to say whose it is: a browser's cookie, or a program's token.
//!
//! Tokens of ours have a beginning that nothing else has. So what an app's own `Authorization`
//! says is left to the app, and a token of ours is known, and kept from the app, also where it is
//! good for nothing any more.

use super::Cookies;
use crate::service::Credential;
use crate::types::{Bearer, Prefix, Secret};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::HeaderMap;
use http::header::AUTHORIZATION;

/// What a request shows. A program's token goes before a cookie, and one that cannot be read
/// counts as nothing: who could say which of the two is meant.
pub fn credential(cookies: &Cookies, headers: &HeaderMap) -> Option<Credential> {
    if !shows_token(headers) {
        return cookies.session_token(headers).map(Credential::Session);
    }
    let mut fields = headers.get_all(AUTHORIZATION).iter();
    let only = fields.next().filter(|_| fields.next().is_none())?.as_bytes();
    match scheme(only)? {
        Scheme::Bearer(token) => {
            let access = || Bearer::parse_as(Prefix::Access, token).map(Credential::Access);
            let made = Bearer::parse_as(Prefix::Token, token);
            made.map(|token| Credential::Token(token, None)).or_else(access)
        }
        Scheme::Basic(pair) => {
            let (name, token) = split(pair.reveal())?;
            let token = Bearer::parse_as(Prefix::Token, token)?;
            Some(Credential::Token(token, Some(String::from_utf8(name.to_vec()).ok()?)))
        }
    }
}

/// Whether a request shows a token of ours, good or not, and is a program's by that.
pub fn shows_token(headers: &HeaderMap) -> bool {
    headers.get_all(AUTHORIZATION).iter().any(|field| is_our_authorization(field.as_bytes()))
}

/// Whether an `Authorization` field carries a token of ours, good or not, in whatever wrapping: an
/// app might undo one that we would not.
pub fn is_our_authorization(field: &[u8]) -> bool {
    let carries = |text: &[u8]| {
        [Prefix::Access, Prefix::Refresh, Prefix::Token].iter().any(|prefix| {
            let prefix = prefix.as_str().as_bytes();
            text.windows(prefix.len()).any(|window| window == prefix)
        })
    };
    if carries(field) {
        return true;
    }
    // What is no base64 is passed over by some.
    let digits: Vec<u8> = field
        .split(u8::is_ascii_whitespace)
        .skip(1)
        .flatten()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, b'+' | b'/'))
        .copied()
        .collect();
    BASE64.decode(digits).is_ok_and(|decoded| carries(&decoded))
}

/// How a field authorises.
enum Scheme<'f> {
    Bearer(&'f [u8]),
    /// A name, a colon and a password.
    Basic(Secret<Vec<u8>>),
}

/// As an obliging server reads it: what we would not know for a token of ours might be one to the
/// app.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

fn split(pair: &[u8]) -> Option<(&[u8], &[u8])> {
    let (name, rest) = pair.split_at_checked(pair.iter().position(|c| *c == b':')?)?;
    Some((name, rest.get(1..)?))
}

fn scheme(field: &[u8]) -> Option<Scheme<'_>> {
    let field = field.trim_ascii();
    let border = field.iter().position(u8::is_ascii_whitespace)?;
    let (name, rest) = field.split_at_checked(border)?;
    let rest = rest.trim_ascii();
    if name.eq_ignore_ascii_case(b"bearer") {
        return Some(Scheme::Bearer(rest));
    }
    let decoded = name.eq_ignore_ascii_case(b"basic").then(|| BASE64.decode(rest).ok())??;
    Some(Scheme::Basic(Secret::new(decoded)))
}

#[cfg(test)]
mod tests {
    use super::super::site::tests::site;
    use super::*;

    fn shown(fields: &[(&'static str, String)]) -> Option<Credential> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, value.parse().unwrap());
        }
        credential(&Cookies::new(&site("https://login.example.com", None)), &headers)
    }

    fn token() -> Bearer {
        Bearer::from_bytes([7; 32])
    }

    fn cookie() -> (&'static str, String) {
        ("cookie", format!("__Host-vestibule={}", token().reveal()))
    }

    fn bearer(token: String) -> (&'static str, String) {
        ("authorization", format!("Bearer {token}"))
    }

    fn basic(pair: &str) -> (&'static str, String) {
        ("authorization", format!("basic {}", BASE64.encode(pair)))
    }

    #[test]
    fn a_token_of_ours_is_told_from_an_apps_own() {
        let access = || bearer(token().reveal_as(Prefix::Access));
        let made = token().reveal_as(Prefix::Token);
        assert!(matches!(shown(&[access()]), Some(Credential::Access(_))));
        assert!(matches!(shown(&[cookie(), access()]), Some(Credential::Access(_))));
        assert!(matches!(shown(&[bearer(made.clone())]), Some(Credential::Token(_, None))));
        let named = shown(&[basic(&format!("ann:{made}"))]);
        assert!(matches!(named, Some(Credential::Token(_, Some(name))) if name == "ann"));
        for theirs in ["Bearer eyJhbGciOi", "Basic YTpi", "Bearer", "", "Basic !!!"] {
            let field = ("authorization", theirs.to_owned());
            assert!(matches!(shown(&[cookie(), field]), Some(Credential::Session(_))), "{theirs}");
        }
    }

    #[test]
    fn a_token_that_is_broken_doubled_or_of_another_kind_is_nobodys() {
        let access = || bearer(token().reveal_as(Prefix::Access));
        for fields in [
            vec![cookie(), bearer("vsa_short".into())],
            vec![cookie(), bearer(token().reveal_as(Prefix::Refresh))],
            vec![cookie(), basic(&format!("ann:{}", token().reveal_as(Prefix::Access)))],
            vec![cookie(), basic("ann:vst_short")],
            vec![cookie(), ("authorization", "Bearer\tvst_short".into())],
            vec![cookie(), ("authorization", basic("ann:vst_x").1.trim_end_matches('=').into())],
            vec![cookie(), access(), access()],
            vec![cookie(), access(), ("authorization", "Basic YTpi".into())],
            vec![cookie(), ("authorization", "Basic YTpi".into()), access()],
        ] {
            assert!(shown(&fields).is_none(), "{fields:?}");
        }
    }
}
