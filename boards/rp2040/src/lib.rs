//! What the programs for RP2040 boards share.

#![no_std]

#[cfg(all(feature = "w5500", feature = "pico-w"))]
compile_error!(
    "one board, one link: build the Pico W's with --no-default-features --features pico-w"
);

pub mod board;
pub mod bus;
mod last_words;
#[cfg(feature = "w5500")]
#[path = "ethernet.rs"]
pub mod link;
#[cfg(feature = "pico-w")]
#[path = "wifi.rs"]
pub mod link;
pub mod memory;
pub mod noise;
mod stack;
pub mod usb;
pub mod watch;

pub use last_words::{LastWords, last_words, restart};
