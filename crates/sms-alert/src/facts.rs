//! From an exchange to the facts that [`api_auth::decide`] judges.

use api_auth::{Answer, ErrorKind, Facts};

use crate::error_body::ErrorBody;
use crate::exchange::ExchangeError;
use crate::head::RetryAfter;
use crate::request::Method;
use crate::response::{Response, ResponseError};

/// Returns what an exchange has shown, and what its error body says, which is empty after a success.
///
/// `secure` says whether the stream was TLS with a verified certificate, `unix_secs` what the time is,
/// if that is known: for a `Retry-After` that is a date in an answer without `Date`.
///
/// ```
/// use api_auth::{Answer, ErrorKind};
/// use sms_alert::{ExchangeError, Method, Response, facts};
///
/// let mut response = Response::<512>::new();
/// response.push(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 35\r\n\r\n")?;
/// response.push(br#"{"message":"needs campaigns:write"}"#)?;
/// let exchanged = Ok::<(), ExchangeError<()>>(());
/// let (facts, error) = facts(Method::Get, &exchanged, &response, true, None);
/// assert_eq!((facts.answer, facts.repeatable), (Answer::Status(403), true));
/// assert_eq!(error.message, "needs campaigns:write");
/// # Ok::<(), sms_alert::ResponseError>(())
/// ```
pub fn facts<E, const N: usize>(
    method: Method,
    exchanged: &Result<(), ExchangeError<E>>,
    response: &Response<N>,
    secure: bool,
    unix_secs: Option<u64>,
) -> (Facts, ErrorBody) {
    let mut facts = Facts::new(answer(exchanged, response));
    facts.repeatable = method.is_idempotent();
    facts.secure = secure;
    let Some(head) = response.head() else {
        return (facts, ErrorBody::default());
    };
    let error = match head.status {
        200..300 => ErrorBody::default(),
        _ => ErrorBody::read(response.text()),
    };
    let header_secs = head.retry_after.and_then(|hint| match hint {
        RetryAfter::Seconds(secs) => Some(secs),
        RetryAfter::At(then) => Some(then.saturating_sub(head.date.or(unix_secs)?)),
    });
    facts.date = head.date;
    facts.retry_after_secs = header_secs.or(error.retry_after_secs).map(saturated);
    facts.rate_remaining = head.rate_limit.remaining.map(saturated);
    facts.rate_reset = head.rate_limit.reset;
    facts.error = kind(&error);
    (facts, error)
}

fn answer<E, const N: usize>(
    exchanged: &Result<(), ExchangeError<E>>,
    response: &Response<N>,
) -> Answer {
    match (exchanged, response.head()) {
        (Err(error), _) if !error.may_have_reached() => Answer::NotSent,
        (_, Some(head)) => Answer::Status(head.status),
        (Err(ExchangeError::Response(ResponseError::Truncated)), None) => Answer::Lost,
        (Err(ExchangeError::Response(_)), None) => Answer::Malformed,
        (_, None) => Answer::Lost,
    }
}

/// Key-ID's text is the documented one; for permissions no API states a code, and Heyoo promises that
/// its text names them.
fn kind(error: &ErrorBody) -> ErrorKind {
    let mentions = |word: &str| {
        let mut windows = error.message.as_bytes().windows(word.len());
        windows.any(|window| window.eq_ignore_ascii_case(word.as_bytes()))
    };
    if mentions("missing 'kid' header parameter") {
        ErrorKind::MissingKid
    } else if error.code == "forbidden" || mentions("permission") {
        ErrorKind::Permission
    } else {
        ErrorKind::Other
    }
}

fn saturated(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
