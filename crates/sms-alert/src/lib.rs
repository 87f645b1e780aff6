//! Alerts by SMS that are never lost: HTTP/1.1 requests, responses, verdicts, a persistent outbox
//! and the loop that drives them.
//!
//! Nothing here opens a socket, reads a clock or owns a flash chip: bytes go into the caller's
//! buffers, time comes in as a number. Nothing allocates and nothing panics.

#![no_std]
#![deny(missing_docs)]

#[cfg(test)]
extern crate std;

mod alert;
mod attempt;
mod blocking;
mod chunked;
mod client;
mod connect;
mod error_body;
mod exchange;
mod facts;
mod field;
mod head;
mod json;
mod local_id;
mod message;
mod outbox;
mod phone;
mod rate;
mod record;
mod report;
mod request;
mod response;
mod schedule;
mod segments;
mod store;
mod verdict;

pub use alert::{Alert, AlertError, MAX_PHONES, MAX_TEXT_LEN, Priority, Recipient};
pub use blocking::{Blocking, block_on};
pub use client::{BUFFER_LEN, Client, Sending};
pub use connect::Connect;
pub use error_body::ErrorBody;
pub use exchange::{ExchangeError, exchange};
pub use facts::facts;
pub use field::{FieldError, HeaderValue, Host, Target};
pub use head::{Head, RateLimit, RetryAfter};
pub use json::{Text, Value, find};
pub use local_id::{AlertId, DeviceName, DeviceNameError, LocalIdText, MAX_DEVICE_LEN};
pub use message::{Account, MessageError, NewApiKey, WebhookJob};
pub use outbox::{
    Entry, MaybeSentPolicy, Next, Outbox, OutboxError, Pushed, Rules, State, WhenFull,
};
pub use phone::{MAX_DIGITS, MIN_DIGITS, PhoneError, PhoneNumber};
pub use rate::RateLimiter;
pub use record::MAX_RECORD_LEN;
pub use report::{Failure, Report, Step};
pub use request::{Method, Request, RequestError, json_body};
pub use response::{Response, ResponseError};
pub use schedule::Backoff;
pub use segments::{Encoding, Segments};
pub use store::{RamStore, RamStoreError, Store};
pub use verdict::{ClockTrouble, Reason, Verdict};
