//! Driving `sms-alert`'s client until the outbox is empty or the time is up, and telling what happens.

use std::cell::RefCell;
use std::fmt;
use std::thread;
use std::time::{Duration, Instant};

use jwt_core::HmacKey;
use rustls::crypto::ring;
use sms_alert::{
    Account, AlertId, BUFFER_LEN, Backoff, Client, Outbox, Sending, Step, Store, block_on,
};

use crate::connector::Connector;
use crate::credentials::Secrets;
use crate::exit::Failure;
use crate::moment;
use crate::outcome::Outcome;
use crate::session::{HostSession, MAX_VALUE_LEN, uptime_ms};

/// Waits of a person at a desk, not of a fleet: from half a second to ten.
const BACKOFF: Backoff = Backoff {
    base_ms: 500,
    cap_ms: 10_000,
};

/// Most milliseconds of one sleep, after which the outbox is asked again.
const MAX_SLEEP_MS: u64 = 60_000;

/// What happens on the way.
#[derive(Clone, Copy, Debug)]
pub enum Progress<'a> {
    /// An attempt came to this.
    Attempt(&'a Outcome),
    /// The next attempt is so far away.
    Waiting(Duration),
    /// The next attempt would be so far away, which is after the deadline.
    GivingUp(Duration),
    /// An alert was of no use any more.
    Expired(AlertId),
}

impl fmt::Display for Progress<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attempt(outcome) => f.write_str(&outcome.message),
            Self::Waiting(wait) => write!(f, "trying again in {:.1} s", wait.as_secs_f32()),
            Self::GivingUp(wait) => write!(
                f,
                "giving up: the next attempt would be in {:.1} s, after --for",
                wait.as_secs_f32()
            ),
            Self::Expired(id) => write!(f, "alert {id} expired before it could be delivered"),
        }
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
    tell: &dyn Fn(&Progress<'_>),
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
            Step::Expired(entry) => tell(&Progress::Expired(entry.id)),
            Step::Attempt(report) => {
                let outcome = Outcome::of(&report, secrets, connector);
                tell(&Progress::Attempt(&outcome));
                merge(&mut outcomes, outcome);
            }
            Step::Wait(until_ms) => {
                let wait = Duration::from_millis(until_ms.saturating_sub(uptime_ms()));
                if Instant::now() + wait >= deadline {
                    tell(&Progress::GivingUp(wait));
                    return Ok(outcomes);
                }
                tell(&Progress::Waiting(wait));
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
