//! Whether what is in the flash is an old image of it, as far as the chip can tell: at custody sealed, by a counter.
//!
//! It is said and nothing more: a board that was provisioned by an image has one that its counter doesn't know, and is to
//! serve. What is provisioned over the line raises the counter, and with it makes every image from before an old one. The store
//! has that it is to be raised before it has the first record, so that a reset changes nothing: the counter is raised two
//! seconds after the last record, or at the next start, and again and again if it fails.

use core::cell::RefCell;
use core::fmt;

use embassy_time::Timer;
use secure_store::Freshness;

use crate::board::{Board, ChipKeys};
use crate::common::Common;
use crate::store::BoardStore;

/// Seconds between two trials to read or raise a counter that has failed.
const RETRY_SECS: u64 = 10;

/// That the store and the counter don't belong together, or may not.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Age {
    /// The store is older.
    Older { by: u32 },
    /// The counter is behind the store.
    OtherChip,
    /// The two can't be compared yet.
    Unknown,
}

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Older { by } => write!(
                f,
                "the store is older than the chip's counter, by {by}: an old image of the flash, or a new one"
            ),
            Self::OtherChip => {
                f.write_str("the chip's counter is behind the store: the chip is another one")
            }
            Self::Unknown => f.write_str(
                "whether the store is an old one isn't known, for the chip's counter can't be read: it is tried again",
            ),
        }
    }
}

/// Compares the store with the counter, and raises the counter if a life before didn't come to it.
pub(crate) async fn check<B: Board>(common: &Common<'_, B>, store: &RefCell<BoardStore<B::Flash>>) {
    compare(common, store).await;
    if common.age.get().is_none() && !raise(common, store).await {
        common.wrote.set(true);
    }
}

/// Compares the store with the counter, and notes for the status if it is older, or if that isn't known.
async fn compare<B: Board>(common: &Common<'_, B>, store: &RefCell<BoardStore<B::Flash>>) {
    let Some(mut counter) = common.chip_keys.counter() else {
        return;
    };
    let freshness = match store.try_borrow_mut() {
        Ok(mut store) => store.check_freshness(&mut counter),
        Err(_) => return common.age.set(Some(Age::Unknown)),
    };
    let age = match &freshness {
        Ok(Some(Freshness::RolledBack { by })) => Some(Age::Older { by: *by }),
        Ok(Some(Freshness::CounterReplaced)) => Some(Age::OtherChip),
        Ok(_) => None,
        Err(_) => Some(Age::Unknown),
    };
    let before = common.age.replace(age);
    let console = common.console;
    match (before, age, freshness) {
        // It is said once.
        (Some(Age::Unknown), Some(Age::Unknown), _) => {}
        (_, _, Err(error)) => console.say(format_args!("store: {error}")).await,
        (Some(Age::Unknown), Some(age), _) => console.say(format_args!("{age}")).await,
        (Some(Age::Unknown), None, _) => {
            console
                .say(format_args!("the store is as new as the chip's counter"))
                .await;
        }
        // The status follows, and says it.
        _ => {}
    }
}

/// Raises the counter again and again for what was provisioned and is in force, until it is raised, and reads it until it
/// can be read.
pub(crate) async fn retry<B: Board>(
    common: &Common<'_, B>,
    store: &RefCell<BoardStore<B::Flash>>,
) -> ! {
    loop {
        Timer::after_secs(RETRY_SECS).await;
        if common.asked().is_some() {
            continue;
        }
        if common.wrote.get() {
            common.wrote.set(!raise(common, store).await);
        } else if common.age.get() == Some(Age::Unknown) {
            check(common, store).await;
        }
    }
}

/// Raises the counter if that is due: images of the flash from before are old from now on. Returns false if that is still to be done.
pub(crate) async fn raise<B: Board>(
    common: &Common<'_, B>,
    store: &RefCell<BoardStore<B::Flash>>,
) -> bool {
    let Some(mut counter) = common.chip_keys.counter() else {
        return true;
    };
    if common.age.get() == Some(Age::Unknown) {
        // Once the two are raised nothing tells any more that the store was an old one.
        compare(common, store).await;
        if common.age.get() == Some(Age::Unknown) {
            return false;
        }
    }
    let raised = match store.try_borrow_mut() {
        Ok(mut store) => store.anchor(&mut counter),
        Err(_) => return false,
    };
    match raised {
        Ok(_) => true,
        Err(error) => {
            common.console.say(format_args!("store: {error}")).await;
            false
        }
    }
}
