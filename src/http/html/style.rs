//! The style sheet, under a name made from its content, so that it can be kept for ever.

use sha2::{Digest as _, Sha256};
use std::sync::LazyLock;

/// The style sheet.
pub(crate) const STYLE: &str = include_str!("style.css");

/// Where it is, below the prefix.
pub(crate) fn style_path() -> &'static str {
    static PATH: LazyLock<String> = LazyLock::new(|| {
        let hash = Sha256::digest(STYLE);
        let hash: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        format!("/assets/{hash}.css")
    });
    &PATH
}
