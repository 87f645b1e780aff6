//! What stands in for the sender while something is missing that it takes.

use core::cell::RefCell;

use embassy_futures::select::{Either, select};

use crate::board::Board;
use crate::shared::{Shared, uptime_ms};
use crate::store::BoardStore;

/// Takes what others say of the time, until something is provisioned.
pub(crate) async fn keep_time<B: Board>(
    shared: &Shared<'_, B>,
    store: &RefCell<BoardStore<B::Flash>>,
) {
    let common = shared.common;
    loop {
        let told = select(common.reading.wait(), common.until_changed()).await;
        let Either::First((reading, at_ms)) = told else {
            return;
        };
        let Ok(mut clock) = common.clock.try_borrow().map(|clock| clock.clone()) else {
            continue;
        };
        if let Err(error) = clock.set(reading, at_ms) {
            let console = common.console;
            console.say(format_args!("time refused: {error}")).await;
            continue;
        }
        let kept = match common.timekeeper.try_borrow_mut() {
            Ok(mut timekeeper) => timekeeper.keep(&clock, uptime_ms(), store),
            Err(_) => Ok(()),
        };
        common.clock.replace(clock);
        if let Err(error) = kept {
            common.console.say(format_args!("store: {error}")).await;
        }
    }
}
