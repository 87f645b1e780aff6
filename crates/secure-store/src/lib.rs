//! Secrets, settings and alerts kept in a device's flash through power cuts.
#![no_std]
#![deny(missing_docs)]

mod adopt;
pub mod atecc608;
mod bytes;
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
pub use rollback::{Freshness, MonotonicCounter, RollbackError, anchor, check_freshness};
pub use rtc::{FakeRtc, Rtc};
pub use sealed::{SEAL_MESSAGE, SealError, Sealed};
pub use settings::{SETTINGS_VERSION, Setting, Settings, encode_settings};
pub use store::{CopyHealth, Record, RecordInfo, Store};
