//! The one script, which stands in the pages themselves, and its digest, by which the policy lets
//! it run and nothing else: also on a host whose app could be made to serve a script.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use std::sync::LazyLock;

/// The script.
pub(crate) const SCRIPT: &str = include_str!("script.js");

/// It, as the policy names it.
pub(crate) fn script_source() -> &'static str {
    static SOURCE: LazyLock<String> =
        LazyLock::new(|| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(SCRIPT))));
    &SOURCE
}
