//! `[identity]` and `[[route]]`: the apps, and what they are told about a person.

use super::fault::{Place, Wrong};
use super::kinds::{Amount, flag, optional, size};
use super::reader::{Reader, Section};
use super::upstream;
use crate::domain::RouteKey;
use crate::http::IdentityNames;
use crate::proxy::{RouteSettings, UpstreamUrl};
use crate::types::{HostPattern, PathView};
use http::HeaderName;

/// The one name of ours that an app is told by.
const ASSERTION: &str = "X-Vestibule-Assertion";

pub(super) fn identity(s: &mut Section<'_>) -> Option<IdentityNames> {
    const KEYS: [(&str, &str); 5] = [
        ("user", "Remote-User"),
        ("groups", "Remote-Groups"),
        ("name", "Remote-Name"),
        ("email", "Remote-Email"),
        ("assertion", ASSERTION),
    ];
    let mut taken: Vec<(&str, String)> = Vec::new();
    let mut read = |(key, default)| {
        let ours = (key == "assertion").then_some(ASSERTION);
        let header = s.read(key, default, optional(|text| header(text, ours)))?;
        if let Some(name) = &header {
            let folded = folded(name);
            if let Some((other, _)) = taken.iter().find(|(_, taken)| *taken == folded) {
                let wrong = Wrong::new(format!("{name} is the header for both {other} and {key}"))
                    .advise("give each a name of its own, or \"\" to leave one out");
                s.blame(&[key, other], wrong);
            }
            taken.push((key, folded));
        }
        Some(header)
    };
    let [user, groups, name, email, assertion] = KEYS.map(&mut read);
    Some(IdentityNames {
        user: user?,
        groups: groups?,
        name: name?,
        email: email?,
        assertion: assertion?,
    })
}

/// As the most obliging server reads it: `_` for `-`, case aside.
fn folded(name: &HeaderName) -> String {
    name.as_str().replace('_', "-")
}

/// Headers that already mean something: an app would be misled, or the connection with it.
fn is_taken(folded: &str) -> bool {
    const NAMES: &str = "age authorization connection cookie date dnt etag expect expires \
        forwarded from host keep-alive last-modified link location origin pragma range referer \
        server set-cookie te trailer transfer-encoding upgrade user-agent vary via warning \
        x-forwarded x-forwarded-for x-forwarded-host x-forwarded-method x-forwarded-path \
        x-forwarded-port x-forwarded-prefix x-forwarded-proto x-forwarded-protocol \
        x-forwarded-scheme x-forwarded-server x-forwarded-ssl x-forwarded-uri x-real-ip \
        x-request-id x-rewrite-url";
    const FAMILIES: &str = "accept access-control- cache- content- if- proxy- sec- strict- www- \
        x-http-method x-method- x-original- x-vestibule-";
    NAMES.split(' ').any(|name| name == folded)
        || FAMILIES.split(' ').any(|family| folded.starts_with(family))
}

/// A name that means nothing yet; or the one of ours that is meant for it.
fn header(text: String, ours: Option<&str>) -> Result<HeaderName, Wrong> {
    let name: HeaderName = text.parse().map_err(|_| {
        Wrong::new(format!("{text:?} is not a header name")).advise("write Remote-User")
    })?;
    if is_taken(&folded(&name)) && !ours.is_some_and(|ours| text.eq_ignore_ascii_case(ours)) {
        return Err(Wrong::new(format!("{text} has a meaning of its own"))
            .advise("choose a name that nothing else uses, as Remote-User"));
    }
    Ok(name)
}

/// The routes. `prefix` is where our own pages are, which no route reaches.
pub(super) fn routes(reader: &mut Reader, prefix: Option<&str>) -> Option<Vec<RouteSettings>> {
    let mut seen: Vec<(RouteKey, Place)> = Vec::new();
    reader.each("route", |s| {
        let host = s.read("host", None, host_pattern);
        let path = s.read("path", "/", |text: String| route_path(text, prefix));
        let upstreams = s.one_or_more("upstream", upstream_url);
        if upstreams.as_ref().is_some_and(Vec::is_empty) {
            s.blame(&["upstream"], Wrong::new("is empty").advise("name where the app is"));
        }
        let keeps_authorization = s.read("keep_authorization", "false", flag);
        let strip_prefix = s.read("strip_prefix", "false", flag);
        let maintenance = s.read("maintenance", "false", flag);
        let body_max = s.read("body_max", "", body_max);
        let care = upstream::read(s, upstreams.as_deref().unwrap_or_default());
        let key = RouteKey { host: host?, path: path? };
        check_unique(s, &key, &mut seen);
        if strip_prefix? && key.path == "/" {
            let wrong = Wrong::new("there is nothing to strip of the path \"/\"")
                .advise("give path a prefix, or leave strip_prefix out");
            s.blame(&["strip_prefix"], wrong);
        }
        let care = care?;
        Some(RouteSettings {
            keeps_authorization: keeps_authorization?,
            strip_prefix: strip_prefix?,
            maintenance: maintenance?,
            host: care.host,
            body_max: body_max?,
            patience: care.patience,
            health: care.health,
            tls: care.tls,
            ..RouteSettings::new(key, upstreams?)
        })
    })
}

/// Two routes that match the same requests: one of them would never be asked.
fn check_unique(s: &mut Section<'_>, key: &RouteKey, seen: &mut Vec<(RouteKey, Place)>) {
    let path = |key: &RouteKey| key.path.trim_end_matches('/').to_owned();
    let twin = seen.iter().find(|(other, _)| other.host == key.host && path(other) == path(key));
    if let Some((_, place)) = twin {
        let first = match place {
            Place::Line(line) => format!(" in line {line}"),
            _ => String::new(),
        };
        let wrong = Wrong::new(format!("{} {} has a route already{first}", key.host, key.path))
            .advise("list several upstreams in one route, or give another path");
        s.blame(&["host"], wrong);
    }
    seen.push((key.clone(), s.place("host")));
}

pub(super) fn host_pattern(text: String) -> Result<HostPattern, Wrong> {
    HostPattern::parse(&text).map_err(|_| {
        Wrong::new(format!("{text:?} is not a host"))
            .advise("write app.example.com without a port, *.example.com, or *")
    })
}

fn route_path(text: String, prefix: Option<&str>) -> Result<String, Wrong> {
    let path = PathView::of(&text);
    if !path.is_canonical() || !text.is_ascii() || text.contains('?') {
        return Err(Wrong::new(format!("{text:?} is not a path with only one reading"))
            .advise("write /app: a slash first, no dots, doubled slashes or query, é as %C3%A9"));
    }
    if prefix.is_some_and(|prefix| path.is_below(prefix)) {
        return Err(Wrong::new(format!("{text:?} lies where our own pages are"))
            .advise("choose another path, or move server.prefix"));
    }
    Ok(text)
}

fn body_max(amount: Amount) -> Result<Option<u64>, Wrong> {
    if amount.is_empty() {
        return Ok(None);
    }
    size(1..=usize::MAX)(amount).map(|size| u64::try_from(size).ok())
}

fn upstream_url(text: &str) -> Result<UpstreamUrl, Wrong> {
    // What stands before an @ is a password, and faults are printed.
    if text.contains('@') {
        return Err(
            Wrong::new("must not carry a name or password").advise("write http://host:port")
        );
    }
    UpstreamUrl::parse(text)
        .map_err(|advice| Wrong::new(format!("{text:?} is not where an app can be")).advise(advice))
}
