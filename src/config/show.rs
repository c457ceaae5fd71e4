//! The effective configuration, as TOML that makes the same configuration again.

use super::Config;
use super::fault::Named;
use std::fmt::Write as _;

impl Config {
    /// Every key with its value and where that comes from; secrets are masked.
    pub fn show(&self) -> String {
        let file = self.file.as_deref().unwrap_or_else(|| "".as_ref()).display().to_string();
        let mut text = String::new();
        let mut current = ("", 0);
        for entry in &self.entries {
            let Some(toml) = &entry.toml else { continue };
            let at = (entry.table, entry.nth);
            if at != current {
                let (open, close) = if entry.nth > 0 { ("[[", "]]") } else { ("[", "]") };
                // Writing to a String does not fail.
                let _ = writeln!(text, "\n{open}{}{close}", entry.table);
                current = at;
            }
            let _ = writeln!(text, "{} = {toml} # {}", entry.name, Named(&entry.place, &file));
        }
        text
    }
}
