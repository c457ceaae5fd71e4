//! `breached` in `[password]`: where new passwords are looked up among stolen ones.

use super::Config;
use super::fault::{Fault, Wrong};
use super::kinds::{one_of, path};
use super::reader::Section;
use crate::service::{BreachSource, RangeUrl};
use std::path::PathBuf;

const TABLE: &str = "password";
const KEY: &str = "breached";

/// As it is written.
enum Source {
    Off,
    List(PathBuf),
    Api,
}

pub(super) fn read(s: &mut Section<'_>) -> Option<BreachSource> {
    const UNANSWERED: &[(&str, bool)] = &[("refuse", false), ("accept", true)];
    let source = s.read(KEY, "off", source);
    let url = s.read("breached_api_url", "https://api.pwnedpasswords.com", url);
    let accept_unanswered = s.read("breached_unanswered", "refuse", one_of(UNANSWERED));
    let (url, accept_unanswered) = (url?, accept_unanswered?);
    Some(match source? {
        Source::Off => BreachSource::Off,
        Source::List(path) => BreachSource::List(path),
        Source::Api => BreachSource::Api { url, accept_unanswered },
    })
}

fn source(text: String) -> Result<Source, Wrong> {
    match (text.as_str(), text.strip_prefix("list:")) {
        ("off", _) => Ok(Source::Off),
        ("api", _) => Ok(Source::Api),
        (_, Some(file)) => path(file.to_owned()).map(Source::List),
        _ => Err(Wrong::new(format!("{text:?} is unknown"))
            .advise("write \"off\", \"list:PATH\" or \"api\"")),
    }
}

/// A wrong address is not repeated: there may be a password in it.
fn url(text: String) -> Result<RangeUrl, Wrong> {
    RangeUrl::parse(&text).map_err(|problem| {
        Wrong::new(problem).advise("write https://host, or http://127.0.0.1:8080 on this machine")
    })
}

/// Refuses a list that cannot be read, before somebody chooses the first password.
pub(super) fn with_readable_list(config: &Config) -> Result<(), Fault> {
    let Err(error) = config.service.breached.check() else { return Ok(()) };
    let path = match &config.service.breached {
        BreachSource::List(path) => path.display().to_string(),
        BreachSource::Off | BreachSource::Api { .. } => String::new(),
    };
    let wrong = Wrong::new(format!("the list {path} cannot be used: {error}"))
        .advise("name a readable file with a password or its SHA-1 in each line");
    Err(config.fault((TABLE, 0), KEY, wrong))
}
