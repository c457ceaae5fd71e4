//! What a request shows to say whose it is: a browser's cookie, or a program's access token.
//!
//! Tokens of ours have a beginning that nothing else has. So what an app's own `Authorization`
//! says is left to the app, and a token of ours is known, and kept from the app, also where it is
//! good for nothing any more.

use super::Cookies;
use crate::service::Credential;
use crate::types::Bearer;
use http::HeaderMap;
use http::header::AUTHORIZATION;

/// What an access token begins with.
const ACCESS: &str = "vsa_";

/// What a refresh token begins with.
const REFRESH: &str = "vsr_";

/// What a request shows. A program's token goes before a cookie, and one that cannot be read
/// counts as nothing: who could say which of the two is meant.
pub fn credential(cookies: &Cookies, headers: &HeaderMap) -> Option<Credential> {
    let mut fields = headers.get_all(AUTHORIZATION).iter();
    let Some(first) = fields.next() else {
        return cookies.session_token(headers).map(Credential::Session);
    };
    let is_ours = headers.get_all(AUTHORIZATION).iter().any(|f| is_our_bearer(f.as_bytes()));
    if !is_ours {
        return cookies.session_token(headers).map(Credential::Session);
    }
    let only = fields.next().is_none().then(|| token_of(first.as_bytes()))??;
    Bearer::parse_bytes(only.strip_prefix(ACCESS.as_bytes())?).map(Credential::Access)
}

/// Whether an `Authorization` field carries a token of ours, good or not.
pub fn is_our_bearer(field: &[u8]) -> bool {
    token_of(field).is_some_and(|token| {
        token.starts_with(ACCESS.as_bytes()) || token.starts_with(REFRESH.as_bytes())
    })
}

/// An access token as a program is given it.
pub fn access_text(token: &Bearer) -> String {
    format!("{ACCESS}{}", token.reveal())
}

/// A refresh token as a program is given it.
pub fn refresh_text(token: &Bearer) -> String {
    format!("{REFRESH}{}", token.reveal())
}

/// Reads what [`refresh_text`] wrote.
pub fn refresh_token(text: &str) -> Option<Bearer> {
    Bearer::parse(text.strip_prefix(REFRESH)?)
}

/// What follows `Bearer`.
fn token_of(field: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = field.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| rest.trim_ascii())
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

    #[test]
    fn a_token_of_ours_is_told_from_an_apps_own() {
        let bearer = |text: String| ("authorization", format!("Bearer {text}"));
        let access = || bearer(access_text(&token()));
        assert!(matches!(shown(&[access()]), Some(Credential::Access(_))));
        assert!(matches!(shown(&[cookie(), access()]), Some(Credential::Access(_))));
        for theirs in ["Bearer eyJhbGciOi", "Basic YTpi", "Bearer", ""] {
            let field = ("authorization", theirs.to_owned());
            assert!(matches!(shown(&[cookie(), field]), Some(Credential::Session(_))), "{theirs}");
        }
    }

    #[test]
    fn a_token_that_is_broken_doubled_or_of_another_kind_is_nobodys() {
        let bearer = |text: String| ("authorization", format!("bearer {text}"));
        let access = || bearer(access_text(&token()));
        for fields in [
            vec![cookie(), bearer("vsa_short".into())],
            vec![cookie(), bearer(refresh_text(&token()))],
            vec![cookie(), access(), access()],
            vec![cookie(), access(), ("authorization", "Basic YTpi".into())],
        ] {
            assert!(shown(&fields).is_none(), "{fields:?}");
        }
        assert!(refresh_token(&access_text(&token())).is_none());
        assert!(refresh_token(&refresh_text(&token())).is_some());
    }
}
