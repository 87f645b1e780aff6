//! How everything is, in a few lines: printed at the start and on request.

use api_auth::Slot;
use sms_alert::State;

use crate::board::{Board, Network};
use crate::shared::{Shared, uptime_ms};

/// How many alerts are in which state.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub waiting: usize,
    pub held: usize,
    pub refused: usize,
    pub damaged: usize,
}

impl Tally {
    /// Whether there is any.
    pub const fn any(&self) -> bool {
        self.waiting + self.held + self.refused + self.damaged > 0
    }
}

impl<B: Board> Shared<'_, B> {
    /// Counts the alerts; none if the outbox is borrowed.
    pub fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        if let Ok(outbox) = self.outbox.try_borrow() {
            for entry in outbox.entries() {
                match entry.state {
                    State::MaybeSent => tally.held += 1,
                    State::Rejected(_) => tally.refused += 1,
                    State::Unreadable => tally.damaged += 1,
                    _ => tally.waiting += 1,
                }
            }
        }
        tally
    }

    /// Prints how everything is.
    pub async fn report(&self) {
        let console = self.common.console;
        let name = self.configuration.name.as_str();
        console
            .say(format_args!(
                "device: {name}, started by {}",
                self.common.start
            ))
            .await;
        console.say(format_args!("custody: {}", self.custody)).await;
        let slots = self.slots.get();
        let (a, b) = (slots.state(Slot::A), slots.state(Slot::B));
        let (api, active) = (self.api, slots.active());
        console
            .say(format_args!(
                "credential: {api}, slot {active:?} in use (A {a:?}, B {b:?})"
            ))
            .await;
        let now = match self.common.clock.try_borrow() {
            Ok(clock) => clock.now(uptime_ms()),
            Err(_) => Err(api_auth::ClockError::Unset),
        };
        match now {
            Ok(time) => {
                let (secs, error, source) = (time.unix_secs(), time.error_secs(), time.source());
                console
                    .say(format_args!(
                        "clock: {secs} by {source:?}, right to {error} s"
                    ))
                    .await;
            }
            Err(error) => console.say(format_args!("clock: {error}")).await,
        }
        console
            .say(format_args!("link: {}", self.network.describe()))
            .await;
        let Tally {
            waiting,
            held,
            refused,
            damaged,
        } = self.tally();
        console
            .say(format_args!(
                "outbox: {waiting} waiting, {held} held, {refused} refused, {damaged} damaged"
            ))
            .await;
    }
}
