//! What came back, and what to do about it.

use api_auth::{Action, Answer, Check, ErrorKind, Facts, Rejection};

use crate::memory;
use crate::object;
use crate::rotation::{jwt_slot, slot_number};
use crate::session::{Authorization, jwt_session};
use crate::status::jwt_status;

/// In the place of a status: the request's last byte was never handed to the network.
pub const JWT_ANSWER_NOT_SENT: i32 = -1;

/// In the place of a status: the request was sent, and the answer's head never came whole.
pub const JWT_ANSWER_LOST: i32 = -2;

/// In the place of a status: the request was sent, and what came back is not HTTP.
pub const JWT_ANSWER_MALFORMED: i32 = -3;

/// The error's body says nothing that changes the decision.
pub const JWT_BODY_OTHER: u8 = 0;

/// The error's body says that the token's header has no `kid` (Key-ID).
pub const JWT_BODY_MISSING_KID: u8 = 1;

/// The error's body names a permission that the key lacks.
pub const JWT_BODY_PERMISSION: u8 = 2;

/// What is known of one request and its answer: all zeros but the status and what came.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jwt_answer {
    /// The HTTP status, or one of `JWT_ANSWER_NOT_SENT`, `JWT_ANSWER_LOST` and `JWT_ANSWER_MALFORMED`.
    pub status: i32,
    /// Not 0 if the request may reach the server twice: a `GET`, but not an alert.
    pub repeatable: u8,
    /// Not 0 if the connection was TLS with a verified certificate; a `Date` that came otherwise is not looked at.
    pub secure: u8,
    /// Not 0 if `X-RateLimit-Remaining` is 0.
    pub rate_exhausted: u8,
    /// What the error's body says: one of the `JWT_BODY_` numbers.
    pub body: u8,
    /// The `Date` header in Unix seconds, see `jwt_http_date_secs`; 0 if there is none.
    pub date_secs: u64,
    /// `X-RateLimit-Reset` in Unix seconds; 0 if there is none.
    pub rate_reset_secs: u64,
    /// The seconds to wait of `Retry-After` or of an error's `retry_after`; 0 if there are none.
    pub retry_after_secs: u32,
}

/// What to do next.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum jwt_action {
    /// The server took the request; begin no other one for `after_secs`.
    JWT_ACTION_ACCEPTED,
    /// The request was not acted on: send it again, after a backoff of your own and at least `after_secs`.
    JWT_ACTION_RETRY,
    /// The server may have acted on the request: sending it again may do it twice.
    JWT_ACTION_MAYBE_SENT,
    /// The server can't be satisfied by sending the same again: `rejection` says why.
    JWT_ACTION_REJECTED,
    /// The session's clock took over the server's time: ask for a line and send again at once.
    JWT_ACTION_CORRECT_CLOCK,
    /// The clock, or the server's, is wrong by more than a server may correct: tell, and send again when somebody has
    /// set it, or after `after_secs`.
    JWT_ACTION_CLOCK_WRONG,
    /// The other slot's credential, of `slot`, is now the active one: ask for a line and send again at once.
    JWT_ACTION_SWITCH_SECRET,
    /// No credential is accepted: tell, and send again after `after_secs`.
    JWT_ACTION_REFUSED,
}

/// Why a request is not to be sent again.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum jwt_rejection {
    /// It was not rejected.
    JWT_REJECTION_NONE,
    /// The request is wrong in itself.
    JWT_REJECTION_INVALID,
    /// The credential is valid but may not do this; another of the same owner's could not either.
    JWT_REJECTION_FORBIDDEN,
    /// There is no such path or object.
    JWT_REJECTION_NOT_FOUND,
    /// It contradicts what is there.
    JWT_REJECTION_CONFLICT,
    /// The server points elsewhere, where the credential is not sent to.
    JWT_REJECTION_REDIRECTED,
    /// The token has no `kid`.
    JWT_REJECTION_MISSING_KID,
    /// The server has no such method or version.
    JWT_REJECTION_UNSUPPORTED,
}

/// What an answer leads to.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jwt_decision {
    /// What to do.
    pub action: jwt_action,
    /// Seconds, where the action names them; 0 otherwise.
    pub after_secs: u32,
    /// The active slot after this.
    pub slot: jwt_slot,
    /// Why the request was rejected.
    pub rejection: jwt_rejection,
}

/// What the API's check says about the credential in the standby slot.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum jwt_check {
    /// It was accepted; keep the slots.
    JWT_CHECK_WORKS,
    /// It was recognised, but may not do what the check asks: see to its permissions.
    JWT_CHECK_FORBIDDEN,
    /// It was refused: retire it, and deploy another.
    JWT_CHECK_REFUSED,
    /// The clock was wrong and is corrected: check again at once.
    JWT_CHECK_CLOCK_CORRECTED,
    /// The answer says nothing about it: check again after the seconds told, or a backoff of your own.
    JWT_CHECK_UNCLEAR,
}

/// Learns from the answer to a request with the active slot's credential, and says what to do.
///
/// What concerns the clock and the slots has been done when it returns; keep `jwt_session_slots` when they have
/// changed. `uptime_ms`: milliseconds since the start. On failure nothing is learnt, and `decision` is untouched.
///
/// Errors: `JWT_ERROR_ARGUMENT` for a status or body that is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jwt_session_answered(
    session: *mut jwt_session,
    answer: *const jwt_answer,
    uptime_ms: u64,
    decision: *mut jwt_decision,
) -> jwt_status {
    let learn = |state: &mut Authorization| {
        // SAFETY: as the contract of the crate has it.
        let facts = unsafe { memory::read(answer) }?.facts()?;
        memory::check_result(decision, session)?;
        let action = state.answered(&facts, uptime_ms);
        let slot = slot_number(state.slots().active());
        Ok(jwt_decision::of(action, slot))
    };
    // SAFETY: as the contract of the crate has it.
    let written = unsafe { object::using(session, learn) }.and_then(|decided| {
        // SAFETY: as the contract of the crate has it.
        unsafe { memory::write(decision, decided) }
    });
    written.err().unwrap_or(jwt_status::JWT_OK)
}

/// Learns from the answer to the API's check with the standby slot's credential; the active slot is none the worse for it.
///
/// What the check says goes to `check`, the seconds to wait, 0 mostly, to `after_secs`, unless that is null. On failure
/// nothing is learnt, and both are untouched.
///
/// Errors: `JWT_ERROR_ARGUMENT` for a status or body that is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jwt_session_standby_answered(
    session: *mut jwt_session,
    answer: *const jwt_answer,
    uptime_ms: u64,
    check: *mut jwt_check,
    after_secs: *mut u32,
) -> jwt_status {
    let learn = |state: &mut Authorization| {
        // SAFETY: as the contract of the crate has it.
        let facts = unsafe { memory::read(answer) }?.facts()?;
        memory::check_result(check, session)?;
        memory::check_wanted(after_secs, session)?;
        Ok(match state.standby_answered(&facts, uptime_ms) {
            Check::Works => (jwt_check::JWT_CHECK_WORKS, 0),
            Check::Forbidden => (jwt_check::JWT_CHECK_FORBIDDEN, 0),
            Check::Refused => (jwt_check::JWT_CHECK_REFUSED, 0),
            Check::ClockCorrected => (jwt_check::JWT_CHECK_CLOCK_CORRECTED, 0),
            Check::Unclear { after_secs } => (jwt_check::JWT_CHECK_UNCLEAR, after_secs),
        })
    };
    // SAFETY: as the contract of the crate has it.
    let written = unsafe { object::using(session, learn) }.and_then(|(result, secs)| {
        // SAFETY: as the contract of the crate has it.
        unsafe { memory::write(check, result) }?;
        // SAFETY: as the contract of the crate has it.
        unsafe { memory::write(after_secs, secs) }
    });
    written.err().unwrap_or(jwt_status::JWT_OK)
}

impl jwt_answer {
    fn facts(&self) -> Result<Facts, jwt_status> {
        let answer = match (self.status, u16::try_from(self.status)) {
            (JWT_ANSWER_NOT_SENT, _) => Answer::NotSent,
            (JWT_ANSWER_LOST, _) => Answer::Lost,
            (JWT_ANSWER_MALFORMED, _) => Answer::Malformed,
            (_, Ok(status @ 100..1000)) => Answer::Status(status),
            _ => return Err(jwt_status::JWT_ERROR_ARGUMENT),
        };
        let unless_zero = |secs: u64| (secs != 0).then_some(secs);
        let mut facts = Facts::new(answer);
        facts.repeatable = self.repeatable != 0;
        facts.secure = self.secure != 0;
        facts.date = unless_zero(self.date_secs);
        facts.retry_after_secs = (self.retry_after_secs != 0).then_some(self.retry_after_secs);
        facts.rate_remaining = (self.rate_exhausted != 0).then_some(0);
        facts.rate_reset = unless_zero(self.rate_reset_secs);
        facts.error = match self.body {
            JWT_BODY_OTHER => ErrorKind::Other,
            JWT_BODY_MISSING_KID => ErrorKind::MissingKid,
            JWT_BODY_PERMISSION => ErrorKind::Permission,
            _ => return Err(jwt_status::JWT_ERROR_ARGUMENT),
        };
        Ok(facts)
    }
}

impl jwt_decision {
    fn of(action: Action, slot: jwt_slot) -> Self {
        let mut decision = Self {
            action: jwt_action::JWT_ACTION_ACCEPTED,
            after_secs: 0,
            slot,
            rejection: jwt_rejection::JWT_REJECTION_NONE,
        };
        (decision.action, decision.after_secs) = match action {
            Action::Accepted { pause_secs } => (jwt_action::JWT_ACTION_ACCEPTED, pause_secs),
            Action::Retry { after_secs } => (jwt_action::JWT_ACTION_RETRY, after_secs),
            Action::MaybeSent => (jwt_action::JWT_ACTION_MAYBE_SENT, 0),
            Action::Rejected(rejection) => {
                decision.rejection = rejection_number(rejection);
                (jwt_action::JWT_ACTION_REJECTED, 0)
            }
            Action::CorrectClock { .. } => (jwt_action::JWT_ACTION_CORRECT_CLOCK, 0),
            Action::ClockWrong { after_secs } => (jwt_action::JWT_ACTION_CLOCK_WRONG, after_secs),
            Action::SwitchSecret { .. } => (jwt_action::JWT_ACTION_SWITCH_SECRET, 0),
            Action::Refused { after_secs } => (jwt_action::JWT_ACTION_REFUSED, after_secs),
        };
        decision
    }
}

fn rejection_number(rejection: Rejection) -> jwt_rejection {
    match rejection {
        Rejection::Forbidden => jwt_rejection::JWT_REJECTION_FORBIDDEN,
        Rejection::NotFound => jwt_rejection::JWT_REJECTION_NOT_FOUND,
        Rejection::Conflict => jwt_rejection::JWT_REJECTION_CONFLICT,
        Rejection::Redirected => jwt_rejection::JWT_REJECTION_REDIRECTED,
        Rejection::MissingKid => jwt_rejection::JWT_REJECTION_MISSING_KID,
        Rejection::Unsupported => jwt_rejection::JWT_REJECTION_UNSUPPORTED,
        _ => jwt_rejection::JWT_REJECTION_INVALID,
    }
}
