//! Everything `jwt-core` exports, but what takes `serde` values.

use core::convert::Infallible;
use core::fmt;
use core::hint::black_box;

use crate::display;
use jwt_core::{
    BEARER_LINE_PREFIX, Claims, Header, HmacKey, KeyError, MAX_SECONDS, MAX_TOKEN_LEN, MIN_KEY_LEN,
    MacEngine, Midstate, Part, Payload, SIGNATURE_PART_LEN, SignError, Template, TimeError, Times,
    Token, TokenError, Unverified, Validation, Verified, VerifyError, bearer_line_len, inspect,
    sign, template_len, token_len, verify,
};

pub fn use_all() {
    black_box((BEARER_LINE_PREFIX, MAX_SECONDS, MAX_TOKEN_LEN, MIN_KEY_LEN));
    black_box(SIGNATURE_PART_LEN);
    keys();
    if let Ok(key) = HmacKey::from_parts(black_box(&[b"id", b"||", b"key"])) {
        black_box(key.clone());
        engine(key.clone());
        engine(&key);
        engine(Peripheral);
    }
    lengths();
    read();
}

/// An engine that takes the message in one slice and can fail, as hardware does.
pub struct Peripheral;

#[derive(Debug)]
pub struct Busy;

impl fmt::Display for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the peripheral is busy")
    }
}

impl core::error::Error for Busy {}

impl MacEngine for Peripheral {
    type Error = Busy;
    type Midstate = ();

    fn absorb(&mut self, blocks: &[[u8; 64]]) -> Result<(), Busy> {
        black_box(blocks);
        black_box(Ok(()))
    }

    fn finish(&mut self, (): &(), message: &[u8]) -> Result<[u8; 32], Busy> {
        black_box(message);
        black_box(Err(Busy))
    }
}

#[inline(never)]
fn keys() {
    for key in [
        HmacKey::new(black_box(b"key")),
        HmacKey::from_parts(black_box(&[b"id", b"||", b"key"])),
        HmacKey::weak(black_box(&[b"key"])),
    ] {
        match key {
            Ok(key) => {
                let prepared = key.to_prepared();
                black_box(HmacKey::from_prepared(black_box(&prepared)));
            }
            Err(error) => display::<KeyError>(&error),
        }
    }
}

#[inline(never)]
fn lengths() {
    black_box(header().len());
    black_box(claims().len(&times()));
    black_box(token_len(black_box(1), black_box(2)));
    black_box(template_len(black_box(1), black_box(2)));
    black_box(bearer_line_len(black_box(1)));
}

/// Does with an engine all that can be done with one.
#[inline(never)]
fn engine<E: MacEngine<Error: 'static>>(mut engine: E) {
    sign_once(&mut engine, &claims());
    owned(&mut engine);
    check(&mut engine);
    if let Ok(midstate) = engine.absorb(black_box(&[[0; 64]])) {
        let _ = black_box(engine.finish(&midstate, black_box(b"message")).is_ok());
    }
    let _ = black_box(engine.mac(black_box(b"message")).is_ok());
    template(engine);
}

#[inline(never)]
pub fn sign_once<E: MacEngine<Error: 'static>>(engine: E, payload: &impl Payload) {
    let mut buffer = [0; 256];
    let out = black_box(buffer.as_mut_slice());
    match sign(engine, &header(), payload, &times(), out) {
        Ok(token) => {
            black_box(token);
        }
        Err(error) => display::<SignError<_>>(&error),
    }
}

#[inline(never)]
fn owned<E: MacEngine<Error: 'static>>(engine: E) {
    match Token::<165>::sign(engine, &header(), &claims(), &times()) {
        Ok(token) => {
            black_box(token.clone().as_str());
        }
        Err(error) => display(&error),
    }
}

#[inline(never)]
fn template<E: MacEngine<Error: 'static>>(engine: E) {
    let Ok(mut template) = Template::<_, 96>::new(engine, &header(), &claims()) else {
        return;
    };
    black_box(template.token_len(&times()));
    let mut buffer = [0; 256];
    match template.sign(&times(), black_box(buffer.as_mut_slice())) {
        Ok(token) => {
            black_box(token);
        }
        Err(error) => display(&error),
    }
    let _ = black_box(Token::<165>::from_template(&mut template, &times()).is_ok());
}

#[inline(never)]
fn check<E: MacEngine<Error: 'static>>(engine: E) {
    let validation = Validation {
        now: black_box(1),
        leeway_secs: black_box(2),
        max_age_secs: black_box(Some(3)),
    };
    let mut scratch = [0; 256];
    match verify(
        engine,
        black_box("a.b.c"),
        &validation,
        black_box(scratch.as_mut_slice()),
    ) {
        Ok(verified) => {
            let verified: Verified = verified;
            black_box(verified.times());
        }
        Err(error) => display::<VerifyError<_>>(&error),
    }
    if let Err(error) = validation.check(&times()) {
        display::<TimeError>(&error);
    }
}

#[inline(never)]
fn read() {
    let mut scratch = [0; 256];
    match inspect(black_box("a.b.c"), black_box(scratch.as_mut_slice())) {
        Ok(token) => {
            let token: Unverified = token;
            black_box((token.header(), token.payload(), token.alg(), token.kid()));
            black_box((token.signing_input(), token.signature(), token.times()));
        }
        Err(error) => {
            display::<TokenError>(&error);
            black_box(matches!(error, TokenError::Json(Part::Header)));
        }
    }
    let _: Option<(Midstate, Infallible)> = None;
}

fn header() -> Header<'static> {
    if black_box(true) {
        Header::new()
    } else {
        Header::with_kid(black_box("kid"))
    }
}

fn claims() -> Claims<'static> {
    Claims {
        iss: black_box(Some("iss")),
        sub: black_box(Some("sub")),
        aud: black_box(None),
        jti: black_box(None),
    }
}

fn times() -> Times {
    match black_box(0) {
        0 => Times::iat(black_box(1)),
        1 => Times::exp(black_box(1)),
        2 => Times::NONE,
        _ => Times {
            exp: black_box(None),
            nbf: black_box(Some(1)),
            iat: black_box(Some(2)),
        },
    }
}
