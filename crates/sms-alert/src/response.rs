//! A response that arrives in pieces of any size (RFC 9112 sections 4, 6 and 7).
//!
//! One buffer of `N` bytes holds the head until it is complete and the body after that, so `N`
//! bounds both. Whatever the pieces are, the result is the same.

use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::chunked::{Chunked, Piece};
use crate::head::{self, Framing, Head};

/// Interim responses (1xx) that are skipped before the final one.
const MAX_INTERIM: u8 = 8;

/// A response, being received or complete.
///
/// A head longer than `N` bytes is refused. Of a body the first `N` bytes are kept, the rest is
/// counted and dropped. What was received may be a secret, such as a new key: it is zeroized on drop,
/// and `Debug` shows its length alone.
///
/// ```
/// use sms_alert::Response;
///
/// let mut response = Response::<512>::new();
/// response.push(b"HTTP/1.1 200 OK\r\nX-Request-Id: a1b2\r\nContent-Le")?;
/// response.push(b"ngth: 8\r\n\r\n{\"id\":7}")?;
/// assert!(response.is_complete());
/// let head = response.head().unwrap();
/// assert_eq!((head.status, head.request_id.as_str()), (200, "a1b2"));
/// assert_eq!(response.body(), b"{\"id\":7}");
/// # Ok::<(), sms_alert::ResponseError>(())
/// ```
#[derive(Clone)]
pub struct Response<const N: usize> {
    buffer: heapless::Vec<u8, N>,
    head: Option<Head>,
    phase: Phase,
    interim: u8,
    dropped: u64,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    Head,
    Length(u64),
    Chunked(Chunked),
    UntilClose,
    Complete,
    Failed(ResponseError),
}

impl<const N: usize> Response<N> {
    /// Makes a response of which nothing has arrived.
    pub const fn new() -> Self {
        Self {
            buffer: heapless::Vec::new(),
            head: None,
            phase: Phase::Head,
            interim: 0,
            dropped: 0,
        }
    }

    /// Takes in bytes that have arrived and returns how many belong to the response: fewer than
    /// given only when it is complete.
    ///
    /// # Errors
    /// The first reason for which this is not a response that can be trusted; it stays.
    pub fn push(&mut self, bytes: &[u8]) -> Result<usize, ResponseError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            match self.step(rest) {
                Ok(0) => break,
                Ok(taken) => rest = rest.get(taken..).unwrap_or_default(),
                Err(error) => {
                    self.phase = Phase::Failed(error);
                    return Err(error);
                }
            }
        }
        Ok(bytes.len().saturating_sub(rest.len()))
    }

    /// Takes note that the stream has ended, which completes a body that lasts until then.
    ///
    /// # Errors
    /// [`ResponseError::Truncated`] when the response is not complete, or the earlier error.
    pub fn end(&mut self) -> Result<(), ResponseError> {
        self.phase = match self.phase {
            Phase::Complete | Phase::UntilClose => Phase::Complete,
            Phase::Failed(error) => Phase::Failed(error),
            Phase::Head | Phase::Length(_) | Phase::Chunked(_) => {
                Phase::Failed(ResponseError::Truncated)
            }
        };
        match self.phase {
            Phase::Failed(error) => Err(error),
            _ => Ok(()),
        }
    }

    /// Says whether the whole response has arrived.
    pub const fn is_complete(&self) -> bool {
        matches!(self.phase, Phase::Complete)
    }

    /// Returns the head of the final response once it has arrived, whatever becomes of the body.
    pub const fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    /// Returns the first `N` bytes of the body at the most, as far as they have arrived.
    pub fn body(&self) -> &[u8] {
        match self.head {
            Some(_) => &self.buffer,
            None => &[],
        }
    }

    /// Returns the body as text, up to the first byte that is not UTF-8.
    pub fn text(&self) -> &str {
        let body = self.body();
        match core::str::from_utf8(body) {
            Ok(text) => text,
            Err(error) => body
                .get(..error.valid_up_to())
                .and_then(|valid| core::str::from_utf8(valid).ok())
                .unwrap_or_default(),
        }
    }

    /// Returns how many bytes of the body were dropped because the buffer was full.
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Takes in a part of `input`, which is not empty, and returns its length; 0 when complete.
    fn step(&mut self, input: &[u8]) -> Result<usize, ResponseError> {
        match self.phase {
            Phase::Failed(error) => Err(error),
            Phase::Complete => Ok(0),
            Phase::Head => self.head_byte(input),
            Phase::UntilClose => {
                self.keep(input);
                Ok(input.len())
            }
            Phase::Length(left) => {
                let taken = usize::try_from(left).map_or(input.len(), |left| left.min(input.len()));
                self.keep(input.get(..taken).unwrap_or_default());
                self.phase = match left.saturating_sub(taken as u64) {
                    0 => Phase::Complete,
                    left => Phase::Length(left),
                };
                Ok(taken)
            }
            Phase::Chunked(mut chunked) => {
                let taken = match chunked.next(input)? {
                    Piece::Data(length) => {
                        self.keep(input.get(..length).unwrap_or_default());
                        length
                    }
                    Piece::Framing => 1,
                    Piece::End => 0,
                };
                self.phase = match chunked.is_complete() {
                    true => Phase::Complete,
                    false => Phase::Chunked(chunked),
                };
                Ok(taken)
            }
        }
    }

    fn head_byte(&mut self, input: &[u8]) -> Result<usize, ResponseError> {
        let byte = input.first().copied().unwrap_or_default();
        self.buffer
            .push(byte)
            .map_err(|_| ResponseError::HeadTooLong { limit: N })?;
        if self.buffer.last_chunk() != Some(b"\r\n\r\n") {
            return Ok(1);
        }
        let (head, framing) = head::parse(&self.buffer)?;
        self.buffer.clear();
        self.phase = match (head.status, framing) {
            // No upgrade was asked for, so the bytes after a 101 have no meaning here.
            (101, _) => return Err(ResponseError::Malformed),
            (100..=199, _) if self.interim >= MAX_INTERIM => return Err(ResponseError::Interim),
            (100..=199, _) => {
                self.interim = self.interim.saturating_add(1);
                return Ok(1);
            }
            (_, Framing::Length(0)) => Phase::Complete,
            (_, Framing::Length(length)) => Phase::Length(length),
            (_, Framing::Chunked) => Phase::Chunked(Chunked::START),
            (_, Framing::UntilClose) => Phase::UntilClose,
        };
        self.head = Some(head);
        Ok(1)
    }

    fn keep(&mut self, data: &[u8]) {
        let room = N.saturating_sub(self.buffer.len());
        let (kept, dropped) = data.split_at_checked(room).unwrap_or((data, &[]));
        // `kept` is no longer than the room left, so this can't fail.
        let _ = self.buffer.extend_from_slice(kept);
        self.dropped = self.dropped.saturating_add(dropped.len() as u64);
    }
}

impl<const N: usize> Default for Response<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> Drop for Response<N> {
    fn drop(&mut self) {
        self.buffer.zeroize();
    }
}

impl<const N: usize> ZeroizeOnDrop for Response<N> {}

impl<const N: usize> fmt::Debug for Response<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("head", &self.head)
            .field("phase", &self.phase)
            .field("body_len", &self.body().len())
            .field("dropped", &self.dropped)
            .finish_non_exhaustive()
    }
}

/// Says why the bytes received are not a response to act upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResponseError {
    /// The head is not HTTP/1.
    Malformed,
    /// A line of the head is not HTTP/1.
    Head(httparse::Error),
    /// The head is longer than the buffer.
    HeadTooLong {
        /// The length of the buffer in bytes.
        limit: usize,
    },
    /// Too many interim responses came before the final one.
    Interim,
    /// A `Content-Length` is not a number, or there are two that differ.
    ContentLength,
    /// A `Transfer-Encoding` is not `chunked`, or stands beside a `Content-Length`.
    TransferEncoding,
    /// A chunk of the body is malformed.
    Chunk,
    /// The stream ended before the response did.
    Truncated,
}

impl fmt::Display for ResponseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("the answer is not HTTP/1.1; check host and port"),
            Self::Head(error) => write!(f, "the answer is not HTTP/1.1: {error}"),
            Self::HeadTooLong { limit } => {
                write!(f, "the answer's head is longer than {limit} bytes")
            }
            Self::Interim => f.write_str("the server sent interim answers without an end"),
            Self::ContentLength => f.write_str("the answer's Content-Length makes no sense"),
            Self::TransferEncoding => f.write_str("the answer's Transfer-Encoding makes no sense"),
            Self::Chunk => f.write_str("the answer's chunked body is malformed"),
            Self::Truncated => f.write_str("the connection closed before the answer was complete"),
        }
    }
}

impl core::error::Error for ResponseError {}
