//! A client's connection behind TLS, as the guard and the engine see it.

use super::{Certificates, Challenges};
use async_trait::async_trait;
use pingora::protocols::raw_connect::ProxyDigest;
use pingora::protocols::tls::{SslDigest, TlsRef};
use pingora::protocols::{
    ALPN, GetProxyDigest, GetSocketDigest, GetTimingDigest, Peek, Shutdown, SocketDigest, Ssl,
    Stream, TimingDigest, UniqueID, UniqueIDType,
};
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::time::timeout;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::{Ticketer, default_provider};
use tokio_rustls::rustls::server::{Acceptor, ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::server::TlsStream;
use tokio_rustls::{LazyConfigAcceptor, TlsAcceptor};

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Which certificates are in force at this moment.
type Current = dyn Fn() -> Option<Arc<Certificates>> + Send + Sync;

/// Chooses at each handshake among the certificates that are in force then.
struct Chooses(Box<Current>);

impl fmt::Debug for Chooses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Chooses")
    }
}

impl ResolvesServerCert for Chooses {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        (self.0)()?.choose(hello.server_name(), hello.signature_schemes())
    }
}

/// Shakes hands: TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1.
#[derive(Clone)]
pub(in crate::proxy) struct Handshake {
    usual: TlsAcceptor,
    challenges: Arc<Challenges>,
}

/// A connection after its handshake.
pub(in crate::proxy) struct Shaken {
    pub(in crate::proxy) stream: Stream,
    /// The name the client asked for.
    pub(in crate::proxy) server_name: Option<Box<str>>,
}

impl Handshake {
    /// With the certificates that are in force whenever a client comes, and with what an authority
    /// may await.
    pub(in crate::proxy) fn new(
        current: impl Fn() -> Option<Arc<Certificates>> + Send + Sync + 'static,
        challenges: Arc<Challenges>,
    ) -> io::Result<Self> {
        let provider = Arc::new(default_provider());
        let config = ServerConfig::builder_with_provider(provider);
        let config = config.with_safe_default_protocol_versions().map_err(io::Error::other)?;
        let chooses = Arc::new(Chooses(Box::new(current)));
        let mut config = config.with_no_client_auth().with_cert_resolver(chooses);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        config.ticketer = Ticketer::new().map_err(io::Error::other)?;
        Ok(Self { usual: TlsAcceptor::from(Arc::new(config)), challenges })
    }

    /// Shakes hands with a client, if it does so in time.
    pub(in crate::proxy) async fn shake(&self, stream: Stream) -> Option<Shaken> {
        let tls = timeout(HANDSHAKE, self.accept(stream)).await.ok()??;
        let session = tls.get_ref().1;
        let server_name = session.server_name().map(Box::from);
        let cipher = session.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str());
        let version = session.protocol_version().and_then(|version| version.as_str());
        let (cipher, version) = (cipher.unwrap_or_default(), version.unwrap_or_default());
        let digest = Arc::new(SslDigest::new(cipher, version, None, None, Vec::new()));
        Some(Shaken { stream: Box::new(Encrypted { tls, digest }), server_name })
    }

    async fn accept(&self, stream: Stream) -> Option<TlsStream<Stream>> {
        if !self.challenges.awaits_handshake() {
            return self.usual.accept(stream).await.ok();
        }
        let hello = LazyConfigAcceptor::new(Acceptor::default(), stream).await.ok()?;
        let Some(proof) = self.challenges.handshake(&hello.client_hello()) else {
            return hello.into_stream(Arc::clone(self.usual.config())).await.ok();
        };
        // The handshake is all there is to it.
        let mut shown = hello.into_stream(proof).await.ok()?;
        let _ = shown.shutdown().await;
        None
    }
}

/// A client's connection behind TLS.
#[derive(Debug)]
struct Encrypted {
    tls: TlsStream<Stream>,
    digest: Arc<SslDigest>,
}

impl Encrypted {
    fn below(&self) -> &Stream {
        self.tls.get_ref().0
    }
}

impl AsyncRead for Encrypted {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tls).poll_read(cx, out)
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().tls).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().tls).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.tls.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tls).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tls).poll_shutdown(cx)
    }
}

#[async_trait]
impl Shutdown for Encrypted {
    async fn shutdown(&mut self) {
        // A client that is gone needs no farewell.
        let _ = self.tls.shutdown().await;
    }
}

impl UniqueID for Encrypted {
    fn id(&self) -> UniqueIDType {
        self.below().id()
    }
}

impl Ssl for Encrypted {
    fn get_ssl(&self) -> Option<&TlsRef> {
        None
    }

    fn get_ssl_digest(&self) -> Option<Arc<SslDigest>> {
        Some(Arc::clone(&self.digest))
    }

    fn selected_alpn_proto(&self) -> Option<ALPN> {
        match self.tls.get_ref().1.alpn_protocol()? {
            b"h2" => Some(ALPN::H2),
            _ => Some(ALPN::H1),
        }
    }
}

impl GetTimingDigest for Encrypted {
    fn get_timing_digest(&self) -> Vec<Option<TimingDigest>> {
        self.below().get_timing_digest()
    }

    fn get_read_pending_time(&self) -> Duration {
        self.below().get_read_pending_time()
    }

    fn get_write_pending_time(&self) -> Duration {
        self.below().get_write_pending_time()
    }
}

impl GetProxyDigest for Encrypted {
    fn get_proxy_digest(&self) -> Option<Arc<ProxyDigest>> {
        None
    }
}

impl GetSocketDigest for Encrypted {
    fn get_socket_digest(&self) -> Option<Arc<SocketDigest>> {
        self.below().get_socket_digest()
    }
}

impl Peek for Encrypted {}
