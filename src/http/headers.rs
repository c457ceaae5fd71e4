//! The header fields that every response of ours carries.

use super::Site;
use super::html::script_source;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::sync::LazyLock;

/// Nothing is loaded but our own style sheet and pictures, no script runs but the one that stands in
/// our pages, forms lead to us alone, and nobody frames us.
///
/// Chrome and Safari apply `form-action` to the redirects that follow a form, too: whoever sends
/// a browser to another host after a form does it by a page, not by a redirect.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    format!(
        "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src {}; \
         require-trusted-types-for 'script'; form-action 'self'; frame-ancestors 'none'; \
         base-uri 'none'",
        script_source()
    )
});

/// The same for a page whose script asks us something while somebody fills its form in.
static ASKING: LazyLock<String> = LazyLock::new(|| format!("{}; connect-src 'self'", *POLICY));

/// Lets the script of a page ask us something.
pub(super) fn let_ask(headers: &mut HeaderMap) {
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(ASKING.as_str()));
}

/// Other sites, and other pages of this one, are told the origin at most, never a path or a query
/// in which a link's token is. Not `no-referrer`: under that, the Fetch standard ("append a
/// request `Origin` header") has browsers send `Origin: null` with our own forms, which we must
/// refuse. Not `same-origin`: under that, the app on this very host would see our queries.
const REFERRER: &str = "strict-origin";

/// Nothing here has a use for any of these. What is not named stays with its default, which is
/// us alone: passkeys are a later matter.
const PERMISSIONS: &str = "accelerometer=(), browsing-topics=(), camera=(), display-capture=(), \
                           fullscreen=(), geolocation=(), gyroscope=(), magnetometer=(), \
                           microphone=(), midi=(), payment=(), screen-wake-lock=(), usb=(), \
                           xr-spatial-tracking=()";

/// Adds the security headers.
pub(super) fn harden(headers: &mut HeaderMap, site: &Site) {
    let fields: [(HeaderName, &'static str); 9] = [
        (CONTENT_SECURITY_POLICY, POLICY.as_str()),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, REFERRER),
        (X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        // With the one above, also apart from apps of this origin that send that one themselves: a
        // page of theirs that opened one of ours could otherwise reach into it.
        (HeaderName::from_static("cross-origin-embedder-policy"), "require-corp"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), PERMISSIONS),
    ];
    for (name, value) in fields {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if site.public_url.is_https() {
        // One year, for this host. The names below it are their owner's to decide on.
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(STRICT_TRANSPORT_SECURITY, year);
    }
}
