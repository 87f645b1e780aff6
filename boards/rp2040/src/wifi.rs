//! The CYW43439: the radio of the Pico W.
//!
//! It runs firmware of Infineon's, which is none of this project's and under a licence of its own: whoever builds supplies the
//! three files. What is here ran on a simulated radio (`test/wifi.test.mjs`), never on a real one.

use core::cell::Cell;
use core::sync::atomic::{AtomicBool, Ordering};

use cyw43::{A4, Aligned, Control, JoinAuth, JoinError, JoinOptions, SpiBusCyw43, State};
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
use gateway_firmware::{Input, Wifi};
use static_cell::StaticCell;

use crate::stack::{self, Arrival};
use crate::watch::LOOKOUT;

pub use crate::stack::Link;

bind_interrupts!(struct Irqs {
    PIO0_IRQ_0 => pio::InterruptHandler<PIO0>;
    DMA_IRQ_0 => dma::InterruptHandler<DMA_CH0>;
});

const FAULT: &str = "down, the radio doesn't answer: it is tried again";

const NOT_THERE: &str = "down, no such network here: its name, open or with a passphrase?";
const NO_KEYS: &str = "down, the access point takes no keys: is the passphrase right?";
const NO_PASSPHRASE: &str = "down, a passphrase has 8 to 63 bytes, or 64 hex digits";
const REFUSED: &str = "down, the access point refuses: does it filter addresses?";

/// How long the radio may take to start: it is switched off and on, and sent 230 KB of firmware, in less than a second.
const PATIENCE: Duration = Duration::from_secs(4);

/// The pause between two attempts to start a radio that doesn't answer.
const REST: Duration = Duration::from_secs(60);

/// The pause before the next attempt after a life that died of the last one, and how often it is doubled at the most: to 34 h. Each
/// such death is a reset, after which a contact that is closed raises one alert too many.
const DEATH_REST_SECS: u64 = 120;
const DOUBLED: u32 = 10;

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

/// In a scratch register of the watchdog, which the board's own reset leaves alone and loss of power clears: that the radio is
/// being started, and in the last byte how many lives in a row have begun that and not come to its end. The driver panics where the
/// radio doesn't do as it should.
const STARTING: u32 = 0x7261_6400;
const LIVES: u32 = 0xff;

/// The function of the radio's bus that packets come by, their channel for events, and the kinds of those that say that the
/// access point has dropped the board: deauthenticated or disassociated (Infineon's Wi-Fi Host Driver, `whd_events.h`).
const PACKETS: u32 = 2;
const EVENTS: u8 = 1;
const DROPS: [u32; 2] = [6, 12];

/// Signalled when the access point has dropped the board.
static DROPPED: Signal<CriticalSectionRawMutex, ()> = Signal::new();

/// The network to join.
static WANTED: Signal<CriticalSectionRawMutex, Wifi> = Signal::new();

/// Signalled after each attempt to start the radio.
static TRIED: Signal<CriticalSectionRawMutex, ()> = Signal::new();

/// Whether something is under way on the radio's bus.
static TRANSFER: AtomicBool = AtomicBool::new(false);

/// What the last attempt to start the radio, or to join, failed of.
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
struct WatchedBus(&'static mut PioSpi<'static, PIO0, 0>);

impl SpiBusCyw43 for WatchedBus {
    async fn cmd_write(&mut self, write: &[u32]) -> u32 {
        TRANSFER.store(true, Ordering::Relaxed);
        let status = SpiBusCyw43::cmd_write(self.0, write).await;
        TRANSFER.store(false, Ordering::Relaxed);
        status
    }

    async fn cmd_read(&mut self, write: u32, read: &mut [u32]) -> u32 {
        TRANSFER.store(true, Ordering::Relaxed);
        let status = SpiBusCyw43::cmd_read(self.0, write, read).await;
        TRANSFER.store(false, Ordering::Relaxed);
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

/// What the radio is started with.
struct Radio {
    state: State,
    power: Output<'static>,
    bus: PioSpi<'static, PIO0, 0>,
}

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

/// Starts the network, and the radio under it. Until there is a radio that answers the network is down: alerts are taken, and
/// wait.
pub async fn start(spawner: Spawner, wires: Wires, number: [u8; 5]) -> Link {
    let mut pio = Pio::new(wires.pio, Irqs);
    let bus = PioSpi::new(
        &mut pio.common,
        pio.sm0,
        DEFAULT_CLOCK_DIVIDER,
        pio.irq0,
        Output::new(wires.select, Level::High),
        wires.data,
        wires.clock,
        dma::Channel::new(wires.dma, Irqs),
    );
    static RADIO: StaticCell<Radio> = StaticCell::new();
    let radio = RADIO.init(Radio {
        state: State::new(),
        power: Output::new(wires.power, Level::Low),
        bus,
    });
    let (stack, arrival) = stack::start(spawner, number);
    spawner.spawn(run(spawner, radio, stack, arrival).unwrap());
    TRIED.wait().await;
    Link::new(
        stack,
        || TROUBLE.lock(Cell::get),
        |wifi| WANTED.signal(wifi.clone()),
    )
}

/// Starts the radio, again and again until it answers, and drives it.
#[embassy_executor::task]
async fn run(
    spawner: Spawner,
    radio: &'static mut Radio,
    stack: Stack<'static>,
    arrival: &'static Arrival,
) {
    let radio: *mut Radio = radio;
    let mut deaths = deaths();
    if deaths > 0 {
        tell(Some(FAULT));
        rest(Duration::from_secs(DEATH_REST_SECS << deaths.min(DOUBLED))).await;
    }
    let (device, control, runner) = loop {
        WATCHDOG
            .scratch3()
            .write_value(STARTING | (deaths + 1).min(LIVES));
        // SAFETY: `radio` came by the only reference, and what the attempt before was lent is dropped, for it was given up.
        let Radio { state, power, bus } = unsafe { &mut *radio };
        let started = cyw43::new(state, power, WatchedBus(bus), FIRMWARE, BOARD);
        match select(started, patience()).await {
            Either::First(started) => break started,
            Either::Second(()) => tell(Some(FAULT)),
        }
        deaths = 0;
        WATCHDOG.scratch3().write_value(0);
        rest(REST).await;
    };
    tell(None);
    arrival.signal(device);
    spawner.spawn(join(control, stack).unwrap());
    runner.run().await;
}

/// Returns how many lives in a row have begun to start the radio, and not come to its end.
fn deaths() -> u32 {
    match WATCHDOG.scratch3().read() {
        word if word & !LIVES == STARTING => word & LIVES,
        _ => 0,
    }
}

/// Says what became of an attempt to start the radio.
fn tell(trouble: Option<&'static str>) {
    TROUBLE.lock(|last| last.set(trouble));
    TRIED.signal(());
}

/// Waits for a while, and until there is an alert for each contact that has closed: the driver may panic of the next attempt,
/// and what is only counted would be lost in the reset.
async fn rest(pause: Duration) {
    Timer::after(pause).await;
    while LOOKOUT.has_closed(Input::Door) || LOOKOUT.has_closed(Input::Flood) {
        Timer::after_secs(1).await;
    }
}

/// Waits as long as the radio may take to start, and for the bus: a transfer that is broken off would spoil those after it.
async fn patience() {
    Timer::after(PATIENCE).await;
    while TRANSFER.load(Ordering::Relaxed) {
        yield_now().await;
    }
}

/// Joins the network, whenever it is lost and whenever there is another.
#[embassy_executor::task]
async fn join(mut control: Control<'static>, stack: Stack<'static>) {
    control.init(REGULATIONS).await;
    WATCHDOG.scratch3().write_value(0);
    let mut wifi = WANTED.wait().await;
    loop {
        let Some(options) = options(&wifi) else {
            TROUBLE.lock(|last| last.set(Some(NO_PASSPHRASE)));
            wifi = WANTED.wait().await;
            continue;
        };
        DROPPED.reset();
        let joined = with_timeout(JOINS, control.join(&wifi.name, options)).await;
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

/// Returns how to join a network, unless its passphrase can't be one (IEEE 802.11, annex J.4): the driver panics of one that
/// the radio refuses.
fn options(wifi: &Wifi) -> Option<JoinOptions<'_>> {
    let Some(passphrase) = &wifi.passphrase else {
        return Some(JoinOptions::new_open());
    };
    let key = passphrase.as_bytes();
    match key.len() {
        8..=63 => Some(JoinOptions::new(key)),
        KEY_DIGITS if key.iter().all(u8::is_ascii_hexdigit) => {
            let mut options = JoinOptions::new(key);
            options.auth = JoinAuth::Wpa2;
            options.passphrase_is_prehashed = true;
            Some(options)
        }
        _ => None,
    }
}
