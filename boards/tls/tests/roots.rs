//! The roots that come with the program are those of Mozilla's list, and can be read together.

mod support;

use gateway_firmware::{Anchors, Transport};
use gateway_tls::{Memory, ROOTS, TlsError};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use rustls::version::TLS13;
use support::Device;
use support::pki::{Kind, NAME, identity, leaf_params, root};
use support::server::{Goodbye, config, serve};

#[test]
fn each_is_a_root_of_mozillas() {
    let roots: Vec<_> = CertificateDer::pem_slice_iter(ROOTS.to_bytes())
        .map(Result::unwrap)
        .collect();
    assert_eq!(roots.len(), 6);
    for root in roots {
        assert!(webpki_root_certs::TLS_SERVER_ROOT_CERTS.contains(&root));
    }
}

/// None of them stands behind a test's server, which is found out only if they were read and searched.
#[test]
fn they_are_what_is_trusted_at_first() {
    let root = root(Kind::P256);
    let port = serve(
        config(identity(leaf_params(), Kind::P256, &root), &TLS13),
        "",
        Goodbye::Proper,
    );
    let mut device = Device::untaught();
    assert_eq!(device.ask(NAME, port), Err(TlsError::UnknownIssuer));
    println!("all roots: {} bytes held", Memory::now().used);
    device.trust(&[root.der()]);
    assert_eq!(device.ask(NAME, port), Ok(String::new()));
    device.connect.trust(Anchors::Own);
    assert_eq!(device.ask(NAME, port), Err(TlsError::UnknownIssuer));
}
