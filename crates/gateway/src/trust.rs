//! Whose certificates are trusted: the system's roots, and those of a file.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::exit::Failure;

/// The roots, read when the first TLS connection is made.
#[derive(Default)]
pub struct Trust {
    ca: Option<PathBuf>,
    config: OnceLock<Arc<ClientConfig>>,
}

impl Trust {
    /// Trusts the system's roots, and the certificates of a PEM file if one is named.
    pub fn new(ca: Option<PathBuf>) -> Self {
        Self {
            ca,
            config: OnceLock::new(),
        }
    }

    /// Returns the configuration for TLS 1.2 and 1.3, with certificates verified.
    ///
    /// # Errors
    /// The file can't be read, or there is no root at all.
    pub fn config(&self) -> Result<Arc<ClientConfig>, Failure> {
        if let Some(config) = self.config.get() {
            return Ok(Arc::clone(config));
        }
        let mut roots = RootCertStore::empty();
        let system = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(system.certs);
        if let Some(path) = &self.ca {
            add_file(&mut roots, path)?;
        }
        if roots.is_empty() {
            return Err(Failure::usage(
                "this machine has no trusted root certificates: install ca-certificates, or name them with --ca FILE",
            ));
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(Failure::invalid)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::clone(self.config.get_or_init(|| Arc::new(config))))
    }
}

fn add_file(roots: &mut RootCertStore, path: &Path) -> Result<(), Failure> {
    let name = path.display();
    let unusable = |why: &dyn fmt::Display| {
        Failure::usage(format_args!(
            "no certificate can be taken from {name} ({why}): --ca wants a PEM file"
        ))
    };
    let certificates = CertificateDer::pem_file_iter(path).map_err(|error| unusable(&error))?;
    let mut count = 0;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| unusable(&error))?;
        roots.add(certificate).map_err(|error| unusable(&error))?;
        count += 1;
    }
    match count {
        0 => Err(unusable(&"it holds none")),
        _ => Ok(()),
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust")
            .field("ca", &self.ca)
            .finish_non_exhaustive()
    }
}
