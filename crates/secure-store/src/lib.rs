//! Secrets, settings and alerts kept in a device's flash through power cuts, and the chips that help.
//!
//! `no_std`, without a heap, without `unsafe`, and without a reachable panic of its own. Nothing here knows a board:
//! flash is `embedded_storage`'s (a `MultiwriteNorFlash`, for what is there is programmed once more with the same bits), buses
//! are `embedded_hal`'s, time comes in as a number.
//!
//! | what | is |
//! | --- | --- |
//! | records by name, in two copies | [`Store`] in a [`Region`], named by [`Key`] |
//! | who can read them | [`Custody`]: a store is [`Plain`] or [`Sealed`] |
//! | what they hold | [`Credential`], [`ClockRecord`], [`Settings`], [`Certificates`]; rotation and outbox are bytes of the crates that own them |
//! | images on a desktop | the same store over an [`Image`] |
//! | old images | [`anchor`] and [`check_freshness`] over a [`MonotonicCounter`] |
//! | a key that can't be read | [`atecc608::SlotKey`], a `jwt_core::MacEngine` |
//! | time through a power cut | [`Rtc`]: [`Ds3231`] |
//! | random bytes | [`Entropy`] over a board's [`NoiseSource`] |
//!
//! # What is guaranteed
//!
//! A record that [`Store::put`] has confirmed is there after any power cut, and one that was being written is as
//! it was or as it was to be; `tests/power_cuts.rs` cuts the power before, inside and after each flash operation of random sequences,
//! with half-programmed entries and half-erased sectors in any state. Certificates, which are several records, change as
//! a whole (`tests/certificate_changes.rs`). The format is in
//! `docs/store-format.md`.
//!
//! # What custody means
//!
//! [`Custody::Hardware`]: the HMAC key is in a fuse block or a secure element, and whoever has the device can use it
//! but not take it along. [`Custody::Sealed`]: the flash alone is worth nothing; whoever runs software of their own
//! on the chip can have the device key unseal it, which secure boot has to prevent. [`Custody::Plain`]: whoever reads the flash, by
//! a debug port or by unsoldering it, has the prepared key and can sign until the API's secret is revoked. That is
//! all that an RP2040 without a secure element can do.
//!
//! Buffers that held secrets are zeroized; copies that the compiler leaves in registers or on the stack are not covered.
#![no_std]
#![deny(missing_docs)]

pub mod atecc608;
mod bytes;
mod certificates;
mod chain;
mod checksum;
mod clock_record;
mod credential;
mod ds3231;
mod entropy;
mod entry;
mod error;
mod header;
mod image;
mod key;
mod log;
mod protection;
mod region;
mod rollback;
mod rtc;
mod scan;
mod sealed;
mod settings;
mod store;
mod trusted;

pub use certificates::{
    CERTIFICATES_SUM_LEN, CERTIFICATES_VERSION, Certificates, MAX_CERTIFICATES_LEN,
};
pub use clock_record::{CLOCK_VERSION, ClockRecord};
pub use credential::{CREDENTIAL_VERSION, Credential, CredentialKey, MAX_CREDENTIAL_LEN};
pub use ds3231::{Ds3231, Ds3231Error};
pub use entropy::{Entropy, EntropyError, HealthTest, MinEntropy, NoiseSource};
pub use entry::MAX_VALUE_LEN;
pub use error::StoreError;
pub use header::FORMAT_VERSION;
pub use image::{Image, ImageError};
pub use key::Key;
pub use protection::{Custody, Plain, Protection};
pub use region::Region;
pub use rollback::{
    Freshness, MAX_COUNTER_JUMP, MonotonicCounter, RollbackError, anchor, announce,
    check_freshness, is_anchor_due,
};
pub use rtc::{FakeRtc, Rtc};
pub use sealed::{SEAL_MESSAGE, SealError, Sealed};
pub use settings::{SETTINGS_VERSION, Setting, Settings, encode_settings};
pub use store::{CopyHealth, Record, RecordInfo, Store};
