//! Certificates that the gateway fetches by itself, from a real authority.

mod authority;

use crate::harness::{
    App, Gateway, Options, PATIENCE, Reply, connect, exchange, free_port, read_head, read_reply,
    send_raw,
};
use authority::{Authority, own_address};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

const PORTAL: &str = "portal.example.test";
const WIKI: &str = "wiki.example.test";

/// A gateway at these addresses whose portal and one app have names of their own.
fn options(app: &App, at: Ipv4Addr, redirect: &str, acme: &str) -> Options {
    let whole = format!(
        "[server]\nlisten = [\"127.0.0.1:8080\", \"{at}:443\"]\nhttp_redirect = [{redirect}]\n\
         admin_listen = \"\"\npublic_url = \"https://{PORTAL}\"\n{acme}\
         [[route]]\nhost = \"{WIKI}\"\nupstream = \"{}\"\n",
        app.url()
    );
    Options { whole: Some(whole), ..Options::default() }
}

fn fetched(name: &str) -> String {
    format!("a certificate for {name} was fetched")
}

/// Waits until it shows what it fetched for these names.
fn hear_fetched(gateway: &Gateway, authority: &Authority, names: &[&str]) {
    names.iter().for_each(|name| gateway.hear(&fetched(name)));
    let until = Instant::now() + PATIENCE;
    // A reload takes whatever is there, so that one may do for several.
    while names.iter().any(|name| open(gateway.address, name, &[authority.root()]).is_err()) {
        assert!(Instant::now() < until, "{}", gateway.log());
    }
}

type Open = BufReader<StreamOwned<ClientConnection, TcpStream>>;

/// A connection for this name, whose certificate one of these must vouch for.
fn open(at: SocketAddr, name: &str, roots: &[String]) -> std::io::Result<Open> {
    let mut trusted = RootCertStore::empty();
    for root in roots {
        trusted.add(CertificateDer::from_pem_file(root).unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider);
    let config = config.with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(trusted).with_no_client_auth();
    let server = ServerName::try_from(name.to_owned()).unwrap();
    let mut tls = ClientConnection::new(Arc::new(config), server).unwrap();
    let mut tcp = connect(at);
    while tls.is_handshaking() {
        tls.complete_io(&mut tcp)?;
    }
    Ok(BufReader::new(StreamOwned::new(tls, tcp)))
}

fn ask(stream: &mut Open, host: &str) -> Reply {
    let request = format!("GET /x HTTP/1.1\r\nHost: {host}\r\n\r\n");
    stream.get_mut().write_all(request.as_bytes()).unwrap();
    read_reply(stream, false)
}

/// Who issued what is shown for this name; nothing where no hands are shaken.
fn shown(at: SocketAddr, name: &str) -> Option<String> {
    let said = s_client(at, &["-servername", name], "");
    said.lines().find_map(|line| line.strip_prefix("issuer=")).map(str::to_owned)
}

/// What OpenSSL's client says about a handshake, after which it sends this.
fn s_client(at: SocketAddr, args: &[&str], sends: &str) -> String {
    let mut command = Command::new("openssl");
    command.args(["s_client", "-connect", &at.to_string(), "-ign_eof"]).args(args);
    if sends.is_empty() {
        command.arg("-no_ign_eof");
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let _ = child.stdin.take().unwrap().write_all(sends.as_bytes());
    let output = child.wait_with_output().unwrap();
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

/// The same, where it tells its numbers at this address.
fn measured(mut options: Options) -> (Options, SocketAddr) {
    let health = free_port();
    options.env.push(("VESTIBULE_SERVER__ADMIN_LISTEN".into(), health.to_string()));
    (options, health)
}

/// What it tells of this, if anything.
fn number(health: SocketAddr, name: &str) -> Option<u64> {
    let told = get(health, "a", "/metrics").text();
    let value = told.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.map(|value| value.parse().unwrap())
}

fn of(name: &str, host: &str) -> String {
    format!("vestibule_certificate_{name}{{name=\"{host}\"}}")
}

fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

/// The folder with what is kept of the one authority.
fn shelf(gateway: &Gateway) -> PathBuf {
    let mut folders = std::fs::read_dir(gateway.data.join("data/acme")).unwrap();
    folders.next().unwrap().unwrap().path()
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn get(at: SocketAddr, host: &str, path: &str) -> Reply {
    exchange(
        at,
        format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes(),
    )
}

#[test]
fn first_certificates_are_fetched_by_http_and_shown_and_kept_for_their_owner_alone() {
    let at = own_address();
    let Some(mut authority) = Authority::start(&[(PORTAL, at), (WIKI, at)]) else { return };
    let app = App::start();
    let redirect = format!("\"{at}:80\"");
    let (options, health) = measured(options(&app, at, &redirect, &authority.section()));
    let gateway = Gateway::start(options);
    hear_fetched(&gateway, &authority, &[PORTAL, WIKI]);
    let told = |name: &str, host: &str| number(health, &of(name, host)).unwrap();
    for host in [PORTAL, WIKI] {
        assert!(told("expiry_timestamp_seconds", host) > now(), "{host}");
        assert!(told("next_fetch_timestamp_seconds", host) > now(), "{host}");
        assert_eq!(told("fetch_failures", host), 0, "{host}");
    }
    assert_eq!(number(health, "vestibule_certificates_failing"), Some(0));
    let roots = [authority.root()];
    for (name, status) in [(PORTAL, 404), (WIKI, 401)] {
        let mut stream = open(gateway.address, name, &roots).unwrap();
        assert_eq!(ask(&mut stream, name).status, status, "{name}");
    }
    // What is asked for in the clear is told what is awaited, and nothing is by now.
    let plain = SocketAddr::from((at, 80));
    for token in ["", "x", "../x", "x/y"] {
        let reply = get(plain, PORTAL, &format!("/.well-known/acme-challenge/{token}"));
        assert!(matches!(reply.status, 404 | 400), "{token}: {}", reply.status);
    }
    assert_eq!(get(plain, WIKI, "/x").status, 308);
    let folder = shelf(&gateway);
    assert_eq!((mode(&gateway.data.join("data/acme")), mode(&folder)), (0o700, 0o700));
    let files: Vec<PathBuf> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 3, "{files:?}");
    for file in &files {
        assert_eq!(mode(file), 0o600, "{file:?}");
    }
    // What is there is not asked for again, and needs no authority.
    authority.stop();
    let gateway = gateway.kill_and_restart();
    let mut stream = open(gateway.address, WIKI, &roots).unwrap();
    assert_eq!(ask(&mut stream, WIKI).status, 401);
    let log = gateway.log_to_its_end();
    assert!(!log.contains("was fetched") && !log.contains("no certificate"), "{log}");
    assert_eq!(app.received(), "");
}

#[test]
fn a_certificate_is_fetched_by_a_handshake_that_leads_to_no_app() {
    let (at, stuck) = (own_address(), own_address());
    // The authority comes here first, and waits.
    let listener = TcpListener::bind((stuck, 443)).unwrap();
    let Some(authority) = Authority::start(&[(PORTAL, at), (WIKI, stuck)]) else { return };
    let app = App::start();
    let gateway = Gateway::start(options(&app, at, "", &authority.section()));
    let waiting = listener.accept().unwrap();
    // The names are taken one after the other: this one was proved by a handshake.
    hear_fetched(&gateway, &authority, &[PORTAL]);
    let request = format!("GET / HTTP/1.1\r\nHost: {WIKI}\r\n\r\n");
    let handshake = ["-alpn", "acme-tls/1", "-servername", WIKI];
    let said = s_client(gateway.address, &handshake, &request);
    assert!(said.contains("ALPN protocol: acme-tls/1"), "{said}");
    assert!(!said.contains("HTTP/1"), "{said}");
    // For another name, and among other protocols, it means nothing.
    let said = s_client(gateway.address, &["-alpn", "acme-tls/1", "-servername", PORTAL], "");
    assert!(said.contains("alert no application protocol"), "{said}");
    let said =
        s_client(gateway.address, &["-alpn", "acme-tls/1,http/1.1", "-servername", WIKI], "");
    assert!(said.contains("ALPN protocol: http/1.1"), "{said}");
    drop((waiting, listener));
    // Nobody is there who could prove it: the authority says so, and nothing is awaited any more.
    gateway.hear(&format!("no certificate for {WIKI}"));
    let said = s_client(gateway.address, &handshake, "");
    assert!(said.contains("alert no application protocol"), "{said}");
    assert_eq!(app.received(), "");
}

#[test]
fn a_text_is_shown_where_it_is_awaited_and_to_whoever_knows_its_name() {
    let (at, stuck) = (own_address(), own_address());
    let listener = TcpListener::bind((stuck, 80)).unwrap();
    let Some(authority) = Authority::start(&[(PORTAL, stuck)]) else { return };
    let acme = format!("{}names = [\"{PORTAL}\"]\n", authority.section());
    let redirect = format!("\"{at}:80\"");
    let gateway = Gateway::start(options(&App::start(), at, &redirect, &acme));
    let (mut asking, _) = listener.accept().unwrap();
    let head = read_head(&mut BufReader::new(asking.try_clone().unwrap()));
    let path = head.split(' ').nth(1).unwrap().to_owned();
    let plain = SocketAddr::from((at, 80));
    for wrong in [format!("{path}x"), path[..path.len() - 1].to_owned()] {
        let reply = get(plain, PORTAL, &wrong);
        assert_eq!(reply.status, 404);
        assert!(!String::from_utf8_lossy(&reply.body).contains(&path[28..]), "{wrong}");
    }
    let reply = get(plain, PORTAL, &path);
    assert_eq!(reply.status, 200);
    assert!(String::from_utf8_lossy(&reply.body).starts_with(&path[28..]));
    // Told on, it is what the authority wanted to see.
    let length = reply.body.len();
    write!(asking, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n").unwrap();
    asking.write_all(&reply.body).unwrap();
    gateway.hear(&fetched(PORTAL));
    assert_eq!(get(plain, PORTAL, &path).status, 404);
}

/// Puts a certificate in the place of the one that is kept: more than two thirds of its life are
/// over, but it is good for a while. It vouches for itself.
fn age(file: &Path, name: &str) {
    let mut params = rcgen::CertificateParams::new([name.to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(1990, 1, 1);
    params.not_after = rcgen::date_time_ymd(2040, 1, 1);
    params.distinguished_name.push(rcgen::DnType::CommonName, "aged");
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    std::fs::write(file, certificate.pem() + &key.serialize_pem()).unwrap();
}

#[test]
fn a_certificate_is_renewed_in_time_and_the_old_one_is_shown_until_then() {
    let at = own_address();
    let Some(mut authority) = Authority::start(&[(PORTAL, at)]) else { return };
    let acme = format!("{}names = [\"{PORTAL}\"]\n", authority.section());
    let redirect = format!("\"{at}:80\"");
    let mut gateway = Gateway::start(options(&App::start(), at, &redirect, &acme));
    hear_fetched(&gateway, &authority, &[PORTAL]);
    gateway.stop();
    let file = shelf(&gateway).join(format!("{PORTAL}.pem"));
    age(&file, PORTAL);
    // An authority that is away changes nothing, and is not asked again and again.
    authority.stop();
    let gateway = gateway.kill_and_restart();
    gateway.hear(&format!("no certificate for {PORTAL}"));
    gateway.hear("no connection to localhost");
    assert_eq!(shown(gateway.address, PORTAL).as_deref(), Some("CN = aged"));
    assert_eq!(gateway.log().matches("no certificate for").count(), 1);
    authority.resume();
    let gateway = gateway.kill_and_restart();
    let roots = [authority.root(), file.display().to_string()];
    let mut before = open(gateway.address, PORTAL, &roots).unwrap();
    assert_eq!(ask(&mut before, PORTAL).status, 404);
    gateway.hear(&fetched(PORTAL));
    gateway.hear("reloaded: ");
    assert_ne!(shown(gateway.address, PORTAL).as_deref(), Some("CN = aged"));
    // Who was connected still is.
    assert_eq!(ask(&mut before, PORTAL).status, 404);
}

#[test]
fn without_a_certificate_no_hands_are_shaken_and_the_log_says_why_there_is_none() {
    let (at, nowhere) = (own_address(), own_address());
    let Some(authority) = Authority::start(&[(PORTAL, nowhere)]) else { return };
    let app = App::start();
    let redirect = format!("\"{at}:80\"");
    let (options, health) = measured(options(&app, at, &redirect, &authority.section()));
    let gateway = Gateway::start(options);
    gateway.hear(&format!("no certificate for {PORTAL}"));
    gateway.hear(&format!("no certificate for {WIKI}"));
    let until = Instant::now() + PATIENCE;
    while number(health, "vestibule_certificates_failing") != Some(2) {
        assert!(Instant::now() < until, "nobody is told: {}", get(health, "a", "/metrics").text());
    }
    for host in [PORTAL, WIKI] {
        assert_eq!(number(health, &of("expiry_timestamp_seconds", host)), None, "{host}");
        assert_eq!(number(health, &of("fetch_failures", host)), Some(1), "{host}");
        assert!(number(health, &of("next_fetch_timestamp_seconds", host)) > Some(now()), "{host}");
    }
    let log = gateway.log();
    let line =
        log.lines().find(|line| line.contains(PORTAL) && line.contains("no certif")).unwrap();
    for said in [":error:connection", "port 80", "tried again at"] {
        assert!(line.contains(said), "{said:?} is not in {line}");
    }
    let said = s_client(gateway.address, &["-servername", WIKI], "");
    assert!(said.contains("alert") && said.contains("Cipher is (NONE)"), "{said}");
    let plain =
        send_raw(gateway.address, format!("GET / HTTP/1.1\r\nHost: {WIKI}\r\n\r\n").as_bytes());
    assert!(!plain.starts_with(b"HTTP"));
    // It goes on serving as far as it can.
    assert_eq!(get(SocketAddr::from((at, 80)), WIKI, "/x").status, 308);
    assert!(gateway.command(&["user", "list"]).status.success());
    assert_eq!(app.received(), "");
}
