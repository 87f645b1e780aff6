//! `sign`, `inspect` and `verify`, against the vendor's documented example and an independent library.

mod common;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Validation, decode};
use proptest::prelude::*;
use serde_json::{Value, json};

use common::*;

/// The token of the vendor's documentation, at 1713225600.
const EXAMPLE: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.\
    eyJpc3MiOiI3NGY4MGE3Ny05YjNmLTQ0YWMtYjNhZC1hYjY4Y2ZiNTQ4ZmEiLCJpYXQiOjE3MTMyMjU2MDB9.\
    sWLRg-YlFnPpP99prTT_IpgvMALyFmjYtlnfGEeahS0";

/// A token put together by hand, signed by another library.
fn expected(header: &str, payload: &str, key: &str) -> String {
    let input = format!("{}.{}", BASE64URL.encode(header), BASE64URL.encode(payload));
    let key = EncodingKey::from_secret(key.as_bytes());
    let signature = jsonwebtoken::crypto::sign(input.as_bytes(), &key, Algorithm::HS256).unwrap();
    format!("{input}.{signature}")
}

fn claims(token: &str, key: &str) -> Value {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    let key = DecodingKey::from_secret(key.as_bytes());
    decode::<Value>(token, &key, &validation).unwrap().claims
}

#[test]
fn the_documented_example() {
    let sign = ["sign", "--api", "heymarket", "--iat", "1713225600"];
    let run = gateway(sign).heymarket().run().exits(0);
    assert_eq!(run.stdout, format!("{EXAMPLE}\n"));
    assert_eq!(run.stderr, "");
    let run = gateway(sign.iter().chain(&["--header"])).heymarket().run();
    let line = format!("Authorization: Bearer {EXAMPLE}\n");
    assert_eq!((run.stdout.len(), run.stdout), (188, line));
}

#[test]
fn the_present_is_the_default() {
    let before = now();
    let run = gateway(["sign", "--api", "heymarket"]).heymarket().run();
    let claims = claims(run.stdout.trim(), &format!("{SECRET_ID}||{SECRET_KEY}"));
    let iat = claims["iat"].as_u64().unwrap();
    assert!((before..=now()).contains(&iat));
}

#[test]
fn key_id_tokens_have_kid_and_exp() {
    let sign = ["sign", "--api", "key-id"];
    let exp = |args: &[&str]| {
        let run = gateway(sign.iter().chain(args)).key_id().run().exits(0);
        let token = run.stdout.trim().to_owned();
        let header = jsonwebtoken::decode_header(&token).unwrap();
        assert_eq!(header.kid.as_deref(), Some(KID));
        claims(&token, KID_SECRET)["exp"].as_u64().unwrap()
    };
    assert_eq!(exp(&["--exp", "4102444800"]), 4_102_444_800);
    assert!(exp(&["--lifetime", "900"]).abs_diff(now() + 900) < 10);
    assert!(exp(&[]).abs_diff(now() + 3600) < 10);
    let run = gateway(["sign", "--api", "key-id", "--exp", "1", "--lifetime", "1"]);
    run.key_id().run().fails(2, &["--lifetime"]);
}

#[test]
fn any_claims_in_their_own_order() {
    let written = r#"{"zone":4,"sub":"pump \"3\" 😀","nested":{"b":[1,2.5,null],"a":true}}"#;
    let run = gateway([
        "sign",
        "--claims",
        "-",
        "--kid",
        "k 1",
        "--exp",
        "4102444800",
    ])
    .env("JWT_KEY", JWT_KEY)
    .input(written)
    .run()
    .exits(0);
    let payload = format!(
        r#"{},"exp":4102444800}}"#,
        written.trim_end_matches('}').to_owned() + "}"
    );
    let header = r#"{"alg":"HS256","kid":"k 1","typ":"JWT"}"#;
    assert_eq!(run.stdout.trim(), expected(header, &payload, JWT_KEY));
}

#[test]
fn claims_from_a_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "{}").unwrap();
    let run = gateway([
        "sign".as_ref(),
        "--claims".as_ref(),
        file.path().as_os_str(),
    ])
    .env("JWT_KEY", JWT_KEY)
    .run()
    .exits(0);
    let header = r#"{"alg":"HS256","typ":"JWT"}"#;
    assert_eq!(run.stdout.trim(), expected(header, "{}", JWT_KEY));
}

#[test]
fn claims_that_are_none() {
    let sign = |input: &str, args: &[&str]| {
        gateway(["sign", "--claims", "-"].iter().chain(args))
            .env("JWT_KEY", JWT_KEY)
            .input(input)
            .run()
    };
    sign("[1]", &[]).fails(2, &["not a JSON object"]);
    sign("{", &[]).fails(2, &["not a JSON object"]);
    sign(r#"{"exp":1}"#, &["--exp", "2"]).fails(2, &["exp already"]);
    sign("{}", &["--exp", "9007199254740992"]).fails(2, &["9007199254740992", "milliseconds"]);
    let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(13_000));
    sign(&long, &[]).fails(2, &["more than"]);
    // Neither is signed as something else than it says.
    sign(r#"{"a":1,"a":2}"#, &[]).fails(2, &["\"a\"", "twice"]);
    for number in ["18446744073709551616", "-9223372036854775809", "1e300"] {
        let claims = format!(r#"{{"a":[{{"b":{number}}}]}}"#);
        sign(&claims, &[]).fails(2, &["digits", "as text"]);
    }
    let run = gateway(["sign", "--claims", "/nowhere/claims.json"]);
    run.env("JWT_KEY", JWT_KEY)
        .run()
        .fails(2, &["/nowhere/claims.json"]);
}

#[test]
fn short_keys_are_refused_unless_told_otherwise() {
    let sign = ["sign", "--claims", "-"];
    let run = gateway(sign).env("JWT_KEY", "short").input("{}").run();
    run.fails(2, &["JWT_KEY", "5 bytes", "32", "--weak-key"]);
    let run = gateway(sign.iter().chain(&["--weak-key"]));
    let run = run.env("JWT_KEY", "short").input("{}").run().exits(0);
    let header = r#"{"alg":"HS256","typ":"JWT"}"#;
    assert_eq!(run.stdout.trim(), expected(header, "{}", "short"));
    let run = gateway(sign.iter().chain(&["--weak-key"]));
    run.env("JWT_KEY", "")
        .input("{}")
        .run()
        .fails(2, &["JWT_KEY", "empty"]);
}

#[test]
fn times_that_an_api_does_not_take() {
    for option in ["--exp", "--lifetime"] {
        let run = gateway(["sign", "--api", "heymarket", option, "10"]).heymarket();
        run.run().fails(2, &["heymarket", "no exp", "5 min"]);
    }
    let run = gateway(["sign", "--api", "key-id", "--iat", "10"]).key_id();
    run.run().fails(2, &["key-id", "no iat"]);
    let run = gateway(["sign", "--api", "heymarket", "--iat", "-5"]).heymarket();
    run.run().fails(2, &["--iat"]);
}

#[test]
fn keys_that_are_sent_as_they_are() {
    let sign = ["sign", "--api", "hookmesh"];
    let run = gateway(sign)
        .env("HOOKMESH_API_KEY", "sk_live_standin_1")
        .run();
    run.fails(2, &["no token to sign", "--header"]);
    for (api, name, value, line) in [
        (
            "hookmesh",
            "HOOKMESH_API_KEY",
            "sk_live_standin_1",
            "Bearer sk_live_standin_1",
        ),
        (
            "key-id-static",
            "KEY_ID_API_TOKEN",
            "standin-key-id-api-token",
            "standin-key-id-api-token",
        ),
        // base64("standin-heymarket-team-key:")
        (
            "heymarket-basic",
            "HEYMARKET_API_KEY",
            "standin-heymarket-team-key",
            "Basic c3RhbmRpbi1oZXltYXJrZXQtdGVhbS1rZXk6",
        ),
    ] {
        let run = gateway(["sign", "--api", api, "--header"]).env(name, value);
        let run = run.run_unchecked().exits(0);
        assert_eq!(run.stdout, format!("Authorization: {line}\n"));
    }
}

#[test]
fn json_has_token_and_times() {
    let run = gateway([
        "sign",
        "--api",
        "heymarket",
        "--iat",
        "1713225600",
        "--json",
    ]);
    let expected =
        json!({ "token": EXAMPLE, "api": "heymarket", "iat": 1_713_225_600, "exp": null });
    assert_eq!(run.heymarket().run().exits(0).json(), expected);
    let run = gateway(["sign", "--api", "heymarket", "--json"]).run();
    let run = run.fails(2, &["HEYMARKET_SECRET_ID"]);
    assert_eq!(run.json()["exit"], 2);
}

#[test]
fn inspect_tells_what_apis_would_say() {
    let inspect = |now: &str, token: &str| {
        let run = gateway(["inspect", "--now", now, token]).run().exits(0);
        run.stdout
    };
    let fresh = inspect("1713225610", EXAMPLE);
    for part in [
        r#"{"alg":"HS256","typ":"JWT"}"#,
        r#""iat":1713225600"#,
        "2024-04-16T00:00:00Z, 10 s ago",
        "heymarket  would be accepted if the signature is right, for 4 min 50 s more",
        "key-id     would be refused, with status 500",
    ] {
        assert!(fresh.contains(part), "{part:?} in {fresh}");
    }
    let old = inspect("1713226320", EXAMPLE);
    assert!(old.contains("heymarket  would be refused, issued 12 min ago, tokens live 5 min"));
    let last = inspect("1713225899", EXAMPLE);
    assert!(last.contains("for 1 s more"));
    let late = inspect("1713225900", EXAMPLE);
    assert!(late.contains("would be refused, issued 5 min ago"));
    let early = inspect("1713225500", EXAMPLE);
    assert!(early.contains("would be refused, issued in 1 min 40 s: check the clock"));

    let token = expected(r#"{"alg":"HS256","kid":"x"}"#, r#"{"exp":1000}"#, JWT_KEY);
    assert!(
        inspect("990", &token)
            .contains("key-id     would be accepted if the signature is right, for 10 s")
    );
    assert!(inspect("1000", &token).contains("key-id     would be refused, expired now"));
    assert!(inspect("1000", &token).contains("heymarket  would be refused, it has no iss"));
    let token = expected(r#"{"alg":"none"}"#, r#"{"exp":1000}"#, JWT_KEY);
    assert!(inspect("990", &token).contains("not signed with HS256"));
}

#[test]
fn inspect_reads_what_is_usually_around_a_token() {
    for text in [
        format!("Authorization: Bearer {EXAMPLE}\r\n"),
        format!("authorization: bearer {EXAMPLE}"),
        format!("Bearer {EXAMPLE}\n\n"),
    ] {
        for args in [&["inspect", "--json"][..], &["inspect", "--json", "-"]] {
            let run = gateway(args).input(text.as_str()).run().exits(0);
            assert_eq!(run.json()["claims"]["iat"], 1_713_225_600);
            assert_eq!(run.json()["length"], 165);
        }
    }
}

#[test]
fn inspect_refuses_what_is_no_token() {
    gateway(["inspect", "nonsense"])
        .run()
        .fails(1, &["three parts"]);
    gateway(["inspect", "a.b.c"]).run().fails(1, &["base64url"]);
    gateway(["inspect"]).run().fails(2, &["no token"]);
    let run = gateway(["inspect", "--json", "a.b.c"]).run().exits(1);
    assert_eq!(run.json()["exit"], 1);
}

#[test]
fn a_token_can_not_steer_the_terminal() {
    let payload = r#"{"iss":"\u001b[2J\u0007"}"#;
    let token = expected(r#"{"alg":"HS256"}"#, payload, JWT_KEY);
    let run = gateway(["inspect", &token]).run().exits(0);
    assert!(!run.stdout.contains(['\u{1b}', '\u{7}']));
}

/// JSON may hold all of them as they are; a terminal obeys them nevertheless.
#[test]
fn what_is_printed_as_json_steers_no_terminal_either() {
    let hostile =
        "a\u{7f}\u{9b}2J\u{85}\u{61c}\u{200e}\u{202e}b\u{2066}\u{2028}\u{1b}[2J ü مضخة 😀";
    let payload = serde_json::json!({ "iss": hostile, "exp": 2000, "\u{9b}2J": 1 }).to_string();
    let token = expected(r#"{"alg":"HS256"}"#, &payload, JWT_KEY);
    let at = ["--now", "1500", &token];
    for (command, json) in [
        ("inspect", true),
        ("inspect", false),
        ("verify", true),
        ("verify", false),
    ] {
        let json_arg = if json { &["--json"][..] } else { &[] };
        let run = gateway([&[command], json_arg, &at[..]].concat())
            .env("JWT_KEY", JWT_KEY)
            .run()
            .exits(0);
        let obeyed = |char: char| {
            char.is_control() && char != '\n'
                || matches!(
                    char,
                    '\u{61c}' | '\u{200e}' | '\u{2028}' | '\u{202e}' | '\u{2066}'
                )
        };
        assert!(!run.stdout.contains(obeyed), "{run:?}");
        // And it is still the same text.
        assert!(run.stdout.contains("ü مضخة 😀"), "{run:?}");
        if json {
            assert_eq!(run.json()["claims"]["iss"], hostile);
            assert_eq!(run.json()["claims"]["\u{9b}2J"], 1);
        }
    }
}

#[test]
fn verify_says_yes_or_why_not() {
    let verify = |args: &[&str], key: &str| {
        gateway(["verify"].iter().chain(args))
            .env("JWT_KEY", key)
            .run()
    };
    let token = expected(
        r#"{"alg":"HS256"}"#,
        r#"{"exp":2000,"nbf":1000,"iat":900}"#,
        JWT_KEY,
    );
    let at = |now| ["--now", now, &token];
    let run = verify(&at("1500"), JWT_KEY).exits(0);
    assert!(run.stdout.starts_with("valid"), "{run:?}");
    verify(&at("2000"), JWT_KEY).fails(1, &["not valid", "expired 0 s ago"]);
    verify(&at("950"), JWT_KEY).fails(1, &["becomes valid in 50 s"]);
    verify(&at("1500"), "wrong-key-wrong-key-wrong-key-wrong-key").fails(1, &["not valid"]);
    let run = verify(&["--now", "2004", "--leeway", "5", &token], JWT_KEY);
    run.exits(0);
    let run = verify(&["--now", "1500", "--max-age", "60", &token], JWT_KEY);
    run.fails(1, &["issued 10 min ago, 1 min is allowed"]);
    verify(&["a.b.c"], JWT_KEY).fails(1, &["not valid", "base64url"]);
    let none = expected(r#"{"alg":"none"}"#, "{}", JWT_KEY);
    verify(&[&none], JWT_KEY).fails(1, &["not valid"]);
    let run = verify(&["--json", "--now", "3000", &token], JWT_KEY).exits(1);
    assert_eq!(run.json()["valid"], false);
    assert!(run.json()["reason"].as_str().unwrap().contains("expired"));
    let run = verify(&["--json", "--now", "1500", &token], JWT_KEY).exits(0);
    assert_eq!(run.json()["claims"]["exp"], 2000);
}

#[test]
fn verify_by_the_rules_of_an_api() {
    let verify = |args: &[&str]| gateway(["verify"].iter().chain(args)).heymarket().run();
    for api in [&["--api", "heymarket"][..], &[]] {
        let at = |now: &'static str| [api, &["--now", now, EXAMPLE]].concat();
        verify(&at("1713225899")).exits(0);
        verify(&at("1713225900")).fails(1, &["issued 5 min ago, 5 min is allowed"]);
    }
    let key = format!("{SECRET_ID}||{SECRET_KEY}");
    let forged = expected(r#"{"alg":"HS256"}"#, r#"{"iss":"someone","iat":100}"#, &key);
    verify(&["--api", "heymarket", "--now", "100", &forged]).fails(1, &["iss"]);

    let verify = |token: &str| gateway(["verify", "--now", "5", token]).key_id().run();
    let header = |kid: &str| format!(r#"{{"alg":"HS256","kid":"{kid}"}}"#);
    verify(&expected(&header(KID), r#"{"exp":9}"#, KID_SECRET)).exits(0);
    verify(&expected(&header(KID), "{}", KID_SECRET)).fails(1, &["no exp"]);
    verify(&expected(&header("other"), r#"{"exp":9}"#, KID_SECRET)).fails(1, &["kid"]);
    let run = gateway(["verify", "--api", "hookmesh", EXAMPLE]).run();
    run.fails(2, &["hookmesh", "no tokens"]);
    gateway(["verify", EXAMPLE]).run().fails(2, &["JWT_KEY"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn heymarket_tokens_equal_the_vendors(
        id in "[a-zA-Z0-9-]{1,64}",
        key in "[!-~]{32,80}",
        iat in 0..(1_u64 << 53),
    ) {
        let seconds = iat.to_string();
        let run = gateway(["sign", "--api", "heymarket", "--iat", &seconds])
            .env("HEYMARKET_SECRET_ID", &id)
            .env("HEYMARKET_SECRET_KEY", &key)
            .run()
            .exits(0);
        let payload = format!(r#"{{"iss":"{id}","iat":{iat}}}"#);
        let wanted = expected(r#"{"alg":"HS256","typ":"JWT"}"#, &payload, &format!("{id}||{key}"));
        prop_assert_eq!(run.stdout.trim(), &wanted);
        let run = gateway(["verify", "--now", &seconds, "-"])
            .env("HEYMARKET_SECRET_ID", &id)
            .env("HEYMARKET_SECRET_KEY", &key)
            .input(wanted)
            .run();
        prop_assert_eq!(run.code, 0, "{:?}", run);
    }

    #[test]
    fn any_object_is_signed_and_verified(
        texts in prop::collection::btree_map(any::<String>(), any::<String>(), 0..6),
        numbers in prop::collection::vec(any::<i64>(), 0..6),
        key in "\\PC{32,64}",
    ) {
        let mut object = json!(texts);
        object["\u{0}numbers"] = json!(numbers);
        // Members that decide about the token are not any others.
        for name in ["exp", "nbf", "iat"] {
            object.as_object_mut().unwrap().remove(name);
        }
        let run = gateway(["sign", "--claims", "-"])
            .env("JWT_KEY", &key)
            .input(object.to_string())
            .run_unchecked()
            .exits(0);
        prop_assert_eq!(claims(run.stdout.trim(), &key), object);
    }
}
