//! The W5500: the wired link of the W5500-EVB-Pico.

use embassy_executor::Spawner;
use embassy_net_wiznet::chip::W5500;
use embassy_net_wiznet::{Runner, State};
use embassy_rp::gpio::{Input, Level, Output, Pull};
use embassy_rp::peripherals::{
    DMA_CH0, DMA_CH1, PIN_16, PIN_17, PIN_18, PIN_19, PIN_20, PIN_21, SPI0,
};
use embassy_rp::spi::{self, Async, Spi};
use embassy_rp::{Peri, bind_interrupts, dma};
use embassy_time::Delay;
use embedded_hal_bus::spi::ExclusiveDevice;
use static_cell::StaticCell;

use crate::stack;

pub use crate::stack::Link;

bind_interrupts!(struct Irqs {
    DMA_IRQ_0 => dma::InterruptHandler<DMA_CH0>, dma::InterruptHandler<DMA_CH1>;
});

/// The fastest that the chip is known to bear on this board's wires.
const SPI_HZ: u32 = 20_000_000;

const FAULT: &str = "down, the W5500 doesn't answer: check it, and restart";

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

/// Starts the chip and the network over it. Without a chip that answers there is a network that is never up: alerts
/// are taken, and wait.
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
    let interrupt = Input::new(wires.interrupt, Pull::Up);
    let reset = Output::new(wires.reset, Level::High);
    static STATE: StaticCell<State<4, 4>> = StaticCell::new();
    let state = STATE.init(State::new());
    match embassy_net_wiznet::new(stack::address(number), state, bus, interrupt, reset).await {
        Ok((device, runner)) => {
            spawner.spawn(run(runner).unwrap());
            Link::new(stack::start(spawner, device), || None, |_| ())
        }
        Err(_) => Link::broken(spawner, number, || Some(FAULT)),
    }
}

#[embassy_executor::task]
async fn run(runner: Runner<'static, W5500, Bus, Input<'static>, Output<'static>>) {
    runner.run().await;
}
