//! Whether what is in the flash is an old image of it, as far as the chip can tell: at custody sealed, by a counter.
//!
//! It is said and nothing more: a board that was provisioned by an image has one that its counter doesn't know, and is to
//! serve. What is provisioned over the line raises the counter, and with it makes every image from before an old one.

use core::cell::RefCell;

use secure_store::Freshness;

use crate::board::{Board, ChipKeys};
use crate::common::Common;
use crate::store::BoardStore;

/// Compares the store with the counter, and says if it is older.
pub(crate) async fn check<B: Board>(common: &Common<'_, B>, store: &RefCell<BoardStore<B::Flash>>) {
    let Some(mut counter) = common.chip_keys.counter() else {
        return;
    };
    let freshness = match store.try_borrow_mut() {
        Ok(mut store) => store.check_freshness(&mut counter),
        Err(_) => return,
    };
    let console = common.console;
    match freshness {
        Ok(Some(Freshness::Unanchored)) => {
            if !raise(common, store).await {
                common.wrote.set(true);
            }
        }
        Ok(Some(Freshness::RolledBack { by })) => {
            console
                .say(format_args!(
                    "the store is older than the chip's counter, by {by}: an old image of the flash, or a new one"
                ))
                .await;
        }
        Ok(Some(Freshness::CounterReplaced)) => {
            console
                .say(format_args!(
                    "the chip's counter is behind the store: the chip is another one"
                ))
                .await;
        }
        Ok(_) => {}
        Err(error) => console.say(format_args!("store: {error}")).await,
    }
}

/// Raises the counter: images of the flash from before are old from now on. Returns false if that is still to be done.
pub(crate) async fn raise<B: Board>(
    common: &Common<'_, B>,
    store: &RefCell<BoardStore<B::Flash>>,
) -> bool {
    let Some(mut counter) = common.chip_keys.counter() else {
        return true;
    };
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
