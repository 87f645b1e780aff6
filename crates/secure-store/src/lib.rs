//! Secrets, settings and alerts kept in a device's flash through power cuts.
#![no_std]
#![deny(missing_docs)]

mod checksum;
mod entry;
mod error;
mod header;
mod image;
mod key;
mod log;
mod protection;
mod region;
mod scan;
mod store;

pub use entry::MAX_VALUE_LEN;
pub use error::StoreError;
pub use header::FORMAT_VERSION;
pub use image::{Image, ImageError};
pub use key::Key;
pub use protection::{Custody, Plain, Protection};
pub use region::Region;
pub use store::{CopyHealth, Record, RecordInfo, Store};
