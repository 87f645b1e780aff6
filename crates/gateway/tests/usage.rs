//! Everything around the commands: the demo, `serve`, help, wrong usage, closed pipes.

mod common;

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use common::*;

const COMMANDS: [&str; 8] = [
    "demo", "sign", "inspect", "verify", "check", "send", "keys", "serve",
];

#[test]
fn without_arguments_an_alert_is_sent() {
    for args in [&[][..], &["demo"]] {
        let run = gateway(args).run().exits(0);
        for part in [
            "http://127.0.0.1:",
            SECRET_ID,
            r#"{"alg":"HS256","typ":"JWT"}"#,
            r#""iat":"#,
            "165 bytes",
            "expires 5 min after that",
            "message id 9000001",
            "request id ",
        ] {
            assert!(run.stdout.contains(part), "{part:?} in {run:?}");
        }
        assert_eq!(run.stderr, "");
        assert!(!run.stdout.contains("eyJ"), "the token itself is not shown");
    }
}

#[test]
fn the_demo_needs_nothing_of_the_environment() {
    let run = gateway::<&str>([])
        .env("HEYMARKET_SECRET_ID", "")
        .env("HEYMARKET_SECRET_KEY", "x")
        .env("HTTP_PROXY", "http://192.0.2.1:1")
        .env("HOME", "/nowhere");
    run.run().exits(0);
}

#[test]
fn help_has_examples_and_exit_codes() {
    let run = gateway(["--help"]).run().exits(0);
    for part in [
        "Examples:",
        "Exit codes:",
        "HEYMARKET_SECRET_ID",
        "may have been delivered",
    ] {
        assert!(run.stdout.contains(part), "{part:?} in {run:?}");
    }
    for command in COMMANDS {
        assert!(run.stdout.contains(command));
        let help = gateway([command, "--help"]).run().exits(0);
        assert!(
            help.stdout.contains("Examples:") || command == "demo",
            "{help:?}"
        );
        for line in help.stdout.lines().chain(run.stdout.lines()) {
            assert!(line.chars().count() <= 100, "{line:?}");
        }
    }
    let run = gateway(["--version"]).run().exits(0);
    assert_eq!(
        run.stdout,
        format!("gateway {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn wrong_usage_is_one_line_and_exit_code_2() {
    for (args, words) in [
        (&["frobnicate"][..], "frobnicate"),
        (&["sign"], "--api"),
        (
            &["sign", "--api", "nope"],
            "only heymarket, heymarket-bearer",
        ),
        (&["sign", "--api", "heymarket", "--claims", "-"], "--claims"),
        (&["sign", "--kid", "x", "--api", "heymarket"], "--kid"),
        (&["check"], "--api"),
        (&["check", "--api", "nope"], "no such API"),
        (
            &["send", "--to", "15551234567", "--text", "x", "--for", "x"],
            "--for",
        ),
        (&["keys", "create", "--api", "hookmesh"], "--name"),
        (&["serve", "--port", "65534"], "--port"),
        (&["serve", "--ip", "192.0.2.1"], "loopback"),
        (&["verify", "--max-age", "-1", "x"], "-1"),
    ] {
        let run = gateway(args).run().fails(2, &[words]);
        assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
    }
    let run = gateway(["check", "--json", "--api", "nope"]).run().exits(2);
    assert_eq!(run.json()["exit"], 2);
    gateway(["keys"]).run().exits(2);
}

#[test]
fn a_secret_in_the_wrong_place_is_not_repeated() {
    for args in [
        &["sign", "--api", "heymarket", SECRET_KEY][..],
        &[SECRET_KEY],
        &["sign", "--api", SECRET_KEY],
        &[
            "sign",
            concat!("--api=", "cPQku7lnSLbnK88UFOBg1a6Q3t1w1RgK"),
        ],
        &["verify", "a", "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ9.x"],
    ] {
        gateway(args).run().exits(2);
    }
}

#[test]
fn a_closed_pipe_is_no_panic() {
    for args in [
        &[][..],
        &["--help"],
        &["sign", "--help"],
        &["sign", "--api", "heymarket"],
    ] {
        let mut command = gateway(args).heymarket().command();
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = command
            .stdin(Stdio::null())
            .stdout(writer)
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code().is_some(), "not killed by a signal");
        assert!(!stderr.contains("panicked"), "{stderr}");
    }
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = gateway(["sign", "--api", "nope"]).command();
    let status = command
        .stdin(Stdio::null())
        .stderr(writer)
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(2));
}

#[test]
fn a_full_disk_is_told() {
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let mut command = gateway(["sign", "--api", "heymarket"])
        .heymarket()
        .command();
    let output = command.stdin(Stdio::null()).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("can't write to standard output"));
}

#[test]
fn serve_prints_what_it_accepts_and_accepts_it() {
    let directory = tempfile::tempdir().unwrap();
    let ca = directory.path().join("ca.pem");
    let ca = ca.to_str().unwrap();
    for tls in [&[][..], &["--tls", ca]] {
        let mut command = gateway([&["serve", "--json"], tls].concat()).command();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut next = || -> serde_json::Value {
            serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap()
        };
        let first = next();
        for (api, url) in [
            ("heymarket", "heymarket"),
            ("key-id", "key-id"),
            ("heyoo", "heyoo"),
            ("hookmesh", "hookmesh"),
        ] {
            let url = first["base_urls"][url].as_str().unwrap();
            let mut args = vec!["check", "--api", api, "--base-url", url];
            if !tls.is_empty() {
                args.extend(["--ca", ca]);
            }
            let mut run = gateway(args);
            for (name, value) in first["credentials"].as_object().unwrap() {
                run = run.env(name, value.as_str().unwrap());
            }
            run.run().exits(0);
            let logged = next();
            assert_eq!(
                (&logged["api"], &logged["status"]),
                (&api.into(), &200.into())
            );
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
