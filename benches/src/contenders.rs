//! The libraries: each does once what it lets a caller do once.

use std::borrow::Cow;
use std::hint::black_box;

use anyhow::Result;
use hmac_0_12::{Hmac, Mac};
use jsonwebtoken::EncodingKey;
use jwt::SignWithKey;
use jwt_compact::AlgorithmExt;
use jwt_compact::alg::{Hs256, Hs256Key};
use jwt_core::{Claims, Header, HmacKey, Template, Times, template_len};
use serde::Serialize;
use sha2_0_10::Sha256;

use crate::limit;
use crate::{Contender, ID, KEY, TOKEN};

const HEADER: Header = Header::new();
const CLAIMS: Claims = Claims {
    iss: Some(ID),
    ..Claims::NONE
};
const TEMPLATE_LEN: usize = template_len(HEADER.len(), CLAIMS.len(&Times::NONE));

/// The payload, for libraries that take any `serde` value.
#[derive(Serialize)]
struct Payload {
    iss: &'static str,
    iat: u64,
}

/// Returns the limit, then this project's ways to sign, then the other libraries.
///
/// # Errors
/// A library refuses the key or the claims.
pub fn all() -> Result<Vec<Contender>> {
    let key = HmacKey::from_parts(&[ID.as_bytes(), b"||", KEY.as_bytes()])?;
    let mut template = Template::<_, TEMPLATE_LEN>::new(key.clone(), &HEADER, &CLAIMS)?;
    let secret = format!("{ID}||{KEY}").into_bytes();
    let encoding_key = EncodingKey::from_secret(&secret);
    let header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256);
    let compact_key = Hs256Key::new(&secret);
    let compact_header = jwt_compact::Header::empty().with_token_type("JWT");
    let mac = Hmac::<Sha256>::new_from_slice(&secret)?;
    Ok(vec![
        Contender {
            name: "3 SHA-256 compressions (the limit)",
            run: Box::new(limit::run()?),
        },
        signer("jwt-core, template", move |iat, out| {
            Ok(template.sign(&Times::iat(iat), out)?.into())
        }),
        signer("jwt-core, key prepared once", move |iat, out| {
            Ok(jwt_core::sign(&key, &HEADER, &CLAIMS, &Times::iat(iat), out)?.into())
        }),
        signer("jwt-core, key each time", |iat, out| {
            let key = HmacKey::from_parts(black_box(&[ID.as_bytes(), b"||", KEY.as_bytes()]))?;
            Ok(jwt_core::sign(key, &HEADER, &CLAIMS, &Times::iat(iat), out)?.into())
        }),
        signer("jsonwebtoken 11.1, rust_crypto", move |iat, _| {
            Ok(jsonwebtoken::encode(&header, &Payload { iss: ID, iat }, &encoding_key)?.into())
        }),
        signer("jwt 0.16", move |iat, _| {
            let header = jwt::Header {
                type_: Some(jwt::header::HeaderType::JsonWebToken),
                ..jwt::Header::default()
            };
            let token = jwt::Token::new(header, Payload { iss: ID, iat }).sign_with_key(&mac)?;
            Ok(String::from(token).into())
        }),
        signer("jwt-compact 0.8", move |iat, _| {
            let claims = jwt_compact::Claims::new(Payload { iss: ID, iat });
            Ok(Hs256.token(&compact_header, &claims, &compact_key)?.into())
        }),
    ])
}

/// Returns a contender that signs each token with `sign`, into the given buffer or one of its own.
fn signer(
    name: &'static str,
    mut sign: impl for<'o> FnMut(u64, &'o mut [u8]) -> Result<Cow<'o, str>> + 'static,
) -> Contender {
    let mut buffer = [0; TOKEN.len()];
    let run = move |mut iat: u64, count: u64, last: &mut Vec<u8>| -> Result<()> {
        for left in (0..count).rev() {
            let token = black_box(sign(black_box(iat), &mut buffer)?);
            // No character has an eighth bit, which the processor learns when the token is there.
            let end = token.as_bytes().last().copied().unwrap_or_default();
            iat += 1 + u64::from(end >> 7);
            if left == 0 {
                last.clear();
                last.extend_from_slice(token.as_bytes());
            }
        }
        Ok(())
    };
    Contender {
        name,
        run: Box::new(run),
    }
}
