//! Throws text at `inspect` and `verify`; what they accept, an independent library must accept too.
//!
//! Without a line break the input is a token as it comes. With one, it is a header and a payload
//! that are encoded and correctly signed first, so that the JSON behind the signature is reached.
#![no_main]

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use jwt_core::{HmacKey, TokenError, Validation, inspect, verify};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};

const SECRET: &[u8] = b"74f80a77-9b3f-44ac-b3ad-ab68cfb548fa||cPQku7lnSLbnK88UFOBg1a6Q3t1w1RgK";

fuzz_target!(|input: &str| {
    let key = HmacKey::new(SECRET).expect("the key is long enough");
    let token = match input.split_once('\n') {
        Some((header, payload)) => signed(header, payload),
        None => input.to_owned(),
    };

    sizes_its_scratch(&token);
    for max_age_secs in [None, Some(300)] {
        let rules = Validation {
            now: 1_713_225_600,
            leeway_secs: 60,
            max_age_secs,
        };
        let mut scratch = vec![0; token.len()];
        if let Ok(verified) = verify(&key, &token, &rules, &mut scratch) {
            let Some((header, payload)) = independently(&token) else {
                continue;
            };
            assert_eq!(header.get("alg").and_then(Value::as_str), Some("HS256"));
            assert_eq!(header.get("kid").is_some(), verified.kid().is_some());
            for (name, seconds) in [
                ("exp", verified.times().exp),
                ("nbf", verified.times().nbf),
                ("iat", verified.times().iat),
            ] {
                assert_eq!(payload.get(name).and_then(Value::as_u64), seconds);
            }
        }
    }
});

/// Reads `token` with too little scratch memory, then with just enough.
fn sizes_its_scratch(token: &str) {
    let Err(TokenError::BufferTooSmall { needed }) = inspect(token, &mut []) else {
        return;
    };
    let mut scratch = vec![0; needed];
    let short = inspect(token, &mut scratch[1..]).err();
    assert_eq!(short, Some(TokenError::BufferTooSmall { needed }));
    let exact = inspect(token, &mut scratch).err();
    assert_ne!(exact, Some(TokenError::BufferTooSmall { needed }));
}

/// Verifies the signature and reads header and payload with other libraries.
///
/// `None` if a number is beyond what they can hold: JSON sets no limit.
fn independently(token: &str) -> Option<(Map<String, Value>, Map<String, Value>)> {
    let (input, signature) = token.rsplit_once('.').expect("a signature");
    let (header, payload) = input.split_once('.').expect("two parts before it");
    let key = DecodingKey::from_secret(SECRET);
    let genuine = jsonwebtoken::crypto::verify(signature, input.as_bytes(), &key, Algorithm::HS256);
    assert!(genuine.expect("a readable signature"), "forged");
    Some((object(header)?, object(payload)?))
}

fn object(part: &str) -> Option<Map<String, Value>> {
    let text = BASE64_URL_SAFE_NO_PAD.decode(part).expect("base64url");
    match serde_json::from_slice(&text) {
        Err(error) if error.to_string().starts_with("number out of range") => None,
        object => Some(object.expect("a JSON object")),
    }
}

/// Returns the token of a header and a payload, both taken as they are.
fn signed(header: &str, payload: &str) -> String {
    let encode = |part| BASE64_URL_SAFE_NO_PAD.encode(part);
    let input = format!("{}.{}", encode(header), encode(payload));
    let key = EncodingKey::from_secret(SECRET);
    let signature = jsonwebtoken::crypto::sign(input.as_bytes(), &key, Algorithm::HS256)
        .expect("HS256 signs anything");
    format!("{input}.{signature}")
}
