//! Heymarket's stand-in: credentials, bodies, field rules, limits.

mod client;

use api_standin::{Api, ApiSecret, Config, Standin, Verdict};
use client::{Answer, ID, KEY, bearer, get, heymarket, heymarket_with, now, post, sms};
use jsonwebtoken::{Algorithm, Header};
use serde_json::{Value, json};

const INBOXES: &str = "/v1/inboxes";
const SEND: &str = "/v1/message/send";

/// Made with the vendor's Python snippet from its published example secret and `iat` 1713225600.
const DOCUMENTED: &str = "Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiI3NGY4MGE3Ny05YjNmLTQ0YWMtYjNhZC1hYjY4Y2ZiNTQ4ZmEiLCJpYXQiOjE3MTMyMjU2MDB9.sWLRg-YlFnPpP99prTT_IpgvMALyFmjYtlnfGEeahS0";

fn start() -> Standin {
    Standin::start(Config::default()).unwrap()
}

fn inboxes(standin: &Standin, authorization: &str) -> Answer {
    get(standin, Api::Heymarket, INBOXES, authorization)
}

fn send(standin: &Standin, body: &Value) -> Answer {
    post(standin, Api::Heymarket, SEND, &heymarket(now()), body)
}

fn verdict(standin: &Standin) -> Verdict {
    standin.log().pop().unwrap().verdict
}

#[test]
fn an_sms_is_accepted_and_recorded() {
    let standin = start();
    let answer = send(&standin, &sms());
    assert_eq!(answer.status, 200);
    let [message] = standin.messages().try_into().unwrap();
    assert_eq!(answer.json()["id"], json!(message.id));
    assert!(answer.json()["date"].is_string() && answer.json()["gallery_url"].is_string());
    let request_id = answer.header("x-request-id").unwrap();
    assert_eq!(request_id, message.request_id);
    assert_eq!(message.local_id.as_deref(), Some("gw-1-0001"));
    assert_eq!(message.phone_number.as_deref(), Some("14155551234"));
    assert_eq!(message.text.as_deref(), Some("Freezer 3 is at -4 °C"));
    assert_eq!(message.body, sms());
    let [entry] = standin.log().try_into().unwrap();
    assert_eq!((entry.status, entry.verdict), (200, Verdict::Accepted));
    assert_eq!((entry.method.as_str(), entry.path.as_str()), ("POST", SEND));
    assert_eq!(entry.body, Some(sms()));
}

#[test]
fn a_repeated_send_is_accepted_again_under_the_same_local_id() {
    let standin = start();
    let ids = [send(&standin, &sms()), send(&standin, &sms())].map(|answer| answer.json());
    assert_ne!(ids[0]["id"], ids[1]["id"]);
    let sent = standin.messages();
    assert_eq!((sent.len(), &sent[0].local_id), (2, &sent[1].local_id));
}

#[test]
fn inboxes_are_a_bare_array() {
    let standin = start();
    let answer = inboxes(&standin, &heymarket(now()));
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let inboxes = answer.json();
    assert_eq!(inboxes[0]["id"], json!(42));
    assert_eq!(inboxes[0]["members"], json!([7]));
    assert_eq!(inboxes[0]["phones"], json!(["15105550100"]));
}

#[test]
fn a_token_lives_from_30_seconds_before_its_iat_to_300_after() {
    let standin = start();
    let iat = 1_713_225_600;
    let judged = |now| {
        standin.set_now(now);
        (inboxes(&standin, DOCUMENTED).status, verdict(&standin))
    };
    assert_eq!(judged(iat), (200, Verdict::Accepted));
    assert_eq!(judged(iat + 299), (200, Verdict::Accepted));
    assert_eq!(judged(iat + 300), (401, Verdict::TooOld(300)));
    assert_eq!(judged(iat - 30), (200, Verdict::Accepted));
    assert_eq!(judged(iat - 31), (401, Verdict::FromTheFuture(31)));
}

#[test]
fn the_date_is_the_servers_clock() {
    let standin = start();
    standin.set_now(1_713_225_600);
    let answer = inboxes(&standin, DOCUMENTED);
    assert_eq!(answer.header("date"), Some("Tue, 16 Apr 2024 00:00:00 GMT"));
    standin.use_system_clock();
    assert_eq!(inboxes(&standin, &heymarket(now())).status, 200);
}

#[test]
fn claims_beyond_the_documented_two_are_ignored() {
    let standin = start();
    let secret = format!("{ID}||{KEY}");
    let claims = json!({ "iss": ID, "iat": now(), "exp": 1, "aud": "api", "sub": "gw-1" });
    let token = bearer(&Header::default(), &claims, secret.as_bytes());
    assert_eq!(inboxes(&standin, &token).status, 200);
}

#[test]
fn wrong_tokens_are_401_and_the_log_says_why() {
    let standin = start();
    let secret = format!("{ID}||{KEY}");
    let claims = json!({ "iss": ID, "iat": now() });
    let signed = |header: &Header, claims: &Value| bearer(header, claims, secret.as_bytes());
    let good = signed(&Header::default(), &claims);
    let (head, _) = good.rsplit_once('.').unwrap();
    // {"alg":"none","typ":"JWT"}
    let none = "Bearer eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJpc3MiOiJ4IiwiaWF0IjoxfQ.";
    let cases = [
        (String::new(), Verdict::NoCredential),
        ("Bearer".into(), Verdict::NoCredential),
        (good.replace("Bearer ", ""), Verdict::NoCredential),
        ("Bearer wrong-team-key".into(), Verdict::UnknownCredential),
        (heymarket_with("x", KEY, now()), Verdict::UnknownCredential),
        (heymarket_with(ID, "x", now()), Verdict::BadSignature),
        (
            bearer(&Header::default(), &claims, KEY.as_bytes()),
            Verdict::BadSignature,
        ),
        (format!("{head}."), Verdict::BadSignature),
        (
            signed(&Header::new(Algorithm::HS512), &claims),
            Verdict::WrongAlgorithm,
        ),
        (none.into(), Verdict::MalformedToken),
        (
            signed(&Header::default(), &json!({ "iss": ID })),
            Verdict::MalformedToken,
        ),
        (
            signed(
                &Header::default(),
                &json!({ "iss": ID, "iat": now().to_string() }),
            ),
            Verdict::MalformedToken,
        ),
        ("Bearer a.b.c".into(), Verdict::MalformedToken),
        (heymarket(now() - 301), Verdict::TooOld(301)),
    ];
    for (authorization, expected) in cases {
        let answer = inboxes(&standin, &authorization);
        assert_eq!(answer.status, 401, "{expected:?}");
        assert_eq!(answer.json()["error"], json!("Unauthorized"));
        let seen = verdict(&standin);
        // A second may have passed since the token was made.
        let same = seen == expected || matches!(seen, Verdict::TooOld(301..=303));
        assert!(same, "{seen:?} is not {expected:?}");
    }
}

#[test]
fn the_team_key_works_as_bearer_and_as_basic_with_an_empty_password() {
    let standin = start();
    let bearer = "Bearer standin-heymarket-team-key";
    // printf 'standin-heymarket-team-key:' | base64
    let basic = "Basic c3RhbmRpbi1oZXltYXJrZXQtdGVhbS1rZXk6";
    // The same with the password "x".
    let password = "Basic c3RhbmRpbi1oZXltYXJrZXQtdGVhbS1rZXk6eA==";
    assert_eq!(inboxes(&standin, bearer).status, 200);
    assert_eq!(inboxes(&standin, basic).status, 200);
    assert_eq!(inboxes(&standin, password).status, 401);
    standin.change_credentials(|known| known.heymarket.api_key = None);
    assert_eq!(inboxes(&standin, bearer).status, 401);
    assert_eq!(inboxes(&standin, basic).status, 401);
}

#[test]
fn two_slots_rotate_without_a_gap() {
    let standin = start();
    let old = heymarket(now());
    let new = heymarket_with("5d2f1f0e-new", "n3wK3y", now());
    let statuses = || [&old, &new].map(|token| inboxes(&standin, token).status);
    assert_eq!(statuses(), [200, 401]);
    standin.change_credentials(|known| {
        known.heymarket.slots[1] = Some(ApiSecret::new("5d2f1f0e-new", "n3wK3y"));
    });
    assert_eq!(statuses(), [200, 200]);
    standin.change_credentials(|known| known.heymarket.slots[0] = None);
    assert_eq!(statuses(), [401, 200]);
}

#[test]
fn sends_that_break_a_rule_are_400_and_recorded_nowhere() {
    let standin = start();
    let with = |name: &str, value: Value| {
        let mut body = sms();
        body[name] = value;
        body
    };
    let without = |name: &str| {
        let mut body = sms();
        body.as_object_mut().unwrap().remove(name);
        body
    };
    let number = "a phone number must be E.164 digits without the leading plus sign";
    let target = "give exactly one of phone_number, chat_id, list_id and targets";
    let mut list = without("phone_number");
    list["list_id"] = json!(9);
    list.as_object_mut().unwrap().remove("local_id");
    let cases = [
        (json!([1]), "the body must be a JSON object"),
        (without("inbox_id"), "inbox_id is required"),
        (without("creator_id"), "creator_id is required"),
        (with("inbox_id", json!("42")), "inbox_id must be an integer"),
        (
            with("creator_id", json!(7.5)),
            "creator_id must be an integer",
        ),
        (
            with("inbox_id", json!(1)),
            "inbox_id names no inbox of this team",
        ),
        (without("phone_number"), target),
        (with("chat_id", json!(3)), target),
        (with("targets", json!(["14155551234"])), target),
        (with("phone_number", json!("+14155551234")), number),
        (with("phone_number", json!("1 415 5551234")), number),
        (with("phone_number", json!("04155551234")), number),
        (with("phone_number", json!("1234567890123456")), number),
        (with("phone_number", json!("")), number),
        (
            with("phone_number", json!(14_155_551_234_i64)),
            "phone_number must be a string",
        ),
        (list, "local_id is required with list_id"),
        (
            without("text"),
            "text, media_url or template_id is required",
        ),
        (
            with("text", json!("")),
            "text, media_url or template_id is required",
        ),
        (
            with("template_id", json!(1)),
            "give text or template_id, not both",
        ),
        (with("private", json!("yes")), "private must be a boolean"),
    ];
    for (body, why) in cases {
        let answer = send(&standin, &body);
        assert_eq!(answer.status, 400, "{body}");
        assert_eq!(
            answer.json(),
            json!({ "error": "bad_data", "message": why })
        );
        assert_eq!(verdict(&standin), Verdict::BadRequest(why.into()));
    }
    assert!(standin.messages().is_empty());
}

#[test]
fn every_target_family_and_content_is_accepted() {
    let standin = start();
    let base = json!({ "inbox_id": 413, "creator_id": 2, "local_id": "l" });
    let merge = |more: Value| {
        let mut body = base.clone();
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        body
    };
    for body in [
        merge(json!({ "chat_id": 5, "text": "a" })),
        merge(json!({ "list_id": 5, "text": "a" })),
        merge(json!({ "targets": ["14155551234", "491701234567"], "text": "a" })),
        merge(json!({ "phone_number": "14155551234", "template_id": 3 })),
        merge(json!({ "phone_number": "14155551234", "media_url": "https://example.com/a.png" })),
        merge(json!({ "phone_number": "14155551234", "text": "\u{1f525}\n", "private": false })),
    ] {
        assert_eq!(send(&standin, &body).status, 200, "{body}");
    }
    assert_eq!(standin.messages().len(), 6);
}

#[test]
fn a_sender_who_is_no_member_is_403() {
    let standin = start();
    let mut body = sms();
    body["creator_id"] = json!(1);
    let answer = send(&standin, &body);
    assert_eq!(answer.status, 403);
    assert_eq!(answer.json()["error"], json!("Denied"));
    assert!(matches!(verdict(&standin), Verdict::NoPermission(_)));
    assert!(standin.messages().is_empty());
}

#[test]
fn a_body_that_is_not_json_is_400_and_an_unknown_path_404() {
    let standin = start();
    let head = format!(
        "POST {SEND} HTTP/1.1\r\nhost: a\r\nauthorization: {}",
        heymarket(now())
    );
    let request = format!("{head}\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{{]");
    let (bytes, _) = client::exchange(&standin, Api::Heymarket, request.as_bytes());
    assert!(bytes.starts_with(b"HTTP/1.1 400 Bad Request\r\n"));
    assert_eq!(
        get(&standin, Api::Heymarket, "/v1/nothing", &heymarket(now())).status,
        404
    );
    assert_eq!(verdict(&standin), Verdict::NotFound);
}

#[test]
fn the_501st_request_of_a_minute_is_429_without_body_or_hints() {
    let standin = start();
    standin.set_now(1_713_225_600);
    let request = format!(
        "GET {INBOXES} HTTP/1.1\r\nhost: a\r\nauthorization: {DOCUMENTED}\r\nconnection: close\r\n\r\n"
    );
    for _ in 0..500 {
        let (bytes, _) = client::exchange(&standin, Api::Heymarket, request.as_bytes());
        assert!(bytes.starts_with(b"HTTP/1.1 200 OK\r\n"));
    }
    let answer = inboxes(&standin, DOCUMENTED);
    assert_eq!((answer.status, answer.text.as_str()), (429, ""));
    assert_eq!(verdict(&standin), Verdict::RateLimited);
    for name in ["retry-after", "x-ratelimit-limit", "x-ratelimit-reset"] {
        assert_eq!(answer.header(name), None);
    }
    assert!(answer.header("x-request-id").is_some());
    standin.set_now(1_713_225_660);
    assert_eq!(inboxes(&standin, DOCUMENTED).status, 200);
}

#[test]
fn request_ids_are_uuids_and_differ() {
    let standin = start();
    let ids = [heymarket(now()), String::new()].map(|authorization| {
        let answer = inboxes(&standin, &authorization);
        answer.header("x-request-id").unwrap().to_string()
    });
    assert_ne!(ids[0], ids[1]);
    for id in ids {
        let lengths: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert!(id.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit()));
    }
}

#[test]
fn neither_log_nor_debug_output_holds_a_secret() {
    let standin = start();
    let token = heymarket(now());
    send(&standin, &sms());
    inboxes(&standin, &token);
    inboxes(&standin, "Bearer standin-heymarket-team-key");
    let everything = format!(
        "{standin:?} {:?} {:?}",
        standin.log(),
        standin.credentials()
    );
    assert!(everything.contains("gw-1-0001"));
    for secret in [
        ID,
        KEY,
        &token[7..],
        "standin-heymarket-team-key",
        "sk_live_standin",
    ] {
        assert!(!everything.contains(secret), "{secret} is shown");
    }
}

#[test]
fn only_loopback_is_listened_on() {
    let ip = "0.0.0.0".parse().unwrap();
    let config = Config {
        ip,
        ..Config::default()
    };
    let error = Standin::start(config).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("0.0.0.0 is not a loopback address")
    );
}

#[test]
fn fixed_ports_count_up_and_are_free_again_after_a_drop() {
    // Below the ports that a system hands out by itself, so that nothing takes them in between.
    let (config, standin) = (20_000..32_000)
        .step_by(4)
        .find_map(|port| {
            let config = Config {
                port,
                ..Config::default()
            };
            Some((config.clone(), Standin::start(config).ok()?))
        })
        .unwrap();
    let ports = Api::ALL.map(|api| standin.address(api).port());
    assert_eq!(ports, [0, 1, 2, 3].map(|n| config.port + n));
    let error = Standin::start(config.clone()).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("can't listen for heymarket: ")
    );
    drop(standin);
    assert!(Standin::start(config).is_ok());
}
