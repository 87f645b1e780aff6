//! Compact serialization and signing (RFC 7515 §3.1, §5.1; RFC 7518 §3.2).

use core::fmt;

use crate::base64url::{self, Writer, encoded_len};
use crate::claims::{MAX_SECONDS, Payload, Times};
use crate::engine::MacEngine;
use crate::header::Header;
use crate::json;
use crate::sha256::DIGEST_LEN;

/// Length of a dot and an HS256 signature in base64url, in bytes: what follows the signing input.
pub const SIGNATURE_PART_LEN: usize = ".".len() + encoded_len(DIGEST_LEN);

/// What precedes the token in a line of an HTTP request (RFC 6750 §2.1).
pub const BEARER_LINE_PREFIX: &str = "Authorization: Bearer ";

/// Returns the length in bytes of a token whose header and payload have these lengths as JSON.
pub const fn token_len(header_len: usize, payload_len: usize) -> usize {
    encoded_len(header_len)
        .saturating_add(".".len())
        .saturating_add(encoded_len(payload_len))
        .saturating_add(SIGNATURE_PART_LEN)
}

/// Returns the length in bytes of `Authorization: Bearer TOKEN`, without an end of line.
pub const fn bearer_line_len(token_len: usize) -> usize {
    BEARER_LINE_PREFIX.len().saturating_add(token_len)
}

/// Signs `header` and `claims` with `times` appended, and returns the token, which fills the start
/// of `out`.
///
/// The token has [`token_len`] bytes.
///
/// ```
/// use jwt_core::{Claims, Header, HmacKey, Times, sign, token_len};
///
/// const ID: &str = "74f80a77-9b3f-44ac-b3ad-ab68cfb548fa";
/// const CLAIMS: Claims = Claims { iss: Some(ID), ..Claims::NONE };
/// const NOW: Times = Times::iat(1_713_225_600);
/// const LEN: usize = token_len(Header::new().len(), CLAIMS.len(&NOW));
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let key = HmacKey::from_parts(&[ID.as_bytes(), b"||", b"cPQku7lnSLbnK88UFOBg1a6Q3t1w1RgK"])?;
/// let mut out = [0; LEN];
/// let token = sign(&key, &Header::new(), &CLAIMS, &NOW, &mut out)?;
/// assert_eq!(
///     token,
///     "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.\
///      eyJpc3MiOiI3NGY4MGE3Ny05YjNmLTQ0YWMtYjNhZC1hYjY4Y2ZiNTQ4ZmEiLCJpYXQiOjE3MTMyMjU2MDB9.\
///      sWLRg-YlFnPpP99prTT_IpgvMALyFmjYtlnfGEeahS0"
/// );
/// # Ok(()) }
/// ```
///
/// # Errors
/// [`SignError::BufferTooSmall`] and [`SignError::TimeOutOfRange`] leave `out` untouched.
/// [`SignError::Engine`] leaves the bytes that the token would have taken zeroed.
pub fn sign<'o, E: MacEngine>(
    mut engine: E,
    header: &Header<'_>,
    claims: &impl Payload,
    times: &Times,
    out: &'o mut [u8],
) -> Result<&'o str, SignError<E::Error>> {
    check_range(times)?;
    let payload_len = claims.json_len() + times.len(claims.has_no_member());
    let out = take(out, token_len(header.len(), payload_len))?;

    let mut writer = Writer::new(out);
    write_prefix(&mut writer, header, claims);
    write_times(&mut writer, times, claims.has_no_member());
    let input_len = writer.len();
    complete(|input| engine.mac(input), input_len, out)
}

/// Writes the signing input up to where the times follow: all that does not change with them.
pub(crate) fn write_prefix(writer: &mut Writer<'_>, header: &Header<'_>, claims: &impl Payload) {
    header.write(writer);
    writer.end_part();
    writer.raw(b".");
    claims.write_open(writer);
}

/// Returns the first `needed` bytes of `out`.
pub(crate) fn take<E>(out: &mut [u8], needed: usize) -> Result<&mut [u8], SignError<E>> {
    out.get_mut(..needed)
        .ok_or(SignError::BufferTooSmall { needed })
}

pub(crate) fn check_range<E>(times: &Times) -> Result<(), SignError<E>> {
    match times.out_of_range() {
        Some(seconds) => Err(SignError::TimeOutOfRange { seconds }),
        None => Ok(()),
    }
}

/// Appends the signature to the signing input, the first `input_len` bytes of `out`.
#[inline]
pub(crate) fn complete<E>(
    mac: impl FnOnce(&[u8]) -> Result<[u8; DIGEST_LEN], E>,
    input_len: usize,
    out: &mut [u8],
) -> Result<&str, SignError<E>> {
    let (input, signature_part) = out.split_at_mut_checked(input_len).unwrap_or_default();
    let signature = match mac(input) {
        Ok(signature) => signature,
        Err(error) => {
            out.fill(0);
            return Err(SignError::Engine(error));
        }
    };
    if let Some((dot, rest)) = signature_part.split_first_mut()
        && let Some(chars) = rest.first_chunk_mut()
    {
        *dot = b'.';
        base64url::encode_digest(&signature, chars);
    }
    // Every byte is of the base64url alphabet or a dot, so the default is never taken.
    Ok(core::str::from_utf8(out).unwrap_or_default())
}

/// Writes the end of a payload: the times and the closing brace; the `first` member has no comma.
#[inline]
pub(crate) fn write_times(writer: &mut Writer<'_>, times: &Times, mut first: bool) {
    for (name, seconds) in [
        (b",\"exp\":", times.exp),
        (b",\"nbf\":", times.nbf),
        (b",\"iat\":", times.iat),
    ] {
        let Some(seconds) = seconds else { continue };
        for byte in name.get(usize::from(first)..).unwrap_or_default() {
            writer.byte(*byte);
        }
        first = false;
        write_number(writer, seconds);
    }
    writer.byte(b'}');
    writer.end_part();
}

#[inline]
fn write_number(writer: &mut Writer<'_>, number: u64) {
    match u32::try_from(number) {
        Ok(number @ 1_000_000_000..) => {
            for digit in json::ten_digits(number) {
                writer.byte(digit);
            }
        }
        _ => {
            let zeros = json::MAX_DIGITS - json::digits_len(number);
            for digit in json::digits(number).into_iter().skip(zeros) {
                writer.byte(digit);
            }
        }
    }
}

/// Why nothing was signed; `E` is the engine's error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignError<E> {
    /// The token does not fit; the buffer is untouched.
    BufferTooSmall {
        /// How many bytes the token takes.
        needed: usize,
    },
    /// A time is larger than [`MAX_SECONDS`]; the buffer is untouched.
    TimeOutOfRange {
        /// The time in seconds.
        seconds: u64,
    },
    /// The engine could not compute the signature; the token's bytes of the buffer are zeroed.
    Engine(E),
}

impl<E: fmt::Display> fmt::Display for SignError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BufferTooSmall { needed } => {
                write!(
                    f,
                    "the token takes {needed} bytes: give a buffer of that length"
                )
            }
            Self::TimeOutOfRange { seconds } => write!(
                f,
                "{seconds} seconds is more than the {MAX_SECONDS} that JSON readers hold exactly: \
                 give Unix time in seconds, not in milliseconds or less"
            ),
            Self::Engine(error) => write!(f, "the HMAC engine failed: {error}"),
        }
    }
}

impl<E: core::error::Error + 'static> core::error::Error for SignError<E> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Engine(error) => Some(error),
            _ => None,
        }
    }
}
