//! `send`: delivered, rejected, worth a retry, or in doubt, and never silently twice.

mod common;

use std::time::{Duration, Instant};

use api_standin::{ApiSecret, Certificate, Fault, Kind, Standin};

use common::*;

const TO: &str = "15551234567";

fn send(standin: &Standin, args: &[&str]) -> Gateway {
    let url = heymarket_url(standin);
    let base = ["send", "--to", TO, "--base-url", &url];
    gateway(base.iter().copied().chain(args.iter().copied()))
        .heymarket()
        .account()
}

#[test]
fn an_alert_is_delivered_as_it_was_given() {
    let standin = standin();
    for text in [
        "Pump 3: no flow",
        "no flow 😀\nsecond line\t\"quoted\" \\ é",
        " {} ",
    ] {
        let run = send(&standin, &["--text", text]).run().exits(0);
        let message = standin.messages().last().unwrap().clone();
        assert_eq!(message.text.as_deref(), Some(text));
        assert_eq!(message.phone_number.as_deref(), Some(TO));
        assert!(
            run.stdout.contains(&format!("message {}", message.id)),
            "{run:?}"
        );
        assert!(run.stdout.contains(&message.request_id), "{run:?}");
    }
    let run = send(&standin, &["--text", "-"])
        .input("from a pipe\n")
        .run()
        .exits(0);
    assert!(run.stdout.starts_with("delivered"));
    assert_eq!(
        standin.messages().last().unwrap().text.as_deref(),
        Some("from a pipe")
    );
}

#[test]
fn json_for_a_script() {
    let standin = standin();
    let json = send(&standin, &["--text", "hi", "--json"])
        .run()
        .exits(0)
        .json();
    let message = standin.messages()[0].clone();
    assert_eq!(json["ok"], true);
    assert_eq!(json["exit"], 0);
    assert_eq!(json["outcome"], "delivered");
    assert_eq!(json["message_id"], message.id.to_string());
    assert_eq!(json["request_id"], message.request_id);
    assert_eq!(json["local_id"], message.local_id.unwrap());
    assert_eq!(
        (&json["segments"], &json["encoding"]),
        (&1.into(), &"GSM-7".into())
    );
}

#[test]
fn the_cost_of_a_text_is_told() {
    let standin = standin();
    for (text, words) in [
        ("a".repeat(160), "1 segment (160 units of GSM-7)"),
        ("a".repeat(161), "2 segments (161 units of GSM-7)"),
        ("😀".repeat(36), "2 segments (72 units of UCS-2"),
    ] {
        let run = send(&standin, &["--text", &text]).run().exits(0);
        assert!(run.stderr.contains(words), "{run:?}");
    }
}

#[test]
fn without_an_inbox_the_first_is_taken_and_named() {
    let standin = standin();
    let url = heymarket_url(&standin);
    let run = gateway(["send", "--to", TO, "--text", "hi", "--base-url", &url]).heymarket();
    let run = run.run().exits(0);
    assert!(
        run.stderr.contains("inbox 42 (Alerts) as member 7"),
        "{run:?}"
    );
    let body = standin.messages()[0].body.clone();
    assert_eq!(
        (&body["inbox_id"], &body["creator_id"]),
        (&42.into(), &7.into())
    );
    let run = send(
        &standin,
        &["--text", "hi", "--inbox", "413", "--creator", "5"],
    )
    .run();
    run.exits(0);
    assert_eq!(standin.messages()[1].body["inbox_id"], 413);
}

#[test]
fn legacy_keys_send_too() {
    let standin = standin();
    for api in ["heymarket-bearer", "heymarket-basic"] {
        let run = send(&standin, &["--text", "hi", "--api", api]);
        run.env("HEYMARKET_API_KEY", "standin-heymarket-team-key")
            .run()
            .exits(0);
    }
    assert_eq!(standin.messages().len(), 2);
}

#[test]
fn bad_input_is_named_and_nothing_is_sent() {
    let standin = standin();
    let url = heymarket_url(&standin);
    let to = |number: &str| {
        let args = ["send", "--to", number, "--text", "hi", "--base-url", &url];
        gateway(args).heymarket().account().run()
    };
    for number in ["+15551234567", "1 555 1234567", "1-555-123-4567", "call me"] {
        to(number).fails(2, &["15551234567"]);
    }
    to("").fails(2, &["7 to 15 digits"]);
    to("12345").fails(2, &["7 to 15 digits"]);
    to("015551234567").fails(2, &["country code"]);
    for text in ["", "  \n"] {
        send(&standin, &["--text", text])
            .run()
            .fails(2, &["text is empty"]);
    }
    send(&standin, &["--text", &"a".repeat(805)])
        .run()
        .fails(2, &["805"]);
    send(&standin, &["--text", "hi", "--inbox", "4"])
        .env("HEYMARKET_CREATOR_ID", "x")
        .run()
        .fails(2, &["--creator", "HEYMARKET_CREATOR_ID"]);
    let run = gateway(["send", "--to", TO, "--text", "hi", "--api", "hookmesh"]).run();
    run.fails(2, &["hookmesh sends no SMS"]);
    gateway(["send", "--to", TO])
        .heymarket()
        .run()
        .fails(2, &["--text"]);
    gateway(["send"]).heymarket().run().fails(2, &["--to"]);
    assert!(standin.log().is_empty());
}

#[test]
fn what_passes_is_retried_until_it_is_delivered() {
    let standin = standin();
    for kind in [
        Kind::Status(500),
        Kind::Status(503),
        Kind::RateLimited { retry_after: None },
        Kind::RateLimited {
            retry_after: Some(1),
        },
    ] {
        standin.inject(Fault::next(2, kind));
        let before = standin.messages().len();
        let json = send(&standin, &["--text", "hi", "--json"])
            .run()
            .exits(0)
            .json();
        assert_eq!(json["attempts"], 3);
        assert_eq!(standin.messages().len(), before + 1);
    }
    let local_ids: Vec<_> = standin
        .messages()
        .iter()
        .map(|message| message.local_id.clone())
        .collect();
    let requests = standin.log();
    for request in requests {
        let local_id = request.body.unwrap()["local_id"]
            .as_str()
            .map(str::to_owned);
        assert!(local_ids.contains(&local_id), "stable across retries");
    }
}

#[test]
fn what_does_not_pass_ends_after_the_time_given() {
    let standin = standin();
    standin.inject(Fault::always(Kind::Status(503)));
    let started = Instant::now();
    let run = send(&standin, &["--text", "hi", "--for", "3"]).run();
    run.fails(4, &["not delivered", "status 503", "request id"]);
    assert!(started.elapsed() < Duration::from_secs(25));
    assert!(standin.log().len() > 1);
    standin.clear_faults();
    standin.inject(Fault::always(Kind::RateLimited {
        retry_after: Some(3000),
    }));
    let started = Instant::now();
    send(&standin, &["--text", "hi"])
        .run()
        .fails(4, &["too many requests"]);
    assert!(
        started.elapsed() < Duration::from_secs(25),
        "no use in waiting"
    );
    let url = closed_port();
    let send = [
        "send",
        "--to",
        TO,
        "--text",
        "hi",
        "--base-url",
        &url,
        "--for",
        "1",
    ];
    // With the account told, and with one that would have to be looked up.
    for run in [
        gateway(send).heymarket().account(),
        gateway(send).heymarket(),
    ] {
        run.run()
            .fails(4, &["nothing was sent", "can't be reached"]);
    }
    assert!(standin.messages().is_empty());
}

#[test]
fn rejections_are_final() {
    let standin = standin();
    for (kind, words) in [
        (Kind::Status(400), "rejected for good"),
        (Kind::Status(403), "no access to this inbox"),
        (Kind::Status(404), "rejected for good"),
    ] {
        standin.inject(Fault::next(1, kind));
        let before = standin.log().len();
        let run = send(&standin, &["--text", "hi"]).run();
        run.fails(3, &[words, "request id"]);
        assert_eq!(standin.log().len(), before + 1);
    }
    let run = send(&standin, &["--text", "hi"]).env(
        "HEYMARKET_SECRET_KEY",
        "wrong-key-wrong-key-wrong-key-wrong-key",
    );
    run.run().fails(3, &["credential is refused", "status 401"]);
    let run = send(
        &standin,
        &["--text", "hi", "--inbox", "1", "--creator", "1"],
    )
    .run();
    run.exits(3);
    assert!(standin.messages().is_empty());
}

#[test]
fn a_doubtful_alert_is_posted_exactly_once() {
    let standin = standin();
    for kind in [
        Kind::DropAfterResponseBytes(0),
        Kind::DropAfterResponseBytes(10),
        Kind::ResetAfterResponseBytes(0),
        Kind::StallAfterResponseBytes(0),
        Kind::Garbage,
        Kind::Status(502),
        Kind::Status(504),
    ] {
        standin.inject(Fault::next(1, kind.clone()));
        let before = standin.log().len();
        let run = send(&standin, &["--text", "hi", "--timeout", "2", "--json"]).run();
        let run = run.exits(5);
        assert_eq!(run.json()["outcome"], "maybe-sent", "{kind:?}");
        eventually(|| standin.log().len() > before);
        assert_eq!(standin.log().len(), before + 1, "{kind:?}");
        standin.clear_faults();
    }
    standin.inject(Fault::next(1, Kind::DropAfterResponseBytes(0)));
    let run = send(&standin, &["--text", "hi"]).run();
    run.fails(5, &["may have been delivered", "before sending it again"]);
}

#[test]
fn a_request_that_breaks_off_is_never_sent_twice() {
    let standin = standin();
    // Whether the client sees the break before it has handed over the last byte is up to the network.
    for cut in [0, 1, 50, 150, 300, 450] {
        standin.inject(Fault::next(1, Kind::ResetAfterRequestBytes(cut)));
        let before = standin.messages().len();
        let run = send(&standin, &["--text", "hi", "--for", "5"]).run();
        let delivered = standin.messages().len() - before;
        match run.code {
            0 => assert_eq!(delivered, 1),
            5 => assert!(delivered <= 1),
            _ => panic!("{run:?}"),
        }
        standin.clear_faults();
    }
}

#[test]
fn the_standby_takes_over_when_the_first_is_revoked() {
    let standin = standin();
    let id = "11111111-2222-4333-8444-555555555555";
    let key = "the-second-secret-of-this-account";
    standin.change_credentials(|known| {
        known.heymarket.slots = [None, Some(ApiSecret::new(id, key))];
    });
    let with_standby = |run: Gateway| {
        run.env("HEYMARKET_SECRET_ID_STANDBY", id)
            .env("HEYMARKET_SECRET_KEY_STANDBY", key)
            .run()
    };
    let run = with_standby(send(&standin, &["--text", "hi"])).exits(0);
    assert!(run.stderr.contains("going on with the standby"), "{run:?}");
    // Also when the inboxes have to be asked for.
    let url = heymarket_url(&standin);
    let run = gateway(["send", "--to", TO, "--text", "hi", "--base-url", &url]).heymarket();
    with_standby(run).exits(0);
    assert_eq!(standin.messages().len(), 2);
}

#[test]
fn a_wrong_clock_is_corrected_over_tls_alone() {
    let (tls, ca) = tls_standin(Certificate::Valid);
    tls.inject(Fault::always(Kind::ClockSkew(1000)));
    let run = send(&tls, &["--text", "hi", "--ca", ca.path().to_str().unwrap()])
        .run()
        .exits(0);
    assert!(run.stderr.contains("clock is wrong"), "{run:?}");
    let plain = standin();
    plain.inject(Fault::always(Kind::ClockSkew(1000)));
    send(&plain, &["--text", "hi"])
        .run()
        .fails(3, &["credential is refused"]);
}

#[test]
fn a_base_url_with_a_path_reaches_the_same_api() {
    let standin = standin();
    let url = format!("{}/v1/", heymarket_url(&standin));
    let run = gateway(["send", "--to", TO, "--text", "hi", "--base-url", &url]);
    run.heymarket().account().run().exits(0);
    assert_eq!(standin.messages().len(), 1);
    let url = format!("{}/elsewhere", heymarket_url(&standin));
    let run = gateway(["send", "--to", TO, "--text", "hi", "--base-url", &url]);
    run.heymarket().account().run().exits(3);
    assert_eq!(
        standin.log().last().unwrap().path,
        "/elsewhere/v1/message/send"
    );
}

#[test]
fn a_server_that_echoes_the_credential_does_not_get_it_printed() {
    let url = server(|request| {
        let mut lines = request.lines();
        let line = lines.find(|line| line.starts_with("Authorization"));
        let text = format!("bad\u{1b}[2J header <{}>", line.unwrap());
        response(
            "403 Forbidden",
            &serde_json::json!({ "error": text }).to_string(),
        )
    });
    let args = ["--text", "hi", "--base-url", &url];
    let base = ["send", "--to", TO];
    for run in [
        gateway(base.iter().chain(&args)).heymarket().account(),
        gateway(["check", "--api", "heymarket", "--base-url", &url]).heymarket(),
        gateway(["check", "--api", "heyoo", "--base-url", &url])
            .env("HEYOO_API_KEY", "hey_standin_all"),
    ] {
        let run = run.run().fails(3, &["bad [2J header", "[redacted]"]);
        assert!(!run.stderr.contains('\u{1b}'));
    }
}

#[test]
fn a_delivery_that_cannot_be_printed_is_one_all_the_same() {
    let standin = standin();
    for (args, told) in [
        (&["--text", "hi"][..], "delivered: message 90000"),
        (&["--text", "hi", "--json"], r#""outcome":"delivered""#),
    ] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full");
        let mut command = send(&standin, args).command();
        let command = command.stdin(std::process::Stdio::null());
        let output = command.stdout(full.unwrap()).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{stderr}");
        assert!(stderr.contains("can't write to standard output") && stderr.contains(told));
    }
}

#[test]
fn an_address_that_is_wrong_is_told() {
    let send = |url: &str| {
        let args = ["send", "--to", TO, "--text", "hi", "--base-url", url];
        gateway(args).heymarket().account().run()
    };
    let url = server(|_| response("302 Found", ""));
    send(&url).fails(3, &["points elsewhere", "check --base-url"]);
    let url = server(|_| response("404 Not Found", ""));
    send(&url).fails(3, &["nothing at this address", "check --base-url"]);
    // Longer than any request may be: trying again is of no use.
    let url = format!("{url}/{}", "a".repeat(20_000));
    send(&url).fails(2, &["can't be sent", "buffer"]);
    let check = ["check", "--api", "heymarket", "--base-url", &url];
    gateway(check).heymarket().run().fails(2, &["buffer"]);
}
