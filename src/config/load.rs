//! The one place that reads a file.

use super::fault::{Faults, Place, Wrong};
use super::{Config, Overrides};
use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

/// The file that is read where nobody names one.
pub(super) const USUAL: &str = "config.toml";

/// Many times the longest that somebody writes, in bytes.
const LONGEST: u64 = 4 << 20;

/// Finds the configuration file, reads it, and makes the configuration of it, of the environment
/// and of the command's arguments.
pub fn load<'e, E>(environment: E, overrides: &Overrides) -> Result<Config, Faults>
where
    E: IntoIterator<Item = (&'e str, &'e str)>,
{
    let environment: Vec<_> = environment.into_iter().collect();
    let variable = environment.iter().find(|(name, _)| *name == "VESTIBULE_CONFIG");
    let named = match (&overrides.config, variable) {
        (Some(path), _) => Some(path.clone()),
        (None, Some((_, path))) => Some(PathBuf::from(path)),
        (None, None) => None,
    };
    let path = named.as_deref().unwrap_or(Path::new(USUAL));
    match text(path) {
        Ok(text) => Config::parse(Some((path, &text)), environment, overrides),
        // Only a file that is not there is done without: one that cannot be read was meant.
        Err(error) if named.is_none() && error.kind() == ErrorKind::NotFound => {
            Config::parse(None, environment, overrides)
        }
        Err(error) => {
            let wrong = Wrong::new(format!("cannot be read: {error}"))
                .advise("name a readable file with --config or VESTIBULE_CONFIG");
            Err(Faults::new(&path.display().to_string(), vec![wrong.at(Place::File, "")]))
        }
    }
}

/// Reads a file that somebody writes by hand.
pub(super) fn text(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LONGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST {
        return Err(io::Error::other("it is longer than 4 MiB, so it is no configuration"));
    }
    String::from_utf8(bytes).map_err(|_| io::Error::other("it is not text (UTF-8)"))
}
