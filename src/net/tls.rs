//! TLS as a client, by rustls with one provider of cryptography (ring): who is trusted, who we are, whom we expect.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow, bail};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::expecting::Expecting;

/// What a user may say about it.
#[derive(Clone, Debug, Default)]
pub struct TlsOptions {
    /// Trusted instead of the system's authorities (PEM).
    pub ca: Option<PathBuf>,
    /// Our own certificate with its chain, and its key (PEM).
    pub cert: Option<PathBuf>,
    pub key: Option<PathBuf>,
    /// The name that the peer's certificate must hold, instead of the host.
    pub server_name: Option<String>,
    /// Trust anybody.
    pub insecure: bool,
}

/// All that a connection needs.
#[derive(Clone, Debug)]
pub struct Tls {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl Tls {
    /// Reads the certificates.
    ///
    /// # Errors
    /// When one cannot be read, or the name is none.
    pub fn new(options: &TlsOptions, host: &str) -> Result<Self> {
        let name = options.server_name.as_deref().unwrap_or(host);
        let name = ServerName::try_from(name.to_owned()).with_context(|| format!("'{name}' is no name of a server"))?;
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_safe_default_protocol_versions().context("tls")?;
        let builder = match options.insecure {
            true => builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody(provider))),
            false => {
                let roots = Arc::new(roots(options.ca.as_deref())?);
                let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider).build().context("tls")?;
                let name = name.clone();
                builder.dangerous().with_custom_certificate_verifier(Arc::new(Expecting { verifier, name }))
            }
        };
        let config = match (&options.cert, &options.key) {
            (Some(cert), Some(key)) => {
                let name = || key.display().to_string();
                let private =
                    PrivateKeyDer::from_pem_file(key).map_err(|error| anyhow!("{}: no key: {error}", name()))?;
                builder.with_client_auth_cert(certificates(cert)?, private).with_context(name)?
            }
            _ => builder.with_no_client_auth(),
        };
        Ok(Self { config: Arc::new(config), name })
    }

    /// For an HTTP client, which makes its connections itself.
    pub fn config(&self) -> ClientConfig {
        (*self.config).clone()
    }

    /// A new connection that has not begun yet.
    ///
    /// # Errors
    /// None that is known of.
    pub fn connection(&self) -> Result<ClientConnection> {
        Ok(ClientConnection::new(Arc::clone(&self.config), self.name.clone())?)
    }
}

fn roots(ca: Option<&Path>) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    match ca {
        Some(path) => {
            for certificate in certificates(path)? {
                roots.add(certificate).with_context(|| path.display().to_string())?;
            }
        }
        None => {
            let found = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(found.certs);
            if roots.is_empty() {
                let why = found.errors.first().map(|error| format!(": {error}")).unwrap_or_default();
                bail!("no certificate authorities are installed on this system{why} (--ca FILE names some)");
            }
        }
    }
    Ok(roots)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let read = || CertificateDer::pem_file_iter(path)?.collect::<Result<Vec<_>, _>>();
    let found = read().map_err(|error| anyhow!("{}: cannot be read: {error}", path.display()))?;
    match found.is_empty() {
        true => bail!("{}: holds no certificate (PEM)", path.display()),
        false => Ok(found),
    }
}

/// Takes every certificate; the handshake itself is still checked.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
