//! TLS: the good certificate is accepted and each bad one refused by ureq, which verifies with rustls.

mod client;

use std::sync::Arc;
use std::time::Duration;

use api_standin::{Api, Certificate, Config, Fault, Kind, Standin};
use client::{heymarket, now};
use ureq::tls::{RootCerts, TlsConfig};

fn start(certificate: Certificate) -> Standin {
    let tls = Some(certificate);
    Standin::start(Config {
        tls,
        ..Config::default()
    })
    .unwrap()
}

/// Fetches the inboxes, trusting the CA of `trusted` alone.
fn inboxes(standin: &Standin, trusted: &Standin, host: &str) -> Result<u16, ureq::Error> {
    let pem = trusted.ca_pem().unwrap();
    let ca = ureq::tls::Certificate::from_pem(pem.as_bytes()).unwrap();
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::Specific(Arc::new(vec![ca])))
        .build();
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .tls_config(tls)
        .timeout_global(Some(Duration::from_secs(10)))
        .build()
        .into();
    let port = standin.address(Api::Heymarket).port();
    let url = format!("https://{host}:{port}/v1/inboxes");
    let request = agent.get(url).header("authorization", heymarket(now()));
    request.call().map(|response| response.status().as_u16())
}

#[test]
fn a_valid_certificate_is_accepted_for_both_names() {
    let standin = start(Certificate::Valid);
    assert!(
        standin
            .base_url(Api::Heymarket)
            .starts_with("https://127.0.0.1:")
    );
    assert_eq!(inboxes(&standin, &standin, "127.0.0.1").unwrap(), 200);
    assert_eq!(inboxes(&standin, &standin, "localhost").unwrap(), 200);
}

#[test]
fn every_bad_certificate_is_refused_for_its_own_reason() {
    for (certificate, reason) in [
        (Certificate::WrongHost, "not valid for name"),
        (Certificate::Expired, "expired"),
        (Certificate::NotYetValid, "not valid yet"),
        (Certificate::UnknownIssuer, "BadSignature"),
        (Certificate::SelfSigned, "UnknownIssuer"),
    ] {
        let standin = start(certificate);
        let error = inboxes(&standin, &standin, "127.0.0.1").unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(text.contains(reason), "{certificate:?}: {text}");
        assert!(standin.log().is_empty(), "{certificate:?} got a request");
    }
}

#[test]
fn another_stand_ins_ca_is_not_trusted() {
    let standin = start(Certificate::Valid);
    let other = start(Certificate::Valid);
    assert!(inboxes(&standin, &other, "127.0.0.1").is_err());
}

#[test]
fn faults_work_inside_tls() {
    let standin = start(Certificate::Valid);
    for kind in [
        Kind::DropAfterResponseBytes(30),
        Kind::ResetAfterResponseBytes(30),
        Kind::Garbage,
    ] {
        standin.inject(Fault::next(1, kind.clone()));
        assert!(
            inboxes(&standin, &standin, "127.0.0.1").is_err(),
            "{kind:?}"
        );
        assert_eq!(standin.log().pop().unwrap().status, 200);
    }
    standin.inject(Fault::next(1, Kind::ChunkedBody));
    assert_eq!(inboxes(&standin, &standin, "127.0.0.1").unwrap(), 200);
}

#[test]
fn plain_http_has_no_ca() {
    let standin = Standin::start(Config::default()).unwrap();
    assert_eq!(standin.ca_pem(), None);
}
