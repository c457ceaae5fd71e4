//! Certificates made for one test.

use crate::harness::TempDir;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A certificate that vouches for itself, and its key, in files.
pub struct Certificate {
    folder: TempDir,
}

impl Certificate {
    /// One for these names and 127.0.0.1, good for so many days.
    pub fn make(names: &[&str], days: i32) -> Self {
        let certificate = Self { folder: TempDir::new() };
        certificate.renew(names, days);
        certificate
    }

    /// One with a key of RSA.
    pub fn rsa(names: &[&str]) -> Self {
        let certificate = Self { folder: TempDir::new() };
        certificate.put(names, 30, &["rsa:2048"]);
        certificate
    }

    /// Puts another in its place, with a key and a subject of its own.
    pub fn renew(&self, names: &[&str], days: i32) {
        self.put(names, days, &["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
    }

    fn put(&self, names: &[&str], days: i32, key_of: &[&str]) {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let subject = format!("/CN=certificate {}.", NEXT.fetch_add(1, Ordering::SeqCst));
        let names: Vec<String> = names.iter().map(|name| format!("DNS:{name}")).collect();
        let names = format!("subjectAltName=IP:127.0.0.1,{}", names.join(","));
        let (cert, key) = (self.file("new.cert"), self.file("new.key"));
        let request = self.file("request");
        let request_of = ["-nodes", "-subj", &subject, "-addext", &names, "-keyout", &key];
        let asked = [&["req", "-new", "-newkey"], key_of, &request_of, &["-out", &request]];
        openssl(&asked.concat());
        openssl(&[
            "x509",
            "-req",
            "-in",
            &request,
            "-signkey",
            &key,
            "-copy_extensions",
            "copyall",
            "-days",
            &days.to_string(),
            "-out",
            &cert,
        ]);
        std::fs::rename(key, self.key()).unwrap();
        std::fs::rename(cert, self.cert()).unwrap();
    }

    /// The file with the certificate.
    pub fn cert(&self) -> String {
        self.file("cert.pem")
    }

    /// The file with its key.
    pub fn key(&self) -> String {
        self.file("key.pem")
    }

    /// As it is written in the configuration.
    pub fn table(&self) -> String {
        format!("{{ cert = \"{}\", key = \"{}\" }}", self.cert(), self.key())
    }

    /// How `openssl s_client` calls it.
    pub fn subject(&self) -> String {
        let said = openssl(&["x509", "-in", &self.cert(), "-noout", "-subject"]);
        said.trim().strip_prefix("subject=").unwrap().to_owned()
    }

    fn file(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }
}

fn openssl(args: &[&str]) -> String {
    let output = Command::new("openssl").args(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}
