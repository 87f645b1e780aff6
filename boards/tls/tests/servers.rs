//! Servers that are to be trusted, and servers that are not (RFC 5280, section 6; RFC 9525).

mod support;

use gateway_firmware::{Anchors, Transport};
use gateway_tls::{Memory, TlsError};
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose};
use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};
use support::pki::{
    Identity, Kind, NAME, ca_params, for_address, identity, intermediate, leaf_params, now, root,
};
use support::server::{Goodbye, config, listen, serve, tamper};
use support::{Device, NOW};
use time::Duration;

const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

const ANSWER: &str = "welcome\n";

fn serve_well(identity: Identity, version: &'static SupportedProtocolVersion) -> u16 {
    serve(config(identity, version), ANSWER, Goodbye::Proper)
}

#[test]
fn chains_of_every_kind_of_key_are_accepted() {
    for (root_kind, middle_kind, leaf_kind) in [
        (Kind::P256, Kind::P256, Kind::P256),
        (Kind::P384, Kind::P384, Kind::P256),
        (Kind::P384, Kind::P384, Kind::P384),
        (Kind::Rsa2048, Kind::P256, Kind::P256),
        (Kind::Rsa4096, Kind::P384, Kind::P384),
        (Kind::Rsa4096, Kind::Rsa2048, Kind::Rsa2048),
    ] {
        for version in VERSIONS {
            let root = root(root_kind);
            let middle = intermediate(ca_params("Test Middle"), middle_kind, &root);
            let port = serve_well(
                identity(leaf_params(), leaf_kind, &middle).with(&middle),
                version,
            );
            let mut device = Device::new(&[root.der()]);
            let answer = device.ask(NAME, port);
            let memory = Memory::now();
            println!("{root_kind:?} {middle_kind:?} {leaf_kind:?} {version:?}: {memory}");
            assert_eq!(answer, Ok(ANSWER.to_owned()), "{leaf_kind:?} {version:?}");
        }
    }
}

/// What a test does to the certificates of a good server, and what the device is to say of it.
type Flaw = (
    &'static str,
    fn() -> (Vec<u8>, Identity),
    TlsError<support::TcpError>,
);

fn flawed_leaf(change: impl FnOnce(&mut CertificateParams)) -> (Vec<u8>, Identity) {
    let root = root(Kind::P256);
    let mut params = leaf_params();
    change(&mut params);
    (root.der().to_vec(), identity(params, Kind::P256, &root))
}

fn flawed_middle(change: impl FnOnce(&mut CertificateParams)) -> (Vec<u8>, Identity) {
    let root = root(Kind::P256);
    let mut params = ca_params("Test Middle");
    change(&mut params);
    let middle = intermediate(params, Kind::P256, &root);
    let identity = identity(leaf_params(), Kind::P256, &middle).with(&middle);
    (root.der().to_vec(), identity)
}

const FLAWS: [Flaw; 14] = [
    (
        "another root of the same name",
        || {
            let (_, identity) = flawed_leaf(|_| {});
            (root(Kind::P256).der().to_vec(), identity)
        },
        TlsError::UnknownIssuer,
    ),
    (
        "a leaf that signs itself",
        || {
            let leaf =
                rcgen::CertifiedIssuer::self_signed(leaf_params(), support::pki::key(Kind::P256))
                    .unwrap();
            let chain = vec![leaf.der().to_vec()];
            let key =
                rustls::pki_types::PrivatePkcs8KeyDer::from(leaf.key().serialize_der()).into();
            (root(Kind::P256).der().to_vec(), Identity { chain, key })
        },
        TlsError::UnknownIssuer,
    ),
    (
        "no intermediate",
        || {
            let (root, mut identity) = flawed_middle(|_| {});
            identity.chain.truncate(1);
            (root, identity)
        },
        TlsError::UnknownIssuer,
    ),
    (
        "another name",
        || {
            flawed_leaf(|params| {
                params.subject_alt_names = vec![rcgen::SanType::DnsName(
                    "api.example.org".try_into().unwrap(),
                )]
            })
        },
        TlsError::WrongHost,
    ),
    (
        "a name that ends in the right one",
        || {
            flawed_leaf(|params| {
                params.subject_alt_names = vec![rcgen::SanType::DnsName(
                    "evil-api.example.com".try_into().unwrap(),
                )]
            })
        },
        TlsError::WrongHost,
    ),
    (
        "a wildcard one level up",
        || {
            flawed_leaf(|params| {
                params.subject_alt_names =
                    vec![rcgen::SanType::DnsName("*.com".try_into().unwrap())]
            })
        },
        TlsError::WrongHost,
    ),
    (
        "expired",
        || flawed_leaf(|params| params.not_after = now() - Duration::seconds(1)),
        TlsError::Expired,
    ),
    (
        "not yet valid",
        || flawed_leaf(|params| params.not_before = now() + Duration::hours(1)),
        TlsError::NotYetValid,
    ),
    (
        "an intermediate that has expired",
        || flawed_middle(|params| params.not_after = now() - Duration::seconds(1)),
        TlsError::Expired,
    ),
    (
        "for clients alone",
        || {
            flawed_leaf(|params| {
                params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]
            })
        },
        TlsError::WrongUsage,
    ),
    (
        "an intermediate that is no CA",
        || {
            flawed_middle(|params| {
                params.is_ca = IsCa::ExplicitNoCa;
                params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
            })
        },
        TlsError::UnknownIssuer,
    ),
    (
        "an intermediate that may not sign certificates",
        || flawed_middle(|params| params.key_usages = vec![KeyUsagePurpose::DigitalSignature]),
        TlsError::UnknownIssuer,
    ),
    (
        // A constraint that this server keeps to, but nobody here can check (RFC 5280, section 4.2.1.10).
        "an intermediate for certain names",
        || {
            flawed_middle(|params| {
                let domain = rcgen::GeneralSubtree::DnsName("example.com".into());
                params.name_constraints = Some(rcgen::NameConstraints {
                    permitted_subtrees: vec![domain],
                    excluded_subtrees: Vec::new(),
                });
            })
        },
        TlsError::Unreadable(-0x2562),
    ),
    (
        "an intermediate too many for its root's path length",
        || {
            let mut params = ca_params("Test Root");
            params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
            let root =
                rcgen::CertifiedIssuer::self_signed(params, support::pki::key(Kind::P256)).unwrap();
            let middle = intermediate(ca_params("Test Middle"), Kind::P256, &root);
            let identity = identity(leaf_params(), Kind::P256, &middle).with(&middle);
            (root.der().to_vec(), identity)
        },
        TlsError::UnknownIssuer,
    ),
];

#[test]
fn flawed_certificates_are_refused_and_told_apart() {
    for (flaw, make, expected) in FLAWS {
        for version in VERSIONS {
            let (root, identity) = make();
            let port = serve_well(identity, version);
            let answer = Device::new(&[&root]).ask(NAME, port);
            assert_eq!(answer, Err(expected), "{flaw}, {version:?}");
        }
    }
}

#[test]
fn an_address_needs_a_certificate_for_the_address() {
    for version in VERSIONS {
        let root = root(Kind::P256);
        let port = serve_well(
            identity(for_address([10, 0, 2, 2]), Kind::P256, &root),
            version,
        );
        let mut device = Device::new(&[root.der()]);
        assert_eq!(device.ask("10.0.2.2", port), Ok(ANSWER.to_owned()));
        assert_eq!(device.ask("10.0.2.3", port), Err(TlsError::WrongHost));
        assert_eq!(device.ask(NAME, port), Err(TlsError::WrongHost));
    }
}

#[test]
fn each_of_several_provisioned_roots_is_trusted() {
    let roots = [Kind::P256, Kind::P384, Kind::Rsa2048].map(root);
    let ders = roots.each_ref().map(|root| root.der().as_ref());
    let mut device = Device::new(&ders);
    for root in &roots {
        let port = serve_well(identity(leaf_params(), Kind::P256, root), &TLS13);
        assert_eq!(device.ask(NAME, port), Ok(ANSWER.to_owned()));
    }
}

#[test]
fn a_server_can_be_trusted_by_its_own_certificate() {
    let leaf =
        rcgen::CertifiedIssuer::self_signed(leaf_params(), support::pki::key(Kind::P256)).unwrap();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(leaf.key().serialize_der());
    let chain = vec![leaf.der().to_vec()];
    let identity = Identity {
        chain,
        key: key.into(),
    };
    let port = serve_well(identity, &TLS13);
    let mut device = Device::new(&[leaf.der()]);
    assert_eq!(device.ask(NAME, port), Ok(ANSWER.to_owned()));
    assert_eq!(
        device.ask("other.example.com", port),
        Err(TlsError::WrongHost)
    );
}

#[test]
fn dates_follow_the_time_that_is_told() {
    let root = root(Kind::P256);
    let port = serve_well(identity(leaf_params(), Kind::P256, &root), &TLS13);
    let mut device = Device::new(&[root.der()]);
    for (time, expected) in [
        (None, Err(TlsError::NoTime)),
        (Some(0), Err(TlsError::NotYetValid)),
        (Some(NOW - 31 * 86_400), Err(TlsError::NotYetValid)),
        (Some(NOW + 61 * 86_400), Err(TlsError::Expired)),
        (Some(NOW), Ok(ANSWER.to_owned())),
    ] {
        device.connect.tell_time(time);
        assert_eq!(device.ask(NAME, port), expected, "{time:?}");
    }
}

#[test]
fn nobody_is_trusted_if_the_certificates_cannot_be_read() {
    let root = root(Kind::P256);
    let port = serve_well(identity(leaf_params(), Kind::P256, &root), &TLS13);
    let mut device = Device::new(&[root.der()]);
    device.connect.trust(Anchors::Lost);
    assert_eq!(device.ask(NAME, port), Err(TlsError::Trust));
    let garbage = [0x30, 3, 1, 2, 3];
    device.trust(&[&garbage]);
    assert_eq!(device.ask(NAME, port), Err(TlsError::Trust));
}

#[test]
fn without_random_numbers_nobody_is_connected_to() {
    let root = root(Kind::P256);
    let port = serve_well(identity(leaf_params(), Kind::P256, &root), &TLS13);
    let mut device = Device::with(|_| false, &[root.der()]);
    assert_eq!(device.ask(NAME, port), Err(TlsError::NoRandom));
}

#[test]
fn an_end_without_goodbye_is_an_error() {
    for version in VERSIONS {
        let root = root(Kind::P256);
        let identity = identity(leaf_params(), Kind::P256, &root);
        let port = serve(config(identity, version), ANSWER, Goodbye::None);
        let answer = Device::new(&[root.der()]).ask(NAME, port);
        assert_eq!(answer, Err(TlsError::Cut), "{version:?}");
    }
}

#[test]
fn what_is_no_tls_is_refused() {
    let mut device = Device::new(&[root(Kind::P256).der()]);
    for said in [
        &b""[..],
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        &[0; 100],
        &[0x16, 3, 3, 0xff, 0xff],
        // An alert that ends everything: handshake_failure (RFC 8446, section 6).
        &[0x15, 3, 3, 0, 2, 2, 40],
    ] {
        let said = said.to_vec();
        let port = listen(move |mut tcp| {
            use std::io::{Read, Write};
            let _ = tcp.write_all(&said);
            let _ = tcp.shutdown(std::net::Shutdown::Write);
            let _ = tcp.read_to_end(&mut Vec::new());
        });
        let answer = device.ask(NAME, port);
        assert!(answer.is_err());
        println!("{}", answer.unwrap_err());
    }
}

/// Whatever byte of the server's is changed on the way, nothing but its answer is ever taken for it.
#[test]
fn a_changed_byte_is_noticed() {
    for version in VERSIONS {
        let root = root(Kind::P256);
        let port = serve_well(identity(leaf_params(), Kind::P256, &root), version);
        let mut device = Device::new(&[root.der()]);
        let mut noticed = 0;
        for offset in (0..1_200).step_by(7) {
            match device.ask(NAME, tamper(port, offset)) {
                Ok(answer) => assert_eq!(answer, ANSWER, "byte {offset}, {version:?}"),
                Err(_) => noticed += 1,
            }
        }
        assert!(noticed > 80, "{noticed} of {version:?}");
    }
}

#[test]
fn connections_leave_no_memory_behind() {
    for version in VERSIONS {
        let root = root(Kind::P384);
        let good = serve_well(identity(leaf_params(), Kind::P384, &root), version);
        let mut device = Device::new(&[root.der()]);
        device.ask(NAME, good).unwrap();
        let used = Memory::now().used;
        for _ in 0..10 {
            device.ask(NAME, good).unwrap();
            device.ask("another.example.com", good).unwrap_err();
            assert_eq!(Memory::now().used, used, "{version:?}");
        }
    }
}
