//! Judging tokens with the `jsonwebtoken` crate, so that no code of the signer judges its own work.
//!
//! The crate checks shape, algorithm and signature. Times are compared here, because it reads the system's clock and
//! the stand-in has one of its own.

use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, dangerous, decode, decode_header};
use serde::Deserialize;

use crate::Verdict;
use crate::credentials::{ApiSecret, JwtAccess};

/// Age in seconds at which Heymarket takes a token no more.
pub(crate) const MAX_AGE_SECS: i64 = 300;

/// How far in the future an `iat` may lie, in seconds: the vendor names no figure, clocks kept by SNTP agree within it.
pub(crate) const MAX_SKEW_SECS: i64 = 30;

#[derive(Deserialize)]
struct HeymarketClaims {
    iss: String,
    iat: i64,
}

#[derive(Deserialize)]
struct KeyIdClaims {
    /// RFC 7519 section 2 allows a fraction in a NumericDate.
    exp: f64,
    nbf: Option<f64>,
}

/// Judges a Heymarket token: known issuer, HS256 over `ID||KEY`, and an `iat` less than five minutes old.
pub(crate) fn heymarket(
    token: &str,
    slots: &[Option<ApiSecret>; 2],
    now: i64,
) -> Result<(), Verdict> {
    decode_header(token).map_err(|error| refusal(&error))?;
    let claims: HeymarketClaims =
        dangerous::insecure_decode_claims(token).map_err(|error| refusal(&error))?;
    let secret = slots
        .iter()
        .flatten()
        .find(|secret| secret.id.matches(&claims.iss))
        .ok_or(Verdict::UnknownCredential)?;
    let key = [secret.id.expose(), "||", secret.key.expose()].concat();
    verify::<HeymarketClaims>(token, key.as_bytes())?;
    let age = now.saturating_sub(claims.iat);
    if age >= MAX_AGE_SECS {
        return Err(Verdict::TooOld(age));
    }
    if age < -MAX_SKEW_SECS {
        return Err(Verdict::FromTheFuture(age.saturating_neg()));
    }
    Ok(())
}

/// Judges a Key-ID token: a known `kid`, HS256 with its secret, and an `exp` that has not passed.
pub(crate) fn key_id(token: &str, keys: &[JwtAccess], now: i64) -> Result<(), Verdict> {
    let header = decode_header(token).map_err(|error| refusal(&error))?;
    let kid = header.kid.ok_or(Verdict::MissingKid)?;
    let access = keys
        .iter()
        .find(|access| access.kid == kid)
        .ok_or(Verdict::UnknownCredential)?;
    let claims: KeyIdClaims = verify(token, access.secret.expose().as_bytes())?;
    let now_exact = now as f64;
    if now_exact >= claims.exp {
        return Err(Verdict::Expired((now_exact - claims.exp) as i64));
    }
    match claims.nbf {
        Some(nbf) if nbf > now_exact => Err(Verdict::FromTheFuture((nbf - now_exact) as i64)),
        _ => Ok(()),
    }
}

fn verify<T: serde::de::DeserializeOwned>(token: &str, key: &[u8]) -> Result<T, Verdict> {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    decode(token, &DecodingKey::from_secret(key), &validation)
        .map(|decoded| decoded.claims)
        .map_err(|error| refusal(&error))
}

fn refusal(error: &Error) -> Verdict {
    match error.kind() {
        ErrorKind::InvalidSignature => Verdict::BadSignature,
        ErrorKind::InvalidAlgorithm | ErrorKind::UnsupportedAlgorithm => Verdict::WrongAlgorithm,
        _ => Verdict::MalformedToken,
    }
}
