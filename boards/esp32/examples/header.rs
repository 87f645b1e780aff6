//! Credentials and time in, `Authorization` header out: for firmware with an HTTP stack of its own.
//!
//! The ID comes from the store's partition, the key is in the chip: the HMAC peripheral signs with the eFuse block
//! that the credential names. UART0 shows the header and who can get at the key. No network and no clock is
//! asked: the time is that of the build, or the store's floor if that is later, and a device has a better one.

#![no_std]
#![no_main]

use core::cell::RefCell;

use api_auth::{Api, Authorizer, Clock, MAX_ID_LEN, Reading, Scheme, Source};
use esp_hal::delay::Delay;
use esp_hal::time::Instant;
use esp_hmac::{BlockKey, Hmac, KeyBlock};
use esp_println::println;
use esp_storage::FlashStorage;
use gateway_esp32::{DEVICE_KEY_BLOCK, Fuses, key_state, read_record, store_region};
use secure_store::{ClockRecord, Credential, CredentialKey, Custody, Key, MAX_CREDENTIAL_LEN};

esp_bootloader_esp_idf::esp_app_desc!();

/// Known when it compiles: the longest value that an ID makes, and the line with it.
const VALUE_LEN: usize = Scheme::KidExp.value_len(MAX_ID_LEN, 0);
const LINE_LEN: usize = Scheme::KidExp.line_len(MAX_ID_LEN, 0);

#[esp_hal::main]
fn main() -> ! {
    let p = esp_hal::init(esp_hal::Config::default());
    let hmac = RefCell::new(Hmac::new(Fuses::new(p.HMAC, p.SHA, p.DS)));

    // Once: what the device was provisioned with, sealed or not.
    let mut flash = FlashStorage::new(p.FLASH);
    let region = store_region(&mut flash).unwrap_or_else(|error| panic!("{error}"));
    let mut read = |key, out| {
        let device_key = BlockKey::new(&hmac, DEVICE_KEY_BLOCK);
        let value = read_record(&mut flash, region, device_key, key, out);
        value.unwrap_or_else(|error| panic!("{error}"))
    };
    let mut value = [0; MAX_CREDENTIAL_LEN];
    let credential = read(Key::credential(0), &mut value).and_then(Credential::decode);
    let credential = credential.expect("slot A has no credential: provision the device");
    let mut value = [0; ClockRecord::LEN];
    let floor = read(Key::CLOCK, &mut value).and_then(ClockRecord::decode);
    let floor_secs = floor.unwrap_or_default().floor_secs;
    let CredentialKey::Hardware(place) = credential.key else {
        panic!("the key lies in the flash: provision the device with --hardware-key");
    };
    let block = KeyBlock::new(place).expect("the chip has six key blocks, 0 to 5");
    let state = key_state(block);
    println!("{state}");

    // Once: the constant part of the token is encoded. The key stays where it is.
    let api = Api::by_name(credential.api).expect("the credential is of an API that is not known");
    let key = BlockKey::new(&hmac, block);
    let mut authorizer = Authorizer::<_, VALUE_LEN>::with_engine(api, credential.id, key).unwrap();

    // Whenever a clock tells the time.
    let build_secs = env!("BUILD_SECS").parse().unwrap();
    let (unix_secs, told_by) = match floor_secs > build_secs {
        true => (floor_secs, "the store: no earlier than this"),
        false => (build_secs, "the build: the firmware is no older"),
    };
    let mut clock = Clock::new(build_secs, floor_secs);
    let reading = Reading {
        unix_secs,
        source: Source::Host,
        age_secs: u32::MAX,
    };
    clock.set(reading, uptime_ms()).unwrap();

    // For each request: a token that is still good is not signed again.
    let authorization = authorizer.authorize(clock.now(uptime_ms()));
    let authorization = authorization.unwrap_or_else(|error| panic!("{error}"));
    let mut line = [0; LINE_LEN];
    let line = authorization.write_line(&mut line).unwrap();

    println!("{line}");
    match state.is_hardware() {
        true => println!("custody: {}", Custody::Hardware),
        false => println!("custody: in hardware, but software can read the key"),
    }
    println!("time: {unix_secs} by {told_by}");
    loop {
        Delay::new().delay_millis(1_000);
    }
}

fn uptime_ms() -> u64 {
    Instant::now().duration_since_epoch().as_millis()
}
