//! Services behind TLS.

use super::PATIENCE;
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;

/// One that somebody has connected to.
pub type TlsStream<'s> = rustls::Stream<'s, rustls::ServerConnection, TcpStream>;

/// Certificates good for a hundred years and for tests alone: `app` for `localhost` and 127.0.0.1
/// under `ca`, and `client` under `clients`.
pub fn fixture(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures");
    folder.join(name).display().to_string()
}

/// A service that shows `app`'s certificate and lets `respond` answer what it reads first on each
/// connection. With `clients`, only those may speak who have a certificate under them.
pub fn serve_tls(
    clients: Option<&str>,
    mut respond: impl FnMut(&str, &mut TlsStream<'_>) + Send + 'static,
) -> SocketAddr {
    let config = Arc::new(config(clients));
    // At every address of this machine's own, also those that the certificate does not name.
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    let address = SocketAddr::from(([127, 0, 0, 1], listener.local_addr().unwrap().port()));
    std::thread::spawn(move || {
        for mut tcp in listener.incoming().flatten() {
            tcp.set_read_timeout(Some(PATIENCE)).unwrap();
            let mut tls = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = rustls::Stream::new(&mut tls, &mut tcp);
            let mut buffer = [0; 4096];
            let Ok(count @ 1..) = stream.read(&mut buffer) else { continue };
            respond(&String::from_utf8_lossy(&buffer[..count]), &mut stream);
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    });
    address
}

fn config(clients: Option<&str>) -> rustls::ServerConfig {
    let chain = CertificateDer::pem_file_iter(fixture("app.pem")).unwrap();
    let chain = chain.collect::<Result<Vec<_>, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_file(fixture("app.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider));
    let config = config.with_safe_default_protocol_versions().unwrap();
    let config = match clients {
        None => config.with_no_client_auth(),
        Some(clients) => {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from_pem_file(fixture(clients)).unwrap()).unwrap();
            let roots = Arc::new(roots);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider);
            config.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    config.with_single_cert(chain, key).unwrap()
}
