//! Certificates, good and bad, by rcgen.

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
    PKCS_ECDSA_P384_SHA384, PKCS_RSA_SHA256, SanType,
};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject};
use time::{Duration, OffsetDateTime};

/// The name that servers go by.
pub const NAME: &str = "api.example.com";

#[derive(Clone, Copy, Debug)]
pub enum Kind {
    P256,
    P384,
    Rsa2048,
    Rsa4096,
}

pub fn key(kind: Kind) -> KeyPair {
    let rsa = |pem: &str| {
        let key = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).unwrap();
        KeyPair::from_pkcs8_der_and_sign_algo(&key, &PKCS_RSA_SHA256).unwrap()
    };
    match kind {
        Kind::P256 => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap(),
        Kind::P384 => KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap(),
        Kind::Rsa2048 => rsa(include_str!("../keys/rsa-2048-a.pem")),
        Kind::Rsa4096 => rsa(include_str!("../keys/rsa-4096.pem")),
    }
}

/// The time that devices are told.
pub fn now() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(super::NOW as i64).unwrap()
}

fn params(name: &str, sans: Vec<String>) -> CertificateParams {
    let mut params = CertificateParams::new(sans).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = now() - Duration::days(30);
    params.not_after = now() + Duration::days(60);
    params
}

/// An issuer's certificate, valid for years.
pub fn ca_params(name: &str) -> CertificateParams {
    let mut params = params(name, Vec::new());
    params.not_before = now() - Duration::days(400);
    params.not_after = now() + Duration::days(3650);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// A server's certificate for [`NAME`].
pub fn leaf_params() -> CertificateParams {
    let mut params = params(NAME, vec![NAME.into()]);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}

pub fn for_address(address: [u8; 4]) -> CertificateParams {
    let mut params = leaf_params();
    params.subject_alt_names = vec![SanType::IpAddress(address.into())];
    params
}

pub type Ca = CertifiedIssuer<'static, KeyPair>;

pub fn root(kind: Kind) -> Ca {
    CertifiedIssuer::self_signed(ca_params("Test Root"), key(kind)).unwrap()
}

pub fn intermediate(params: CertificateParams, kind: Kind, root: &Ca) -> Ca {
    CertifiedIssuer::signed_by(params, key(kind), root).unwrap()
}

/// What a server presents: its certificate first, and its key.
pub struct Identity {
    pub chain: Vec<Vec<u8>>,
    pub key: PrivateKeyDer<'static>,
}

pub fn identity(params: CertificateParams, kind: Kind, issuer: &Ca) -> Identity {
    let key = key(kind);
    let certificate: Certificate = params.signed_by(&key, issuer).unwrap();
    Identity {
        chain: vec![certificate.der().to_vec()],
        key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
    }
}

impl Identity {
    pub fn with(mut self, issuer: &Ca) -> Self {
        self.chain.push(issuer.der().to_vec());
        self
    }
}
