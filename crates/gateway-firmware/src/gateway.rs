//! The whole application: from the parts of a board to a restart.

use core::cell::RefCell;
use core::fmt;
use core::pin::pin;

use api_auth::Clock;
use embassy_futures::join::join;
use embassy_futures::select::{Either, Either3, select, select3};
use embassy_time::{Duration, Ticker, Timer};
use embedded_hal::digital::OutputPin;
use secure_store::{SealError, Sealed};

use crate::board::{Board, Network, Parts};
use crate::common::{Common, Made};
use crate::console::{Console, Place};
use crate::idle::idle;
use crate::inputs::Heat;
use crate::light::Mood;
use crate::listen::{SideIn, listen};
use crate::prepare::Means;
use crate::service;
use crate::shared::{ChipKeyError, FlashError, uptime_ms};
use crate::store::{BoardStore, OpenError, seal};
use crate::vitals::Vital;

/// Milliseconds between two looks at the light.
const TICK_MS: u64 = 50;

/// Seconds between two trials of a device key that doesn't work: it may be a loose wire.
const KEY_SECS: u64 = 2;

/// What a gateway ends with: somebody who may has asked for a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restart;

impl fmt::Display for Restart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a restart that was asked for")
    }
}

/// Runs a gateway until a restart is asked for: then the board resets itself.
///
/// A board that isn't provisioned, or not so that it can send, says on the console why, and waits to be provisioned.
/// What is provisioned takes effect two seconds after the last record. A sealed store whose device key doesn't work is
/// opened as soon as it does; one that isn't sealed though the device key works is replaced by the first record that somebody
/// writes who has the key.
pub async fn run<B: Board>(parts: Parts<B>) -> Restart {
    let Parts {
        flash,
        region,
        console_in,
        console_out,
        side,
        lookout,
        mut light,
        thermometer,
        rtc,
        chip_keys,
        connect,
        network,
        random,
        entropy,
        build_secs,
        start,
        last_words,
    } = parts;
    let console = Console::new(console_out, side);
    console
        .say(format_args!(
            "gateway {}, started by {start}",
            env!("CARGO_PKG_VERSION")
        ))
        .await;
    if !last_words.is_empty() {
        console.say(format_args!("before that: {last_words}")).await;
    }

    let place = RefCell::new(BoardStore::closed(flash, region));
    let common = Common::<B>::new(Made {
        console: &console,
        place: &place,
        chip_keys: &chip_keys,
        network: &network,
        clock: Clock::new(build_secs, 0),
        rtc,
        lookout,
        entropy,
        start,
    });
    let means = Means {
        connect,
        thermometer,
        heat: Heat::default(),
        random,
        build_secs,
        address: None,
    };
    // Pinned here, the futures aren't moved: they are large, and the stack isn't.
    let application = pin!(async {
        let Some(seal) = find_seal(&common).await else {
            return;
        };
        if let Err(trouble) = open_store(&common, seal)
            && !is_replaced(&common, &trouble).await
        {
            return;
        }
        service::run(&common, &place, means).await;
    });
    let first = pin!(listen(&common, Place::First, console_in));
    let second = pin!(async {
        if let Some(side) = side {
            listen(&common, Place::Side, SideIn(side)).await;
        }
    });
    let listening = async {
        join(first, second).await;
        core::future::pending().await
    };
    let alive = live(&common, &mut light);
    match select3(application, listening, alive).await {
        Either3::First(()) | Either3::Second(()) => Restart,
        Either3::Third(never) => never,
    }
}

type BoardSeal<B> = Result<Option<Sealed>, SealError<ChipKeyError<B>>>;

type BoardTrouble<B> = OpenError<FlashError<B>, ChipKeyError<B>>;

/// Returns what the chip's device key gives, or `None` if a restart is asked for. Where the store is sealed and the key
/// doesn't work it waits until it does.
async fn find_seal<B: Board>(common: &Common<'_, B>) -> Option<BoardSeal<B>> {
    let sealed = || match common.place.try_borrow_mut() {
        Ok(mut store) => matches!(store.is_sealed(), Ok(Some(true))),
        Err(_) => false,
    };
    let error = match seal(common.chip_keys) {
        Err(error) if sealed() => error,
        found => return Some(found),
    };
    common.locked.set(true);
    let console = common.console;
    console
        .say(format_args!(
            "the device key doesn't work: it is tried again every {KEY_SECS} s"
        ))
        .await;
    let works = async {
        loop {
            Timer::after_secs(KEY_SECS).await;
            if let found @ Ok(Some(_)) = seal(common.chip_keys) {
                return found;
            }
        }
    };
    let trouble = BoardTrouble::<B>::Key(error);
    match select(works, idle(common, &trouble)).await {
        Either::First(found) => {
            common.locked.set(false);
            console
                .say(format_args!("the device key works: the store is opened"))
                .await;
            Some(found)
        }
        Either::Second(()) => None,
    }
}

/// Opens the store, and notes whether the chip's device key works, and of a store that can't be opened whether it is sealed.
fn open_store<B: Board>(common: &Common<'_, B>, seal: BoardSeal<B>) -> Result<(), BoardTrouble<B>> {
    common.keyed.set(matches!(seal, Ok(Some(_))));
    if let Ok(mut store) = common.place.try_borrow_mut() {
        let sealed = matches!(store.is_sealed(), Ok(Some(true)));
        common.locked.set(sealed);
        store.open_in_place(seal)?;
        common.locked.set(false);
        common.opened.set(true);
    }
    Ok(())
}

/// Waits until a store that can't be opened is replaced, which only one can be that isn't sealed; returns false if a restart
/// is asked for.
async fn is_replaced<B: Board>(common: &Common<'_, B>, trouble: &BoardTrouble<B>) -> bool {
    common.unsealed.set(matches!(trouble, OpenError::NotSealed));
    loop {
        idle(common, trouble).await;
        if !common.settle().await {
            return false;
        }
        if common.opened.get() {
            return true;
        }
    }
}

/// Shows that the application lives, to the lookout and by the light.
async fn live<B: Board>(common: &Common<'_, B>, light: &mut B::Light) -> ! {
    let mut ticker = Ticker::every(Duration::from_millis(TICK_MS));
    let mut said = false;
    loop {
        let now_ms = uptime_ms();
        common.lookout.alive(Vital::Application, now_ms);
        if !common.serves.get() {
            common.lookout.alive(Vital::Sender, now_ms);
        }
        if let Some(vital) = common.lookout.missing(now_ms)
            && !said
        {
            said = true;
            common
                .console
                .say(format_args!(
                    "{vital} hangs: the watchdog will reset the board"
                ))
                .await;
        }
        // A light that fails has nobody to tell.
        let _ = match mood(common).is_lit(now_ms) {
            true => light.set_high(),
            false => light.set_low(),
        };
        ticker.next().await;
    }
}

fn mood<B: Board>(common: &Common<'_, B>) -> Mood {
    let now_ms = uptime_ms();
    let no_time = match common.clock.try_borrow() {
        Ok(clock) => clock.now(now_ms).is_err(),
        Err(_) => false,
    };
    if common.lookout.window_secs_left(now_ms) > 0 {
        Mood::Window
    } else if !common.serves.get() {
        Mood::Unprovisioned
    } else if !common.network.is_up() {
        Mood::NoNetwork
    } else if no_time {
        Mood::NoTime
    } else if common.tally.get().any() {
        Mood::Waiting
    } else {
        Mood::Well
    }
}
