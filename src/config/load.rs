//! The one place that reads a file.

use super::fault::{Faults, Place, Wrong};
use super::{Config, Overrides};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The file that is read where nobody names one.
pub(super) const USUAL: &str = "config.toml";

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
    match std::fs::read_to_string(path) {
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
