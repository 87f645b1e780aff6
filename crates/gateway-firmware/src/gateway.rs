//! The whole application: from the parts of a board to a restart.

use core::cell::RefCell;
use core::fmt;
use core::pin::pin;

use api_auth::Clock;
use embassy_futures::join::join;
use embassy_futures::select::{Either, Either3, select, select3};
use embassy_time::{Duration, Ticker, Timer};
use embedded_hal::digital::OutputPin;
use secure_store::Region;

use crate::board::{Board, Network, Parts};
use crate::common::{Common, Made};
use crate::console::{Console, Place};
use crate::light::Mood;
use crate::listen::{SideIn, listen};
use crate::service::{self, Means};
use crate::shared::{ChipKeyError, FlashError, uptime_ms};
use crate::store::{BoardStore, OpenError, seal};
use crate::vitals::Vital;

/// Milliseconds between two looks at the light.
const TICK_MS: u64 = 50;

/// Seconds after which a board starts again whose device key doesn't work: it may have been a loose wire.
const KEY_SECS: u64 = 60;

/// Why a gateway wants to start again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Restart {
    /// Somebody who may asked for it.
    Asked,
    /// The device key doesn't work, and is to be tried again.
    Key,
}

impl fmt::Display for Restart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Asked => "a restart that was asked for",
            Self::Key => "a restart to try the device key again",
        })
    }
}

/// Runs a gateway until it wants to start again, and returns why: then the board resets itself.
///
/// A board that isn't provisioned, or not so that it can send, says on the console why, and waits to be provisioned.
/// What is provisioned takes effect two seconds after the last record.
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

    let (opened, keyed) = open_store::<B>(flash, region, &chip_keys);
    let common = Common::<B>::new(Made {
        console: &console,
        store: opened.as_ref().ok(),
        chip_keys: &chip_keys,
        keyed,
        clock: Clock::new(build_secs, 0),
        rtc,
        lookout,
        entropy,
        start,
    });
    let means = Means {
        connect,
        thermometer,
        network: &network,
        random,
        build_secs,
        address: None,
    };
    // Pinned here, the futures aren't moved: they are large, and the stack isn't.
    let application = pin!(async {
        match &opened {
            Ok(store) => {
                service::run(&common, store, means).await;
                Restart::Asked
            }
            Err(trouble) => {
                let again = matches!(trouble, OpenError::Key(_));
                let again = async {
                    match again {
                        true => Timer::after_secs(KEY_SECS).await,
                        false => core::future::pending().await,
                    }
                };
                match select(idle(&common, trouble), again).await {
                    Either::First(()) => Restart::Asked,
                    Either::Second(()) => Restart::Key,
                }
            }
        }
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
    let alive = live(&common, &network, &mut light);
    match select3(application, listening, alive).await {
        Either3::First(restart) | Either3::Second(restart) => restart,
        Either3::Third(never) => never,
    }
}

type Opened<B> = Result<RefCell<BoardStore<<B as Board>::Flash>>, BoardTrouble<B>>;

type BoardTrouble<B> = OpenError<FlashError<B>, ChipKeyError<B>>;

/// Opens the store, and says whether the chip's device key works.
// The store is large: it isn't to be on the stack for longer than this takes.
#[inline(never)]
fn open_store<B: Board>(
    flash: B::Flash,
    region: Region,
    chip_keys: &B::ChipKeys,
) -> (Opened<B>, bool) {
    let seal = seal(chip_keys);
    let keyed = matches!(seal, Ok(Some(_)));
    (
        BoardStore::open(flash, region, seal).map(RefCell::new),
        keyed,
    )
}

/// Says why nothing is sent, now and whenever somebody types a line, until something changes.
pub(crate) async fn idle<B: Board>(common: &Common<'_, B>, refusal: &impl fmt::Display) {
    loop {
        common
            .console
            .say(format_args!("nothing is sent: {refusal}"))
            .await;
        match select(common.lines.receive(), common.until_changed()).await {
            Either::First(_) => {}
            Either::Second(()) => return,
        }
    }
}

/// Shows that the application lives, to the lookout and by the light.
async fn live<B: Board>(common: &Common<'_, B>, network: &B::Network, light: &mut B::Light) -> ! {
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
        let _ = match mood(common, network).is_lit(now_ms) {
            true => light.set_high(),
            false => light.set_low(),
        };
        ticker.next().await;
    }
}

fn mood<B: Board>(common: &Common<'_, B>, network: &B::Network) -> Mood {
    let now_ms = uptime_ms();
    let no_time = match common.clock.try_borrow() {
        Ok(clock) => clock.now(now_ms).is_err(),
        Err(_) => false,
    };
    if common.lookout.window_secs_left(now_ms) > 0 {
        Mood::Window
    } else if !common.serves.get() {
        Mood::Unprovisioned
    } else if !network.is_up() {
        Mood::NoNetwork
    } else if no_time {
        Mood::NoTime
    } else if common.tally.get().any() {
        Mood::Waiting
    } else {
        Mood::Well
    }
}
