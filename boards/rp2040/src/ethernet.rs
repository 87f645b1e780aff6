//! The W5500: the wired link of the W5500-EVB-Pico.

use core::sync::atomic::{AtomicBool, Ordering};

use embassy_executor::Spawner;
use embassy_net_wiznet::State;
use embassy_net_wiznet::chip::W5500;
use embassy_rp::gpio::{Input, Level, Output, Pull};
use embassy_rp::peripherals::{
    DMA_CH0, DMA_CH1, PIN_16, PIN_17, PIN_18, PIN_19, PIN_20, PIN_21, SPI0,
};
use embassy_rp::spi::{self, Async, Spi};
use embassy_rp::{Peri, bind_interrupts, dma};
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::signal::Signal;
use embassy_time::{Delay, Duration, Timer};
use embedded_hal_bus::spi::ExclusiveDevice;
use static_cell::StaticCell;

use crate::stack::{self, Arrival};

pub use crate::stack::Link;

bind_interrupts!(struct Irqs {
    DMA_IRQ_0 => dma::InterruptHandler<DMA_CH0>, dma::InterruptHandler<DMA_CH1>;
});

/// The fastest that the chip is known to bear on this board's wires.
const SPI_HZ: u32 = 20_000_000;

const FAULT: &str = "down, the W5500 doesn't answer: it is tried again";

/// The pause between two attempts to start the chip, each of which takes 0.1 s.
const AGAIN: Duration = Duration::from_secs(10);

/// Whether the last attempt found no chip.
static SILENT: AtomicBool = AtomicBool::new(false);

/// Signalled after each attempt.
static TRIED: Signal<CriticalSectionRawMutex, ()> = Signal::new();

/// What the chip is wired to.
pub struct Wires {
    pub spi: Peri<'static, SPI0>,
    pub miso: Peri<'static, PIN_16>,
    pub select: Peri<'static, PIN_17>,
    pub clock: Peri<'static, PIN_18>,
    pub mosi: Peri<'static, PIN_19>,
    pub reset: Peri<'static, PIN_20>,
    pub interrupt: Peri<'static, PIN_21>,
    pub dma: (Peri<'static, DMA_CH0>, Peri<'static, DMA_CH1>),
}

type Bus = ExclusiveDevice<Spi<'static, SPI0, Async>, Output<'static>, Delay>;

/// What the chip is started with.
struct Chip {
    state: State<4, 4>,
    bus: Bus,
    interrupt: Input<'static>,
    reset: Output<'static>,
}

/// Starts the network, and the chip under it. Until there is a chip that answers the network is down: alerts are taken, and
/// wait.
pub async fn start(spawner: Spawner, wires: Wires, number: [u8; 5]) -> Link {
    let mut config = spi::Config::default();
    config.frequency = SPI_HZ;
    let (rx, tx) = wires.dma;
    let spi = Spi::new(
        wires.spi,
        wires.clock,
        wires.mosi,
        wires.miso,
        rx,
        tx,
        Irqs,
        config,
    );
    let select = Output::new(wires.select, Level::High);
    let Ok(bus) = ExclusiveDevice::new(spi, select, Delay);
    static CHIP: StaticCell<Chip> = StaticCell::new();
    let chip = CHIP.init(Chip {
        state: State::new(),
        bus,
        interrupt: Input::new(wires.interrupt, Pull::Up),
        reset: Output::new(wires.reset, Level::High),
    });
    let (stack, arrival) = stack::start(spawner, number);
    spawner.spawn(run(chip, stack::address(number), arrival).unwrap());
    TRIED.wait().await;
    let trouble = || SILENT.load(Ordering::Relaxed).then_some(FAULT);
    Link::new(stack, trouble, |_| ())
}

/// Starts the chip, again and again until it answers, and drives it.
#[embassy_executor::task]
async fn run(chip: &'static mut Chip, address: [u8; 6], arrival: &'static Arrival) {
    let chip: *mut Chip = chip;
    let (device, runner) = loop {
        // SAFETY: `chip` came by the only reference, and what the attempt before was lent is dropped, for it failed.
        let chip: &'static mut Chip = unsafe { &mut *chip };
        let (bus, interrupt, reset) = (&mut chip.bus, &mut chip.interrupt, &mut chip.reset);
        let started = embassy_net_wiznet::new::<4, 4, W5500, _, _, _>(
            address,
            &mut chip.state,
            bus,
            interrupt,
            reset,
        )
        .await;
        SILENT.store(started.is_err(), Ordering::Relaxed);
        TRIED.signal(());
        match started {
            Ok(started) => break started,
            Err(_) => Timer::after(AGAIN).await,
        }
    };
    arrival.signal(device);
    runner.run().await;
}
