//! The head of a response: what a verdict is made from, owned and small, and how long the body is.
//!
//! Sources: RFC 9112 sections 2.2, 4 and 6.3, RFC 9110 section 10.2.3 (`Retry-After`) and the
//! vendors' pages (`X-Request-Id`, `X-RateLimit-*`). A field that steers the framing is refused when
//! it is malformed; a field that is a hint is ignored then.

use heapless::String;

use crate::response::ResponseError;

/// Header fields that a response may have.
const MAX_HEADERS: usize = 64;

/// Bytes of an `X-Request-Id` that are kept; a UUID has 36.
pub const MAX_REQUEST_ID_LEN: usize = 64;

/// The fields of a response's head that a client acts on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Head {
    /// The status code, 200 to 999.
    pub status: u16,
    /// `X-Request-Id`, its first 64 bytes: what the vendor's support asks for. Empty when absent.
    pub request_id: String<MAX_REQUEST_ID_LEN>,
    /// `Date` in Unix seconds.
    pub date: Option<u64>,
    /// `Retry-After`.
    pub retry_after: Option<RetryAfter>,
    /// `X-RateLimit-*`.
    pub rate_limit: RateLimit,
}

/// When the server wants to be asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// After so many seconds.
    Seconds(u64),
    /// At this Unix time in seconds, by the server's clock.
    At(u64),
}

/// The `X-RateLimit-*` fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RateLimit {
    /// `X-RateLimit-Limit`: requests in a period.
    pub limit: Option<u64>,
    /// `X-RateLimit-Remaining`: requests left in this period.
    pub remaining: Option<u64>,
    /// `X-RateLimit-Reset`: the end of this period in Unix seconds.
    pub reset: Option<u64>,
}

/// How the end of the body is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    Length(u64),
    Chunked,
    UntilClose,
}

/// Reads a complete head, up to and including its empty line.
pub(crate) fn parse(bytes: &[u8]) -> Result<(Head, Framing), ResponseError> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    match response.parse(bytes) {
        // httparse also ends a line at a bare LF; a head that ends early that way is not HTTP.
        Ok(httparse::Status::Complete(length)) if length == bytes.len() => {}
        Ok(_) => return Err(ResponseError::Malformed),
        Err(error) => return Err(ResponseError::Head(error)),
    }
    let mut head = Head {
        status: response.code.unwrap_or_default(),
        ..Head::default()
    };
    if head.status < 100 {
        return Err(ResponseError::Malformed);
    }
    let mut length = None;
    let mut chunked = false;
    for header in response.headers.iter() {
        let value = header.value;
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        if is("Content-Length") {
            let value = decimal(value).ok_or(ResponseError::ContentLength)?;
            if length.is_some_and(|first| first != value) {
                return Err(ResponseError::ContentLength);
            }
            length = Some(value);
        } else if is("Transfer-Encoding") {
            // One coding, once, and only in HTTP/1.1 (RFC 9112 section 6.1).
            if chunked || response.version != Some(1) || !value.eq_ignore_ascii_case(b"chunked") {
                return Err(ResponseError::TransferEncoding);
            }
            chunked = true;
        } else if is("X-Request-Id") {
            if head.request_id.is_empty() && value.iter().all(u8::is_ascii_graphic) {
                for byte in value.iter().take(MAX_REQUEST_ID_LEN) {
                    // No more bytes than the string has room for, each of them ASCII.
                    let _ = head.request_id.push(char::from(*byte));
                }
            }
        } else if is("Date") {
            head.date = head.date.or_else(|| http_date(value));
        } else if is("Retry-After") {
            let seconds = delay(value).map(RetryAfter::Seconds);
            let hint = seconds.or_else(|| http_date(value).map(RetryAfter::At));
            head.retry_after = head.retry_after.or(hint);
        } else if is("X-RateLimit-Limit") {
            head.rate_limit.limit = head.rate_limit.limit.or(decimal(value));
        } else if is("X-RateLimit-Remaining") {
            head.rate_limit.remaining = head.rate_limit.remaining.or(decimal(value));
        } else if is("X-RateLimit-Reset") {
            head.rate_limit.reset = head.rate_limit.reset.or(decimal(value));
        }
    }
    let framing = match (head.status, length, chunked) {
        (204 | 304, _, _) => Framing::Length(0),
        (_, Some(_), true) => return Err(ResponseError::TransferEncoding),
        (_, Some(length), false) => Framing::Length(length),
        (_, None, true) => Framing::Chunked,
        (_, None, false) => Framing::UntilClose,
    };
    Ok((head, framing))
}

fn http_date(value: &[u8]) -> Option<u64> {
    api_auth::http_date(core::str::from_utf8(value).ok()?)
}

/// Reads a number of seconds, of which one that is too large to hold is the largest (as RFC 9111
/// section 1.2.2 has it for such numbers).
fn delay(digits: &[u8]) -> Option<u64> {
    let is_long = digits.len() >= 20 && digits.iter().all(u8::is_ascii_digit);
    decimal(digits).or(is_long.then_some(u64::MAX))
}

/// Reads 1 or more digits and nothing else.
fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |value, digit| {
        let digit = char::from(*digit).to_digit(10)?;
        value.checked_mul(10)?.checked_add(u64::from(digit))
    })
}
