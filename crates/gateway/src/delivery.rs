//! Driving `sms-alert`'s client until the outbox is empty or the time is up, and telling what happens.

use std::cell::RefCell;
use std::convert::Infallible;
use std::error::Error;
use std::thread;
use std::time::{Duration, Instant};

use jwt_core::HmacKey;
use rustls::crypto::ring;
use serde_json::{Value, json};
use sms_alert::{
    Account, AlertId, BUFFER_LEN, Backoff, Client, ClockTrouble, ExchangeError, Outbox, Reason,
    Report, Sending, State, Step, Store, Verdict, block_on,
};

use crate::connector::Connector;
use crate::credentials::Secrets;
use crate::exit::{Exit, Failure};
use crate::moment;
use crate::session::{HostSession, MAX_VALUE_LEN, uptime_ms};
use crate::transport::LinkError;

/// Waits of a person at a desk, not of a fleet: from half a second to ten.
const BACKOFF: Backoff = Backoff {
    base_ms: 500,
    cap_ms: 10_000,
};

/// Most milliseconds of one sleep, after which the outbox is asked again.
const MAX_SLEEP_MS: u64 = 60_000;

/// What became of one alert.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The alert.
    pub id: AlertId,
    /// Its exit code.
    pub exit: Exit,
    /// One line about it.
    pub message: String,
    /// The message's id, if it was delivered.
    pub message_id: Option<String>,
    /// The last answer's `X-Request-Id`, empty without one.
    pub request_id: String,
    /// The last answer's status, 0 without one.
    pub status: u16,
    /// How many requests were tried in this run.
    pub attempts: u32,
}

impl Outcome {
    /// The outcome as `--json` prints it.
    pub fn json(&self, local_id: &str) -> Value {
        let outcome = match self.exit {
            Exit::Done => "delivered",
            Exit::MaybeSent => "maybe-sent",
            Exit::Retry => "not-delivered",
            Exit::Rejected | Exit::Usage | Exit::Invalid => "rejected",
        };
        json!({
            "ok": self.exit == Exit::Done,
            "exit": self.exit as u8,
            "outcome": outcome,
            "message": self.message,
            "message_id": self.message_id,
            "request_id": Some(&self.request_id).filter(|id| !id.is_empty()),
            "status": Some(self.status).filter(|status| *status != 0),
            "local_id": local_id,
            "attempts": self.attempts,
        })
    }
}

type HostClient<'a, R> = Client<'a, &'a Connector, HmacKey, R, fn() -> u64, MAX_VALUE_LEN>;

/// Sends what is due in the outbox until nothing is queued or the deadline has passed, and returns what became of
/// every alert that was tried; `tell` hears of every step.
///
/// # Errors
/// The outbox failed, or the connection's host is none.
pub fn run<S: Store<Error: 'static>, const SLOTS: usize>(
    outbox: &RefCell<Outbox<S, SLOTS>>,
    session: HostSession,
    secrets: &Secrets,
    connector: &Connector,
    account: Account<'_>,
    deadline: Instant,
    tell: &dyn Fn(&str),
) -> Result<Vec<Outcome>, Failure> {
    let sending = Sending {
        host: connector.host()?,
        account,
        backoff: BACKOFF,
        patience_ms: u64::try_from(connector.timeout.as_millis()).unwrap_or(u64::MAX),
    };
    let mut buffer = zeroize::Zeroizing::new([0; 4 * BUFFER_LEN]);
    let clock: fn() -> u64 = uptime_ms;
    let mut client: HostClient<'_, _> =
        Client::new(session, sending, connector, random, clock, &mut *buffer)
            .map_err(Failure::usage)?;
    let mut outcomes: Vec<Outcome> = Vec::new();
    loop {
        let step = block_on(client.step(outbox)).map_err(|error| {
            Failure::invalid(format_args!("the outbox failed: {error}; nothing was sent"))
        })?;
        match step {
            Step::Idle => return Ok(outcomes),
            Step::Expired(entry) => tell(&format!(
                "alert {} expired before it could be delivered",
                entry.id
            )),
            Step::Attempt(report) => {
                let outcome = outcome(&report, secrets, connector);
                tell(&outcome.message);
                merge(&mut outcomes, outcome);
            }
            Step::Wait(until_ms) => {
                let wait = Duration::from_millis(until_ms.saturating_sub(uptime_ms()));
                if Instant::now() + wait >= deadline {
                    tell(&format!(
                        "giving up: the next attempt would be in {:.1} s, after --for",
                        wait.as_secs_f32()
                    ));
                    return Ok(outcomes);
                }
                tell(&format!("trying again in {:.1} s", wait.as_secs_f32()));
                thread::sleep(wait.min(Duration::from_millis(MAX_SLEEP_MS)));
            }
            _ => {}
        }
        if Instant::now() >= deadline {
            return Ok(outcomes);
        }
    }
}

fn merge(outcomes: &mut Vec<Outcome>, new: Outcome) {
    match outcomes.iter_mut().find(|known| known.id == new.id) {
        Some(known) => {
            *known = Outcome {
                attempts: known.attempts + 1,
                ..new
            }
        }
        None => outcomes.push(new),
    }
}

fn outcome<S: Error>(
    report: &Report<LinkError, Infallible, S>,
    secrets: &Secrets,
    connector: &Connector,
) -> Outcome {
    let (exit, mut message) = verdict(report, connector);
    if !report.error.message.is_empty() {
        let said = secrets.redact(report.error.message.trim());
        message = format!("{message} (it says: {said})");
    }
    if report.status != 0 && exit != Exit::Done {
        message = format!("{message}; status {}", report.status);
    }
    let message_id = match &report.verdict {
        Verdict::Delivered { message_id } => Some(message_id.as_str().to_owned()),
        _ => None,
    };
    if !report.request_id.is_empty() {
        message = format!("{message}, request id {}", report.request_id);
    }
    if let Some(error) = &report.unsettled {
        message = format!("{message}; and the outbox could not be written: {error}");
    }
    // The rules for messages are those for failures: one line, no controls.
    let message = Failure::new(exit, message).message;
    Outcome {
        id: report.id,
        exit,
        message,
        message_id,
        request_id: report.request_id.as_str().to_owned(),
        status: report.status,
        attempts: 1,
    }
}

fn verdict<S>(report: &Report<LinkError, Infallible, S>, connector: &Connector) -> (Exit, String) {
    let endpoint = &connector.endpoint;
    let why = || match &report.failure {
        Some(sms_alert::Failure::Exchange(ExchangeError::Connect(error))) => error.to_string(),
        Some(failure) => failure.to_string(),
        None if matches!(report.status, 502 | 504) => "a proxy got no answer from it".into(),
        None => "the answer names no message".into(),
    };
    match &report.verdict {
        Verdict::Delivered { message_id } => {
            let again = match report.doubtful {
                true => ", perhaps for the second time",
                false => "",
            };
            (Exit::Done, format!("delivered{again}: message {message_id}"))
        }
        Verdict::RetryAt(_) if report.failure.is_some() => (
            Exit::Retry,
            format!("nothing was sent to {endpoint}: {}", why()),
        ),
        Verdict::RetryAt(_) if report.status == 429 => (
            Exit::Retry,
            "not delivered: too many requests".into(),
        ),
        Verdict::RetryAt(_) => (
            Exit::Retry,
            "not delivered: the server has a problem of its own".into(),
        ),
        Verdict::MaybeSent => (
            Exit::MaybeSent,
            format!(
                "may have been delivered: it was handed to {endpoint}, and {}: \
                 look whether it arrived before sending it again",
                why()
            ),
        ),
        Verdict::FixClock(ClockTrouble::Corrected) => (
            Exit::Retry,
            "this machine's clock is wrong: signing again with the server's time".into(),
        ),
        Verdict::FixClock(ClockTrouble::Unusable(error)) => {
            (Exit::Usage, format!("no token is signed: {error}"))
        }
        Verdict::FixClock(ClockTrouble::TooFarOff) => (
            Exit::Rejected,
            "the token is refused, and this machine's clock is more than a day off: set the clock"
                .into(),
        ),
        Verdict::SwitchSecret(_) => (
            Exit::Retry,
            "the credential is refused: going on with the standby".into(),
        ),
        Verdict::Refused => (
            Exit::Rejected,
            "the credential is refused: it is mistyped, revoked or another account's, or the clock is wrong \
             (gateway check tells)"
                .into(),
        ),
        Verdict::Rejected(Reason::Unsendable) => {
            (Exit::Usage, format!("this alert can't be sent: {}", why()))
        }
        Verdict::Rejected(_) if report.status == 403 => (
            Exit::Rejected,
            "rejected: the credential is known but has no access to this inbox or member".into(),
        ),
        Verdict::Rejected(_) => (Exit::Rejected, "rejected for good".into()),
        _ => (Exit::Invalid, "unexpected".into()),
    }
}

/// Returns four random bytes of the operating system as a number.
///
/// They spread retries and start the numbering of alerts; without them the clock has to do.
pub fn random() -> u32 {
    let mut bytes = [0; 4];
    match ring::default_provider().secure_random.fill(&mut bytes) {
        Ok(()) => u32::from_le_bytes(bytes),
        Err(_) => (moment::now() ^ uptime_ms()) as u32,
    }
}

/// How many alerts of an outbox wait, may have been sent, were rejected, can't be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// Waiting to be sent.
    pub queued: usize,
    /// May have been sent.
    pub doubtful: usize,
    /// Rejected by the server.
    pub rejected: usize,
    /// Damaged.
    pub unreadable: usize,
}

impl Left {
    /// Counts what an outbox holds.
    pub fn of<S: Store, const SLOTS: usize>(outbox: &Outbox<S, SLOTS>) -> Self {
        let mut left = Self::default();
        for entry in outbox.entries() {
            match entry.state {
                State::MaybeSent | State::Sending => left.doubtful += 1,
                State::Rejected(_) => left.rejected += 1,
                State::Unreadable => left.unreadable += 1,
                _ => left.queued += 1,
            }
        }
        left
    }

    /// The gravest of what is left, as an exit code.
    pub fn exit(&self) -> Exit {
        match self {
            Self { doubtful: 1.., .. } => Exit::MaybeSent,
            Self { queued: 1.., .. } => Exit::Retry,
            Self { rejected: 1.., .. } => Exit::Rejected,
            Self {
                unreadable: 1.., ..
            } => Exit::Invalid,
            _ => Exit::Done,
        }
    }

    /// The counts as `--json` prints them.
    pub fn json(&self) -> Value {
        json!({
            "queued": self.queued,
            "maybe_sent": self.doubtful,
            "rejected": self.rejected,
            "unreadable": self.unreadable,
        })
    }
}
