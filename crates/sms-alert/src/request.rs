//! An HTTP/1.1 request in a caller's buffer (RFC 9112 sections 2 and 3).
//!
//! Each request asks for `Connection: close`: an idle connection that the server has meanwhile
//! closed would turn every second alert into one that may or may not have been sent.

use core::fmt;

use jwt_core::JsonError;
use serde::Serialize;

use crate::field::{HeaderValue, Host, Target};

const AGENT: &str = concat!("sms-alert/", env!("CARGO_PKG_VERSION"));

/// The request methods of the four APIs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads; may be repeated freely.
    Get,
    /// Creates or sends; may not be repeated blindly.
    Post,
    /// Removes; may be repeated freely.
    Delete,
}

impl Method {
    /// Returns the method's name in the request line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }

    /// Says whether a repetition has no further effect (RFC 9110 section 9.2.2).
    pub const fn is_idempotent(self) -> bool {
        !matches!(self, Self::Post)
    }
}

/// A request whose every part is checked.
///
/// ```
/// use sms_alert::{HeaderValue, Host, Request, Target};
///
/// let request = Request::get(
///     Host::new("api.heymarket.com")?,
///     Target::new("/v1/inboxes")?,
///     Some(HeaderValue::new("Bearer abc")?),
/// );
/// let mut buffer = [0; 256];
/// assert_eq!(
///     request.write(&mut buffer)?,
///     b"GET /v1/inboxes HTTP/1.1\r\n\
///       Host: api.heymarket.com\r\n\
///       Authorization: Bearer abc\r\n\
///       User-Agent: sms-alert/0.1.0\r\n\
///       Accept: application/json\r\n\
///       Connection: close\r\n\r\n"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The method.
    pub method: Method,
    /// The value of the `Host` field.
    pub host: Host<'a>,
    /// The request target.
    pub target: Target<'a>,
    /// The value of the `Authorization` field.
    pub authorization: Option<HeaderValue<'a>>,
    /// The JSON body, as [`json_body`] writes it.
    pub body: Option<&'a [u8]>,
}

impl<'a> Request<'a> {
    /// Makes a request that reads.
    pub const fn get(
        host: Host<'a>,
        target: Target<'a>,
        authorization: Option<HeaderValue<'a>>,
    ) -> Self {
        Self {
            method: Method::Get,
            host,
            target,
            authorization,
            body: None,
        }
    }

    /// Makes a request that creates or sends.
    pub const fn post(
        host: Host<'a>,
        target: Target<'a>,
        authorization: Option<HeaderValue<'a>>,
        body: &'a [u8],
    ) -> Self {
        Self {
            method: Method::Post,
            host,
            target,
            authorization,
            body: Some(body),
        }
    }

    /// Makes a request that removes.
    pub const fn delete(
        host: Host<'a>,
        target: Target<'a>,
        authorization: Option<HeaderValue<'a>>,
    ) -> Self {
        Self {
            method: Method::Delete,
            host,
            target,
            authorization,
            body: None,
        }
    }

    /// Returns the length of the head in bytes, the empty line included.
    pub fn head_len(&self) -> usize {
        let mut length = 0_usize;
        self.pieces(|piece| length = length.saturating_add(piece.len()));
        length
    }

    /// Writes the head alone, for a stream to which the body follows from where it lies.
    ///
    /// # Errors
    /// [`RequestError::BufferTooSmall`] with the length needed; `out` is untouched.
    pub fn write_head<'o>(&self, out: &'o mut [u8]) -> Result<&'o [u8], RequestError> {
        self.write_pieces(self.head_len(), &[], out)
    }

    /// Writes the head and the body.
    ///
    /// # Errors
    /// [`RequestError::BufferTooSmall`] with the length needed; `out` is untouched.
    pub fn write<'o>(&self, out: &'o mut [u8]) -> Result<&'o [u8], RequestError> {
        let body = self.body.unwrap_or_default();
        self.write_pieces(self.head_len().saturating_add(body.len()), body, out)
    }

    fn write_pieces<'o>(
        &self,
        needed: usize,
        body: &[u8],
        out: &'o mut [u8],
    ) -> Result<&'o [u8], RequestError> {
        let out = out
            .get_mut(..needed)
            .ok_or(RequestError::BufferTooSmall { needed })?;
        let mut rest = &mut *out;
        let mut write = |piece: &[u8]| {
            // What is written was measured before, so each piece fits.
            if let Some((place, tail)) =
                core::mem::take(&mut rest).split_at_mut_checked(piece.len())
            {
                place
                    .iter_mut()
                    .zip(piece)
                    .for_each(|(to, from)| *to = *from);
                rest = tail;
            }
        };
        self.pieces(|piece| write(piece.as_bytes()));
        write(body);
        Ok(out)
    }

    fn pieces(&self, mut piece: impl FnMut(&str)) {
        piece(self.method.as_str());
        piece(" ");
        self.target.pieces().into_iter().for_each(&mut piece);
        piece(" HTTP/1.1\r\nHost: ");
        piece(self.host.as_str());
        if let Some(value) = &self.authorization {
            piece("\r\nAuthorization: ");
            piece(value.as_str());
        }
        piece("\r\nUser-Agent: ");
        piece(AGENT);
        piece("\r\nAccept: application/json\r\nConnection: close\r\n");
        match self.body {
            Some(body) => {
                piece("Content-Type: application/json\r\nContent-Length: ");
                decimal(body.len(), &mut piece);
                piece("\r\n\r\n");
            }
            // RFC 9110 section 8.6: a POST without content says so.
            None if self.method == Method::Post => piece("Content-Length: 0\r\n\r\n"),
            None => piece("\r\n"),
        }
    }
}

fn decimal(value: usize, piece: impl FnOnce(&str)) {
    let mut digits = [0; 20];
    let mut rest = value;
    let mut start = digits.len();
    for digit in digits.iter_mut().rev() {
        *digit = b'0' | (rest % 10) as u8;
        rest /= 10;
        start = start.saturating_sub(1);
        if rest == 0 {
            break;
        }
    }
    let text = digits.get(start..).map(core::str::from_utf8);
    piece(text.and_then(Result::ok).unwrap_or_default());
}

/// Writes `value`, which must become a JSON object, into `out` and returns the part written.
///
/// # Errors
/// [`RequestError::Body`]; `out` is then untouched.
pub fn json_body<'o>(value: &impl Serialize, out: &'o mut [u8]) -> Result<&'o [u8], RequestError> {
    let text = jwt_core::write_object(value, out).map_err(RequestError::Body)?;
    Ok(text.as_bytes())
}

/// Says why a request was not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestError {
    /// The buffer is shorter than the request.
    BufferTooSmall {
        /// The length of the request in bytes.
        needed: usize,
    },
    /// The JSON body does not fit its buffer, or is not an object.
    Body(JsonError),
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BufferTooSmall { needed } => {
                write!(f, "the request needs a buffer of {needed} bytes")
            }
            Self::Body(error) => write!(f, "the JSON body can't be written: {error}"),
        }
    }
}

impl core::error::Error for RequestError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Body(error) => Some(error),
            Self::BufferTooSmall { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_those_of_the_standard_library() {
        for value in [0, 1, 9, 10, 11, 99, 100, 101, 4096, 65535, usize::MAX] {
            let mut text = std::string::String::new();
            decimal(value, |digit| text.push_str(digit));
            assert_eq!(text, std::format!("{value}"));
        }
    }

    #[test]
    fn a_buffer_one_byte_short_is_untouched() {
        let request = Request::post(
            Host::new("h").unwrap(),
            Target::new("/").unwrap(),
            None,
            b"{}",
        );
        let mut exact = [0xA5; 512];
        let needed = request.write(&mut exact).unwrap().len();
        let mut short = [0xA5; 512];
        assert_eq!(
            request.write(&mut short[..needed - 1]),
            Err(RequestError::BufferTooSmall { needed })
        );
        assert_eq!(short, [0xA5; 512]);
        assert!(exact[..needed].ends_with(b"Content-Length: 2\r\n\r\n{}"));
        assert_eq!(exact[needed], 0xA5);
    }
}
