//! The CYW43439: the radio of the Pico W.
//!
//! It runs firmware of Infineon's, which is none of this project's and under a licence of its own: whoever builds supplies the
//! three files. **This was compiled and linked, and never ran.**

use cyw43::{A4, Aligned, Control, JoinAuth, JoinOptions, Runner, SpiBus, State};
use cyw43_pio::{DEFAULT_CLOCK_DIVIDER, PioSpi};
use embassy_executor::Spawner;
use embassy_futures::select::{Either, select};
use embassy_net::Stack;
use embassy_rp::gpio::{Level, Output};
use embassy_rp::peripherals::{DMA_CH0, PIN_23, PIN_24, PIN_25, PIN_29, PIO0};
use embassy_rp::pio::{self, Pio};
use embassy_rp::{Peri, bind_interrupts, dma};
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::signal::Signal;
use embassy_time::{Duration, with_timeout};
use gateway_firmware::Wifi;
use static_cell::StaticCell;

use crate::stack;

pub use crate::stack::Link;

bind_interrupts!(struct Irqs {
    PIO0_IRQ_0 => pio::InterruptHandler<PIO0>;
    DMA_IRQ_0 => dma::InterruptHandler<DMA_CH0>;
});

const FAULT: &str = "down, the radio doesn't answer: check its firmware, and restart";

/// How long the radio may take to start: it is sent 230 KB of firmware first.
const PATIENCE: Duration = Duration::from_secs(10);

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

/// The network to join.
static WANTED: Signal<CriticalSectionRawMutex, Wifi> = Signal::new();

/// What the radio is wired to, on the board.
pub struct Wires {
    pub power: Peri<'static, PIN_23>,
    pub data: Peri<'static, PIN_24>,
    pub select: Peri<'static, PIN_25>,
    pub clock: Peri<'static, PIN_29>,
    pub pio: Peri<'static, PIO0>,
    pub dma: Peri<'static, DMA_CH0>,
}

type Bus = SpiBus<Output<'static>, PioSpi<'static, PIO0, 0>>;

/// Starts the radio and the network over it. Without a radio that answers there is a network that is never up:
/// alerts are taken, and wait.
pub async fn start(spawner: Spawner, wires: Wires, number: [u8; 5]) -> Link {
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
    let radio = cyw43::new(state, power, spi, FIRMWARE, BOARD);
    match with_timeout(PATIENCE, radio).await {
        Ok((device, control, runner)) => {
            spawner.spawn(run(runner).unwrap());
            let stack = stack::start(spawner, device);
            spawner.spawn(join(control, stack).unwrap());
            Link::new(stack, |wifi| WANTED.signal(wifi.clone()))
        }
        Err(_) => Link::broken(spawner, number, FAULT),
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
    let mut wifi = WANTED.wait().await;
    loop {
        let options = match &wifi.passphrase {
            None => JoinOptions::new_open(),
            Some(key) if key.len() == KEY_DIGITS => {
                let mut options = JoinOptions::new(key.as_bytes());
                options.auth = JoinAuth::Wpa2;
                options.passphrase_is_prehashed = true;
                options
            }
            Some(passphrase) => JoinOptions::new(passphrase.as_bytes()),
        };
        if control.join(&wifi.name, options).await.is_ok() {
            // The stack's task runs after this one: until it has, the link counts as down.
            let lost = async {
                let _ = with_timeout(HEARS, stack.wait_link_up()).await;
                stack.wait_link_down().await;
            };
            if let Either::Second(other) = select(lost, WANTED.wait()).await {
                wifi = other;
            }
            control.leave().await;
        } else if let Ok(other) = with_timeout(AGAIN, WANTED.wait()).await {
            wifi = other;
        }
    }
}
