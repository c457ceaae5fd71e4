//! `[server]`: where connections come in, and how browsers reach the portal.

use super::fault::{Fault, Wrong};
use super::kinds::{Pairs, flag, optional, path, within};
use super::reader::Section;
use super::{Config, acme};
use crate::proxy::{Listen, ListenerTls, TlsFile};
use crate::types::{Host, Network, PathView, PublicUrl};
use std::net::SocketAddr;

/// Each part by itself, so that the rest of the file is judged by those that are right.
pub(super) struct Server {
    pub listen: Option<Vec<Listen>>,
    pub http_redirect: Option<Vec<Listen>>,
    pub tls: Option<ListenerTls>,
    pub admin_listen: Option<Option<SocketAddr>>,
    pub public_url: Option<PublicUrl>,
    pub prefix: Option<String>,
    pub trusted_proxies: Option<Vec<Network>>,
    pub workers: Option<usize>,
}

pub(super) fn read(s: &mut Section<'_>, fetches: bool) -> Server {
    let listen = s.list("listen", "127.0.0.1:8080", listener);
    let admin_listen = s.read("admin_listen", "127.0.0.1:9180", optional(tcp_address));
    let tls = s.read(TLS, "", tls);
    let http_redirect = s.list("http_redirect", "", redirecting);
    let is_tls = fetches || tls.as_ref().is_some_and(|tls| !tls.is_off());
    let default_url = first_url(listen.as_deref().unwrap_or_default(), is_tls);
    let public_url = s.read("public_url", default_url.as_deref(), public_url);
    let prefix = s.read("prefix", "/_vestibule", prefix);
    let trusted_proxies = s.list("trusted_proxies", "", trusted_proxy);
    let allow_http = s.read("allow_http", "false", flag);
    let workers = s.read("workers", "0", within(0..=1024));
    if let (Some(listen), Some(redirect)) = (&listen, &http_redirect) {
        check_listeners(s, listen, admin_listen.flatten());
        check_redirect(s, listen, redirect, admin_listen.flatten());
        check_tls(s, listen, redirect, is_tls, public_url.as_ref());
    }
    if let (Some(url), Some(false)) = (&public_url, allow_http) {
        check_encryption(s, url);
    }
    Server {
        listen,
        http_redirect,
        tls,
        admin_listen,
        public_url,
        prefix,
        trusted_proxies,
        workers,
    }
}

fn listener(text: &str) -> Result<Listen, Wrong> {
    Listen::parse(text).ok_or_else(|| {
        Wrong::new(format!("{text:?} is not an address to listen on"))
            .advise("write 127.0.0.1:8080, [::1]:8080 or unix:/run/vestibule.sock")
    })
}

const TLS: &str = "tls";

fn tls(Pairs(pairs): Pairs) -> Result<ListenerTls, Wrong> {
    let pair = |(cert, key)| Ok((path(cert)?, path(key)?));
    pairs.into_iter().map(pair).collect::<Result<_, _>>().map(ListenerTls::new)
}

fn redirecting(text: &str) -> Result<Listen, Wrong> {
    Listen::parse(text).filter(Listen::is_tcp).ok_or_else(|| {
        Wrong::new(format!("{text:?} is not an address and port")).advise("write 0.0.0.0:80")
    })
}

fn check_redirect(
    s: &mut Section<'_>,
    listen: &[Listen],
    redirect: &[Listen],
    admin: Option<SocketAddr>,
) {
    let is_taken = |address: &&Listen| {
        listen.contains(address) || admin.is_some_and(|admin| Listen::Tcp(admin) == **address)
    };
    if let Some(twice) = redirect.iter().find(is_taken) {
        let wrong = Wrong::new(format!("{twice} is listened on for something else already"))
            .advise("give plain HTTP a port of its own, as 0.0.0.0:80");
        s.blame(&["http_redirect"], wrong);
    }
}

fn check_tls(
    s: &mut Section<'_>,
    listen: &[Listen],
    redirect: &[Listen],
    is_tls: bool,
    public_url: Option<&PublicUrl>,
) {
    if !is_tls && !redirect.is_empty() {
        let wrong = Wrong::new("there is no https to send anybody on to").advise(
            "name a certificate in server.tls, have one fetched by [acme], or leave it out",
        );
        s.blame(&["http_redirect"], wrong);
    }
    if is_tls && !listen.iter().any(Listen::is_tcp) {
        let wrong = Wrong::new("TLS is spoken at addresses, and listen has none")
            .advise("add 0.0.0.0:443 to listen, or leave tls and [acme] out");
        s.blame(&[TLS, "listen"], wrong);
    }
    if let Some(url) = public_url.filter(|url| is_tls && !url.is_https()) {
        let wrong = Wrong::new(format!("{url} is not encrypted, and TLS is spoken"))
            .advise("write the https:// address that browsers use");
        s.blame(&["public_url"], wrong);
    }
}

/// Reads the certificates that clients are shown; what is wrong with them.
pub(super) fn with_certificates(mut config: Config) -> (Config, Vec<Fault>) {
    if config.proxy.tls.fetches_nothing() {
        let wrong = Wrong::new("neither public_url nor a route has a name to fetch one for")
            .advise("write names = [\"login.example.com\"]");
        let fault = config.fault(("acme", 0), acme::NAMES, wrong);
        return (config, vec![fault]);
    }
    let Err(wrongs) = config.proxy.tls.read_files() else { return (config, Vec::new()) };
    let fault = |(file, why): (TlsFile, String)| {
        let advice = match file {
            TlsFile::Key => "name the readable PEM file with the certificate's private key",
            TlsFile::Ca | TlsFile::Cert => "name a readable PEM file with the certificate first",
        };
        let wrong = Wrong::new(format!("cannot be used: {why}")).advise(advice);
        config.fault(("server", 0), TLS, wrong)
    };
    let faults = wrongs.into_iter().map(fault).collect();
    (config, faults)
}

fn tcp_address(text: String) -> Result<SocketAddr, Wrong> {
    text.parse().map_err(|_| {
        Wrong::new(format!("{text:?} is not an address and port"))
            .advise("write 127.0.0.1:9180, or \"\" for none")
    })
}

fn check_listeners(s: &mut Section<'_>, listen: &[Listen], admin: Option<SocketAddr>) {
    if listen.is_empty() {
        s.blame(&["listen"], Wrong::new("is empty").advise("name an address at least"));
    }
    let is_again = |(n, address): &(usize, &Listen)| listen.iter().take(*n).any(|l| l == *address);
    if let Some((_, twice)) = listen.iter().enumerate().find(is_again) {
        s.blame(&["listen"], Wrong::new(format!("{twice} is listed twice")));
    }
    if let Some(admin) = admin.filter(|admin| listen.contains(&Listen::Tcp(*admin))) {
        let wrong = Wrong::new(format!("{admin} is in both listen and admin_listen"))
            .advise("give health and metrics a port of their own");
        s.blame(&["admin_listen", "listen"], wrong);
    }
}

/// How a browser on this machine reaches the first listener that has an address of its own.
fn first_url(listen: &[Listen], is_tls: bool) -> Option<String> {
    let scheme = if is_tls { "https" } else { "http" };
    let tcp = |listen: &Listen| match listen {
        Listen::Tcp(address) => Some(*address),
        Listen::Unix(_) => None,
    };
    if listen.is_empty() {
        return Some(format!("{scheme}://127.0.0.1:8080"));
    }
    // Who listens on every address is reached from elsewhere, and has to say how.
    let address = listen.iter().find_map(tcp).filter(|address| !address.ip().is_unspecified())?;
    Some(format!("{scheme}://{address}"))
}

fn public_url(text: String) -> Result<PublicUrl, Wrong> {
    PublicUrl::parse(&text).map_err(|problem| {
        Wrong::new(problem).advise("write https://portal.example.com or http://127.0.0.1:8080")
    })
}

fn check_encryption(s: &mut Section<'_>, url: &PublicUrl) {
    if url.is_https() || url.host().is_loopback() {
        return;
    }
    let wrong = Wrong::new(format!("{url} would carry passwords in the clear"))
        .advise("write the https:// address that browsers use, or set allow_http = true");
    s.blame(&["public_url", "listen"], wrong);
}

fn trusted_proxy(text: &str) -> Result<Network, Wrong> {
    let network = Network::parse(text).ok_or_else(|| {
        Wrong::new(format!("{text:?} is not a network")).advise("write 10.0.0.0/8 or 192.0.2.1")
    })?;
    if network.is_everyone() {
        return Err(Wrong::new(format!("{network} would let anybody claim any address"))
            .advise("name the networks of your proxies"));
    }
    Ok(network)
}

fn prefix(text: String) -> Result<String, Wrong> {
    // It ends up in links, cookies and policies: only characters that mean themselves everywhere.
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~/".contains(c);
    let fits = PathView::of(&text).is_canonical() && text.chars().all(plain);
    if !fits || text.ends_with('/') {
        return Err(Wrong::new(format!("{text:?} is not a prefix for our own pages"))
            .advise("write /_vestibule: a slash before each segment, none at the end"));
    }
    Ok(text)
}

/// Reads `session.cookie_domain`, which must hold the portal.
pub(super) fn cookie_domain(
    text: &str,
    public_url: Option<&PublicUrl>,
) -> Result<Option<Host>, Wrong> {
    if text.is_empty() {
        return Ok(None);
    }
    let refused = |why: &str| Wrong::new(format!("{text:?} {why}")).advise("write example.com");
    let host = Host::parse(text).map_err(|_| refused("is not a domain"))?;
    match host.as_str().rsplit_once('.') {
        _ if host.as_str().starts_with('[') => return Err(refused("is an address, not a domain")),
        None => return Err(refused("is one label, which browsers refuse")),
        // Browsers read whatever ends in a number as an IPv4 address.
        Some((_, last)) if last.bytes().all(|c| c.is_ascii_digit()) => {
            return Err(refused("is an address, not a domain"));
        }
        Some(_) => {}
    }
    match public_url.filter(|url| !url.host().is_at_or_below(&host)) {
        Some(url) => Err(Wrong::new(format!("{host} does not hold the portal, {url}"))
            .advise("name a domain that the host of server.public_url is at or below")),
        None => Ok(Some(host)),
    }
}
