//! The gateway on a W5500-EVB-Pico: which pin is what, and what runs.

#![no_std]
#![no_main]

use core::cell::RefCell;

use embassy_executor::Spawner;
use embassy_net::StackResources;
use embassy_net_wiznet::chip::W5500;
use embassy_net_wiznet::{Device, Runner, State};
use embassy_rp::adc::{self, Adc, Channel};
use embassy_rp::flash::Flash;
use embassy_rp::gpio::{Input, Level, Output, Pull};
use embassy_rp::i2c::{self, I2c};
use embassy_rp::peripherals::{DMA_CH0, DMA_CH1, SPI0, UART0};
use embassy_rp::spi::{self, Async, Spi};
use embassy_rp::uart::{self, BufferedInterruptHandler, BufferedUart};
use embassy_rp::watchdog::{ResetReason, Watchdog};
use embassy_rp::{bind_interrupts, dma};
use embassy_time::Delay;
use embedded_hal_bus::i2c::RefCellDevice;
use embedded_hal_bus::spi::ExclusiveDevice;
use gateway_firmware::{Parts, PlainConnect, StackNetwork, run};
use gateway_rp2040::{Bus, Dog, Element, Rp2040, Temperature, last_words, memory, random};
use secure_store::{Ds3231, Region, Rtc};
use static_cell::{ConstStaticCell, StaticCell};

bind_interrupts!(struct Irqs {
    UART0_IRQ => BufferedInterruptHandler<UART0>;
    DMA_IRQ_0 => dma::InterruptHandler<DMA_CH0>, dma::InterruptHandler<DMA_CH1>;
});

type EthernetSpi = ExclusiveDevice<Spi<'static, SPI0, Async>, Output<'static>, Delay>;

/// DHCP, DNS, SNTP and HTTP have a socket each.
const SOCKETS: usize = 4;

#[embassy_executor::task]
async fn ethernet(runner: Runner<'static, W5500, EthernetSpi, Input<'static>, Output<'static>>) {
    runner.run().await;
}

#[embassy_executor::task]
async fn network(mut runner: embassy_net::Runner<'static, Device<'static>>) {
    runner.run().await;
}

#[embassy_executor::main]
async fn main(spawner: Spawner) {
    static LAST_WORDS: StaticCell<heapless::String<160>> = StaticCell::new();
    let last_words = LAST_WORDS.init(last_words());
    let p = embassy_rp::init(Default::default());
    let watchdog = Watchdog::new(p.WATCHDOG);
    let start = match watchdog.reset_reason() {
        _ if !last_words.is_empty() => "a panic",
        Some(ResetReason::TimedOut) => "the watchdog",
        Some(ResetReason::Forced) => "a forced reset",
        None => "power or the reset pin",
    };
    let watchdog = Dog::start(watchdog);

    static TX: ConstStaticCell<[u8; 512]> = ConstStaticCell::new([0; 512]);
    static RX: ConstStaticCell<[u8; 256]> = ConstStaticCell::new([0; 256]);
    let config = uart::Config::default();
    let console = BufferedUart::new(
        p.UART0,
        p.PIN_0,
        p.PIN_1,
        Irqs,
        TX.take(),
        RX.take(),
        config,
    );
    let (console_out, console_in) = console.split();

    let mut flash = Flash::new_blocking(p.FLASH);
    let mut id = [0; 8];
    flash.blocking_unique_id(&mut id).unwrap();
    let [.., a, b, c, d, e] = id;

    let mut config = spi::Config::default();
    config.frequency = 20_000_000;
    let bus = Spi::new(
        p.SPI0, p.PIN_18, p.PIN_19, p.PIN_16, p.DMA_CH0, p.DMA_CH1, Irqs, config,
    );
    let Ok(device) = ExclusiveDevice::new(bus, Output::new(p.PIN_17, Level::High), Delay);
    let interrupt = Input::new(p.PIN_21, Pull::Up);
    let reset = Output::new(p.PIN_20, Level::High);
    static STATE: StaticCell<State<4, 4>> = StaticCell::new();
    let state = STATE.init(State::new());
    // Locally administered, and the flash chip's own number.
    let made = embassy_net_wiznet::new([0x02, a, b, c, d, e], state, device, interrupt, reset);
    let (device, runner) = made.await.unwrap();
    spawner.spawn(ethernet(runner).unwrap());

    static RESOURCES: StaticCell<StackResources<SOCKETS>> = StaticCell::new();
    let resources = RESOURCES.init(StackResources::new());
    let seed = u64::from(random()) << 32 | u64::from(random());
    let config = embassy_net::Config::dhcpv4(Default::default());
    let (stack, runner) = embassy_net::new(device, config, resources, seed);
    spawner.spawn(network(runner).unwrap());
    static TCP_RX: ConstStaticCell<[u8; 2048]> = ConstStaticCell::new([0; 2048]);
    static TCP_TX: ConstStaticCell<[u8; 2048]> = ConstStaticCell::new([0; 2048]);

    let bus = I2c::new_blocking(p.I2C0, p.PIN_5, p.PIN_4, i2c::Config::default());
    static BUS: StaticCell<RefCell<Bus>> = StaticCell::new();
    let bus: &RefCell<Bus> = BUS.init(RefCell::new(bus));
    let mut rtc = Ds3231::new(RefCellDevice::new(bus));
    let rtc = rtc.read().is_ok().then_some(rtc);

    let adc = Adc::new_blocking(p.ADC, adc::Config::default());
    run::<Rp2040>(Parts {
        flash,
        region: Region {
            start: memory::STORE_START,
            len: memory::STORE_LEN,
        },
        console_in,
        console_out,
        door: Input::new(p.PIN_14, Pull::Up),
        flood: Input::new(p.PIN_15, Pull::Up),
        light: Output::new(p.PIN_25, Level::Low),
        thermometer: Temperature::new(adc, Channel::new_temp_sensor(p.ADC_TEMP_SENSOR)),
        rtc,
        chip_keys: Element(bus),
        watchdog,
        connect: PlainConnect::new(stack, TCP_RX.take(), TCP_TX.take()),
        network: StackNetwork(stack),
        random,
        build_secs: env!("BUILD_SECS").parse().unwrap(),
        start,
        last_words,
    })
    .await
}
