//! How everything is, in a few lines: printed at the start and on request.

use core::cell::RefCell;
use core::fmt;

use api_auth::{Clock, Policy, Slot, Slots};
use secure_store::Custody;
use sms_alert::State;

use crate::board::{Board, Network};
use crate::common::Common;
use crate::credentials::{Credentials, CredentialsError};
use crate::shared::{ChipKeyError, FlashError, Shared, uptime_ms};
use crate::store::BoardStore;

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

    /// Prints how everything is, and why nothing is sent if that is so.
    pub async fn report(&self) {
        let report = Report::<B> {
            common: self.common,
            network: self.network,
            outbox: Some(self.tally()),
            refusal: self.refusal.map(|refusal| refusal as &dyn fmt::Display),
        };
        report.say().await;
    }
}

/// Everything that there is to tell.
pub(crate) struct Report<'r, B: Board> {
    pub common: &'r Common<'r, B>,
    pub network: &'r B::Network,
    /// The alerts, if the outbox is open.
    pub outbox: Option<Tally>,
    /// Why nothing is sent, if nothing is.
    pub refusal: Option<&'r dyn fmt::Display>,
}

impl<B: Board> Report<'_, B> {
    pub async fn say(&self) {
        let (common, console) = (self.common, self.common.console);
        let name = common.name();
        let name = name.as_deref().unwrap_or("without a name");
        let start = common.start;
        console
            .say(format_args!("device: {name}, started by {start}"))
            .await;
        self.say_credential().await;
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
            .say(format_args!("link: {}", self.network.describe()))
            .await;
        match self.outbox {
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
        if let Some(refusal) = self.refusal {
            console
                .say(format_args!("nothing is sent: {refusal}"))
                .await;
        }
    }

    async fn say_credential(&self) {
        let console = self.common.console;
        let Some(store) = self.common.store() else {
            return;
        };
        match known::<B>(store, self.common.chip_keys) {
            Ok(Known {
                custody,
                api,
                slots,
            }) => {
                let (a, b) = (slots.state(Slot::A), slots.state(Slot::B));
                let active = slots.active();
                console.say(format_args!("custody: {custody}")).await;
                console
                    .say(format_args!(
                        "credential: {api}, slot {active:?} in use (A {a:?}, B {b:?})"
                    ))
                    .await;
            }
            Err(error) => {
                if let Ok(custody) = store.try_borrow().map(|store| store.custody()) {
                    console.say(format_args!("custody: {custody}")).await;
                }
                console.say(format_args!("credential: {error}")).await;
            }
        }
    }
}

/// What there is to tell of the credentials.
struct Known {
    custody: Custody,
    api: &'static str,
    slots: Slots,
}

type KnownResult<B> = Result<Known, CredentialsError<FlashError<B>, ChipKeyError<B>>>;

// The session that comes of it is large: it isn't to be on the stack for longer than this takes.
#[inline(never)]
fn known<B: Board>(
    store: &RefCell<BoardStore<B::Flash>>,
    chip_keys: &B::ChipKeys,
) -> KnownResult<B> {
    // Whether a key is one for tests is a question of sending.
    let policy = Policy {
        live_keys: true,
        test_keys: true,
        weak_keys: false,
    };
    let Credentials { session, custody } =
        Credentials::load(store, Clock::new(0, 0), policy, chip_keys)?;
    Ok(Known {
        custody,
        api: session.api().name,
        slots: session.slots(),
    })
}
