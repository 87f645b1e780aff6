//! Credentials and time in, `Authorization` header out: for firmware with an HTTP stack of its own.
//!
//! The board is provisioned as the gateway is: the key is in the fuses, or in the store, sealed or not. UART0 shows the header,
//! for there is no request here: other firmware sends it and shows it to nobody. No clock is asked: the time is that
//! of the build, or the store's floor if that is later, and a device has a better one.

#![no_std]
#![no_main]

use core::cell::RefCell;

use api_auth::{Policy, Reading, Source};
use esp_hal::delay::Delay;
use esp_hal::time::Instant;
use esp_hmac::{Hmac, KeyBlock};
use esp_println::println;
use esp_storage::FlashStorage;
use gateway_esp32::{BUILD_SECS, FuseKeys, Fuses, key_state, store_region};
use gateway_firmware::{HeaderParts, Headers, NoRtc};

esp_bootloader_esp_idf::esp_app_desc!();

#[esp_hal::main]
fn main() -> ! {
    let p = esp_hal::init(esp_hal::Config::default());
    let hmac = RefCell::new(Hmac::new(Fuses::new(p.HMAC, p.SHA, p.DS)));
    for block in KeyBlock::all() {
        println!("{}", key_state(block));
    }

    // Once: the store is opened, each key prepared or found in its fuse block.
    let mut flash = FlashStorage::new(p.FLASH);
    let region = store_region(&mut flash).unwrap_or_else(|error| panic!("{error}"));
    let parts = HeaderParts {
        flash,
        region,
        rtc: None::<NoRtc>,
        chip_keys: FuseKeys(&hmac),
        policy: Policy::FIELD,
        build_secs: BUILD_SECS,
    };
    let headers = Headers::open(parts, uptime_ms());
    let mut headers = headers.unwrap_or_else(|error| panic!("{error}"));
    println!("custody: {}", headers.custody());

    // Whenever a clock tells the time: `Ds3231` as `rtc` above, or SNTP here.
    let floor_secs = headers.session().clock().floor_secs();
    let (unix_secs, told_by) = match floor_secs > BUILD_SECS {
        true => (floor_secs, "the store: no earlier than this"),
        false => (BUILD_SECS, "the build: the firmware is no older"),
    };
    let reading = Reading {
        unix_secs,
        source: Source::Host,
        age_secs: u32::MAX,
    };
    headers.set_clock(reading, uptime_ms()).unwrap();

    // For each request: a token that is still good is not signed again.
    let header = headers.authorize(uptime_ms());
    let header = header.unwrap_or_else(|error| panic!("{error}"));
    println!("Authorization: {}", header.value());
    println!("time: {unix_secs} by {told_by}");

    // After each answer: `headers.answered`, then `headers.keep`.
    loop {
        Delay::new().delay_millis(1_000);
    }
}

fn uptime_ms() -> u64 {
    Instant::now().duration_since_epoch().as_millis()
}
