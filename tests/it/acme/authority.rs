//! A real authority: Caddy's, which looks at ports 80 and 443 of what the names of a test lead to.

use crate::harness::{TempDir, free_port};
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};

/// An address of this machine that no other test listens on, at whichever port.
pub fn own_address() -> Ipv4Addr {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let [.., high, low] = std::process::id().to_be_bytes();
    let number = NEXT.fetch_add(1, Ordering::SeqCst);
    Ipv4Addr::new(127, 100 + high % 100, low, number)
}

/// An authority, stopped when dropped.
pub struct Authority {
    folder: TempDir,
    at: SocketAddr,
    child: Option<Child>,
}

impl Authority {
    /// One for which these names lead to these addresses. Nothing where the usual ports are not to
    /// be had, which only an ordinary user's machine may be excused for.
    pub fn start(names: &[(&str, Ipv4Addr)]) -> Option<Self> {
        let alone = Command::new("unshare").args(["--mount", "true"]).output();
        if !alone.is_ok_and(|run| run.status.success()) {
            let in_ci = std::env::var("CI").is_ok_and(|set| set == "true");
            assert!(!in_ci, "this test listens at ports 80 and 443, which takes root");
            println!("skipped: only root may listen at the ports that an authority looks at");
            return None;
        }
        let folder = TempDir::new();
        let hosts: String = names.iter().map(|(name, at)| format!("{at} {name}\n")).collect();
        std::fs::write(folder.join("hosts"), format!("127.0.0.1 localhost\n{hosts}")).unwrap();
        let at = free_port();
        let (home, port) = (folder.path().display(), at.port());
        let caddyfile = format!(
            "{{\nadmin off\nstorage file_system {home}/data\nskip_install_trust\n\
             auto_https disable_redirects\nhttp_port {}\nhttps_port {port}\n}}\n\
             https://localhost:{port} {{\nbind 127.0.0.1\ntls internal\nacme_server {{\nlifetime 5m\n}}\n}}\n",
            free_port().port(),
        );
        std::fs::write(folder.join("Caddyfile"), caddyfile).unwrap();
        let mut authority = Self { folder, at, child: None };
        authority.resume();
        Some(authority)
    }

    /// Starts it again, with what it knew.
    pub fn resume(&mut self) {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let caddy = target.join("peers/bin/caddy");
        assert!(caddy.exists(), "{} is missing: run tests/peers/install", caddy.display());
        // It looks names up in a file of its own.
        let script = "mount --bind hosts /etc/hosts && exec \"$0\" run --config Caddyfile";
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", script]).arg(caddy).current_dir(self.folder.path());
        command.env("HOME", self.folder.path()).stdin(Stdio::null()).stdout(Stdio::null());
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        self.child = Some(child);
        let is_ready = |line: &String| line.contains("certificate obtained successfully");
        let is_known = self.folder.join("data/certificates").exists();
        let is_served = |line: &String| line.contains("serving initial configuration");
        assert!(lines.any(|line| is_ready(&line) || is_known && is_served(&line)), "no authority");
        std::thread::spawn(move || lines.for_each(drop));
    }

    /// Where it is asked, and who vouches for it.
    pub fn section(&self) -> String {
        let (port, root) = (self.at.port(), self.root());
        format!(
            "[acme]\nagree = true\ndirectory = \"https://localhost:{port}/acme/local/directory\"\n\
             ca_file = \"{root}\"\n"
        )
    }

    /// Its own certificate.
    pub fn root(&self) -> String {
        self.folder.join("data/pki/authorities/local/root.crt").display().to_string()
    }

    /// Stops it.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        self.stop();
    }
}
