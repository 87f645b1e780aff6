//! Alerts by SMS that are never lost: HTTP/1.1 requests, responses, verdicts, a persistent outbox
//! and the loop that drives them.
//!
//! Nothing here opens a socket, reads a clock or owns a flash chip: bytes go into the caller's
//! buffers, time comes in as a number. Nothing allocates and nothing panics.

#![no_std]
#![deny(missing_docs)]

#[cfg(test)]
extern crate std;

mod blocking;
mod chunked;
mod error_body;
mod exchange;
mod field;
mod head;
mod json;
mod request;
mod response;

pub use blocking::{Blocking, block_on};
pub use error_body::ErrorBody;
pub use exchange::{ExchangeError, exchange};
pub use field::{FieldError, HeaderValue, Host, Target};
pub use head::{Head, RateLimit, RetryAfter};
pub use json::{Text, Value, find};
pub use request::{Method, Request, RequestError, json_body};
pub use response::{Response, ResponseError};
