//! Signs any claims with any key, and has an independent library verify and read them.
#![no_main]

use arbitrary::Arbitrary;
use jsonwebtoken::{Algorithm, DecodingKey, decode};
use jwt_core::{
    Claims, Header, HmacKey, Json, JsonError, MAX_SECONDS, Payload, SignError, Template, Times,
    Validation, sign, verify,
};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};

#[derive(Arbitrary, Debug)]
struct Input {
    key: Vec<Vec<u8>>,
    kid: Option<String>,
    iss: Option<String>,
    sub: Option<String>,
    aud: Option<String>,
    jti: Option<String>,
    custom: Vec<(String, Leaf)>,
    times: [[Option<u64>; 3]; 2],
    short_by: u8,
}

/// A custom claim's value.
#[derive(Arbitrary, Debug)]
enum Leaf {
    Null,
    Flag(bool),
    Whole(u64),
    Signed(i64),
    Text(String),
    List(Vec<Leaf>),
    Object(Vec<(String, Leaf)>),
}

fuzz_target!(|input: Input| {
    let parts: Vec<&[u8]> = input.key.iter().map(Vec::as_slice).collect();
    let secret = parts.concat();
    let Ok(key) = HmacKey::weak(&parts) else {
        assert!(secret.is_empty(), "a key that is not empty is refused");
        return;
    };
    assert_eq!(HmacKey::from_parts(&parts).is_ok(), secret.len() >= 32);

    let header = match &input.kid {
        Some(kid) => Header::with_kid(kid),
        None => Header::new(),
    };
    let claims = Claims {
        iss: input.iss.as_deref(),
        sub: input.sub.as_deref(),
        aud: input.aud.as_deref(),
        jti: input.jti.as_deref(),
    };
    let named = [
        ("iss", claims.iss),
        ("sub", claims.sub),
        ("aud", claims.aud),
        ("jti", claims.jti),
    ];
    let mut members = Map::new();
    for (name, value) in named {
        if let Some(value) = value {
            members.insert(name.to_owned(), value.into());
        }
    }
    let case = Case {
        key: &key,
        secret: &secret,
        header: &header,
        input: &input,
    };
    case.check(&claims, &members);

    let mut members = object(&input.custom);
    // The times are added below; of the others, the independent library reads no type but its own.
    for registered in ["exp", "nbf", "iat", "iss", "sub", "aud"] {
        members.remove(registered);
    }
    let text = serde_json::to_string(&members).expect("names are text");
    match Json::<4096>::new(&members) {
        Ok(json) => {
            assert_eq!(json.as_str(), text);
            case.check(&json, &members);
        }
        Err(JsonError::BufferTooSmall { needed }) => assert_eq!(needed, text.len()),
        Err(error) => assert_eq!(error, JsonError::TooDeep),
    }
});

struct Case<'a> {
    key: &'a HmacKey,
    secret: &'a [u8],
    header: &'a Header<'a>,
    input: &'a Input,
}

impl Case<'_> {
    /// Signs `payload`, which holds `members`, plainly and by a template, at two times.
    fn check(&self, payload: &impl Payload, members: &Map<String, Value>) {
        let mut template = Template::<_, 16384>::new(self.key, self.header, payload).ok();
        for [exp, nbf, iat] in self.input.times {
            let times = Times { exp, nbf, iat };
            let mut buffer = vec![0; 32768];
            let token = match sign(self.key, self.header, payload, &times, &mut buffer) {
                Ok(token) => token.to_owned(),
                Err(SignError::TimeOutOfRange { seconds }) => {
                    assert!(seconds > MAX_SECONDS);
                    continue;
                }
                Err(SignError::BufferTooSmall { needed }) => {
                    assert!(needed > buffer.len());
                    continue;
                }
                Err(error) => panic!("{error}"),
            };
            if let Some(template) = &mut template {
                assert_eq!(template.token_len(&times), token.len());
                let again = template.sign(&times, &mut buffer);
                assert_eq!(again, Ok(token.as_str()), "template and plain differ");
            }
            self.refuses_a_short_buffer(payload, &times, token.len());
            self.reads_back(&token, members, &times);
        }
    }

    fn refuses_a_short_buffer(&self, payload: &impl Payload, times: &Times, needed: usize) {
        let len = needed.saturating_sub(1 + usize::from(self.input.short_by));
        let mut short = vec![0xa5; len];
        let result = sign(self.key, self.header, payload, times, &mut short);
        assert_eq!(result, Err(SignError::BufferTooSmall { needed }));
        assert!(short.iter().all(|byte| *byte == 0xa5), "buffer touched");
    }

    fn reads_back(&self, token: &str, members: &Map<String, Value>, times: &Times) {
        let mut rules = jsonwebtoken::Validation::new(Algorithm::HS256);
        rules.required_spec_claims.clear();
        rules.validate_exp = false;
        rules.validate_aud = false;
        let read =
            decode::<Map<String, Value>>(token, &DecodingKey::from_secret(self.secret), &rules)
                .expect("an independent library reads the token");
        assert_eq!(read.header.kid, self.input.kid);
        let mut expected = members.clone();
        for (name, seconds) in [("exp", times.exp), ("nbf", times.nbf), ("iat", times.iat)] {
            if let Some(seconds) = seconds {
                expected.insert(name.to_owned(), seconds.into());
            }
        }
        assert_eq!(read.claims, expected);

        let now = times.iat.or(times.nbf).unwrap_or_default();
        let rules = Validation {
            now,
            leeway_secs: 0,
            max_age_secs: None,
        };
        let mut scratch = vec![0; token.len()];
        let verified = verify(self.key, token, &rules, &mut scratch);
        assert_eq!(verified.is_ok(), rules.check(times).is_ok(), "{verified:?}");
    }
}

fn object(members: &[(String, Leaf)]) -> Map<String, Value> {
    let members = members.iter();
    members
        .map(|(name, leaf)| (name.clone(), value(leaf)))
        .collect()
}

fn value(leaf: &Leaf) -> Value {
    match leaf {
        Leaf::Null => Value::Null,
        Leaf::Flag(flag) => (*flag).into(),
        Leaf::Whole(number) => (*number).into(),
        Leaf::Signed(number) => (*number).into(),
        Leaf::Text(text) => text.as_str().into(),
        Leaf::List(leaves) => leaves.iter().map(value).collect(),
        Leaf::Object(members) => object(members).into(),
    }
}
