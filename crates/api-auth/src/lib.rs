//! Authorization for the APIs that a gateway calls, with nothing but numbers and bytes passing through.
//!
//! | question | answered by |
//! | --- | --- |
//! | how does this API want to be authenticated to? | [`Api`], [`Scheme`]: constants |
//! | is this key one that it can have issued? | [`Credential`] |
//! | what goes behind `Authorization:`? | [`Authorizer`], which signs rarely and hands out [`Authorization`] |
//! | what time is it, and can it be signed with? | [`Clock`] |
//! | which of two credentials is in use? | [`Slots`] |
//! | what now, after this response? | [`decide`], a pure function |
//! | all of it, applied in the right order? | [`Session`] |
//!
//! The crate reads no clock and opens no connection: time comes in as seconds of a [`Reading`] and as
//! milliseconds of uptime, facts of a response come in as [`Facts`], and bytes go out into fixed storage.
//!
//! # Add an API
//!
//! An API of a known [`Scheme`] is one constant, here one whose key goes behind `Bearer`:
//!
//! ```
//! use api_auth::{Api, Authorizer, ClockError, Credential, KeyFormat, Policy, Prefix, Request, Scheme};
//!
//! const PAGER: Api = Api {
//!     name: "pager",
//!     host: Some("api.pager.example"),
//!     scheme: Scheme::Bearer,
//!     key: KeyFormat { prefixes: &[Prefix::any("pg_")], ..KeyFormat::VISIBLE },
//!     check: Request { method: "GET", path: "/v1/me" },
//!     ..Api::BLANK
//! };
//!
//! let key = Credential::new(&PAGER, None, "pg_3f9c01aa", Policy::FIELD)?;
//! let mut authorizer = Authorizer::<_, 64>::new(&key)?;
//! let no_clock = Err(ClockError::Unset); // not needed for a key that is sent as it is
//! assert_eq!(authorizer.authorize(no_clock)?.value(), "Bearer pg_3f9c01aa");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![no_std]
#![deny(missing_docs)]

mod api;
mod authorization;
mod authorizer;
mod clock;
mod credential;
mod date;
mod decide;
mod format;
mod reading;
mod scheme;
mod session;
mod slots;
mod state;
mod uptime;

pub use api::{Api, Rate, Request, Send, SendKind};
pub use authorization::{Authorization, BufferTooSmall};
pub use authorizer::{AuthorizeError, Authorizer};
pub use clock::{AGREEMENT_SECS, Clock, ClockError, MAX_AGE_SECS, MAX_CORRECTION_SECS, Skew};
pub use credential::{Credential, CredentialError, MAX_ID_LEN, MAX_KEY_LEN};
pub use date::{http_date, rfc3339};
pub use decide::{Action, Answer, ErrorKind, Facts, MAX_HINT_SECS, Rejection, decide};
pub use format::{IdFormat, KeyFormat, KeyMode, Policy, Prefix};
pub use reading::{Reading, Source, Time};
pub use scheme::Scheme;
pub use session::{Check, Session};
pub use slots::{Slot, SlotError, SlotState, Slots, Step};
pub use state::State;
pub use uptime::Uptime;
