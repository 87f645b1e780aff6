//! `check` against the four APIs, and what it says when they refuse.

mod common;

use api_standin::{Api, Fault, Kind, Standin};

use common::*;

fn check(standin: &Standin, args: &[&str]) -> Gateway {
    let url = heymarket_url(standin);
    gateway(
        ["check", "--api", "heymarket", "--base-url", &url]
            .iter()
            .copied()
            .chain(args.iter().copied()),
    )
    .heymarket()
}

#[test]
fn every_api_accepts_its_credential() {
    let standin = standin();
    for (name, api, variables) in [
        (
            "heymarket",
            Api::Heymarket,
            &[
                ("HEYMARKET_SECRET_ID", SECRET_ID),
                ("HEYMARKET_SECRET_KEY", SECRET_KEY),
            ][..],
        ),
        (
            "heymarket-bearer",
            Api::Heymarket,
            &[("HEYMARKET_API_KEY", "standin-heymarket-team-key")],
        ),
        (
            "heymarket-basic",
            Api::Heymarket,
            &[("HEYMARKET_API_KEY", "standin-heymarket-team-key")],
        ),
        (
            "key-id",
            Api::KeyId,
            &[("KEY_ID_JWT_KID", KID), ("KEY_ID_JWT_SECRET", KID_SECRET)],
        ),
        (
            "key-id-static",
            Api::KeyId,
            &[("KEY_ID_API_TOKEN", "standin-key-id-api-token")],
        ),
        ("heyoo", Api::Heyoo, &[("HEYOO_API_KEY", "hey_standin_all")]),
        (
            "hookmesh",
            Api::HookMesh,
            &[("HOOKMESH_API_KEY", "sk_live_standin_1")],
        ),
    ] {
        let mut run = gateway(["check", "--api", name, "--base-url", &standin.base_url(api)]);
        for (name, value) in variables {
            run = run.env(name, value);
        }
        let run = run.run().exits(0);
        let request_id = &standin.log().last().unwrap().request_id.clone();
        assert!(run.stdout.contains("accepts the credential"), "{run:?}");
        assert!(run.stdout.contains(request_id), "{run:?}");
    }
}

#[test]
fn inboxes_are_listed() {
    let standin = standin();
    let run = check(&standin, &[]).run().exits(0);
    assert!(
        run.stdout.contains("inbox 413 (Support), members 1, 2, 5"),
        "{run:?}"
    );
    let json = check(&standin, &["--json"]).run().exits(0).json();
    assert_eq!(json["ok"], true);
    assert_eq!(json["inboxes"][0]["id"], 42);
    assert_eq!(json["status"], 200);
}

#[test]
fn a_base_url_may_have_a_path() {
    let standin = standin();
    for suffix in ["", "/", "/v1", "/v1/"] {
        let url = heymarket_url(&standin) + suffix;
        gateway(["check", "--api", "heymarket", "--base-url", &url])
            .heymarket()
            .run()
            .exits(0);
    }
    let url = heymarket_url(&standin) + "/other";
    let run = gateway(["check", "--api", "heymarket", "--base-url", &url])
        .heymarket()
        .run();
    run.fails(3, &["nothing at this address", "--base-url", "404"]);
}

#[test]
fn a_wrong_key_is_told_from_a_wrong_clock() {
    let standin = standin();
    let run = check(&standin, &[]).env(
        "HEYMARKET_SECRET_KEY",
        "wrong-key-wrong-key-wrong-key-wrong-key",
    );
    let run = run
        .run()
        .fails(3, &["mistyped, revoked", "status 401", "request id"]);
    assert!(run.stderr.contains(&standin.log()[0].request_id));
    for (skew, words) in [(420, "7 min behind"), (-420, "7 min ahead of")] {
        standin.inject(Fault::next(2, Kind::ClockSkew(skew)));
        check(&standin, &[])
            .run()
            .fails(3, &["clock is 7 min", words, "set the clock", "401"]);
        let json = check(&standin, &["--json"]).run().exits(3).json();
        let ahead = json["clock_ahead_secs"].as_i64().unwrap();
        assert!((ahead + skew).abs() <= 1, "{json}");
        assert_eq!(json["status"], 401);
    }
}

#[test]
fn a_wrong_clock_is_told_before_it_hurts() {
    let standin = standin();
    standin.inject(Fault::next(1, Kind::ClockSkew(120)));
    let run = check(&standin, &[]).run().exits(0);
    assert!(run.stderr.contains("2 min behind"), "{run:?}");
}

#[test]
fn each_refusal_has_its_words_and_its_exit_code() {
    let standin = standin();
    for (kind, code, words) in [
        (Kind::Status(403), 3, "no access"),
        (Kind::Status(404), 3, "--base-url"),
        (Kind::Status(302), 3, "points elsewhere"),
        (Kind::Status(400), 3, "will not take"),
        (
            Kind::RateLimited { retry_after: None },
            4,
            "too many requests: try again later",
        ),
        (
            Kind::RateLimited {
                retry_after: Some(90),
            },
            4,
            "too many requests: try again in 1 min 30 s",
        ),
        (Kind::Status(500), 4, "problem of its own"),
        (Kind::Status(503), 4, "problem of its own"),
    ] {
        standin.inject(Fault::next(1, kind));
        let run = check(&standin, &[])
            .run()
            .fails(code, &[words, "request id"]);
        assert!(
            run.stderr
                .contains(&standin.log().last().unwrap().request_id),
            "{run:?}"
        );
    }
}

#[test]
fn no_answer_is_worth_a_retry() {
    let standin = standin();
    for kind in [
        Kind::Garbage,
        Kind::TwoContentLengths,
        Kind::DropAfterRequestBytes(20),
        Kind::ResetAfterRequestBytes(20),
        Kind::DropAfterResponseBytes(0),
        Kind::DropAfterResponseBytes(40),
        Kind::ResetAfterResponseBytes(10),
    ] {
        standin.inject(Fault::next(1, kind));
        check(&standin, &[])
            .run()
            .fails(4, &["no usable answer from http://127.0.0.1"]);
    }
    standin.inject(Fault::next(1, Kind::StallAfterResponseBytes(10)));
    check(&standin, &["--timeout", "1"])
        .run()
        .fails(4, &["the time ran out"]);
    let run = gateway(["check", "--api", "heymarket", "--base-url", &closed_port()]).heymarket();
    run.run().fails(
        4,
        &["nothing was sent", "can't be reached", "check the host"],
    );
}

#[test]
fn odd_but_valid_answers_are_read() {
    let standin = standin();
    for kind in [
        Kind::ChunkedBody,
        Kind::OneHundredContinue,
        Kind::OversizeBody(100_000),
    ] {
        standin.inject(Fault::next(1, kind));
        check(&standin, &[]).run().exits(0);
    }
}

/// A login page, a captive portal or another service answers 200 to everything.
#[test]
fn an_answer_that_is_not_the_apis_proves_nothing() {
    let html = "<!doctype html><title>Sign in</title>";
    for (api, body) in [
        ("heymarket", html),
        ("heymarket", ""),
        ("heymarket", "{\"message\":\"ok\"}"),
        ("heymarket", "\"ok\""),
        ("key-id", html),
        ("key-id", "[]"),
        ("key-id", "{\"message\":\"Oh, Hello\"}"),
        ("key-id", "{\"message\":\"Oh, Hello\",\"time\":\"today\"}"),
        ("heyoo", html),
        ("heyoo", "true"),
        ("hookmesh", html),
        ("hookmesh", "{\"data\":"),
    ] {
        let url = server(move |_| response("200 OK", body));
        let run = gateway(["check", "--api", api, "--base-url", &url])
            .heymarket()
            .key_id()
            .env("HEYOO_API_KEY", "hey_standin_all")
            .env("HOOKMESH_API_KEY", "sk_live_standin_1");
        run.run().fails(1, &["200", "not as", "--base-url"]);
    }
}

/// Key-ID tells its time in the body: enough to find a wrong clock by, where a proxy has taken `Date` away.
#[test]
fn the_time_in_a_greeting_is_a_clock() {
    let body = r#"{"message":"Oh, Hello","time":"2024-02-22T03:54:51Z"}"#;
    let url = server(|_| response("200 OK", body));
    let check = ["check", "--api", "key-id", "--json", "--base-url", &url];
    let json = gateway(check).key_id().run().exits(0).json();
    // 2024-02-22T03:54:51Z, by `date -d`.
    let ahead = now() as i64 - 1_708_574_091;
    let told = json["clock_ahead_secs"].as_i64().unwrap();
    assert!((told - ahead).abs() <= 2, "{json}");
}

#[test]
fn a_missing_permission_is_named() {
    let standin = standin();
    let url = standin.base_url(Api::Heyoo);
    let run = gateway(["check", "--api", "heyoo", "--base-url", &url])
        .env("HEYOO_API_KEY", "hey_standin_tags_only")
        .run();
    run.fails(3, &["no access", "it says:", "campaigns.read"]);
}

#[test]
fn key_id_has_no_host_of_its_own() {
    let run = gateway(["check", "--api", "key-id"]).key_id().run();
    run.fails(2, &["--base-url"]);
}
