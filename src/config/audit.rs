//! `[audit]`: how much of the trail is kept, and where else its entries go.

use super::fault::Wrong;
use super::kinds::{duration, optional, path, within};
use super::reader::Section;
use crate::observe::{Copies, Syslog};
use std::path::PathBuf;
use std::time::Duration;

/// For how long, how many, and where to.
pub(super) fn read(s: &mut Section<'_>) -> Option<(Option<Duration>, u64, Copies)> {
    let keep = s.read("keep", "365d", optional(duration));
    let most = s.read("max_entries", "1000000", within(1_000..=1_000_000_000));
    let file = s.read("file", "", optional(path));
    let syslog = s.read("syslog", "", optional(syslog));
    Some((keep?, most?, Copies { file: file?, syslog: syslog? }))
}

fn syslog(text: String) -> Result<Syslog, Wrong> {
    let socket = text.strip_prefix("unix:").filter(|path| path.starts_with('/'));
    let address = text.strip_prefix("udp:").and_then(|address| address.parse().ok());
    let to = socket.map(PathBuf::from).map(Syslog::Unix).or_else(|| address.map(Syslog::Udp));
    to.ok_or_else(|| {
        Wrong::new(format!("{text:?} is nowhere a syslog listens"))
            .advise("write unix:/dev/log or udp:192.0.2.7:514")
    })
}
