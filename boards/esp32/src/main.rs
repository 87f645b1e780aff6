//! The gateway on an ESP32 board: what is wired to what, and what runs.

#![no_std]
#![no_main]

use core::cell::RefCell;

use embassy_executor::Spawner;
use embedded_hal_bus::i2c::RefCellDevice;
use esp_hal::clock::CpuClock;
use esp_hal::gpio::{Level, Output, OutputConfig};
use esp_hal::ram;
use esp_hal::timer::timg::TimerGroup;
#[cfg(not(feature = "esp32"))]
use esp_hmac::{Hmac, KeyBlock};
use esp_storage::FlashStorage;
use gateway_esp32::board::{self, Bus, Esp32, Temperature, start_reason};
use gateway_esp32::chip_keys::Keys;
#[cfg(not(feature = "esp32"))]
use gateway_esp32::{Fuses, key_state};
use gateway_esp32::{console, last_words, noise, pins, store_region, watch, wifi};
use gateway_firmware::{Parts, Wires, run};
use gateway_tls::{MEMORY_LEN, TcpConnect, TlsConnect};
use secure_store::Ds3231;
use static_cell::{ConstStaticCell, StaticCell};

esp_bootloader_esp_idf::esp_app_desc!();

/// Bytes of the radio's memory: those that the boot loader leaves behind, and some more.
const RECLAIMED_LEN: usize = 64 * 1024;
const HEAP_LEN: usize = 36 * 1024;

#[esp_rtos::main]
async fn main(spawner: Spawner) {
    static LAST_WORDS: StaticCell<heapless::String<160>> = StaticCell::new();
    let last_words = LAST_WORDS.init(last_words());
    let p = esp_hal::init(esp_hal::Config::default().with_cpu_clock(CpuClock::max()));
    esp_alloc::heap_allocator!(#[ram(reclaimed)] size: RECLAIMED_LEN);
    esp_alloc::heap_allocator!(size: HEAP_LEN);
    esp_rtos::start(TimerGroup::new(p.TIMG0).timer0, p.FROM_CPU_INTR0);

    #[cfg(not(feature = "esp32"))]
    for state in KeyBlock::all().map(key_state) {
        match state.purpose {
            0 => esp_println::println!("eFuse {}: no key for HMAC", state.block),
            _ => esp_println::println!("{state}"),
        }
    }

    let pins = pins!(p);
    let contacts = Wires {
        door: watch::contact(pins.door),
        flood: watch::contact(pins.flood),
        button: watch::contact(pins.button),
    };
    let unheld = watch::start(contacts, p.RTC_TIMER, p.FROM_CPU_INTR1);
    let (console_in, console_out) = console::start(unheld, p.UART0, pins.tx, pins.rx);
    #[cfg(not(feature = "esp32"))]
    console::usb::start(spawner, p.USB_DEVICE);

    let mut flash = FlashStorage::new(p.FLASH);
    let region = store_region(&mut flash).unwrap_or_else(|error| panic!("{error}"));

    let network = wifi::start(spawner, p.WIFI);
    static TCP_RX: ConstStaticCell<[u8; 2048]> = ConstStaticCell::new([0; 2048]);
    static TCP_TX: ConstStaticCell<[u8; 2048]> = ConstStaticCell::new([0; 2048]);
    let streams = TcpConnect::new(network.stack(), TCP_RX.take(), TCP_TX.take());
    static TLS: ConstStaticCell<[u8; MEMORY_LEN]> = ConstStaticCell::new([0; MEMORY_LEN]);
    let connect = TlsConnect::new(streams, noise::entropy, TLS.take()).unwrap();

    static BUS: StaticCell<RefCell<Bus>> = StaticCell::new();
    let bus: &RefCell<Bus> = BUS.init(RefCell::new(board::bus(p.I2C0, pins.sda, pins.scl)));
    let rtc = Some(Ds3231::new(RefCellDevice::new(bus)));
    #[cfg(not(feature = "esp32"))]
    let chip_keys = {
        static HMAC: StaticCell<RefCell<Hmac<Fuses>>> = StaticCell::new();
        let fuses = Fuses::new(p.HMAC, p.SHA, p.DS);
        let hmac = HMAC.init(RefCell::new(Hmac::new(fuses)));
        Keys { hmac, bus }
    };
    #[cfg(feature = "esp32")]
    let chip_keys = Keys { bus };

    run::<Esp32>(Parts {
        flash,
        region,
        console_in,
        console_out,
        #[cfg(not(feature = "esp32"))]
        side: Some(&console::usb::LINE),
        #[cfg(feature = "esp32")]
        side: None,
        lookout: &watch::LOOKOUT,
        light: Output::new(pins.light, Level::Low, OutputConfig::default()),
        thermometer: Temperature::new(p.ADC1, pins.sensor),
        rtc,
        chip_keys,
        connect,
        network,
        random: noise::random,
        entropy: noise::entropy,
        build_secs: env!("BUILD_SECS").parse().unwrap(),
        start: start_reason(),
        last_words,
    })
    .await;
    esp_hal::system::software_reset();
}
