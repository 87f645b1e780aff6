//! Reading a compact token without trusting it (RFC 7515 §5.2, steps 1 to 4).

use core::fmt;

use crate::base64url::{self, decoded_len};
use crate::claims::{MAX_SECONDS, Times};
use crate::scan;

/// Longest token that is read, in bytes: twice what a request header line commonly may hold.
pub const MAX_TOKEN_LEN: usize = 16 * 1024;

/// A part of a compact token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The first part.
    Header,
    /// The second part.
    Payload,
    /// The third part.
    Signature,
}

/// A well-formed token whose signature has not been checked; what it says may be a lie.
#[derive(Clone, Copy)]
pub struct Unverified<'a> {
    signing_input: &'a str,
    header: &'a str,
    payload: &'a str,
    signature: &'a [u8],
    alg: &'a str,
    kid: Option<&'a str>,
    critical: bool,
    times: Times,
}

/// Reads the compact token `token`, decoding it into `scratch`.
///
/// `scratch` needs three quarters of the token's length. Base64url must be canonical and unpadded,
/// header and payload must be JSON objects nested at most 32 levels deep, and time claims, if there,
/// whole seconds.
///
/// ```
/// # fn main() -> Result<(), jwt_core::TokenError> {
/// let mut scratch = [0; 64];
/// let token = jwt_core::inspect("eyJhbGciOiJub25lIn0.eyJpYXQiOjF9.", &mut scratch)?;
/// assert_eq!(token.alg(), "none");
/// assert_eq!(token.payload(), r#"{"iat":1}"#);
/// # Ok(()) }
/// ```
///
/// # Errors
/// Every [`TokenError`]; `scratch` then holds an unspecified part of the decoded token.
pub fn inspect<'a>(token: &'a str, scratch: &'a mut [u8]) -> Result<Unverified<'a>, TokenError> {
    if token.len() > MAX_TOKEN_LEN {
        return Err(TokenError::TooLong { len: token.len() });
    }
    let (header, rest) = split_at_dot(token).ok_or(TokenError::NotThreeParts)?;
    let (payload, signature) = split_at_dot(rest).ok_or(TokenError::NotThreeParts)?;
    if split_at_dot(signature).is_some() {
        return Err(TokenError::NotThreeParts);
    }
    let signing_input = token
        .get(..header.len() + ".".len() + payload.len())
        .unwrap_or_default();

    let needed =
        decoded_len(header.len()) + decoded_len(payload.len()) + decoded_len(signature.len());
    if scratch.len() < needed {
        return Err(TokenError::BufferTooSmall { needed });
    }
    let (header, scratch) = decode(Part::Header, header, scratch)?;
    let (payload, scratch) = decode(Part::Payload, payload, scratch)?;
    let (signature, _) = decode(Part::Signature, signature, scratch)?;
    let header = core::str::from_utf8(header).map_err(|_| TokenError::Json(Part::Header))?;
    let payload = core::str::from_utf8(payload).map_err(|_| TokenError::Json(Part::Payload))?;

    let (mut alg, mut kid, mut crit) = (Member::Absent, Member::Absent, Member::Absent);
    scan::visit_members(header, |name, value| {
        alg.visit("alg", name, value);
        kid.visit("kid", name, value);
        crit.visit("crit", name, value);
    })
    .ok_or(TokenError::Json(Part::Header))?;
    let (mut exp, mut nbf, mut iat) = (Member::Absent, Member::Absent, Member::Absent);
    scan::visit_members(payload, |name, value| {
        exp.visit("exp", name, value);
        nbf.visit("nbf", name, value);
        iat.visit("iat", name, value);
    })
    .ok_or(TokenError::Json(Part::Payload))?;

    Ok(Unverified {
        signing_input,
        header,
        payload,
        signature,
        alg: alg.text()?.ok_or(TokenError::NoAlgorithm)?,
        kid: kid.text()?,
        critical: crit.value(Part::Header)?.is_some(),
        times: Times {
            exp: exp.seconds()?,
            nbf: nbf.seconds()?,
            iat: iat.seconds()?,
        },
    })
}

/// Splits `text` around its first dot.
///
/// As `str::split_once`, whose search the compiler cannot prove to be free of panics.
fn split_at_dot(text: &str) -> Option<(&str, &str)> {
    let dot = text.bytes().position(|byte| byte == b'.')?;
    Some((text.get(..dot)?, text.get(dot.saturating_add(1)..)?))
}

fn decode<'s>(
    part: Part,
    text: &str,
    scratch: &'s mut [u8],
) -> Result<(&'s [u8], &'s mut [u8]), TokenError> {
    let (out, rest) = scratch
        .split_at_mut_checked(decoded_len(text.len()))
        .unwrap_or_default();
    let bytes = base64url::decode(text.as_bytes(), out).ok_or(TokenError::Encoding(part))?;
    Ok((bytes, rest))
}

/// A member that is looked for in an object.
#[derive(Clone, Copy)]
enum Member<'a> {
    Absent,
    Once(&'a str),
    Repeated,
}

impl<'a> Member<'a> {
    fn visit(&mut self, wanted: &str, name: &str, value: &'a str) {
        if scan::spells(name, wanted) {
            *self = match self {
                Self::Absent => Self::Once(value),
                _ => Self::Repeated,
            };
        }
    }

    fn value(self, part: Part) -> Result<Option<&'a str>, TokenError> {
        match self {
            Self::Absent => Ok(None),
            Self::Once(value) => Ok(Some(value)),
            Self::Repeated => Err(TokenError::RepeatedMember(part)),
        }
    }

    /// Returns the header member as text, its escapes not decoded.
    fn text(self) -> Result<Option<&'a str>, TokenError> {
        self.value(Part::Header)?
            .map(|value| {
                value
                    .strip_prefix('"')
                    .and_then(|value| value.strip_suffix('"'))
                    .ok_or(TokenError::Json(Part::Header))
            })
            .transpose()
    }

    fn seconds(self) -> Result<Option<u64>, TokenError> {
        self.value(Part::Payload)?
            .map(|value| {
                let seconds = value.parse().map_err(|_| TokenError::TimeNotSeconds)?;
                if seconds > MAX_SECONDS {
                    return Err(TokenError::TimeNotSeconds);
                }
                Ok(seconds)
            })
            .transpose()
    }
}

impl<'a> Unverified<'a> {
    /// Returns the header's JSON.
    pub fn header(&self) -> &'a str {
        self.header
    }

    /// Returns the payload's JSON.
    pub fn payload(&self) -> &'a str {
        self.payload
    }

    /// Returns the `alg` of the header, escapes not decoded.
    pub fn alg(&self) -> &'a str {
        self.alg
    }

    /// Returns the `kid` of the header, escapes not decoded.
    pub fn kid(&self) -> Option<&'a str> {
        self.kid
    }

    /// Returns the registered time claims.
    pub fn times(&self) -> Times {
        self.times
    }

    /// Returns the bytes that the signature covers.
    pub fn signing_input(&self) -> &'a str {
        self.signing_input
    }

    /// Returns the signature, of any length.
    pub fn signature(&self) -> &'a [u8] {
        self.signature
    }

    /// Returns whether the header has a `crit` member (RFC 7515 §4.1.11).
    pub(crate) fn critical(&self) -> bool {
        self.critical
    }
}

/// The token may still be valid, so its signature and claims are not shown.
impl fmt::Debug for Unverified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unverified")
            .field("header", &self.header)
            .finish_non_exhaustive()
    }
}

/// Why text is not a token that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenError {
    /// The token has more than [`MAX_TOKEN_LEN`] bytes.
    TooLong {
        /// How many bytes it has.
        len: usize,
    },
    /// The token does not consist of three parts joined by two dots.
    NotThreeParts,
    /// The scratch buffer is too short; it is untouched.
    BufferTooSmall {
        /// How many bytes the decoded token takes.
        needed: usize,
    },
    /// A part is not canonical base64url without padding.
    Encoding(Part),
    /// A part is not a JSON object of at most 32 levels, or a header member is not text.
    Json(Part),
    /// A member that decides about the token stands in a part more than once.
    RepeatedMember(Part),
    /// The header has no `alg`.
    NoAlgorithm,
    /// `exp`, `nbf` or `iat` is not a whole number of seconds from 0 to [`MAX_SECONDS`].
    TimeNotSeconds,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Header => "header",
            Self::Payload => "payload",
            Self::Signature => "signature",
        })
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { len } => write!(
                f,
                "the token has {len} bytes, at most {MAX_TOKEN_LEN} are read: check that it is a token"
            ),
            Self::NotThreeParts => {
                f.write_str("the token does not have three parts joined by dots: check that it was copied whole")
            }
            Self::BufferTooSmall { needed } => {
                write!(f, "the decoded token takes {needed} bytes: give a scratch buffer of that length")
            }
            Self::Encoding(part) => write!(
                f,
                "the token's {part} is not canonical base64url without padding: check that it was copied whole"
            ),
            Self::Json(part) => write!(f, "the token's {part} is not the JSON object that a JWT needs: refuse it"),
            Self::RepeatedMember(part) => {
                write!(f, "the token's {part} has a deciding member more than once: refuse it")
            }
            Self::NoAlgorithm => f.write_str("the token's header has no \"alg\": refuse it"),
            Self::TimeNotSeconds => write!(
                f,
                "the token's \"exp\", \"nbf\" or \"iat\" is not a whole number of seconds up to {MAX_SECONDS}: refuse it"
            ),
        }
    }
}

impl core::error::Error for TokenError {}
