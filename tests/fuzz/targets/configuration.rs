//! The text of a configuration, and of the environment beside it.

use std::path::Path;
use vestibule::config::{Config, Overrides};

fn parse(text: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
    let file = Some((Path::new("config.toml"), text));
    let config = Config::parse(file, environment.iter().copied(), &Overrides::default());
    config.map_err(|faults| {
        assert!(!faults.list().is_empty(), "refused, and nothing is wrong");
        assert!(faults.list().iter().all(|fault| !fault.problem.is_empty()));
        faults.to_string()
    })
}

/// Lines that begin with VESTIBULE_ are of the environment, all others of the file.
pub fn configuration(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (variables, file): (Vec<&str>, Vec<&str>) =
        text.split('\n').partition(|line| line.starts_with("VESTIBULE_"));
    let variables: Vec<_> = variables.iter().filter_map(|line| line.split_once('=')).collect();
    let Ok(config) = parse(&file.join("\n"), &variables) else { return };
    let shown = config.show();
    if shown.contains("master_key ") {
        // It is masked, and a mask is no key.
        return;
    }
    let again = parse(&shown, &[]).expect("what is shown is no configuration");
    assert_eq!(without_places(&again.show()), without_places(&shown));
}

/// Where each value comes from is left out.
fn without_places(shown: &str) -> Vec<&str> {
    shown.lines().map(|line| line.rsplit_once(" # ").map_or(line, |(value, _)| value)).collect()
}
