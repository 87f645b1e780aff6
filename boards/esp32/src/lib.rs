//! What the programs for ESP32 boards share.

#![no_std]

#[cfg(feature = "gateway")]
pub mod board;
#[cfg(feature = "gateway")]
pub mod chip_keys;
#[cfg(feature = "gateway")]
pub mod console;
#[cfg(hmac_peripheral)]
mod fuse_keys;
mod last_words;
#[cfg(feature = "gateway")]
pub mod noise;
mod partition;
#[cfg(feature = "gateway")]
pub mod pins;
#[cfg(feature = "gateway")]
pub mod watch;
#[cfg(feature = "gateway")]
pub mod wifi;

#[cfg(hmac_peripheral)]
pub use fuse_keys::{DEVICE_KEY_BLOCK, FuseKeys, Fuses, key_state};
pub use last_words::last_words;
pub use partition::{NoStore, store_region};

/// The Unix seconds at which this was built: the present is no earlier.
pub const BUILD_SECS: u64 = match u64::from_str_radix(env!("BUILD_SECS"), 10) {
    Ok(secs) => secs,
    Err(_) => panic!("the time of the build is no number"),
};
