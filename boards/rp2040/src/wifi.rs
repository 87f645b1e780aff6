//! The CYW43439: the radio of the Pico W.
//!
//! It runs firmware of Infineon's, which is none of this project's and under a licence of its own: whoever builds supplies the
//! three files. What is here ran on a simulated radio (`test/wifi.test.mjs`), never on a real one.

use core::cell::Cell;

use cyw43::{
    A4, Aligned, Control, JoinAuth, JoinError, JoinOptions, Runner, SpiBus, SpiBusCyw43, State,
};
use cyw43_pio::{DEFAULT_CLOCK_DIVIDER, PioSpi};
use embassy_executor::Spawner;
use embassy_futures::select::{Either, select};
use embassy_futures::yield_now;
use embassy_net::Stack;
use embassy_rp::gpio::{Level, Output};
use embassy_rp::pac::WATCHDOG;
use embassy_rp::peripherals::{DMA_CH0, PIN_23, PIN_24, PIN_25, PIN_29, PIO0};
use embassy_rp::pio::{self, Pio};
use embassy_rp::{Peri, bind_interrupts, dma};
use embassy_sync::blocking_mutex::Mutex;
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::signal::Signal;
use embassy_time::{Duration, Timer, with_timeout};
use gateway_firmware::Wifi;
use static_cell::StaticCell;

use crate::stack;

pub use crate::stack::Link;

bind_interrupts!(struct Irqs {
    PIO0_IRQ_0 => pio::InterruptHandler<PIO0>;
    DMA_IRQ_0 => dma::InterruptHandler<DMA_CH0>;
});

const FAULT: &str = "down, the radio doesn't answer: check its firmware, and restart";

const NOT_THERE: &str = "down, no such network here: its name, open or with a passphrase?";
const NO_KEYS: &str = "down, the access point takes no keys: is the passphrase right?";
const REFUSED: &str = "down, the access point refuses: does it filter addresses?";

/// How long the radio may take to start: it is switched off and on, and sent 230 KB of firmware, in less than a second.
const PATIENCE: Duration = Duration::from_secs(4);

/// How long a join may take. The driver waits without end for an access point that never begins the key exchange.
const JOINS: Duration = Duration::from_secs(20);

/// How long the stack may take to hear that a network is joined.
const HEARS: Duration = Duration::from_secs(5);

/// The pause between two attempts to join a network.
const AGAIN: Duration = Duration::from_secs(5);

/// Length of a passphrase that is a key in hexadecimal digits (IEEE 802.11, annex J.4).
const KEY_DIGITS: usize = 64;

static FIRMWARE: &Aligned<A4, [u8]> = &Aligned(*include_bytes!(concat!(
    env!("CYW43_FIRMWARE"),
    "/43439A0.bin"
)));
static REGULATIONS: &[u8] = include_bytes!(concat!(env!("CYW43_FIRMWARE"), "/43439A0_clm.bin"));
static BOARD: &Aligned<A4, [u8]> = &Aligned(*include_bytes!(concat!(
    env!("CYW43_FIRMWARE"),
    "/nvram_rp2040.bin"
)));

/// In a scratch register of the watchdog, which the board's own reset leaves alone and loss of power clears: that the
/// radio is being started. The driver panics where the radio's firmware refuses a command, and the life after that does without it.
const STARTING: u32 = 0x7261_6469;

/// The function of the radio's bus that packets come by, their channel for events, and the kinds of those that say that the
/// access point has dropped the board: deauthenticated or disassociated (Infineon's Wi-Fi Host Driver, `whd_events.h`).
const PACKETS: u32 = 2;
const EVENTS: u8 = 1;
const DROPS: [u32; 2] = [6, 12];

/// Signalled when the access point has dropped the board.
static DROPPED: Signal<CriticalSectionRawMutex, ()> = Signal::new();

/// The network to join.
static WANTED: Signal<CriticalSectionRawMutex, Wifi> = Signal::new();

/// What the last attempt to join failed of.
static TROUBLE: Mutex<CriticalSectionRawMutex, Cell<Option<&str>>> = Mutex::new(Cell::new(None));

/// What the radio is wired to, on the board.
pub struct Wires {
    pub power: Peri<'static, PIN_23>,
    pub data: Peri<'static, PIN_24>,
    pub select: Peri<'static, PIN_25>,
    pub clock: Peri<'static, PIN_29>,
    pub pio: Peri<'static, PIO0>,
    pub dma: Peri<'static, DMA_CH0>,
}

/// The radio's bus, with what the driver lacks:
///
/// - It waits for the radio by reading on and on, and a read can be done before it is first looked at. Here a read gives way to
///   others, or no time limit would end that.
/// - It takes no notice of an access point that drops the board. Here the radio's packets are looked through for that.
struct WatchedBus(PioSpi<'static, PIO0, 0>);

impl SpiBusCyw43 for WatchedBus {
    async fn cmd_write(&mut self, write: &[u32]) -> u32 {
        SpiBusCyw43::cmd_write(&mut self.0, write).await
    }

    async fn cmd_read(&mut self, write: u32, read: &mut [u32]) -> u32 {
        let status = SpiBusCyw43::cmd_read(&mut self.0, write, read).await;
        if write >> 28 & 0b11 == PACKETS && is_dropped(read) {
            DROPPED.signal(());
        }
        yield_now().await;
        status
    }

    async fn wait_for_event(&mut self) {
        self.0.wait_for_event().await;
    }
}

type Bus = SpiBus<Output<'static>, WatchedBus>;

/// Whether a packet of the radio's is the event that the access point has dropped the board.
fn is_dropped(packet: &[u32]) -> bool {
    let byte = |at: usize| match packet.get(at / 4) {
        Some(word) => word.to_le_bytes()[at % 4],
        None => 0,
    };
    // The length of the first header, of the second with what it leaves out, then those of Ethernet and of events, and version and flags.
    let header = usize::from(byte(7));
    let event = header + 4 + 4 * usize::from(byte(header + 3)) + 14 + 10 + 4;
    let kind = [event, event + 1, event + 2, event + 3].map(byte);
    byte(5) & 0x0f == EVENTS && DROPS.contains(&u32::from_be_bytes(kind))
}

/// Starts the radio and the network over it. Without a radio that answers there is a network that is never up:
/// alerts are taken, and wait.
pub async fn start(spawner: Spawner, wires: Wires, number: [u8; 5]) -> Link {
    if WATCHDOG.scratch3().read() == STARTING {
        WATCHDOG.scratch3().write_value(0);
        return Link::broken(spawner, number, || Some(FAULT));
    }
    WATCHDOG.scratch3().write_value(STARTING);
    let power = Output::new(wires.power, Level::Low);
    let select = Output::new(wires.select, Level::High);
    let mut pio = Pio::new(wires.pio, Irqs);
    let spi = PioSpi::new(
        &mut pio.common,
        pio.sm0,
        DEFAULT_CLOCK_DIVIDER,
        pio.irq0,
        select,
        wires.data,
        wires.clock,
        dma::Channel::new(wires.dma, Irqs),
    );
    static STATE: StaticCell<State> = StaticCell::new();
    let state = STATE.init(State::new());
    let radio = cyw43::new(state, power, WatchedBus(spi), FIRMWARE, BOARD);
    match with_timeout(PATIENCE, radio).await {
        Ok((device, control, runner)) => {
            spawner.spawn(run(runner).unwrap());
            let stack = stack::start(spawner, device);
            spawner.spawn(join(control, stack).unwrap());
            Link::new(
                stack,
                || TROUBLE.lock(Cell::get),
                |wifi| WANTED.signal(wifi.clone()),
            )
        }
        Err(_) => {
            WATCHDOG.scratch3().write_value(0);
            Link::broken(spawner, number, || Some(FAULT))
        }
    }
}

#[embassy_executor::task]
async fn run(runner: Runner<'static, Bus>) {
    runner.run().await;
}

/// Joins the network, whenever it is lost and whenever there is another.
#[embassy_executor::task]
async fn join(mut control: Control<'static>, stack: Stack<'static>) {
    control.init(REGULATIONS).await;
    WATCHDOG.scratch3().write_value(0);
    let mut wifi = WANTED.wait().await;
    loop {
        DROPPED.reset();
        let joined = with_timeout(JOINS, control.join(&wifi.name, options(&wifi))).await;
        let trouble = match joined {
            Ok(Ok(())) => None,
            Ok(Err(JoinError::NetworkNotFound)) => Some(NOT_THERE),
            Ok(Err(JoinError::AuthenticationFailure)) | Err(_) => Some(NO_KEYS),
            Ok(Err(JoinError::JoinFailure(_))) => Some(REFUSED),
        };
        TROUBLE.lock(|last| last.set(trouble));
        // The stack's task runs after this one: until it has, the link counts as down.
        let lost = async {
            if trouble.is_some() {
                return Timer::after(AGAIN).await;
            }
            let _ = with_timeout(HEARS, stack.wait_link_up()).await;
            select(stack.wait_link_down(), DROPPED.wait()).await;
        };
        if let Either::Second(other) = select(lost, WANTED.wait()).await {
            wifi = other;
        }
        // A join that failed may leave the radio associated, and then it would take no other key, which the driver panics of.
        control.leave().await;
    }
}

fn options(wifi: &Wifi) -> JoinOptions<'_> {
    match &wifi.passphrase {
        None => JoinOptions::new_open(),
        Some(key) if key.len() == KEY_DIGITS => {
            let mut options = JoinOptions::new(key.as_bytes());
            options.auth = JoinAuth::Wpa2;
            options.passphrase_is_prehashed = true;
            options
        }
        Some(passphrase) => JoinOptions::new(passphrase.as_bytes()),
    }
}
