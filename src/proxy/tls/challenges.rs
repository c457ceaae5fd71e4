//! What a certificate authority asks to see before it believes that a name leads here.
//!
//! One thing at a time, for as long as it is awaited: a text at a path, over plain HTTP (RFC 8555,
//! 8.3), or a certificate at a handshake for that alone (RFC 8737). A connection that shook hands
//! so is closed then and there: it never becomes one that carries requests.

use crate::types::Host;
use arc_swap::ArcSwapOption;
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use std::sync::Arc;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;
use tokio_rustls::rustls::server::ClientHello;
use tokio_rustls::rustls::sign::{CertifiedKey, SingleCertAndKey};

/// Where the text is asked for, before its name.
const PATH: &str = "/.well-known/acme-challenge/";

/// The protocol that a handshake is for which is about nothing else.
const PROTOCOL: &[u8] = b"acme-tls/1";

/// What is shown.
enum Proof {
    Text { token: String, text: String },
    Handshake { name: Host, config: Arc<ServerConfig> },
}

/// What is awaited at this moment, if anything is.
#[derive(Default)]
pub struct Challenges(ArcSwapOption<Proof>);

impl Challenges {
    /// Answers with this text whoever asks for this token.
    pub fn show_text(&self, token: &str, text: &str) {
        let (token, text) = (token.to_owned(), text.to_owned());
        self.0.store(Some(Arc::new(Proof::Text { token, text })));
    }

    /// Shows a certificate with this digest at handshakes for this name.
    pub fn show_at_handshake(&self, name: &Host, digest: &[u8]) -> Result<(), String> {
        let config = Arc::new(handshake(name, digest)?);
        self.0.store(Some(Arc::new(Proof::Handshake { name: name.clone(), config })));
        Ok(())
    }

    /// Shows nothing any more.
    pub fn forget(&self) {
        self.0.store(None);
    }

    /// Whether a path is one where such texts are asked for.
    pub(in crate::proxy) fn owns(path: &str) -> bool {
        path.starts_with(PATH)
    }

    /// The text at this path.
    pub(in crate::proxy) fn text(&self, path: &str) -> Option<String> {
        match &**self.0.load().as_ref()? {
            Proof::Text { token, text } => {
                (path.strip_prefix(PATH)? == token).then(|| text.clone())
            }
            Proof::Handshake { .. } => None,
        }
    }

    /// Whether handshakes have to be looked at.
    pub(super) fn awaits_handshake(&self) -> bool {
        self.0.load().as_deref().is_some_and(|proof| matches!(proof, Proof::Handshake { .. }))
    }

    /// How hands are shaken with whoever asks for the proof and for nothing else.
    pub(super) fn handshake(&self, hello: &ClientHello<'_>) -> Option<Arc<ServerConfig>> {
        if !hello.alpn()?.eq([PROTOCOL]) {
            return None;
        }
        match &**self.0.load().as_ref()? {
            Proof::Handshake { name, config } if hello.server_name()? == name.as_str() => {
                Some(Arc::clone(config))
            }
            _ => None,
        }
    }
}

fn handshake(name: &Host, digest: &[u8]) -> Result<ServerConfig, String> {
    if digest.len() != 32 {
        return Err(String::from("what is to be shown is no SHA-256"));
    }
    let sentence = |error: rcgen::Error| error.to_string();
    let key = KeyPair::generate().map_err(sentence)?;
    let mut params = CertificateParams::new([name.to_string()]).map_err(sentence)?;
    params.custom_extensions.push(CustomExtension::new_acme_identifier(digest));
    let certificate = params.self_signed(&key).map_err(sentence)?;
    let provider = Arc::new(default_provider());
    let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    let key = provider.key_provider.load_private_key(key).map_err(|error| error.to_string())?;
    // Put together here: rustls would look into the certificate, and does not know what is in it.
    let pair = CertifiedKey::new(vec![certificate.der().clone()], key);
    let config = ServerConfig::builder_with_provider(provider);
    let config = config.with_safe_default_protocol_versions().map_err(|error| error.to_string())?;
    let shown = Arc::new(SingleCertAndKey::from(pair));
    let mut config = config.with_no_client_auth().with_cert_resolver(shown);
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    Ok(config)
}
