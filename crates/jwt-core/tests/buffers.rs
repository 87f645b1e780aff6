//! What a caller's buffer holds afterwards, at every length, and for every failure.

use std::convert::Infallible;
use std::fmt;

use jwt_core::{
    Claims, Header, HmacKey, MAX_SECONDS, MacEngine, SignError, Template, Times, Token, sign,
    template_len, token_len,
};

const UNTOUCHED: u8 = 0xa5;
const HEADER: Header = Header::with_kid("0d7f0bd5-6c3c-4a4d-9d5a-5e2b1c7a3f10");
const CLAIMS: Claims = Claims {
    iss: Some("gateway \"7\""),
    ..Claims::NONE
};
const TIMES: Times = Times::exp(1_713_225_600);
const NEEDED: usize = token_len(HEADER.len(), CLAIMS.len(&TIMES));
const PREFIX: usize = template_len(HEADER.len(), CLAIMS.len(&Times::NONE));

fn key() -> HmacKey {
    HmacKey::new(&[7; 32]).unwrap()
}

type Signed = Result<usize, SignError<Infallible>>;

/// Runs `sign` at every length and expects it to keep what is documented.
fn at_every_length(mut sign: impl FnMut(&mut [u8]) -> Signed) {
    for len in 0..=NEEDED + 1 {
        let mut out = vec![UNTOUCHED; len];
        let result = sign(&mut out);
        if len < NEEDED {
            assert_eq!(result, Err(SignError::BufferTooSmall { needed: NEEDED }));
            assert!(out.iter().all(|byte| *byte == UNTOUCHED), "at {len}");
        } else {
            assert_eq!(result, Ok(NEEDED));
            assert!(out[NEEDED..].iter().all(|byte| *byte == UNTOUCHED));
        }
    }
}

#[test]
fn sign_at_every_length() {
    let key = key();
    at_every_length(|out| sign(&key, &HEADER, &CLAIMS, &TIMES, out).map(str::len));
}

#[test]
fn template_at_every_length() {
    let mut template = Template::<_, PREFIX>::new(key(), &HEADER, &CLAIMS).unwrap();
    at_every_length(|out| template.sign(&TIMES, out).map(str::len));
}

#[test]
fn template_capacity_is_checked() {
    assert_eq!(
        Template::<_, { PREFIX - 1 }>::new(key(), &HEADER, &CLAIMS).unwrap_err(),
        SignError::BufferTooSmall { needed: PREFIX }
    );
}

#[test]
fn owned_token_capacity_is_checked() {
    let token = Token::<NEEDED>::sign(&key(), &HEADER, &CLAIMS, &TIMES).unwrap();
    assert_eq!(token.as_str().len(), NEEDED);
    assert_eq!(
        Token::<{ NEEDED - 1 }>::sign(&key(), &HEADER, &CLAIMS, &TIMES).unwrap_err(),
        SignError::BufferTooSmall { needed: NEEDED }
    );
}

#[test]
fn times_past_2_to_the_53_are_refused() {
    for late in [MAX_SECONDS + 1, u64::MAX] {
        for times in [
            Times::exp(late),
            Times::iat(late),
            Times {
                nbf: Some(late),
                ..TIMES
            },
        ] {
            let refused = SignError::TimeOutOfRange { seconds: late };
            let mut out = [UNTOUCHED; NEEDED + 40];
            assert_eq!(
                sign(&key(), &HEADER, &CLAIMS, &times, &mut out),
                Err(refused)
            );
            let mut template = Template::<_, PREFIX>::new(key(), &HEADER, &CLAIMS).unwrap();
            assert_eq!(template.sign(&times, &mut out), Err(refused));
            assert_eq!(out, [UNTOUCHED; NEEDED + 40]);
        }
    }
}

/// A secure element that takes the whole message in one slice and stops answering.
struct Element {
    answers: u32,
}

#[derive(Debug, PartialEq)]
struct NoAnswer;

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the secure element does not answer")
    }
}

impl std::error::Error for NoAnswer {}

impl MacEngine for Element {
    type Error = NoAnswer;
    type Midstate = ();

    fn absorb(&mut self, _blocks: &[[u8; 64]]) -> Result<(), NoAnswer> {
        Ok(())
    }

    fn finish(&mut self, _midstate: &(), message: &[u8]) -> Result<[u8; 32], NoAnswer> {
        self.answers = self.answers.checked_sub(1).ok_or(NoAnswer)?;
        (&key()).mac(message).map_err(|never| match never {})
    }
}

#[test]
fn a_failing_engine_leaves_no_half_token() {
    let mut element = Element { answers: 0 };
    let mut out = [UNTOUCHED; NEEDED + 1];
    let result = sign(&mut element, &HEADER, &CLAIMS, &TIMES, &mut out);
    assert_eq!(result, Err(SignError::Engine(NoAnswer)));
    assert_eq!(out[..NEEDED], [0; NEEDED]);
    assert_eq!(out[NEEDED], UNTOUCHED);
}

#[test]
fn a_one_slice_engine_signs_what_the_software_key_signs() {
    let mut expected = [0; NEEDED];
    let expected = sign(&key(), &HEADER, &CLAIMS, &TIMES, &mut expected).unwrap();

    let mut out = [0; NEEDED];
    let element = Element { answers: 1 };
    assert_eq!(
        sign(element, &HEADER, &CLAIMS, &TIMES, &mut out),
        Ok(expected)
    );

    let element = Element { answers: 1 };
    let mut template = Template::<_, PREFIX>::new(element, &HEADER, &CLAIMS).unwrap();
    assert_eq!(template.sign(&TIMES, &mut out), Ok(expected));
}

#[test]
fn nothing_secret_is_shown() {
    let key =
        HmacKey::from_parts(&[b"an identifier", b"||", b"and a key that nobody sees"]).unwrap();
    let token = Token::<NEEDED>::sign(&key, &HEADER, &CLAIMS, &TIMES).unwrap();
    let template = Template::<_, PREFIX>::new(&key, &HEADER, &CLAIMS).unwrap();
    assert_eq!(format!("{key:?}"), "HmacKey(..)");
    assert_eq!(format!("{token:?}"), format!("Token({NEEDED} bytes)"));
    assert_eq!(format!("{template:?}"), "Template(..)");
}
