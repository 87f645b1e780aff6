//! The Key-ID stand-in: `kid`, `exp`, the raw static token.

mod client;

use api_standin::{Api, Config, Standin, Verdict};
use client::{Answer, bearer, get};
use jsonwebtoken::Header;
use serde_json::{Value, json};

const KID: &str = "5f0c9a52-3c1e-4d0b-9a53-0d5c1f6f7a10";
const SECRET: &[u8] = b"standin-key-id-jwt-secret-0123456789";

/// The time in the vendor's documented answer.
const NOW: i64 = 1_708_574_091;

/// Header in PyJWT's order, `exp` one second after [`NOW`], signed with Python's `hmac`.
const BY_PYTHON: &str = "Bearer eyJhbGciOiJIUzI1NiIsImtpZCI6IjVmMGM5YTUyLTNjMWUtNGQwYi05YTUzLTBkNWMxZjZmN2ExMCIsInR5cCI6IkpXVCJ9.eyJleHAiOjE3MDg1NzQwOTJ9.wgHmDxbJ8o9LwoO6TTIMQmNYE0bVSRSed3q1Lul28SM";

fn start() -> Standin {
    let standin = Standin::start(Config::default()).unwrap();
    standin.set_now(NOW);
    standin
}

fn root(standin: &Standin, authorization: &str) -> Answer {
    get(standin, Api::KeyId, "/", authorization)
}

fn signed(kid: Option<&str>, claims: &Value) -> String {
    let header = Header {
        kid: kid.map(String::from),
        ..Header::default()
    };
    bearer(&header, claims, SECRET)
}

fn verdict(standin: &Standin) -> Verdict {
    standin.log().pop().unwrap().verdict
}

#[test]
fn the_documented_answer() {
    let standin = start();
    let expected = json!({ "message": "Oh, Hello", "time": "2024-02-22T03:54:51Z" });
    for authorization in [BY_PYTHON, "standin-key-id-api-token"] {
        let answer = root(&standin, authorization);
        assert_eq!((answer.status, answer.json()), (200, expected.clone()));
        assert!(answer.header("x-request-id").is_some());
    }
}

#[test]
fn a_missing_kid_is_the_documented_500() {
    let standin = start();
    let answer = root(&standin, &signed(None, &json!({ "exp": NOW + 60 })));
    assert_eq!(answer.status, 500);
    assert_eq!(
        answer.text,
        r#"{"error":"jwt token is missing 'kid' header parameter"}"#
    );
    assert_eq!(verdict(&standin), Verdict::MissingKid);
}

#[test]
fn a_token_is_refused_from_its_exp_on() {
    let standin = start();
    assert_eq!(root(&standin, BY_PYTHON).status, 200);
    standin.set_now(NOW + 1);
    assert_eq!(root(&standin, BY_PYTHON).status, 401);
    assert_eq!(verdict(&standin), Verdict::Expired(0));
}

#[test]
fn wrong_credentials_are_401_and_the_log_says_why() {
    let standin = start();
    let exp = json!({ "exp": NOW + 60 });
    let other_key = bearer(
        &Header {
            kid: Some(KID.into()),
            ..Header::default()
        },
        &exp,
        b"another secret that is long enough",
    );
    let cases = [
        (String::new(), Verdict::NoCredential),
        ("wrong-token".into(), Verdict::UnknownCredential),
        (
            "Bearer standin-key-id-api-token".into(),
            Verdict::MalformedToken,
        ),
        (signed(Some("0000"), &exp), Verdict::UnknownCredential),
        (other_key, Verdict::BadSignature),
        (signed(Some(KID), &json!({})), Verdict::MalformedToken),
        (
            signed(Some(KID), &json!({ "exp": "soon" })),
            Verdict::MalformedToken,
        ),
        (
            signed(Some(KID), &json!({ "exp": NOW + 60, "nbf": NOW + 10 })),
            Verdict::FromTheFuture(10),
        ),
    ];
    for (authorization, expected) in cases {
        let answer = root(&standin, &authorization);
        assert_eq!(answer.status, 401, "{expected:?}");
        assert_eq!(answer.json(), json!({ "error": "unauthorized" }));
        assert_eq!(verdict(&standin), expected);
    }
}

#[test]
fn any_lifetime_and_a_fraction_are_accepted() {
    let standin = start();
    let century = json!({ "exp": NOW + 100 * 365 * 86_400 });
    assert_eq!(root(&standin, &signed(Some(KID), &century)).status, 200);
    let fraction = json!({ "exp": NOW as f64 + 0.5 });
    assert_eq!(root(&standin, &signed(Some(KID), &fraction)).status, 200);
}

#[test]
fn a_revoked_token_is_401() {
    let standin = start();
    standin.change_credentials(|known| {
        known.key_id.jwt.clear();
        known.key_id.api_tokens.clear();
    });
    for authorization in [BY_PYTHON, "standin-key-id-api-token"] {
        assert_eq!(root(&standin, authorization).status, 401);
    }
}
