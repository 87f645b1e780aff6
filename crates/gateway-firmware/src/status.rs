//! How everything is, in a few lines: printed at the start and on request.

use core::fmt;

use api_auth::Slot;
use sms_alert::State;

use crate::board::{Board, Network};
use crate::common::Common;
use crate::credentials::{CredentialsError, Held};
use crate::shared::{ChipKeyError, Shared, uptime_ms};

/// What is said of what is in a store that can't be opened.
const NOT_OPEN: &str = "not known, for the store isn't open";

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
        let refusal = self.refusal.map(|refusal| refusal as &dyn fmt::Display);
        report(self.common, Some(self.tally()), refusal).await;
    }
}

/// Prints how everything is: the alerts if the outbox is open, and why nothing is sent if nothing is.
pub(crate) async fn report<B: Board>(
    common: &Common<'_, B>,
    outbox: Option<Tally>,
    refusal: Option<&dyn fmt::Display>,
) {
    let console = common.console;
    let name = common.name();
    let name = name.as_deref().unwrap_or("without a name");
    let start = common.start;
    console
        .say(format_args!("device: {name}, started by {start}"))
        .await;
    say_credential(common).await;
    if let Some(age) = common.age.get() {
        console.say(format_args!("at the start: {age}")).await;
    }
    let now = match common.clock.try_borrow() {
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
        .say(format_args!("link: {}", common.network.describe()))
        .await;
    match outbox {
        Some(Tally {
            waiting,
            held,
            refused,
            damaged,
        }) => {
            console
                .say(format_args!(
                    "outbox: {waiting} waiting, {held} held, {refused} refused, {damaged} damaged"
                ))
                .await;
        }
        None => console.say(format_args!("outbox: not open")).await,
    }
    if let Some(refusal) = refusal {
        console
            .say(format_args!("nothing is sent: {refusal}"))
            .await;
    }
}

/// Prints who can get at the credentials, and which they are.
async fn say_credential<B: Board>(common: &Common<'_, B>) {
    let console = common.console;
    let held = common.store().map(|store| match store.try_borrow_mut() {
        Ok(mut store) => Held::read::<B::Flash, ChipKeyError<B>>(&mut store),
        Err(_) => Err(CredentialsError::Busy),
    });
    let custody = match &held {
        Some(Ok(held)) => Some(held.custody),
        _ => common.custody(),
    };
    match custody {
        Some(custody) => console.say(format_args!("custody: {custody}")).await,
        None => console.say(format_args!("custody: {NOT_OPEN}")).await,
    }
    match held {
        Some(Ok(Held { api, slots, .. })) => {
            let api = api.name;
            let (a, b) = (slots.state(Slot::A), slots.state(Slot::B));
            let active = slots.active();
            console
                .say(format_args!(
                    "credential: {api}, slot {active:?} in use (A {a:?}, B {b:?})"
                ))
                .await;
        }
        Some(Err(error)) => console.say(format_args!("credential: {error}")).await,
        None => console.say(format_args!("credential: {NOT_OPEN}")).await,
    }
}
