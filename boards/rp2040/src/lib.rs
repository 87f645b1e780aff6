//! What the programs for RP2040 boards share.

#![no_std]

#[cfg(all(feature = "w5500", feature = "pico-w"))]
compile_error!(
    "one board, one link: build the Pico W's with --no-default-features --features pico-w"
);

#[cfg(feature = "gateway")]
pub mod board;
pub mod bus;
pub mod element;
#[cfg(feature = "last-words")]
mod last_words;
#[cfg(feature = "w5500")]
#[path = "ethernet.rs"]
pub mod link;
#[cfg(feature = "pico-w")]
#[path = "wifi.rs"]
pub mod link;
pub mod memory;
#[cfg(feature = "gateway")]
pub mod noise;
#[cfg(feature = "gateway")]
mod stack;
#[cfg(feature = "gateway")]
pub mod usb;
#[cfg(feature = "gateway")]
pub mod watch;

#[cfg(feature = "last-words")]
pub use last_words::{LastWords, last_words, restart};

/// The Unix seconds at which this was built: the present is no earlier.
pub const BUILD_SECS: u64 = match u64::from_str_radix(env!("BUILD_SECS"), 10) {
    Ok(secs) => secs,
    Err(_) => panic!("the time of the build is no number"),
};
