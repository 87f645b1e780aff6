//! What inspection and verification refuse, each with its named error.

use base64ct::{Base64UrlUnpadded, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use jwt_core::{
    HmacKey, MAX_TOKEN_LEN, Part, TimeError, Times, TokenError, Validation, VerifyError, inspect,
    verify,
};
use sha2::Sha256;

const KEY: &[u8] = b"a secret of at least 32 bytes, see RFC 7518";
const NOW: u64 = 1_713_225_600;
const STRICT: Validation = Validation {
    now: NOW,
    leeway_secs: 0,
    max_age_secs: None,
};

/// A token of any header and payload, signed with HMAC-SHA256 by the `hmac` crate.
fn forge(header: &str, payload: &str) -> String {
    let input = format!(
        "{}.{}",
        Base64UrlUnpadded::encode_string(header.as_bytes()),
        Base64UrlUnpadded::encode_string(payload.as_bytes())
    );
    let mut mac = Hmac::<Sha256>::new_from_slice(KEY).unwrap();
    mac.update(input.as_bytes());
    let signature = mac.finalize().into_bytes();
    format!("{input}.{}", Base64UrlUnpadded::encode_string(&signature))
}

fn refusal(token: &str, validation: &Validation) -> Option<VerifyError<std::convert::Infallible>> {
    let mut scratch = vec![0; token.len()];
    verify(&HmacKey::new(KEY).unwrap(), token, validation, &mut scratch).err()
}

#[test]
fn algorithms() {
    const HS256: &str = r#"{"alg":"HS256"}"#;
    assert_eq!(refusal(&forge(HS256, "{}"), &STRICT), None);
    for header in [
        r#"{"alg":"none"}"#,
        r#"{"alg":"None"}"#,
        r#"{"alg":"hs256"}"#,
        r#"{"alg":"HS384"}"#,
        r#"{"alg":"RS256"}"#,
        r#"{"alg":""}"#,
        r#"{"alg":"HS256 "}"#,
    ] {
        assert_eq!(
            refusal(&forge(header, "{}"), &STRICT),
            Some(VerifyError::NotHs256),
            "{header}"
        );
    }
    // An unsigned token, with and without the second dot's signature.
    let unsigned = forge(r#"{"alg":"none"}"#, "{}");
    let unsigned = &unsigned[..=unsigned.rfind('.').unwrap()];
    assert_eq!(refusal(unsigned, &STRICT), Some(VerifyError::NotHs256));
    let stripped = forge(HS256, "{}");
    let stripped = &stripped[..=stripped.rfind('.').unwrap()];
    assert_eq!(
        refusal(stripped, &STRICT),
        Some(VerifyError::WrongSignature)
    );
}

#[test]
fn headers() {
    for (header, error) in [
        (r#"{"typ":"JWT"}"#, TokenError::NoAlgorithm),
        (r#"{"alg":1}"#, TokenError::Json(Part::Header)),
        (r#"{"alg":"HS256","kid":7}"#, TokenError::Json(Part::Header)),
        (
            r#"{"alg":"none","alg":"HS256"}"#,
            TokenError::RepeatedMember(Part::Header),
        ),
        (
            r#"{"\u0061lg":"none","alg":"HS256"}"#,
            TokenError::RepeatedMember(Part::Header),
        ),
        (r#"["HS256"]"#, TokenError::Json(Part::Header)),
        (r#"{"alg":"HS256"} x"#, TokenError::Json(Part::Header)),
        ("", TokenError::Json(Part::Header)),
    ] {
        assert_eq!(
            refusal(&forge(header, "{}"), &STRICT),
            Some(VerifyError::Token(error)),
            "{header}"
        );
    }
    let critical = forge(r#"{"alg":"HS256","crit":["b64"],"b64":false}"#, "{}");
    assert_eq!(refusal(&critical, &STRICT), Some(VerifyError::Critical));
}

#[test]
fn payloads() {
    for (payload, error) in [
        ("[]", TokenError::Json(Part::Payload)),
        ("{\"a\":\"\u{1}\"}", TokenError::Json(Part::Payload)),
        (r#"{"exp":1e10}"#, TokenError::TimeNotSeconds),
        (r#"{"exp":9999999999.5}"#, TokenError::TimeNotSeconds),
        (r#"{"exp":-1}"#, TokenError::TimeNotSeconds),
        (r#"{"exp":"9999999999"}"#, TokenError::TimeNotSeconds),
        (r#"{"exp":null}"#, TokenError::TimeNotSeconds),
        (r#"{"iat":9007199254740992}"#, TokenError::TimeNotSeconds),
        (
            r#"{"exp":1,"exp":9999999999}"#,
            TokenError::RepeatedMember(Part::Payload),
        ),
    ] {
        let token = forge(r#"{"alg":"HS256"}"#, payload);
        assert_eq!(
            refusal(&token, &STRICT),
            Some(VerifyError::Token(error)),
            "{payload}"
        );
    }
}

#[test]
fn encodings() {
    let token = forge(r#"{"alg":"HS256"}"#, r#"{"iss":"a"}"#);
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = parts[..] else {
        panic!("three parts")
    };
    // 32 bytes leave two bits in the last character, which must be zero: raise the lowest one.
    let last = signature.chars().last().unwrap() as u8;
    let loose = format!("{}{}", &signature[..42], (last + 1) as char);

    for (text, error) in [
        (format!("{header}.{payload}"), TokenError::NotThreeParts),
        (format!("{token}."), TokenError::NotThreeParts),
        (format!(".{token}"), TokenError::NotThreeParts),
        (String::new(), TokenError::NotThreeParts),
        (
            format!("{header}=.{payload}.{signature}"),
            TokenError::Encoding(Part::Header),
        ),
        (
            format!("{header}.{payload}==.{signature}"),
            TokenError::Encoding(Part::Payload),
        ),
        (
            format!("{header}. {payload}.{signature}"),
            TokenError::Encoding(Part::Payload),
        ),
        (format!("{token}\n"), TokenError::Encoding(Part::Signature)),
        (
            format!("{header}.{payload}.{loose}"),
            TokenError::Encoding(Part::Signature),
        ),
        (
            format!("{header}.{payload}.+{}", &signature[1..]),
            TokenError::Encoding(Part::Signature),
        ),
        (
            "a".repeat(MAX_TOKEN_LEN + 1),
            TokenError::TooLong {
                len: MAX_TOKEN_LEN + 1,
            },
        ),
    ] {
        assert_eq!(
            refusal(&text, &STRICT),
            Some(VerifyError::Token(error)),
            "{text}"
        );
    }
}

#[test]
fn scratch_at_every_length() {
    let token = forge(r#"{"alg":"HS256"}"#, r#"{"iss":"a"}"#);
    let needed = 15 + 11 + 32;
    for len in 0..=needed + 1 {
        let mut scratch = vec![0xa5; len];
        let result = inspect(&token, &mut scratch).map(|token| token.times());
        if len < needed {
            assert_eq!(result, Err(TokenError::BufferTooSmall { needed }));
            assert!(scratch.iter().all(|byte| *byte == 0xa5));
        } else {
            assert_eq!(result, Ok(Times::NONE));
        }
    }
}

#[test]
fn times_at_their_edges() {
    let check = |leeway_secs, max_age_secs, times: Times| {
        Validation {
            now: NOW,
            leeway_secs,
            max_age_secs,
        }
        .check(&times)
    };
    for leeway in [0, 1, 300] {
        assert_eq!(check(leeway, None, Times::exp(NOW - leeway + 1)), Ok(()));
        let exp = NOW - leeway;
        assert_eq!(
            check(leeway, None, Times::exp(exp)),
            Err(TimeError::Expired { exp })
        );

        assert_eq!(check(leeway, None, Times::iat(NOW + leeway)), Ok(()));
        let late = NOW + leeway + 1;
        assert_eq!(
            check(leeway, None, Times::iat(late)),
            Err(TimeError::IssuedInFuture { iat: late })
        );
        let nbf = Times {
            nbf: Some(late),
            ..Times::NONE
        };
        assert_eq!(
            check(leeway, None, nbf),
            Err(TimeError::NotYetValid { nbf: late })
        );

        let oldest = NOW - leeway - 300;
        assert_eq!(check(leeway, Some(300), Times::iat(oldest + 1)), Ok(()));
        assert_eq!(
            check(leeway, Some(300), Times::iat(oldest)),
            Err(TimeError::TooOld { iat: oldest })
        );
        assert_eq!(
            check(leeway, Some(300), Times::exp(NOW + 9)),
            Err(TimeError::NoIssueTime)
        );
    }
    // The ends of the range neither wrap nor panic.
    let end = Validation {
        now: u64::MAX,
        leeway_secs: u64::MAX,
        max_age_secs: Some(u64::MAX),
    };
    assert_eq!(end.check(&Times::iat(u64::MAX)), Ok(()));
    let start = Validation {
        now: 0,
        leeway_secs: 0,
        max_age_secs: Some(0),
    };
    assert_eq!(
        start.check(&Times::iat(0)),
        Err(TimeError::TooOld { iat: 0 })
    );
    assert_eq!(
        start.check(&Times::exp(0)),
        Err(TimeError::Expired { exp: 0 })
    );
}
