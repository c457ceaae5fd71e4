//! A real proxy, started from its example.

use crate::harness::{PATIENCE, TempDir, exchange, free_port};
use std::fs;
use std::io::{BufRead as _, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::time::Instant;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proxy {
    Nginx,
    Haproxy,
    Traefik,
    Caddy,
    Envoy,
}

impl Proxy {
    fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
            Self::Traefik => "traefik",
            Self::Caddy => "caddy",
            Self::Envoy => "envoy",
        }
    }

    /// A file of its example.
    pub fn file(self, name: &str) -> String {
        fs::read_to_string(self.folder().join(name)).unwrap()
    }

    fn folder(self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(self.name())
    }

    /// How it is started in its folder, as the example says, and what it says once it is there.
    fn command(self, folder: &Path) -> (Command, &'static str) {
        let path = folder.display();
        let (binary, args, ready) = match self {
            Self::Nginx => {
                let more = format!("daemon off; pid {path}/pid; error_log stderr notice;");
                let config = format!("{path}/nginx.conf");
                (
                    self.packaged(),
                    vec!["-c".into(), config, "-g".into(), more],
                    "start worker process",
                )
            }
            Self::Haproxy => {
                let args = ["-W", "-f", "haproxy.cfg"].map(String::from).to_vec();
                (self.packaged(), args, "Loading success")
            }
            Self::Traefik => {
                (installed("traefik"), vec!["--configFile=traefik.yml".into()], "Starting provider")
            }
            Self::Caddy => {
                let args = ["run", "--config", "Caddyfile"].map(String::from).to_vec();
                (installed("caddy"), args, "serving initial configuration")
            }
            Self::Envoy => {
                let args = ["-c", "envoy.yaml", "--disable-hot-restart", "--concurrency", "1"];
                (installed("envoy"), args.map(String::from).to_vec(), "starting workers")
            }
        };
        let mut command = Command::new(binary);
        command.args(args).current_dir(folder).env("HOME", folder);
        command.env("XDG_DATA_HOME", folder).env("XDG_CONFIG_HOME", folder);
        (command, ready)
    }

    /// Where Debian's packages put it.
    fn packaged(self) -> PathBuf {
        let path = Path::new("/usr/sbin").join(self.name());
        assert!(path.exists(), "{} is missing: tests/run installs it", path.display());
        path
    }
}

/// Where tests/peers/install puts it.
fn installed(name: &str) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let path = target.join("peers/bin").join(name);
    assert!(path.exists(), "{} is missing: run tests/peers/install", path.display());
    path
}

/// A port nobody listens on.
pub fn free() -> u16 {
    free_port().port()
}

/// A running proxy, stopped when dropped.
pub struct Running {
    pub port: u16,
    child: Child,
    _folder: TempDir,
}

impl Running {
    /// Starts one at this port, which asks a gateway and passes on to an app at these.
    pub fn start(proxy: Proxy, port: u16, gateway: u16, app: u16) -> Self {
        let folder = TempDir::new();
        for entry in fs::read_dir(proxy.folder()).unwrap() {
            let entry = entry.unwrap();
            let mut text = fs::read_to_string(entry.path()).unwrap();
            for (written, mark) in [("8000", "\u{1}"), ("8080", "\u{2}"), ("3000", "\u{3}")] {
                text = text.replace(written, mark);
            }
            for (mark, port) in [("\u{1}", port), ("\u{2}", gateway), ("\u{3}", app)] {
                text = text.replace(mark, &port.to_string());
            }
            if proxy == Proxy::Nginx {
                // Debian's nginx writes into folders that are root's.
                let own = format!("http {{\naccess_log off;\n{}", nginx_folders(folder.path()));
                text = text.replace("http {\n", &own);
            }
            fs::write(folder.join(entry.file_name().to_str().unwrap()), text).unwrap();
        }
        let (mut command, ready) = proxy.command(folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (sender, lines) = channel();
        follow(child.stdout.take().unwrap(), sender.clone());
        follow(child.stderr.take().unwrap(), sender);
        let mut said = String::new();
        while !said.contains(ready) {
            match lines.recv_timeout(PATIENCE) {
                Ok(line) => said += &(line + "\n"),
                Err(_) => {
                    let _ = child.kill();
                    panic!("{proxy:?} did not start:\n{said}");
                }
            }
        }
        let running = Self { port, child, _folder: folder };
        running.wait(proxy);
        running
    }

    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// Waits until it answers. What is asked for is answered by the proxy itself in every example.
    fn wait(&self, proxy: Proxy) {
        let began = Instant::now();
        let request = b"GET /_vestibule/authz/x HTTP/1.1\r\nHost: login.example.localhost\r\n\
                        Connection: close\r\n\r\n";
        while exchange(self.address(), request).status != 404 {
            assert!(began.elapsed() < PATIENCE, "{proxy:?} does not answer");
            std::thread::yield_now();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Not killed: those who have workers end them.
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

fn nginx_folders(folder: &Path) -> String {
    let kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    kinds.map(|kind| format!("{kind}_temp_path {}/{kind};\n", folder.display())).concat()
}

/// Hands on lines, and goes on reading when nobody wants them any more.
fn follow(stream: impl Read + Send + 'static, lines: Sender<String>) {
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let _ = lines.send(line);
        }
    });
}
