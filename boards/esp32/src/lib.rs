//! What the programs for ESP32 boards share.

#![no_std]

#[cfg(hmac_peripheral)]
mod fuse_keys;
mod last_words;
mod partition;

#[cfg(hmac_peripheral)]
pub use fuse_keys::{Fuses, key_state};
pub use last_words::last_words;
pub use partition::{NoStore, store_region};
