//! Words that are read once and written many times: each has one spelling.

use std::fmt::Display;
use vestibule::proxy::{Listen, UpstreamUrl};
use vestibule::types::{
    Bearer, DisplayName, Email, GroupName, Host, HostPattern, Login, Network, PublicUrl, Username,
};

/// Reads a text, writes what was read, and reads that.
fn settles<T: PartialEq>(
    text: &str,
    read: impl Fn(&str) -> Option<T>,
    write: impl Fn(&T) -> String,
) {
    let Some(once) = read(text) else { return };
    let written = write(&once);
    let again = read(&written);
    assert!(again.as_ref() == Some(&once), "{text:?} was written as {written:?}");
}

fn shown<T: Display>(value: &T) -> String {
    value.to_string()
}

pub fn words(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    settles(text, |text| Username::parse(text).ok(), |name| name.as_str().to_owned());
    settles(text, |text| Email::parse(text).ok(), |name| name.as_str().to_owned());
    settles(text, |text| DisplayName::parse(text).ok(), |name| name.as_str().to_owned());
    settles(text, |text| GroupName::parse(text).ok(), |name| name.as_str().to_owned());
    settles(text, |text| Login::parse(text).ok(), |name| name.as_str().to_owned());
    settles(text, |text| Host::parse(text).ok(), shown);
    settles(text, |text| HostPattern::parse(text).ok(), shown);
    settles(text, |text| PublicUrl::parse(text).ok(), shown);
    settles(text, |text| UpstreamUrl::parse(text).ok(), shown);
    settles(text, Listen::parse, shown);
    settles(text, Network::parse, shown);
    if let Some(token) = Bearer::parse_bytes(bytes) {
        assert_eq!(token.reveal().as_bytes(), bytes, "two spellings of one token");
    }
}
