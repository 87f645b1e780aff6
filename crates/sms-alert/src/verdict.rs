//! What became of one attempt to send an alert, and when there is another.

use core::fmt;

use api_auth::{Action, ClockError, Rejection, Slot};
use heapless::String;

use crate::json::find;
use crate::response::Response;

/// Bytes of a message's identifier that are kept.
pub const MAX_MESSAGE_ID_LEN: usize = 64;

/// What became of one attempt.
///
/// | verdict | the alert | the next attempt |
/// | --- | --- | --- |
/// | `Delivered` | is removed | |
/// | `RetryAt` | is queued, nothing was sent or the server declined for now | after backoff, or the server's hint |
/// | `MaybeSent` | is held, or queued if [`MaybeSentPolicy::Resend`](crate::MaybeSentPolicy) says so | none, or after backoff |
/// | `FixClock` | is queued | at once if the clock could be corrected, else after backoff |
/// | `SwitchSecret` | is queued | at once |
/// | `Refused` | is queued, no credential is accepted | after some minutes |
/// | `Rejected` | is kept, marked | none |
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// The server has taken the alert and named the message.
    Delivered {
        /// The identifier of the message: of Heymarket a number.
        message_id: String<MAX_MESSAGE_ID_LEN>,
    },
    /// The alert was not sent; it is due again at this uptime in milliseconds.
    RetryAt(u64),
    /// The request may have reached the server, and no usable answer came.
    MaybeSent,
    /// The clock is wrong.
    FixClock(ClockTrouble),
    /// The server refused the active credential; the one in this slot is the active one now.
    SwitchSecret(Slot),
    /// The server refused the active credential, and there is none to switch to for now.
    Refused,
    /// The server will not take this alert, however often it is sent.
    Rejected(Reason),
}

/// What is wrong with the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockTrouble {
    /// It was off, and has been set by the server's `Date`.
    Corrected,
    /// The server's `Date` is too far from it to be taken over: somebody has to set the clock.
    TooFarOff,
    /// There is no time to sign with.
    Unusable(ClockError),
}

/// Why an alert is not sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The server said so.
    Server(Rejection),
    /// The account's API can't reach the recipient, or the request is longer than the client's buffer.
    Unsendable,
}

impl Verdict {
    /// Judges an action that [`api_auth::Session::answered`] asks for; `due_ms` is when a retry falls due.
    pub(crate) fn of<const N: usize>(action: Action, response: &Response<N>, due_ms: u64) -> Self {
        match action {
            Action::Accepted { .. } => match message_id(response) {
                Some(message_id) => Self::Delivered { message_id },
                // A success that names no message is no proof of one.
                None => Self::MaybeSent,
            },
            Action::Retry { .. } => Self::RetryAt(due_ms),
            Action::MaybeSent => Self::MaybeSent,
            Action::Rejected(rejection) => Self::Rejected(Reason::Server(rejection)),
            Action::CorrectClock { .. } => Self::FixClock(ClockTrouble::Corrected),
            Action::ClockWrong { .. } => Self::FixClock(ClockTrouble::TooFarOff),
            Action::SwitchSecret { to } => Self::SwitchSecret(to),
            Action::Refused { .. } => Self::Refused,
        }
    }
}

/// Reads the `id` of the answer: a number at Heymarket, a string at Hook Mesh.
fn message_id<const N: usize>(response: &Response<N>) -> Option<String<MAX_MESSAGE_ID_LEN>> {
    let id = find(response.text(), &["id"])?;
    let mut kept = String::new();
    match (id.integer(), id.text()) {
        (Some(number), _) => fmt::Write::write_fmt(&mut kept, format_args!("{number}")).ok()?,
        (None, Some(text)) => {
            for char in text.chars() {
                if !char.is_ascii_graphic() || kept.push(char).is_err() {
                    return None;
                }
            }
        }
        (None, None) => return None,
    }
    (!kept.is_empty()).then_some(kept)
}
