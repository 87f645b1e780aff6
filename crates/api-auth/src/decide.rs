//! What to do after a request: one pure function of what came back, the clock and the state.

use crate::api::Api;
use crate::clock::{Clock, Skew};
use crate::slots::Slot;
use crate::state::State;

/// Most seconds to wait because a server says so; it is asked again after that.
pub const MAX_HINT_SECS: u32 = 3600;

/// What is known of one request and its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// How far it got.
    pub answer: Answer,
    /// Whether the request may reach the server twice: a `GET`, but not an alert.
    pub repeatable: bool,
    /// Whether the connection was TLS with a verified certificate.
    pub secure: bool,
    /// The `Date` header in Unix seconds.
    pub date: Option<u64>,
    /// The seconds to wait of `Retry-After` or of an error's `retry_after`.
    pub retry_after_secs: Option<u32>,
    /// `X-RateLimit-Remaining`.
    pub rate_remaining: Option<u32>,
    /// `X-RateLimit-Reset` in Unix seconds.
    pub rate_reset: Option<u64>,
    /// What the error's body says beyond the status.
    pub error: ErrorKind,
}

impl Facts {
    /// Returns an answer without any header or body that matters, to an alert, over TLS.
    pub const fn new(answer: Answer) -> Self {
        Self {
            answer,
            repeatable: false,
            secure: true,
            date: None,
            retry_after_secs: None,
            rate_remaining: None,
            rate_reset: None,
            error: ErrorKind::Other,
        }
    }
}

/// How far a request got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Its last byte was never handed to the network, so no server can have acted on it.
    NotSent,
    /// It was sent, and the connection ended or the time ran out before the answer's head was complete.
    Lost,
    /// It was sent, and what came back is not HTTP.
    Malformed,
    /// The answer's head was complete, with this status; the body may have been cut off.
    Status(u16),
}

/// What an error's body says beyond the status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Nothing that changes the decision.
    #[default]
    Other,
    /// Key-ID: the token's header has no `kid`.
    MissingKid,
    /// The credential is valid but may not do this.
    Permission,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The server took the request; begin no other one for `pause_secs`, by its own rate limit.
    Accepted {
        /// Seconds, 0 mostly.
        pause_secs: u32,
    },
    /// The request was not acted on: send it again, after the caller's backoff and at least `after_secs`.
    Retry {
        /// Seconds that the server asked for, 0 if it didn't.
        after_secs: u32,
    },
    /// The server may have acted on the request: sending it again may do it twice.
    MaybeSent,
    /// The server can't be satisfied by sending the same again.
    Rejected(Rejection),
    /// Take over the server's time ([`Clock::learn`]), sign anew and send again at once.
    CorrectClock {
        /// The server's time in Unix seconds.
        server_secs: u64,
    },
    /// The clock, or the server's, is wrong by more than a server may correct: tell, and send again when
    /// somebody has set it, or after `after_secs`.
    ClockWrong {
        /// Seconds.
        after_secs: u32,
    },
    /// Send again at once with the other slot's credential, now the active one.
    SwitchSecret {
        /// That slot.
        to: Slot,
    },
    /// No credential is accepted: tell, and send again with the active one after `after_secs`.
    Refused {
        /// Seconds.
        after_secs: u32,
    },
}

/// Why a request is not to be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rejection {
    /// The request is wrong in itself.
    Invalid,
    /// The credential is valid but may not do this; another of the same owner's could not either.
    Forbidden,
    /// There is no such path or object.
    NotFound,
    /// It contradicts what is there.
    Conflict,
    /// The server points elsewhere, where the credential is not sent to.
    Redirected,
    /// The token has no `kid`, so it is not one of the API's profile.
    MissingKid,
    /// The server has no such method or version.
    Unsupported,
}

/// Decides what to do after a request with the active slot's credential, and returns the state after it.
///
/// | answer | action |
/// | --- | --- |
/// | never wholly sent | `Retry` |
/// | none, or not HTTP; 502, 504: a proxy got none | `MaybeSent`; `Retry` if repeatable |
/// | 2xx | `Accepted`, with a pause until the reset if no request remains |
/// | an error that names the missing `kid`, whatever its status (Key-ID: 500) | `Rejected` |
/// | 403; 401 to a key that is sent as it is, with an error that names a permission | `Rejected`; never another secret |
/// | 401 to a token over TLS, by whose `Date` the clock is skewed ([`Skew`]), and not just corrected | `CorrectClock` |
/// | 401 otherwise, and the other slot has a credential that wasn't refused just now | `SwitchSecret` |
/// | 401 otherwise, `Date` over a day off the clock's last independent reading | `ClockWrong` |
/// | 401 otherwise | `Refused` |
/// | 408, 425, 429, 5xx but 501, 502, 504, 505 | `Retry`, by `Retry-After` or the rate limit's reset |
/// | 3xx, 404, 409, 410, 501, 505, other 4xx | `Rejected` |
/// | any other status | as not HTTP |
///
/// A slot that was refused rests for 5 minutes, doubled each time it is refused again, up to an hour. It is
/// not switched to before, so revoked secrets don't take turns, and after each rest both have their chance.
/// A correction of the clock, too, is followed by another only after an accepted request or 5 minutes. So at
/// most two answers in a row, one of each kind, lead to a request at once. Any other waits for the caller's
/// backoff.
///
/// A `Date` that came without TLS is not looked at. Hints are capped at [`MAX_HINT_SECS`].
pub fn decide(
    api: &Api,
    facts: &Facts,
    clock: &Clock,
    uptime_ms: u64,
    state: &State,
) -> (Action, State) {
    let status = match facts.answer {
        Answer::NotSent => return (Action::Retry { after_secs: 0 }, *state),
        Answer::Status(status @ 200..600) => status,
        Answer::Lost | Answer::Malformed | Answer::Status(_) => return (unanswered(facts), *state),
    };
    let reject = |reason| (Action::Rejected(reason), *state);
    match (status, facts.error) {
        (200..300, _) => {
            let pause_secs = match facts.rate_remaining {
                Some(0) => reset_secs(facts, clock, uptime_ms),
                _ => 0,
            };
            (Action::Accepted { pause_secs }, state.accepted())
        }
        (_, ErrorKind::MissingKid) => reject(Rejection::MissingKid),
        (300..400, _) => reject(Rejection::Redirected),
        (403, _) => reject(Rejection::Forbidden),
        (401, ErrorKind::Permission) if !api.scheme.is_token() => reject(Rejection::Forbidden),
        (401, _) => unauthorized(api, facts, clock, uptime_ms, state),
        (404 | 410, _) => reject(Rejection::NotFound),
        (409, _) => reject(Rejection::Conflict),
        (408 | 425 | 429, _) => (retry(facts, clock, uptime_ms), *state),
        (400..=499, _) => reject(Rejection::Invalid),
        (501 | 505, _) => reject(Rejection::Unsupported),
        (502 | 504, _) => (unanswered(facts), *state),
        _ => (retry(facts, clock, uptime_ms), *state),
    }
}

fn unauthorized(
    api: &Api,
    facts: &Facts,
    clock: &Clock,
    uptime_ms: u64,
    state: &State,
) -> (Action, State) {
    let skew = skew(api, facts, clock, uptime_ms);
    match (skew, state.refused(uptime_ms)) {
        (Some((Skew::Correctable, server_secs)), _) if state.may_correct(uptime_ms) => (
            Action::CorrectClock { server_secs },
            state.corrected(uptime_ms),
        ),
        (Some((Skew::Beyond, _)), (Action::Refused { after_secs }, state)) => {
            (Action::ClockWrong { after_secs }, state)
        }
        (_, blamed) => blamed,
    }
}

/// Compares the server's time with the clock, if a token was judged by it and it can be believed.
pub(crate) fn skew(api: &Api, facts: &Facts, clock: &Clock, uptime_ms: u64) -> Option<(Skew, u64)> {
    // Without TLS anyone on the way can write the date: it is as good as absent.
    let believed = facts.secure && api.scheme.is_token();
    let server_secs = facts.date.filter(|_| believed)?;
    Some((clock.skew(server_secs, uptime_ms), server_secs))
}

fn unanswered(facts: &Facts) -> Action {
    if facts.repeatable {
        Action::Retry { after_secs: 0 }
    } else {
        Action::MaybeSent
    }
}

fn retry(facts: &Facts, clock: &Clock, uptime_ms: u64) -> Action {
    let after_secs = match facts.retry_after_secs {
        Some(secs) => secs.min(MAX_HINT_SECS),
        None => reset_secs(facts, clock, uptime_ms),
    };
    Action::Retry { after_secs }
}

/// Returns the seconds until the rate limit is reset, by the server's own clock if it tells its time.
fn reset_secs(facts: &Facts, clock: &Clock, uptime_ms: u64) -> u32 {
    let own_secs = || clock.now(uptime_ms).ok().map(|time| time.unix_secs());
    let Some((reset, now)) = facts.rate_reset.zip(facts.date.or_else(own_secs)) else {
        return 0;
    };
    let secs = reset.saturating_sub(now).min(u64::from(MAX_HINT_SECS));
    u32::try_from(secs).unwrap_or(MAX_HINT_SECS)
}
