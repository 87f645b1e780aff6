//! Connections: certificates that are accepted and refused, and where plain HTTP may go.

mod common;

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;

use api_standin::Certificate;

use common::*;

fn check(url: &str, ca: Option<&Path>) -> Run {
    let ca = ca.map(|path| [OsStr::new("--ca"), path.as_os_str()]);
    let args = ["check", "--api", "heymarket", "--base-url", url].map(OsStr::new);
    gateway(args.into_iter().chain(ca.into_iter().flatten()))
        .heymarket()
        .run()
}

#[test]
fn a_certificate_of_a_named_ca_is_accepted() {
    let (standin, ca) = tls_standin(Certificate::Valid);
    let url = heymarket_url(&standin);
    assert!(url.starts_with("https://127.0.0.1:"));
    check(&url, Some(ca.path())).exits(0);
    let by_name = url.replace("127.0.0.1", "localhost");
    check(&by_name, Some(ca.path())).exits(0);
    let send = [
        "send",
        "--to",
        "15551234567",
        "--text",
        "hi",
        "--base-url",
        &url,
        "--ca",
    ];
    let run = gateway(send.iter().map(OsStr::new).chain([ca.path().as_os_str()]));
    run.heymarket().account().run().exits(0);
    assert_eq!(standin.messages().len(), 1);
}

#[test]
fn bad_certificates_are_refused_before_anything_is_sent() {
    for (certificate, words) in [
        (Certificate::WrongHost, "another host's"),
        (Certificate::Expired, "has expired"),
        (Certificate::NotYetValid, "not valid yet"),
        (Certificate::UnknownIssuer, "certificate"),
        (Certificate::SelfSigned, "certificate"),
    ] {
        let (standin, ca) = tls_standin(certificate);
        let url = heymarket_url(&standin);
        check(&url, Some(ca.path())).fails(4, &["nothing was sent", words]);
        let ca = ca.path().to_str().unwrap();
        let send = ["send", "--to", "15551234567", "--text", "hi", "--for", "0"];
        let run = gateway(send.into_iter().chain(["--base-url", &url, "--ca", ca]));
        let run = run.heymarket().account().run();
        run.fails(4, &["nothing was sent", words]);
        assert!(standin.log().is_empty(), "{certificate:?}");
    }
}

#[test]
fn a_ca_that_is_not_named_is_not_trusted() {
    let (standin, _ca) = tls_standin(Certificate::Valid);
    let (_other, other_ca) = tls_standin(Certificate::Valid);
    let run = check(&heymarket_url(&standin), Some(other_ca.path()));
    run.fails(4, &["certificate"]);
    assert!(standin.log().is_empty());
}

#[test]
fn a_ca_file_that_is_none_is_a_wrong_configuration() {
    let empty = tempfile::NamedTempFile::new().unwrap();
    // Where it would not be needed too: it is soon.
    for url in ["https://127.0.0.1:9", "http://127.0.0.1:9"] {
        check(url, Some(Path::new("/nowhere/ca.pem"))).fails(2, &["/nowhere/ca.pem"]);
        check(url, Some(empty.path())).fails(2, &["--ca wants a PEM file"]);
    }
}

#[test]
fn plain_http_goes_to_this_machine_alone() {
    for url in [
        "http://api.heymarket.com",
        "http://192.0.2.1",
        "http://0.0.0.0:80",
        "http://127.0.0.1.example.com",
        "http://[::ffff:127.0.0.1]",
    ] {
        check(url, None).fails(2, &["http://", "use https://"]);
    }
    let standin = standin();
    check(&heymarket_url(&standin), None).exits(0);
    check(
        &heymarket_url(&standin).replace("127.0.0.1", "localhost"),
        None,
    )
    .exits(0);
}

#[test]
fn urls_that_are_none() {
    for (url, words) in [
        ("api.heymarket.com", "https://api.heymarket.com"),
        ("ftp://a", "https://"),
        ("https://user:hunter2@a", "user name"),
        ("https://a/?x=1", "?"),
        ("", "https://api.heymarket.com"),
    ] {
        let run = check(url, None).fails(2, &[words]);
        assert!(!run.stderr.contains("hunter2"));
    }
}

#[test]
fn a_server_without_tls_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 1024]);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    let (_standin, ca) = tls_standin(Certificate::Valid);
    check(&url, Some(ca.path())).fails(4, &["nothing was sent", "does not speak TLS"]);
}

#[test]
fn a_host_that_is_not_found() {
    let (_standin, ca) = tls_standin(Certificate::Valid);
    let run = check("https://host.invalid", Some(ca.path()));
    run.fails(4, &["nothing was sent", "host is not found"]);
}
