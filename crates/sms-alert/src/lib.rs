//! Alerts by SMS that are never lost: HTTP/1.1 requests, responses, verdicts, a persistent outbox
//! and the loop that drives them.
//!
//! Nothing here opens a socket, reads a clock or owns a flash chip: bytes go into the caller's
//! buffers, time comes in as a number. Nothing allocates and nothing panics.
//!
//! | what | is |
//! | --- | --- |
//! | an alert, what it costs, who gets it | [`Alert`], [`Segments`], [`PhoneNumber`] |
//! | where alerts wait | [`Outbox`] in a [`Store`] |
//! | one attempt after another | [`Client`] over a [`Connect`] |
//! | what became of an attempt | [`Verdict`] in a [`Report`] |
//! | any other request to an API | [`Request`], [`exchange`], [`Response`], [`facts`] |
//!
//! # What is guaranteed
//!
//! An alert that [`Outbox::push`] has confirmed survives any power cut and stays until it is delivered,
//! has expired, gives way by the rule for a full outbox, or is discarded; each of these is reported.
//! *Delivered* means that the server answered 2xx and named the message, not that a phone has rung.
//! With [`MaybeSentPolicy::Hold`] the server is sent an alert a second time only after it said that it
//! declined the first, or after [`Outbox::resend`]: at most once, and whatever stays in doubt is held
//! and reported. With [`MaybeSentPolicy::Resend`] it is at least once, up to a limit of [`MAX_DOUBTS`] requests without a usable answer, restarts included,
//! and duplicates carry the same `local_id`. No client can do better with an API that does not promise to refuse a second request
//! with the same `local_id`: a lost answer looks the same whether or not the alert went out. Two things
//! are taken on trust: that the store is atomic, and that a server which answers 429, 500 or 503 has
//! not acted.
//!
//! # Example
//!
//! ```
//! use sms_alert::{Alert, DeviceName, Next, Outbox, PhoneNumber, RamStore, Recipient, Rules};
//!
//! let store = RamStore::<5, { sms_alert::MAX_RECORD_LEN }>::new();
//! let device = DeviceName::new("gw-0017")?;
//! let mut outbox = Outbox::<_, 4>::open(store, device, Rules::default(), 0x5eed)?;
//!
//! let to = Recipient::Phone(PhoneNumber::new("15551234567")?);
//! let id = outbox.push(&Alert::new(to, "Freezer 2: door open since 03:12")?)?.id;
//! assert_eq!(outbox.next(0), Next::Send(id));
//! assert_eq!(outbox.local_id(id), "gw-0017-00002f7600000000");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

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
mod entry;
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
pub use entry::{Entry, MAX_DOUBTS, MaybeSentPolicy, Next, Pushed, Rules, State, WhenFull};
pub use error_body::ErrorBody;
pub use exchange::{ExchangeError, exchange};
pub use facts::facts;
pub use field::{FieldError, HeaderValue, Host, Target};
pub use head::{Head, RateLimit, RetryAfter};
pub use json::{Text, Value, find};
pub use local_id::{AlertId, DeviceName, DeviceNameError, LocalIdText, MAX_DEVICE_LEN};
pub use message::{Account, MessageError, NewApiKey, WebhookJob};
pub use outbox::{Outbox, OutboxError};
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
