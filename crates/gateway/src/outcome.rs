//! What became of an alert, in words and as an exit code.

use std::convert::Infallible;
use std::error::Error;

use api_auth::Rejection;
use serde_json::{Value, json};
use sms_alert::{
    AlertId, ClockTrouble, ExchangeError, Outbox, Reason, Report, State, Store, Verdict,
};

use crate::connector::Connector;
use crate::credentials::Secrets;
use crate::exit::{Exit, Failure};
use crate::transport::LinkError;

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
    /// Puts a report in words.
    pub fn of<S: Error>(
        report: &Report<LinkError, Infallible, S>,
        secrets: &Secrets,
        connector: &Connector,
    ) -> Self {
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
        Self {
            id: report.id,
            exit,
            message,
            message_id,
            request_id: report.request_id.as_str().to_owned(),
            status: report.status,
            attempts: 1,
        }
    }

    /// An alert that no attempt was made for.
    pub fn untried(id: AlertId) -> Self {
        Self {
            id,
            exit: Exit::Retry,
            message: "not delivered: there was no time to try it".into(),
            message_id: None,
            request_id: String::new(),
            status: 0,
            attempts: 0,
        }
    }

    /// Whether it goes on, with another attempt.
    pub fn will_be_retried(&self) -> bool {
        self.exit == Exit::Retry
    }

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
        Verdict::Rejected(Reason::Server(Rejection::Redirected)) => (
            Exit::Rejected,
            "rejected: the server points elsewhere, where the credential is not sent: check --base-url"
                .into(),
        ),
        Verdict::Rejected(Reason::Server(Rejection::NotFound)) => (
            Exit::Rejected,
            format!("rejected for good: there is nothing at this address: check --base-url, {endpoint}"),
        ),
        Verdict::Rejected(_) if report.status == 403 => (
            Exit::Rejected,
            "rejected: the credential is known but has no access to this inbox or member".into(),
        ),
        Verdict::Rejected(_) => (Exit::Rejected, "rejected for good".into()),
        _ => (Exit::Invalid, "unexpected".into()),
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
