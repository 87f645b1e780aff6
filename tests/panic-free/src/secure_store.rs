//! What `secure-store` exports.

use core::convert::Infallible;
use core::hint::black_box;

use embedded_hal::delay::DelayNs;
use embedded_hal::i2c::{ErrorType as BusError, I2c, NoAcknowledgeSource, Operation};
use embedded_storage::nor_flash::{
    ErrorType, MultiwriteNorFlash, NorFlash, NorFlashErrorKind, ReadNorFlash,
};
use jwt_core::{HmacKey, MacEngine};
use secure_store::atecc608::{Atecc608, AteccError};
use secure_store::{
    Certificates, ClockRecord, Credential, CredentialKey, Ds3231, Ds3231Error, Entropy,
    EntropyError, FakeRtc, Image, ImageError, Key, MinEntropy, MonotonicCounter, NoiseSource,
    Plain, Protection, Region, RollbackError, Rtc, SealError, Sealed, Setting, Settings, Store,
    StoreError, anchor, announce, check_freshness, encode_settings, is_anchor_due,
};

use crate::display;

pub fn use_all() {
    store(Plain);
    images();
    records();
    devices();
    entropy();
}

/// A flash that can answer anything.
struct Flash;

impl ErrorType for Flash {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for Flash {
    const READ_SIZE: usize = 4;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        black_box((offset, bytes));
        black_box(Ok(()))
    }

    fn capacity(&self) -> usize {
        black_box(1 << 20)
    }
}

impl NorFlash for Flash {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 4096;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        black_box((from, to));
        black_box(Ok(()))
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        black_box((offset, bytes));
        black_box(Ok(()))
    }
}

impl MultiwriteNorFlash for Flash {}

#[inline(never)]
fn store<P: Protection>(protection: P) {
    let region = Region {
        start: black_box(0),
        len: black_box(8192),
    };
    let key = Key {
        kind: black_box(1),
        slot: black_box(0),
    };
    let opened = match black_box(true) {
        true => Store::<_, P, 20>::open(Flash, region, protection),
        false => Store::format(Flash, region, protection),
    };
    let mut value = [0; 1024];
    match opened {
        Ok(mut store) => {
            black_box(store.repair().is_ok());
            if let Err(error) = store.put(key, black_box(1), black_box(&value)) {
                display::<StoreError<NorFlashErrorKind>>(&error);
            }
            black_box(store.get(key, black_box(&mut value)).is_ok());
            if let Ok(Some(certificates)) = store.certificates(black_box(&mut value)) {
                trusted(certificates);
            }
            black_box(store.remove(key).is_ok());
            black_box(store.purge().is_ok());
            for record in store.records() {
                black_box(record);
            }
            black_box((store.health(), store.free(), store.custody()));
            black_box(check_freshness(&mut store, &mut Counter).is_ok());
            black_box(announce(&mut store, &mut Counter).is_ok());
            black_box(is_anchor_due(&mut store).is_ok());
            if let Err(error) = anchor(&mut store, &mut Counter) {
                display::<RollbackError<_, _>>(&error);
            }
            store.into_flash();
        }
        Err(error) => display(&error),
    }
}

fn trusted(certificates: Certificates<'_>) {
    for certificate in certificates.iter() {
        black_box(certificate);
    }
    for part in certificates.parts() {
        black_box(part);
    }
    black_box((certificates.sum(), Certificates::new(black_box(b"0\0"))));
}

/// A counter that can answer anything.
struct Counter;

impl MonotonicCounter for Counter {
    type Error = ImageError;

    fn read(&mut self) -> Result<u32, ImageError> {
        black_box(Ok(1))
    }

    fn increment(&mut self) -> Result<u32, ImageError> {
        black_box(Ok(1))
    }
}

#[inline(never)]
fn images() {
    let mut bytes = [0; 8192];
    let mut image = Image::new(black_box(&mut bytes));
    black_box(image.write(black_box(1), black_box(&[1, 2])).is_ok());
    black_box(image.read(black_box(1), black_box(&mut [1, 2])).is_ok());
    if let Err(error) = image.erase(black_box(0), black_box(4096)) {
        display(&error);
    }
}

#[inline(never)]
fn records() {
    let mut value = [0; 400];
    let Ok(key) = HmacKey::new(black_box(&[1; 32])) else {
        return;
    };
    for key in [
        CredentialKey::Prepared(key),
        CredentialKey::Hardware(black_box(1)),
        CredentialKey::Sent(black_box("key")),
    ] {
        let credential = Credential {
            api: black_box("api"),
            id: black_box("id"),
            key,
        };
        black_box(credential.encode(black_box(&mut value)));
    }
    if let Some(credential) = Credential::decode(black_box(&value)) {
        black_box((credential.custody(Plain::CUSTODY), credential.id));
    }
    black_box(black_box(ClockRecord::default()).encode());
    black_box(ClockRecord::decode(black_box(&value)));
    let settings = [(Setting(black_box(1)), black_box(&b"value"[..]))];
    black_box(encode_settings(settings, black_box(&mut value)));
    if let Some(settings) = Settings::decode(black_box(&value)) {
        black_box((settings.text(Setting::NAME), settings.number(Setting::NAME)));
    }
}

/// A bus that can answer anything.
struct Bus;

#[derive(Clone, Copy, Debug)]
struct BusFailed;

impl embedded_hal::i2c::Error for BusFailed {
    fn kind(&self) -> embedded_hal::i2c::ErrorKind {
        embedded_hal::i2c::ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address)
    }
}

impl BusError for Bus {
    type Error = BusFailed;
}

impl I2c for Bus {
    fn transaction(&mut self, address: u8, operations: &mut [Operation]) -> Result<(), BusFailed> {
        black_box((address, operations));
        black_box(Ok(()))
    }
}

struct Delay;

impl DelayNs for Delay {
    fn delay_ns(&mut self, ns: u32) {
        black_box(ns);
    }
}

#[inline(never)]
fn devices() {
    let mut rtc = Ds3231::new(Bus);
    black_box(rtc.read().is_ok());
    if let Err(error) = rtc.set(black_box(1)) {
        display::<Ds3231Error<BusFailed>>(&error);
    }
    rtc.release();
    let mut fake = FakeRtc::default();
    fake.advance(black_box(1));
    fake.stop();
    black_box(fake.read().is_ok());

    let device = || Atecc608::new(Bus, Delay, black_box(0x60));
    let mut element = device();
    black_box((element.revision().is_ok(), element.serial_number().is_ok()));
    black_box((element.locks().is_ok(), element.random().is_ok()));
    if let Err(error) = element.hmac(black_box(1), black_box(b"message")) {
        display::<AteccError<BusFailed>>(&error);
    }
    device().release();
    if let Ok(mut counter) = element.into_counter(black_box(0)) {
        black_box((counter.read().is_ok(), counter.increment().is_ok()));
    }
    if let Ok(mut key) = device().into_key(black_box(0)) {
        black_box(key.mac(black_box(b"message")).is_ok());
        match Sealed::new(key) {
            Ok(sealed) => store(sealed),
            Err(error) => display::<SealError<_>>(&error),
        }
    }
}

struct Noise;

impl NoiseSource for Noise {
    type Error = Infallible;

    fn sample(&mut self) -> Result<u8, Infallible> {
        Ok(black_box(1))
    }
}

#[inline(never)]
fn entropy() {
    let mut entropy = Entropy::new(Noise, black_box(MinEntropy::One));
    if let Err(error) = entropy.fill(black_box(&mut [0; 50])) {
        display::<EntropyError<_>>(&error);
    }
}
