//! Verifying an HS256 token (RFC 7515 §5.2, RFC 7519 §7.2, RFC 8725 §3.1).

use core::fmt;

use subtle::ConstantTimeEq;

use crate::claims::Times;
use crate::engine::MacEngine;
use crate::inspect::{TokenError, Unverified, inspect};

/// What a token's times are held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validation {
    /// The present, in Unix seconds.
    pub now: u64,
    /// By how many seconds the two clocks may differ.
    pub leeway_secs: u64,
    /// For how many seconds after `iat` a token is accepted, which it then must have.
    pub max_age_secs: Option<u64>,
}

/// A token whose signature and times have been checked.
#[derive(Clone, Copy, Debug)]
pub struct Verified<'a>(Unverified<'a>);

/// Checks that `token` is signed by `engine`'s key with HS256 and valid in time.
///
/// Signatures are compared in constant time. An `alg` other than `HS256`, `none` included, and any
/// `crit` are refused. Times count as [`Validation::check`] says. Who may issue the token, and for
/// whom, is for the caller to check in its claims (RFC 8725 §3.8, §3.9).
///
/// ```
/// use jwt_core::{HmacKey, TimeError, Validation, VerifyError, verify};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let key = HmacKey::new(b"a secret of at least 32 bytes, see RFC 7518")?;
/// let token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjE3MTMyMjU5MDB9.\
///              WwNqHkjc_P0D7mNVLX5hA134EFvCgSovGw6AHwM0UP4";
/// let mut scratch = [0; 128];
///
/// let mut validation = Validation { now: 1_713_225_600, leeway_secs: 5, max_age_secs: None };
/// assert!(verify(&key, token, &validation, &mut scratch).is_ok());
///
/// validation.now += 305;
/// assert_eq!(
///     verify(&key, token, &validation, &mut scratch).err(),
///     Some(VerifyError::Time(TimeError::Expired { exp: 1_713_225_900 })),
/// );
/// # Ok(()) }
/// ```
///
/// # Errors
/// Every [`VerifyError`]; `scratch` then holds an unspecified part of the decoded token.
pub fn verify<'a, E: MacEngine>(
    mut engine: E,
    token: &'a str,
    validation: &Validation,
    scratch: &'a mut [u8],
) -> Result<Verified<'a>, VerifyError<E::Error>> {
    let token = inspect(token, scratch)?;
    if token.alg() != "HS256" {
        return Err(VerifyError::NotHs256);
    }
    if token.critical() {
        return Err(VerifyError::Critical);
    }
    let mac = engine
        .mac(token.signing_input().as_bytes())
        .map_err(VerifyError::Engine)?;
    if !bool::from(mac.as_slice().ct_eq(token.signature())) {
        return Err(VerifyError::WrongSignature);
    }
    validation.check(&token.times())?;
    Ok(Verified(token))
}

impl Validation {
    /// Checks `times` against the present: before `exp`, not before `nbf` or `iat`, not older than
    /// the oldest allowed.
    ///
    /// Times that are absent are not checked, but for `iat` where there is a maximum age.
    ///
    /// # Errors
    /// [`TimeError`], the first that applies in the order of its variants.
    pub fn check(&self, times: &Times) -> Result<(), TimeError> {
        let later = self.now.saturating_add(self.leeway_secs);
        let past = |start: u64, secs: u64| {
            let end = start
                .checked_add(secs)
                .and_then(|end| end.checked_add(self.leeway_secs));
            end.is_some_and(|end| self.now >= end)
        };
        if let Some(exp) = times.exp.filter(|exp| past(*exp, 0)) {
            return Err(TimeError::Expired { exp });
        }
        if let Some(nbf) = times.nbf.filter(|nbf| later < *nbf) {
            return Err(TimeError::NotYetValid { nbf });
        }
        if let Some(iat) = times.iat.filter(|iat| later < *iat) {
            return Err(TimeError::IssuedInFuture { iat });
        }
        if let Some(max_age) = self.max_age_secs {
            let iat = times.iat.ok_or(TimeError::NoIssueTime)?;
            if past(iat, max_age) {
                return Err(TimeError::TooOld { iat });
            }
        }
        Ok(())
    }
}

impl<'a> core::ops::Deref for Verified<'a> {
    type Target = Unverified<'a>;

    fn deref(&self) -> &Unverified<'a> {
        &self.0
    }
}

/// Why a token is not valid at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimeError {
    /// The token has expired.
    Expired {
        /// Its expiration time in Unix seconds.
        exp: u64,
    },
    /// The token is not valid yet.
    NotYetValid {
        /// When it becomes valid, in Unix seconds.
        nbf: u64,
    },
    /// The token was issued in the future.
    IssuedInFuture {
        /// Its time of issue in Unix seconds.
        iat: u64,
    },
    /// The token's age is limited, but it does not say when it was issued.
    NoIssueTime,
    /// The token is older than allowed.
    TooOld {
        /// Its time of issue in Unix seconds.
        iat: u64,
    },
}

/// Why a token was refused; `E` is the engine's error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerifyError<E> {
    /// It can't be read.
    Token(TokenError),
    /// Its `alg` is not `HS256`.
    NotHs256,
    /// Its header wants extensions to be understood (`crit`), and none is.
    Critical,
    /// Its signature is not this key's.
    WrongSignature,
    /// It is signed by this key, but not valid at this time.
    Time(TimeError),
    /// The engine could not compute the signature to compare with.
    Engine(E),
}

impl<E> From<TokenError> for VerifyError<E> {
    fn from(error: TokenError) -> Self {
        Self::Token(error)
    }
}

impl<E> From<TimeError> for VerifyError<E> {
    fn from(error: TimeError) -> Self {
        Self::Time(error)
    }
}

impl fmt::Display for TimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired { exp } => write!(f, "the token expired at {exp}: sign a new one"),
            Self::NotYetValid { nbf } => {
                write!(
                    f,
                    "the token is not valid before {nbf}: check the clocks of both sides"
                )
            }
            Self::IssuedInFuture { iat } => {
                write!(
                    f,
                    "the token was issued in the future, at {iat}: check the clocks of both sides"
                )
            }
            Self::NoIssueTime => f.write_str(
                "the token has no \"iat\", but its age is limited: sign one that has it",
            ),
            Self::TooOld { iat } => {
                write!(
                    f,
                    "the token was issued at {iat}, too long ago: sign a new one"
                )
            }
        }
    }
}

impl core::error::Error for TimeError {}

impl<E: fmt::Display> fmt::Display for VerifyError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(error) => error.fmt(f),
            Self::NotHs256 => f.write_str("the token is not signed with HS256: refuse it"),
            Self::Critical => {
                f.write_str("the token's header demands extensions (\"crit\") that are not supported: refuse it")
            }
            Self::WrongSignature => {
                f.write_str("the token is not signed by this key: check which secret the issuer uses")
            }
            Self::Time(error) => error.fmt(f),
            Self::Engine(error) => write!(f, "the HMAC engine failed: {error}"),
        }
    }
}

impl<E: core::error::Error + 'static> core::error::Error for VerifyError<E> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Token(error) => Some(error),
            Self::Time(error) => Some(error),
            Self::Engine(error) => Some(error),
            _ => None,
        }
    }
}
