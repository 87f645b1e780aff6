//! One request and its response over a stream that is open and new.

use core::fmt;

use embedded_io_async::{Read, Write};

use crate::request::{Request, RequestError};
use crate::response::{Response, ResponseError};

/// Bytes beyond the buffer after which the rest of a body is not waited for.
const MAX_DROPPED: u64 = 64 * 1024;

/// Sends `request` over `stream` and receives the answer into `response`, which must be new.
///
/// `scratch` holds the head of the request, is cleared of it, and holds pieces of the answer after
/// that. The stream's own timeout bounds each read and write; `expired` is asked between them and
/// bounds the whole.
///
/// An answer that has come before the end of the request could be handed over counts, for what can't be sent may be
/// what the server has refused (RFC 9112, section 9.5); a success only if the whole request may have reached it.
///
/// # Errors
/// What went wrong, and through [`ExchangeError::may_have_reached`] whether the server can have
/// acted. A head that has arrived by then stays in `response`.
pub async fn exchange<S: Read + Write, const N: usize>(
    stream: &mut S,
    request: &Request<'_>,
    scratch: &mut [u8],
    response: &mut Response<N>,
    expired: impl FnMut() -> bool,
) -> Result<(), ExchangeError<S::Error>> {
    let head = request
        .write_head(scratch)
        .map_err(ExchangeError::Request)?;
    let sent = send(stream, head, request.body.unwrap_or_default()).await;
    scratch.fill(0);
    // Also if not all was sent: a server that refuses a request needn't read all of it before it answers and closes.
    let received = receive(stream, scratch, response, expired).await;
    match (sent, received, response.head()) {
        (Ok(()), received, _) => received,
        (Err(unsent), Ok(()), Some(head)) if head.status >= 400 || unsent.may_have_reached() => {
            Ok(())
        }
        (Err(unsent), ..) => Err(unsent),
    }
}

/// Receives the answer, or as much of it as is of use.
async fn receive<S: Read, const N: usize>(
    stream: &mut S,
    scratch: &mut [u8],
    response: &mut Response<N>,
    mut expired: impl FnMut() -> bool,
) -> Result<(), ExchangeError<S::Error>> {
    while !response.is_complete() && response.dropped() <= MAX_DROPPED {
        if expired() {
            return Err(ExchangeError::Late);
        }
        match stream.read(scratch).await {
            Ok(0) => response.end().map_err(ExchangeError::Response)?,
            Ok(length) => {
                let arrived = scratch.get(..length).unwrap_or_default();
                response.push(arrived).map_err(ExchangeError::Response)?;
            }
            Err(error) => return Err(ExchangeError::Read(error)),
        }
    }
    Ok(())
}

/// Writes a head and a body so that a failure before the last byte is known to be one: no server
/// can act on a request whose end was never handed to the stream.
async fn send<S: Write>(
    stream: &mut S,
    head: &[u8],
    body: &[u8],
) -> Result<(), ExchangeError<S::Error>> {
    let pieces = [head, body];
    for (piece, is_last) in pieces.into_iter().zip([body.is_empty(), true]) {
        let mut rest = piece;
        while !rest.is_empty() {
            match stream.write(rest).await {
                Ok(written @ 1..) => rest = rest.get(written..).unwrap_or_default(),
                Ok(0) if is_last => return Err(ExchangeError::Closed),
                Ok(0) => return Err(ExchangeError::NotSent(None)),
                Err(error) if is_last => return Err(ExchangeError::Write(error)),
                Err(error) => return Err(ExchangeError::NotSent(Some(error))),
            }
        }
    }
    stream.flush().await.map_err(ExchangeError::Write)
}

/// Says where an exchange ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExchangeError<E> {
    /// No stream could be opened.
    Connect(E),
    /// The request was not written; nothing was sent.
    Request(RequestError),
    /// The stream failed or closed before the end of the request was handed to it.
    NotSent(Option<E>),
    /// The stream failed while the end of the request was handed to it.
    Write(E),
    /// The stream closed while the end of the request was handed to it.
    Closed,
    /// The stream failed or timed out while the answer was awaited.
    Read(E),
    /// The answer was not complete in time.
    Late,
    /// The answer is not to be acted upon.
    Response(ResponseError),
}

impl<E> ExchangeError<E> {
    /// Says whether the whole request may have reached the server.
    pub const fn may_have_reached(&self) -> bool {
        !matches!(self, Self::Connect(_) | Self::Request(_) | Self::NotSent(_))
    }
}

impl<E: fmt::Display> fmt::Display for ExchangeError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(error) => write!(f, "no connection: {error}"),
            Self::Request(error) => error.fmt(f),
            Self::NotSent(Some(error)) => write!(f, "the request was not sent: {error}"),
            Self::NotSent(None) => f.write_str("the request was not sent: the connection closed"),
            Self::Write(error) => write!(f, "the request may have been sent: {error}"),
            Self::Closed => f.write_str("the request may have been sent: the connection closed"),
            Self::Read(error) => write!(f, "no answer: {error}"),
            Self::Late => f.write_str("no answer in time"),
            Self::Response(error) => error.fmt(f),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> core::error::Error for ExchangeError<E> {}
