//! The one loop that sends alerts: it takes the next due one from the outbox, authorizes it, sends it,
//! judges the answer and settles it.
//!
//! The outbox stays free for other tasks while a request is under way: it is borrowed for moments,
//! never across a wait. A step that is dropped once its request has begun settles as one without an answer.

use core::cell::RefCell;

use api_auth::{Action, Answer, AuthorizeError, Session};
use jwt_core::MacEngine;

use crate::attempt::Attempt;
use crate::connect::Connect;
use crate::entry::Next;
use crate::exchange::{ExchangeError, exchange};
use crate::facts::facts;
use crate::field::{FieldError, HeaderValue, Host, Target};
use crate::message::Account;
use crate::outbox::{Outbox, OutboxError};
use crate::rate::RateLimiter;
use crate::report::{Failure, Report, Step};
use crate::request::{Method, Request, RequestError};
use crate::response::Response;
use crate::schedule::Backoff;
use crate::store::Store;
use crate::verdict::{ClockTrouble, Reason, Verdict};

/// Bytes of an answer's head, and of its body, that there is room for.
const RESPONSE_LEN: usize = 2048;

/// Bytes of a buffer that has room for any alert without control characters and a token of a kilobyte.
pub const BUFFER_LEN: usize = 4096;

/// What a client sends, whereto, and how patiently.
#[derive(Clone, Copy, Debug)]
pub struct Sending<'a> {
    /// The server.
    pub host: Host<'a>,
    /// The account.
    pub account: Account<'a>,
    /// The waits between attempts.
    pub backoff: Backoff,
    /// The milliseconds after which an answer is not waited for any longer.
    pub patience_ms: u64,
}

/// Sends the alerts of an outbox, one at a time.
///
/// `random` returns numbers drawn evenly from all of `u32`; `uptime_ms` returns the milliseconds since
/// the start, as [`api_auth::Clock`] wants them.
pub struct Client<'a, C, E: MacEngine, R, U, const TOKEN: usize> {
    session: Session<'a, E, TOKEN>,
    sending: Sending<'a>,
    target: Target<'a>,
    connect: C,
    uptime_ms: U,
    limiter: Option<RateLimiter>,
    pace: Pace<R>,
    buffer: &'a mut [u8],
}

/// When the next attempt may be made, whichever alert it is for.
struct Pace<R> {
    backoff: Backoff,
    random: R,
    /// The uptime before which nothing is sent, for what is wrong concerns every alert.
    gate_ms: u64,
    /// Whether another time or credential would open the gate: then it is not the server's wish.
    session_opens: bool,
    /// The attempts in a row that got no answer, or were too many for the account.
    setbacks: u16,
}

impl<'a, C, E, R, U, const TOKEN: usize> Client<'a, C, E, R, U, TOKEN>
where
    C: Connect,
    E: MacEngine,
    R: FnMut() -> u32,
    U: FnMut() -> u64,
{
    /// Makes a client of an API that raises alerts; `buffer` should have [`BUFFER_LEN`] bytes.
    ///
    /// # Errors
    /// [`FieldError::Target`] when the API has no request that sends.
    pub fn new(
        session: Session<'a, E, TOKEN>,
        sending: Sending<'a>,
        connect: C,
        random: R,
        uptime_ms: U,
        buffer: &'a mut [u8],
    ) -> Result<Self, FieldError> {
        let api = session.api();
        let send = api.send.ok_or(FieldError::Target)?;
        Ok(Self {
            session,
            sending,
            target: Target::new(send.path)?,
            connect,
            uptime_ms,
            limiter: api.rate.map(RateLimiter::new),
            pace: Pace {
                backoff: sending.backoff,
                random,
                gate_ms: 0,
                session_opens: false,
                setbacks: 0,
            },
            buffer,
        })
    }

    /// Returns the session, to persist its slots and its clock's floor.
    pub const fn session(&self) -> &Session<'a, E, TOKEN> {
        &self.session
    }

    /// Returns the session, to set its clock or change its credentials; what waited for that is tried
    /// at the next step.
    pub const fn session_mut(&mut self) -> &mut Session<'a, E, TOKEN> {
        if self.pace.session_opens {
            self.pace.gate_ms = 0;
        }
        &mut self.session
    }

    /// Returns the way to the server, to tell it what has changed.
    pub const fn connect_mut(&mut self) -> &mut C {
        &mut self.connect
    }

    /// Does what is due, one attempt at the most. After an attempt or an expiry, call it again.
    ///
    /// While it runs, `outbox` may be borrowed elsewhere for moments, to push alerts, but not across
    /// an `await`.
    ///
    /// # Errors
    /// [`OutboxError`] when the outbox can't be read or written, or is borrowed elsewhere; nothing was
    /// sent. Wait before the next step.
    pub async fn step<S: Store, const SLOTS: usize>(
        &mut self,
        outbox: &RefCell<Outbox<S, SLOTS>>,
    ) -> Result<Step<C::Error, E::Error, S::Error>, OutboxError<S::Error>> {
        let started_ms = (self.uptime_ms)();
        let time = self.session.clock().now(started_ms).ok();
        let limit_ms = self
            .limiter
            .map_or(0, |limiter| limiter.wait_ms(started_ms));
        let free_ms = self.pace.gate_ms.max(started_ms.saturating_add(limit_ms));
        let next = {
            let mut outbox = outbox.try_borrow_mut().map_err(|_| OutboxError::Busy)?;
            if let Some(time) = time
                && let Some(entry) = outbox.expire(time.unix_secs())?
            {
                return Ok(Step::Expired(entry));
            }
            outbox.next(started_ms)
        };
        let attempt = match next {
            Next::Nothing => return Ok(Step::Idle),
            Next::At(due_ms) => return Ok(Step::Wait(due_ms.max(free_ms))),
            Next::Send(_) if free_ms > started_ms => return Ok(Step::Wait(free_ms)),
            Next::Send(id) => Attempt::take(outbox, id)?,
        };
        self.send(attempt, started_ms).await.map(Step::Attempt)
    }

    async fn send<S: Store, const SLOTS: usize>(
        &mut self,
        attempt: Attempt<'_, S, SLOTS>,
        started_ms: u64,
    ) -> Result<Report<C::Error, E::Error, S::Error>, OutboxError<S::Error>> {
        let mut response = Response::<RESPONSE_LEN>::new();
        let body_len = match attempt.body(&self.sending.account, self.buffer)? {
            Ok(length) => length,
            Err(error) => {
                let verdict = Verdict::Rejected(Reason::Unsendable);
                return Ok(attempt.settle(verdict, 0, Report::failed(Failure::Message(error))));
            }
        };
        let split = self.buffer.split_at_mut_checked(body_len);
        let (body, scratch) = split.unwrap_or_default();

        let authorized = match self.session.authorize(started_ms) {
            Ok(value) => HeaderValue::new(value.value()).map_err(Failure::Credential),
            Err(error) => Err(Failure::Authorize(error)),
        };
        let authorization = match authorized {
            Ok(authorization) => authorization,
            Err(failure) => {
                let due_ms = self.pace.close(started_ms, 0);
                self.pace.session_opens = true;
                let verdict = match &failure {
                    Failure::Authorize(AuthorizeError::Clock(error)) => {
                        Verdict::FixClock(ClockTrouble::Unusable(*error))
                    }
                    Failure::Authorize(AuthorizeError::NoCredential) => Verdict::Refused,
                    _ => Verdict::RetryAt(due_ms),
                };
                return Ok(attempt.settle(verdict, started_ms, Report::failed(failure)));
            }
        };
        let request = Request::post(self.sending.host, self.target, Some(authorization), body);
        let head_len = request.head_len();
        if head_len > scratch.len() {
            // No connection changes that: not to be tried again, nor to hold up the other alerts.
            let needed = head_len.saturating_add(body_len);
            let error = ExchangeError::Request(RequestError::BufferTooSmall { needed });
            let verdict = Verdict::Rejected(Reason::Unsendable);
            return Ok(attempt.settle(verdict, 0, Report::failed(Failure::Exchange(error))));
        }

        let exchanged = match self.connect.connect(self.sending.host).await {
            Ok(mut stream) => {
                let begun_ms = (self.uptime_ms)();
                attempt.begin()?;
                if let Some(limiter) = &mut self.limiter {
                    limiter.count(begun_ms);
                }
                let end_ms = begun_ms.saturating_add(self.sending.patience_ms);
                let late = || (self.uptime_ms)() >= end_ms;
                exchange(&mut stream, &request, scratch, &mut response, late).await
            }
            Err(error) => Err(ExchangeError::Connect(error)),
        };

        let now_ms = (self.uptime_ms)();
        let time = self.session.clock().now(now_ms).ok();
        let (facts, error) = facts(
            Method::Post,
            &exchanged,
            &response,
            self.connect.is_secure(),
            time.map(|time| time.unix_secs()),
        );
        let action = self.session.answered(&facts, now_ms);
        let due_ms = self
            .pace
            .after(action, facts.answer, attempt.failures(), now_ms);
        let verdict = Verdict::of(action, &response, due_ms.max(self.pace.gate_ms));
        let failure = exchanged.err().map(Failure::Exchange);
        let report = Report::answered(response.head(), error, failure);
        Ok(attempt.settle(verdict, due_ms, report))
    }
}

impl<R: FnMut() -> u32> Pace<R> {
    /// Returns the uptime at which the alert is due again, and holds back all others if what is wrong
    /// is not the alert.
    fn after(&mut self, action: Action, answer: Answer, failures: u16, now_ms: u64) -> u64 {
        self.setbacks = match answer {
            Answer::Status(429) | Answer::NotSent | Answer::Lost | Answer::Malformed => {
                self.setbacks.saturating_add(1)
            }
            Answer::Status(_) => 0,
        };
        match action {
            Action::Retry { after_secs } if self.setbacks > 0 => {
                self.close(now_ms, after_secs);
                now_ms
            }
            Action::MaybeSent if self.setbacks > 0 => {
                self.close(now_ms, 0);
                now_ms
            }
            Action::Retry { after_secs: 0 } | Action::MaybeSent => self.again(failures, now_ms),
            Action::Retry { after_secs } => {
                self.close(now_ms, after_secs);
                now_ms
            }
            Action::ClockWrong { after_secs } | Action::Refused { after_secs } => {
                self.close(now_ms, after_secs);
                self.session_opens = true;
                now_ms
            }
            Action::Accepted { pause_secs } => {
                let pause_ms = u64::from(pause_secs).saturating_mul(1_000);
                self.session_opens = false;
                self.gate_ms = now_ms.saturating_add(pause_ms);
                // For a success that names no message, which is a doubt.
                self.again(failures, now_ms)
            }
            Action::CorrectClock { .. } | Action::SwitchSecret { .. } | Action::Rejected(_) => {
                now_ms
            }
        }
    }

    /// Returns when an alert is due again that has failed once more.
    fn again(&mut self, failures: u16, now_ms: u64) -> u64 {
        let failures = failures.saturating_add(1);
        let wait_ms = self.backoff.delay_ms(failures, (self.random)(), 0);
        now_ms.saturating_add(wait_ms)
    }

    /// Holds back every alert for the backoff and the seconds that the server asked for, and returns
    /// until when.
    fn close(&mut self, now_ms: u64, hint_secs: u32) -> u64 {
        let wait_ms = self
            .backoff
            .delay_ms(self.setbacks.max(1), (self.random)(), hint_secs);
        self.session_opens = false;
        self.gate_ms = now_ms.saturating_add(wait_ms);
        self.gate_ms
    }
}
