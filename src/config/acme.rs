//! `[acme]`: certificates that the gateway fetches by itself.

use super::fault::Wrong;
use super::kinds::{flag, optional, path};
use super::reader::Section;
use crate::proxy::{Fetching, RouteSettings};
use crate::types::{Host, HostPattern, PublicUrl};
use std::path::{Path, PathBuf};

const AGREE: &str = "agree";
pub(super) const NAMES: &str = "names";

/// What was said about fetching.
pub(super) struct Acme {
    directory: String,
    email: Option<String>,
    ca_file: Option<PathBuf>,
    names: Vec<Host>,
}

/// Inside: nothing where nothing is to be fetched.
pub(super) fn read(s: &mut Section<'_>) -> Option<Option<Acme>> {
    let agree = s.read(AGREE, "false", flag);
    let usual = "https://acme-v02.api.letsencrypt.org/directory";
    let directory = s.read("directory", usual, directory);
    let email = s.read("email", "", optional(email));
    let names = s.list(NAMES, "", name);
    let ca_file = s.read("ca_file", "", optional(path));
    let is_meant = names.as_ref().is_some_and(|names| !names.is_empty())
        || email.as_ref().is_some_and(Option::is_some);
    if agree == Some(false) && is_meant {
        let wrong = Wrong::new("nothing is fetched without agreeing to the authority's terms")
            .advise("read its terms of service and write agree = true, or leave [acme] out");
        s.blame(&[AGREE], wrong);
    }
    let acme = Acme { directory: directory?, email: email?, ca_file: ca_file?, names: names? };
    agree.map(|agree| agree.then_some(acme))
}

fn directory(text: String) -> Result<String, Wrong> {
    let url = url::Url::parse(&text).ok().filter(|url| url.scheme() == "https" && url.has_host());
    url.map(String::from).ok_or_else(|| {
        Wrong::new(format!("{text:?} is not the address of a directory"))
            .advise("write the https:// address that your authority names for ACME")
    })
}

fn email(text: String) -> Result<String, Wrong> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',');
    if is_plain && text.split_once('@').is_some_and(|(to, at)| !to.is_empty() && !at.is_empty()) {
        return Ok(text);
    }
    Err(Wrong::new(format!("{text:?} is not an e-mail address")).advise("write admin@example.com"))
}

fn name(text: &str) -> Result<Host, Wrong> {
    Host::parse(text).ok().filter(is_name).ok_or_else(|| {
        Wrong::new(format!("{text:?} is not a name that an authority could look up"))
            .advise("write login.example.com: no pattern, no address, no port")
    })
}

/// Whether it is neither an address nor a name of this machine alone.
fn is_name(host: &Host) -> bool {
    let last = host.as_str().rsplit_once('.').map(|(_, last)| last);
    last.is_some_and(|last| last.bytes().any(|byte| byte.is_ascii_alphabetic()))
        && !host.is_loopback()
}

impl Acme {
    /// What is to be fetched: for the names that are given, else for the portal's and for those
    /// that routes give in full.
    pub(super) fn fetching(
        self,
        data: &Path,
        by_http: bool,
        public_url: &PublicUrl,
        routes: &[RouteSettings],
    ) -> Fetching {
        let Self { directory, email, ca_file, mut names } = self;
        if names.is_empty() {
            let exact = routes.iter().filter_map(|route| match &route.key.host {
                HostPattern::Exact(host) => Some(host.clone()),
                _ => None,
            });
            names.extend(std::iter::once(public_url.host().clone()).chain(exact).filter(is_name));
        }
        names.sort();
        names.dedup();
        // By authority, so that one that is tried out leaves nothing to the one that is meant.
        let plain = |c: char| if c.is_ascii_alphanumeric() || ".-".contains(c) { c } else { '_' };
        let authority = directory.trim_start_matches("https://").trim_end_matches('/');
        let folder = data.join("acme").join(authority.chars().map(plain).collect::<String>());
        Fetching { directory, email, ca_file, folder, names, by_http }
    }
}
