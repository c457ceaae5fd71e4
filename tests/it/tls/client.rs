//! Clients that speak TLS: one of our own, and OpenSSL's.

use super::certificates::Certificate;
use crate::harness::{Gateway, PATIENCE, Reply, connect, h2_exchange, read_reply};
use ::h2::client::SendRequest;
use bytes::Bytes;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use tokio_rustls::TlsConnector;

/// A connection behind TLS.
pub type Open = BufReader<StreamOwned<ClientConnection, TcpStream>>;

/// Trusts some certificates and connects to one gateway.
pub struct Client {
    address: SocketAddr,
    roots: RootCertStore,
}

impl Client {
    pub fn of(gateway: &Gateway, certificate: &Certificate) -> Self {
        Self::of_all(gateway, &[certificate])
    }

    pub fn of_all(gateway: &Gateway, certificates: &[&Certificate]) -> Self {
        let mut roots = RootCertStore::empty();
        for certificate in certificates {
            roots.add(CertificateDer::from_pem_file(certificate.cert()).unwrap()).unwrap();
        }
        Self { address: gateway.address, roots }
    }

    /// Opens a connection for this name, whose certificate must be one for it.
    pub fn open(&self, name: &str) -> Open {
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let tls = ClientConnection::new(Arc::new(self.config(&[])), name).unwrap();
        BufReader::new(StreamOwned::new(tls, connect(self.address)))
    }

    /// Sends one request and reads its answer.
    pub fn exchange(&self, name: &str, request: &[u8]) -> Reply {
        let mut stream = self.open(name);
        // It may be refused before all of it is read.
        let _ = stream.get_mut().write_all(request);
        read_reply(&mut stream, request.starts_with(b"HEAD "))
    }

    /// Opens a connection for this name that speaks HTTP/2.
    pub async fn http2(&self, name: &str) -> SendRequest<Bytes> {
        let tcp = tokio::net::TcpStream::connect(self.address).await.unwrap();
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let connector = TlsConnector::from(Arc::new(self.config(&[b"h2"])));
        let tls = connector.connect(name, tcp).await.unwrap();
        let (sender, connection) = ::h2::client::handshake(tls).await.unwrap();
        tokio::spawn(connection);
        sender
    }

    /// What is said to a request for this host in HTTP/2.
    pub fn status_in_http2(&self, name: &str, host: &str) -> u16 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let asking = async { status_over(&self.http2(name).await, host).await };
        runtime.block_on(async { tokio::time::timeout(PATIENCE, asking).await.unwrap() })
    }

    fn config(&self, protocols: &[&[u8]]) -> ClientConfig {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider);
        let config = config.with_safe_default_protocol_versions().unwrap();
        let config = config.with_root_certificates(self.roots.clone());
        let mut config = config.with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        config
    }
}

/// What is said to a request for this host.
pub async fn status_over(sender: &SendRequest<Bytes>, host: &str) -> u16 {
    let request = http::Request::get(format!("https://{host}/")).body(()).unwrap();
    h2_exchange(sender, request, b"").await.unwrap().status
}

/// What OpenSSL's client says about a handshake.
pub fn s_client(gateway: &Gateway, args: &[&str]) -> String {
    let mut command = Command::new("openssl");
    command.args(["s_client", "-connect", &gateway.address.to_string()]).args(args);
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&text).into_owned()
}
