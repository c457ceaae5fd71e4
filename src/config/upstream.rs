//! What a `[[route]]` says about its upstreams: how they are spoken to, watched and trusted.

use super::Config;
use super::fault::{Fault, Wrong};
use super::kinds::{duration, optional, path, within};
use super::reader::Section;
use crate::proxy::{Health, Patience, Probe, TlsFile, UpstreamHost, UpstreamTls, UpstreamUrl};
use crate::types::Host;
use http::HeaderValue;

/// Everything about the upstreams but where they are.
pub(super) struct Care {
    pub host: UpstreamHost,
    pub patience: Patience,
    pub health: Health,
    pub tls: UpstreamTls,
}

pub(super) fn read(s: &mut Section<'_>, upstreams: &[UpstreamUrl]) -> Option<Care> {
    let host = s.read("upstream_host", "keep", host);
    let is_nameless = upstreams.iter().any(|url| matches!(url, UpstreamUrl::Unix(_)));
    if host == Some(UpstreamHost::Upstream) && is_nameless {
        let wrong = Wrong::new("a socket file has no name to tell").advise("write a name, or keep");
        s.blame(&["upstream_host"], wrong);
    }
    let connect = s.read("connect_timeout", "5s", duration);
    let first_byte = s.read("first_byte_timeout", "", optional(duration));
    let idle = s.read("idle_timeout", "", optional(duration));
    let health = health(s, upstreams.len());
    let tls = tls(s, upstreams);
    let patience = Patience { connect: connect?, first_byte: first_byte?, idle: idle? };
    Some(Care { host: host?, patience, health: health?, tls: tls? })
}

fn host(text: String) -> Result<UpstreamHost, Wrong> {
    let named = || {
        Host::parse_authority(&text).ok()?;
        HeaderValue::from_str(&text).ok()
    };
    match text.as_str() {
        "keep" => Ok(UpstreamHost::Keep),
        "upstream" => Ok(UpstreamHost::Upstream),
        _ => named().map(UpstreamHost::Named).ok_or_else(|| {
            Wrong::new(format!("{text:?} is not a host"))
                .advise("write \"keep\", \"upstream\" or app.example.com, perhaps with a port")
        }),
    }
}

fn health(s: &mut Section<'_>, upstreams: usize) -> Option<Health> {
    let probe = s.read("health_check", "auto", |text| probe(text, upstreams));
    let interval = s.read("health_interval", "10s", duration);
    let timeout = s.read("health_timeout", "2s", duration);
    let down_after = s.read("health_down_after", "3", within(1..=100));
    let up_after = s.read("health_up_after", "1", within(1..=100));
    Some(Health {
        probe: probe?,
        interval: interval?,
        timeout: timeout?,
        down_after: down_after?,
        up_after: up_after?,
    })
}

fn probe(text: String, upstreams: usize) -> Result<Probe, Wrong> {
    let is_path = text.starts_with('/')
        && text.bytes().all(|c| c.is_ascii_graphic() && c != b'#' && c != b'\\');
    match text.as_str() {
        "auto" if upstreams > 1 => Ok(Probe::Connect),
        "auto" | "off" => Ok(Probe::Off),
        "connect" => Ok(Probe::Connect),
        _ if is_path => Ok(Probe::Get(text)),
        _ => Err(Wrong::new(format!("{text:?} is unknown"))
            .advise("write \"auto\", \"off\", \"connect\" or a path as /healthz")),
    }
}

fn tls(s: &mut Section<'_>, upstreams: &[UpstreamUrl]) -> Option<UpstreamTls> {
    const KEYS: [&str; 4] =
        ["upstream_ca", "upstream_cert", "upstream_key", "upstream_server_name"];
    let ca = s.read("upstream_ca", "", optional(path));
    let cert = s.read("upstream_cert", "", optional(path));
    let key = s.read("upstream_key", "", optional(path));
    let server_name = s.read("upstream_server_name", "", optional(server_name));
    let (ca, cert, key, server_name) = (ca?, cert?, key?, server_name?);
    let alone = match (&cert, &key) {
        (Some(_), None) => Some(("upstream_cert", "upstream_key")),
        (None, Some(_)) => Some(("upstream_key", "upstream_cert")),
        _ => None,
    };
    if let Some((key, other)) = alone {
        let wrong = Wrong::new(format!("is set without {other}"))
            .advise("a certificate and its key go together");
        s.blame(&[key], wrong);
    }
    let tls = UpstreamTls::new(ca, cert.zip(key), server_name);
    if !tls.is_usual() && !upstreams.iter().any(UpstreamUrl::is_tls) {
        let wrong = Wrong::new("no upstream of this route is reached over TLS")
            .advise("write https:// in upstream, or leave it out");
        s.blame(&KEYS, wrong);
    }
    Some(tls)
}

fn server_name(text: String) -> Result<Host, Wrong> {
    Host::parse(&text).map_err(|_| {
        Wrong::new(format!("{text:?} is not a host")).advise("write app.example.com without a port")
    })
}

/// Reads the certificates of all routes; what is wrong with them.
pub(super) fn with_certificates(mut config: Config) -> (Config, Vec<Fault>) {
    let mut wrongs = Vec::new();
    for (nth, route) in (1..).zip(&mut config.proxy.routes) {
        let Err((file, why)) = route.tls.read_files() else { continue };
        let (key, advice) = match file {
            TlsFile::Ca => ("upstream_ca", "name a readable PEM file with certificates"),
            TlsFile::Cert => ("upstream_cert", "name a readable PEM file with our certificate"),
            TlsFile::Key => ("upstream_key", "name the readable PEM file with its private key"),
        };
        let wrong = Wrong::new(format!("cannot be used: {why}")).advise(advice);
        wrongs.push((nth, key, wrong));
    }
    let faults =
        wrongs.into_iter().map(|(nth, key, wrong)| config.fault(("route", nth), key, wrong));
    let faults = faults.collect();
    (config, faults)
}
