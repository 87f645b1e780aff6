//! What the programs for RP2040 boards share.

#![no_std]

mod board;
mod last_words;
pub mod memory;

pub use board::{Bus, Dog, Element, Rp2040, Temperature, random};
pub use last_words::last_words;
