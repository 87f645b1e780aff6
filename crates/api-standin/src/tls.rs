//! Certificates made at start, good ones and ones that a client has to refuse, and the TLS acceptor that shows them.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, Error, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose,
};
use time::{Duration, OffsetDateTime};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};

/// The certificate that a stand-in shows; all but the first have to be refused by a client that trusts its CA.
///
/// Certificates are dated by the system's clock, whatever the server's own clock says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Certificate {
    /// Signed by the CA, for `localhost`, `127.0.0.1` and `::1`, valid for a day.
    Valid,
    /// Like a valid one, but for `api.example`.
    WrongHost,
    /// Like a valid one, but it expired yesterday.
    Expired,
    /// Like a valid one, but it is valid from tomorrow on.
    NotYetValid,
    /// Like a valid one, but signed by another CA of the same name.
    UnknownIssuer,
    /// Like a valid one, but signed by itself.
    SelfSigned,
}

/// What can keep TLS from being set up; none of it depends on the caller's input.
#[derive(Debug)]
pub(crate) enum TlsError {
    Certificate(Error),
    Rustls(rustls::Error),
}

impl From<Error> for TlsError {
    fn from(error: Error) -> Self {
        Self::Certificate(error)
    }
}

impl From<rustls::Error> for TlsError {
    fn from(error: rustls::Error) -> Self {
        Self::Rustls(error)
    }
}

/// An acceptor, and the CA certificate that a client should trust.
pub(crate) struct Tls {
    pub(crate) acceptor: TlsAcceptor,
    pub(crate) ca_pem: String,
}

impl Tls {
    pub(crate) fn new(certificate: Certificate) -> Result<Self, TlsError> {
        let (ca_pem, ca) = authority()?;
        let key = KeyPair::generate()?;
        let params = leaf(certificate)?;
        let shown = match certificate {
            Certificate::SelfSigned => params.self_signed(&key)?,
            Certificate::UnknownIssuer => params.signed_by(&key, &authority()?.1)?,
            _ => params.signed_by(&key, &ca)?,
        };
        let chain: Vec<CertificateDer<'static>> = vec![shown.der().clone()];
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key.into())?;
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            ca_pem,
        })
    }
}

/// A new CA with a P-256 key: its certificate as PEM, and what signs with it.
fn authority() -> Result<(String, Issuer<'static, KeyPair>), Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(Vec::new())?;
    params
        .distinguished_name
        .push(DnType::CommonName, "Stand-in test CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let now = OffsetDateTime::now_utc();
    params.not_before = now - Duration::days(30);
    params.not_after = now + Duration::days(30);
    let pem = params.self_signed(&key)?.pem();
    Ok((pem, Issuer::new(params, key)))
}

fn leaf(certificate: Certificate) -> Result<CertificateParams, Error> {
    let names = match certificate {
        Certificate::WrongHost => vec!["api.example".into()],
        _ => vec!["localhost".into(), "127.0.0.1".into(), "::1".into()],
    };
    let mut params = CertificateParams::new(names)?;
    params
        .distinguished_name
        .push(DnType::CommonName, "Stand-in");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let now = OffsetDateTime::now_utc();
    let (from, until) = match certificate {
        Certificate::Expired => (-10, -1),
        Certificate::NotYetValid => (1, 10),
        _ => (-1, 1),
    };
    params.not_before = now + Duration::days(from);
    params.not_after = now + Duration::days(until);
    Ok(params)
}
