//! The examples in `deploy/`, as they are but for their ports, with the real proxies.

mod admits;
mod cookies;
mod http2;
mod paths;
mod proxy;
mod silence;
mod traces;

use crate::harness::{App, Browser, Gateway, Options, Person, Reply, TempDir, exchange, run};
use proxy::{Proxy, Running};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// A proxy before an app, and the gateway it asks.
struct Scene {
    proxy: Proxy,
    app: App,
    gateway: Gateway,
    running: Running,
    ann: Person,
}

impl Scene {
    fn of(proxy: Proxy) -> Self {
        let app = App::serving(|request, stream| {
            if !request.to_lowercase().contains("\r\nupgrade: websocket\r\n") {
                let hello = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
                return stream.write_all(hello).is_ok();
            }
            let switch = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
                           Upgrade: websocket\r\n\
                           Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
            stream.write_all(switch).unwrap();
            let mut frame = [0; 9];
            while stream.read_exact(&mut frame).is_ok() {
                stream.write_all(&frame).unwrap();
            }
            false
        });
        let port = proxy::free();
        let whole = proxy.file("config.toml").replace("8000", &port.to_string());
        let whole = whole + OPEN;
        let gateway = Gateway::start(Options { whole: Some(whole), ..Options::default() });
        let ann = Person::add(&gateway, "ann");
        let running = Running::start(proxy, port, gateway.address.port(), app.address.port());
        Self { proxy, app, gateway, running, ann }
    }

    /// What the app is called by browsers.
    fn host(&self) -> String {
        format!("app.example.localhost:{}", self.running.port)
    }

    /// One request for the app, through the proxy.
    fn ask(&self, method: &str, target: &str, fields: &str, body: &str) -> Reply {
        let length = match body.len() {
            0 => String::new(),
            length => format!("Content-Length: {length}\r\n"),
        };
        let head = format!("{method} {target} HTTP/1.1\r\nHost: {}\r\n", self.host());
        let request = format!("{head}{length}{fields}Connection: close\r\n\r\n{body}");
        exchange(self.running.address(), request.as_bytes())
    }

    /// Signs Ann in where she is sent to; the line with her session's cookie.
    fn sign_in(&self, location: &str) -> String {
        let host = format!("login.example.localhost:{}", self.running.port);
        let address = self.running.address();
        let server = Arc::new(move |request: &[u8]| exchange(address, request));
        let mut browser = Browser::at(&host, server);
        let target = location.strip_prefix(&browser.origin()).expect("the portal").to_owned();
        let page = self.ann.sign_in(&mut browser, &target, 0);
        // She goes on to the app by a link, since forms of the portal lead to the portal alone.
        assert!(page.text().contains(&format!("http://{}/x", self.host())), "{}", page.text());
        format!("Cookie: theirs=1; vestibule={}; more=2\r\n", browser.cookies["vestibule"])
    }
}

/// Another host that everybody may go to, and that no proxy serves; and a path for those who are
/// where nobody is.
const OPEN: &str = r#"
[[rule]]
host = "open.example.localhost"
policy = "bypass"
[[rule]]
path = "/lan"
networks = ["203.0.113.0/24"]
policy = "bypass"
"#;

/// What a browser says of itself that goes to a page.
const PAGE: &str = "Accept: text/html\r\nSec-Fetch-Mode: navigate\r\n";

/// What a client writes that would be somebody else.
const FORGED: &str = "Remote-User: root\r\nremote-groups: admins\r\nREMOTE-NAME: Root\r\n\
                      Remote-Email: root@evil.test\r\nRemote-User: root2\r\n\
                      X-Vestibule-Assertion: root\r\n";

/// The tests of one proxy.
macro_rules! tests_of {
    ($($name:ident, $proxy:expr;)*) => {$(
        mod $name {
            use super::*;

            #[test]
            fn whoever_the_gateway_lets_in_is_let_in_and_nobody_else() {
                let scene = Scene::of($proxy);
                let cookie = admits::strangers_are_sent_to_sign_in_and_come_back(&scene);
                admits::the_app_is_told_who_it_is_by_the_gateway_alone(&scene, &cookie);
                admits::rules_hold_for_the_app(&scene, &cookie);
                admits::programs_are_let_in_by_their_tokens(&scene);
                admits::websockets_pass(&scene, &cookie);
                cookies::none_of_ours_reaches_the_app(&scene, &cookie);
                http2::http_2_is_no_way_around(&scene, &cookie);
                paths::what_the_app_receives_was_judged(&scene, &cookie);
                paths::an_open_host_opens_no_other(&scene);
            }

            #[test]
            fn a_gateway_that_is_down_or_hangs_lets_nobody_through() {
                silence::nobody_passes($proxy);
            }

            #[test]
            fn what_a_client_says_of_traces_goes_no_further() {
                traces::nobody_is_told_what_a_client_says($proxy);
            }
        }
    )*};
}

tests_of! {
    nginx, Proxy::Nginx;
    haproxy, Proxy::Haproxy;
    traefik, Proxy::Traefik;
    caddy, Proxy::Caddy;
    envoy, Proxy::Envoy;
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// The configurations that manifests carry, without what they are indented by.
fn carried(manifest: &str) -> Vec<String> {
    let config = |after: &str| {
        let lines = after.lines().take_while(|line| line.is_empty() || line.starts_with("    "));
        lines.map(|line| line.trim_start_matches("    ").to_owned() + "\n").collect()
    };
    manifest.split("  config.toml: |\n").skip(1).map(config).collect()
}

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy")
}

#[test]
fn every_configuration_among_the_examples_is_one_that_the_gateway_takes() {
    let folder = TempDir::new();
    let mut configs: Vec<PathBuf> = Vec::new();
    for path in files(&deploy()) {
        if path.extension().is_some_and(|extension| extension == "toml") {
            configs.push(path);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            for config in carried(&std::fs::read_to_string(&path).unwrap()) {
                let name = format!("{}.toml", path.file_stem().unwrap().to_str().unwrap());
                std::fs::write(folder.join(&name), config).unwrap();
                configs.push(folder.join(&name));
            }
        }
    }
    // Five proxies, six apps, three ways into a cluster.
    assert_eq!(configs.len(), 14, "{configs:?}");
    for path in configs {
        let checked = run(&["config", "check", path.to_str().unwrap()], "");
        let said = String::from_utf8_lossy(&checked.stderr);
        assert!(checked.status.success(), "{}: {said}", path.display());
    }
}

#[test]
fn apps_among_the_examples_go_by_headers_that_the_gateway_sends() {
    let mut named = 0;
    for path in files(&deploy().join("examples")) {
        let text = std::fs::read_to_string(&path).unwrap();
        for word in text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-') {
            if word.starts_with("Remote-") {
                let sent = ["Remote-User", "Remote-Groups", "Remote-Name", "Remote-Email"];
                assert!(sent.contains(&word), "{}: {word}", path.display());
                named += 1;
            }
        }
    }
    assert!(named > 8);
}

#[test]
fn every_manifest_is_one_that_kubernetes_takes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
    let mut validate = Command::new(target.join("peers/bin/python"));
    validate.arg(root.join("tests/peers/validate"));
    validate.args(files(&deploy().join("kubernetes")));
    let output = validate.output().expect("run tests/peers/install first");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("Deployment wiki/wiki: valid"), "{said}");
}

#[test]
fn the_image_is_built_from_all_that_a_build_needs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let context = TempDir::new();
    // The list is of what is sent, after a line that leaves everything out.
    let list = std::fs::read_to_string(deploy().join("docker/Dockerfile.dockerignore")).unwrap();
    for name in list.lines().filter_map(|line| line.strip_prefix('!')) {
        let to = context.join(name);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        let copied = Command::new("cp").arg("-r").arg(root.join(name)).arg(to).status();
        assert!(copied.unwrap().success(), "{name}");
    }
    let manifest = context.join("Cargo.toml");
    for line in std::fs::read_to_string(&manifest).unwrap().lines() {
        let path = line.strip_prefix("path = \"").and_then(|rest| rest.strip_suffix('"'));
        assert!(path.is_none_or(|path| context.join(path).exists()), "{line}");
    }
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--locked", "--offline", "--no-deps", "--format-version", "1"]);
    let output = cargo.arg("--manifest-path").arg(manifest).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn whoever_starts_the_gateway_by_the_examples_gives_it_no_privileges() {
    let says = |path: &str, wanted: &[&str]| {
        let text = std::fs::read_to_string(deploy().join(path)).unwrap();
        for wanted in wanted {
            assert!(text.lines().any(|line| line.trim() == *wanted), "{path}: {wanted}");
        }
    };
    let unit = ["DynamicUser=yes", "CapabilityBoundingSet=", "NoNewPrivileges=yes"];
    says("systemd/vestibule.service", &unit);
    says("docker/Dockerfile", &["FROM scratch", "USER 10001:10001"]);
    let pod = ["runAsNonRoot: true", "capabilities: { drop: [ALL] }"];
    for manifest in ["sidecar", "standalone", "vestibule"] {
        says(&format!("kubernetes/{manifest}.yaml"), &pod);
    }
}
