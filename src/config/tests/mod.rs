//! What people may write, and what they are told.

mod acme;
mod checks;
mod example;
mod layers;
mod reload;
mod traces;
mod upstream;

use super::{Config, Faults, Overrides};
use std::path::Path;

pub(super) fn parse(text: &str) -> Result<Config, Faults> {
    parse_with(text, &[], &Overrides::default())
}

pub(super) fn parse_with(
    text: &str,
    environment: &[(&str, &str)],
    overrides: &Overrides,
) -> Result<Config, Faults> {
    let file = (Path::new("config.toml"), text);
    Config::parse(Some(file), environment.iter().copied(), overrides)
}

pub(super) fn faults(text: &str) -> String {
    parse(text).map(|config| config.show()).unwrap_err().to_string()
}

/// Everything that decides what the gateway does, and nothing about where it was said.
pub(super) fn meaning(config: &Config) -> String {
    let Config { data_dir, master_key, store_path, admin_socket, admin_listen, .. } = config;
    let Config { service, site, proxy, traces, .. } = config;
    format!("{:#?}", (data_dir, master_key, store_path, admin_socket, admin_listen))
        + &format!("{:#?}", (service, site, proxy, traces))
}
