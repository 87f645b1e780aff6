//! The gateway on a W5500-EVB-Pico or a Pico W: which pin is what, and what runs.

#![no_std]
#![no_main]

use core::cell::RefCell;

use embassy_executor::Spawner;
use embassy_rp::adc::{self, Adc, Channel};
use embassy_rp::bind_interrupts;
use embassy_rp::flash::Flash;
use embassy_rp::gpio::{Input, Level, Output, Pull};
use embassy_rp::peripherals::UART0;
use embassy_rp::uart::{self, BufferedInterruptHandler, BufferedUart};
use embassy_rp::watchdog::Watchdog;
use embedded_hal_bus::i2c::RefCellDevice;
use gateway_firmware::{Parts, Wires, run};
use gateway_rp2040::board::{Rp2040, Temperature, start_reason};
use gateway_rp2040::bus::Bus;
use gateway_rp2040::element::Element;
use gateway_rp2040::{LastWords, last_words, link, memory, noise, restart, usb, watch};
use gateway_tls::{MEMORY_LEN, TcpConnect, TlsConnect};
use secure_store::{Ds3231, Region};
use static_cell::{ConstStaticCell, StaticCell};

bind_interrupts!(struct Irqs {
    UART0_IRQ => BufferedInterruptHandler<UART0>;
});

#[embassy_executor::main]
async fn main(spawner: Spawner) {
    static LAST_WORDS: StaticCell<LastWords> = StaticCell::new();
    let last_words = LAST_WORDS.init(last_words());
    let p = embassy_rp::init(Default::default());
    let watchdog = Watchdog::new(p.WATCHDOG);
    let start = start_reason(&watchdog, last_words.own);
    let contacts = Wires {
        door: Input::new(p.PIN_14, Pull::Up),
        flood: Input::new(p.PIN_15, Pull::Up),
        button: Input::new(p.PIN_13, Pull::Up),
    };
    watch::start(contacts, watchdog);

    static TX: ConstStaticCell<[u8; 512]> = ConstStaticCell::new([0; 512]);
    static RX: ConstStaticCell<[u8; 512]> = ConstStaticCell::new([0; 512]);
    let (tx, rx) = (TX.take(), RX.take());
    let config = uart::Config::default();
    let console = BufferedUart::new(p.UART0, p.PIN_0, p.PIN_1, Irqs, tx, rx, config);
    let (console_out, console_in) = console.split();

    let mut flash = Flash::new_blocking(p.FLASH);
    let mut number = [0; 8];
    flash.blocking_unique_id(&mut number).unwrap();
    let [.., a, b, c, d, e] = number;
    static SERIAL: StaticCell<heapless::String<16>> = StaticCell::new();
    let serial = SERIAL.init(heapless::format!("{:016x}", u64::from_be_bytes(number)).unwrap());
    usb::start(spawner, p.USB, serial);

    #[cfg(feature = "w5500")]
    let wires = link::Wires {
        spi: p.SPI0,
        miso: p.PIN_16,
        select: p.PIN_17,
        clock: p.PIN_18,
        mosi: p.PIN_19,
        reset: p.PIN_20,
        interrupt: p.PIN_21,
        dma: (p.DMA_CH0, p.DMA_CH1),
    };
    #[cfg(feature = "pico-w")]
    let wires = link::Wires {
        power: p.PIN_23,
        data: p.PIN_24,
        select: p.PIN_25,
        clock: p.PIN_29,
        pio: p.PIO0,
        dma: p.DMA_CH0,
    };
    let network = link::start(spawner, wires, [a, b, c, d, e]).await;
    static TCP_RX: ConstStaticCell<[u8; 2048]> = ConstStaticCell::new([0; 2048]);
    static TCP_TX: ConstStaticCell<[u8; 2048]> = ConstStaticCell::new([0; 2048]);
    let streams = TcpConnect::new(network.stack(), TCP_RX.take(), TCP_TX.take());
    static TLS: ConstStaticCell<[u8; MEMORY_LEN]> = ConstStaticCell::new([0; MEMORY_LEN]);
    let connect = TlsConnect::new(streams, noise::entropy, TLS.take()).unwrap();

    static BUS: StaticCell<RefCell<Bus>> = StaticCell::new();
    let bus: &RefCell<Bus> = BUS.init(RefCell::new(Bus::new(p.I2C0, p.PIN_4, p.PIN_5)));
    let rtc = Some(Ds3231::new(RefCellDevice::new(bus)));

    #[cfg(feature = "w5500")]
    let light = Output::new(p.PIN_25, Level::Low);
    // The Pico W's own light hangs on its radio: one is wired instead.
    #[cfg(feature = "pico-w")]
    let light = Output::new(p.PIN_22, Level::Low);
    let adc = Adc::new_blocking(p.ADC, adc::Config::default());
    let why = run::<Rp2040>(Parts {
        flash,
        region: Region {
            start: memory::STORE_START,
            len: memory::STORE_LEN,
        },
        console_in,
        console_out,
        side: Some(&usb::LINE),
        lookout: &watch::LOOKOUT,
        light,
        thermometer: Temperature::new(adc, Channel::new_temp_sensor(p.ADC_TEMP_SENSOR)),
        rtc,
        chip_keys: Element(bus),
        connect,
        network,
        random: noise::random,
        entropy: noise::entropy,
        build_secs: env!("BUILD_SECS").parse().unwrap(),
        start,
        last_words: &last_words.text,
    })
    .await;
    restart(why);
}
