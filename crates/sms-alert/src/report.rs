//! What a step tells its caller.

use core::fmt;

use api_auth::AuthorizeError;
use heapless::String;

use crate::entry::Entry;
use crate::error_body::ErrorBody;
use crate::exchange::ExchangeError;
use crate::field::FieldError;
use crate::head::{Head, MAX_REQUEST_ID_LEN};
use crate::local_id::AlertId;
use crate::message::MessageError;
use crate::outbox::OutboxError;
use crate::verdict::Verdict;

/// What a step has come to; `C` is the error of the connection, `E` of the HMAC engine, `S` of the store.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "there is no heap to box into")]
#[non_exhaustive]
pub enum Step<C, E, S> {
    /// An attempt was made, or failed before it was.
    Attempt(Report<C, E, S>),
    /// An alert has expired unsent and was removed.
    Expired(Entry),
    /// Nothing is to be done before this uptime in milliseconds, unless an alert is pushed.
    Wait(u64),
    /// Nothing is to be done until an alert is pushed or released.
    Idle,
}

/// What is to be told of an attempt.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report<C, E, S> {
    /// The alert.
    pub id: AlertId,
    /// What became of the attempt.
    pub verdict: Verdict,
    /// Whether an earlier attempt may have been acted upon, so that this one may be a duplicate.
    pub doubtful: bool,
    /// The status of the answer, 0 without one.
    pub status: u16,
    /// The answer's `X-Request-Id`, for the vendor's support; empty when absent.
    pub request_id: String<MAX_REQUEST_ID_LEN>,
    /// What the answer says is wrong.
    pub error: ErrorBody,
    /// What went wrong on the way.
    pub failure: Option<Failure<C, E>>,
    /// What the outbox failed to write down: after a restart the alert counts as one that may have
    /// been sent.
    pub unsettled: Option<OutboxError<S>>,
}

impl<C, E, S> Report<C, E, S> {
    /// Starts a report of an attempt that sent nothing; [`settle`](crate::attempt::Attempt::settle)
    /// completes it.
    pub(crate) fn failed(failure: Failure<C, E>) -> Self {
        Self::answered(None, ErrorBody::default(), Some(failure))
    }

    /// Starts a report of an exchange.
    pub(crate) fn answered(
        head: Option<&Head>,
        error: ErrorBody,
        failure: Option<Failure<C, E>>,
    ) -> Self {
        Self {
            id: AlertId(0),
            verdict: Verdict::MaybeSent,
            doubtful: false,
            status: head.map_or(0, |head| head.status),
            request_id: head.map(|head| head.request_id.clone()).unwrap_or_default(),
            error,
            failure,
            unsettled: None,
        }
    }
}

/// What went wrong on the way to an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure<C, E> {
    /// No credential, no time or no signature.
    Authorize(AuthorizeError<E>),
    /// The credential is no header value.
    Credential(FieldError),
    /// The alert can't be put as a request.
    Message(MessageError),
    /// No connection, a broken one, or an answer that is none.
    Exchange(ExchangeError<C>),
}

impl<C: fmt::Display, E: fmt::Display> fmt::Display for Failure<C, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Authorize(error) => error.fmt(f),
            Self::Credential(error) => error.fmt(f),
            Self::Message(error) => error.fmt(f),
            Self::Exchange(error) => error.fmt(f),
        }
    }
}

impl<C: core::error::Error, E: core::error::Error> core::error::Error for Failure<C, E> {}
