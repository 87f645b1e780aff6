//! Tokens against the `jsonwebtoken` crate: it accepts ours, we accept its, both refuse the same.

use std::collections::HashMap;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Validation as Rules};
use jwt_core::{
    Claims, Header, HmacKey, Json, MAX_SECONDS, Times, Validation, VerifyError, inspect, sign,
    token_len, verify,
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const ANY_TIME: Validation = Validation {
    now: 0,
    leeway_secs: u64::MAX,
    max_age_secs: None,
};

/// Signature and `alg` only: times and audience are judged elsewhere.
fn signature_only() -> Rules {
    let mut rules = Rules::new(Algorithm::HS256);
    rules.required_spec_claims.clear();
    rules.validate_exp = false;
    rules.validate_nbf = false;
    rules.validate_aud = false;
    rules
}

/// Any text, with what JSON must escape more often than chance would have it.
fn hostile_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<String>(),
        prop::sample::select(vec![
            "\"", "\\", "\0", "\u{1f}", "\u{7f}", "\n", "\u{2028}", "é", "😀", "</"
        ])
        .prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}

fn key_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 32..140)
}

fn seconds() -> impl Strategy<Value = u64> {
    prop_oneof![
        0..=MAX_SECONDS,
        Just(0),
        Just(1 << 31),
        Just(1 << 32),
        Just(MAX_SECONDS)
    ]
}

proptest! {
    #[test]
    fn it_accepts_ours(
        key in key_bytes(),
        kid in prop::option::of(hostile_text()),
        [iss, sub, aud, jti] in prop::array::uniform4(prop::option::of(hostile_text())),
        [exp, nbf, iat] in prop::array::uniform3(prop::option::of(seconds())),
    ) {
        let header = kid.as_deref().map_or(Header::new(), Header::with_kid);
        let claims = Claims {
            iss: iss.as_deref(), sub: sub.as_deref(), aud: aud.as_deref(), jti: jti.as_deref(),
        };
        let times = Times { exp, nbf, iat };
        let mut out = vec![0; token_len(header.len(), claims.len(&times))];
        let token = sign(&HmacKey::new(&key).unwrap(), &header, &claims, &times, &mut out).unwrap();

        let decoded = jsonwebtoken::decode::<Map<String, Value>>(
            token, &DecodingKey::from_secret(&key), &signature_only()
        ).unwrap();
        prop_assert_eq!(decoded.header.kid, kid);
        prop_assert_eq!(decoded.header.typ.as_deref(), Some("JWT"));
        let mut expected = Map::new();
        for (name, text) in [("iss", iss), ("sub", sub), ("aud", aud), ("jti", jti)] {
            expected.extend(text.map(|text| (name.into(), json!(text))));
        }
        for (name, time) in [("exp", exp), ("nbf", nbf), ("iat", iat)] {
            expected.extend(time.map(|time| (name.into(), json!(time))));
        }
        prop_assert_eq!(decoded.claims, expected);
    }

    #[test]
    fn it_accepts_ours_of_any_shape(
        key in key_bytes(),
        claims in prop::collection::hash_map(
            hostile_text(), (any::<i64>(), hostile_text(), prop::collection::vec(any::<bool>(), 0..4)), 0..4
        ),
    ) {
        let payload = Json::<8192>::new(&claims).unwrap();
        let mut out = [0; 12_000];
        let token = sign(&HmacKey::new(&key).unwrap(), &Header::new(), &payload, &Times::NONE, &mut out).unwrap();

        let decoded = jsonwebtoken::decode::<HashMap<String, (i64, String, Vec<bool>)>>(
            token, &DecodingKey::from_secret(&key), &signature_only()
        ).unwrap();
        prop_assert_eq!(decoded.claims, claims);
    }

    #[test]
    fn we_accept_its(
        key in key_bytes(),
        kid in prop::option::of("[ -~&&[^\"\\\\]]{0,40}"),
        iss in hostile_text(),
        [exp, iat] in prop::array::uniform2(seconds()),
    ) {
        let header = jsonwebtoken::Header { kid: kid.clone(), ..Default::default() };
        let claims = json!({ "iss": iss, "exp": exp, "iat": iat });
        let token = jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(&key)).unwrap();

        let mut scratch = vec![0; token.len()];
        let verified = verify(&HmacKey::new(&key).unwrap(), &token, &ANY_TIME, &mut scratch).unwrap();
        prop_assert_eq!(verified.kid(), kid.as_deref());
        prop_assert_eq!(verified.times(), Times { exp: Some(exp), nbf: None, iat: Some(iat) });
        prop_assert_eq!(serde_json::from_str::<Value>(verified.payload()).unwrap(), claims);
    }

    /// One flipped bit of the key or of any character is refused by both.
    #[test]
    fn both_refuse_a_changed_bit(
        key in key_bytes(),
        iat in seconds(),
        in_key in any::<bool>(),
        place in any::<prop::sample::Index>(),
        bit in 0..7,
    ) {
        let mut out = [0; 160];
        let token = sign(
            &HmacKey::new(&key).unwrap(), &Header::new(), &Claims::NONE, &Times::iat(iat), &mut out
        ).unwrap();
        let (mut key, mut token) = (key.clone(), token.as_bytes().to_vec());
        let target = if in_key { &mut key } else { &mut token };
        let at = place.index(target.len());
        target[at] ^= 1u8 << bit;
        let token = String::from_utf8(token).unwrap();

        let theirs = jsonwebtoken::decode::<Map<String, Value>>(
            &token, &DecodingKey::from_secret(&key), &signature_only()
        );
        prop_assert!(theirs.is_err());
        let mut scratch = [0; 160];
        let ours = verify(&HmacKey::new(&key).unwrap(), &token, &ANY_TIME, &mut scratch);
        prop_assert!(ours.is_err());
        if in_key {
            prop_assert_eq!(ours.unwrap_err(), VerifyError::WrongSignature);
        }
    }

    #[test]
    fn any_text_is_inspected_without_a_panic(token in "[A-Za-z0-9_.=-]{0,90}|.{0,40}") {
        let mut scratch = [0; 90];
        let _ = inspect(&token, &mut scratch);
    }
}
