//! The HMAC peripheral of Espressif's chips as a signing engine: the key is in an eFuse block and no software reads it.
//!
//! For ESP32-C3, -C6 and -S3, whose peripheral has the same registers (ESP32-C3 Technical Reference Manual, chapter
//! "HMAC Accelerator"). The driver is over [`Registers`], so that it runs on a desktop against a register-level fake of the
//! peripheral, and is the same code on the chip. `no_std`, without a heap, without `unsafe`, and without a reachable panic.
//!
//! - [`Hmac`] computes HMAC-SHA256 with the key of a [`KeyBlock`], block after block as the manual asks for.
//! - [`BlockKey`] is one such key as a [`jwt_core::MacEngine`]: it signs tokens, or derives the key that a store is sealed
//!   under.
//! - [`KeyState`] says what the eFuses say of a block: its purpose, and who can still read or change it.
//!
//! A message always goes in whole, in one slice. Whoever implements [`Registers`] owns the SHA peripheral too: HMAC computes
//! with it, and anything else that used it in between would spoil the MAC.

#![no_std]
#![deny(missing_docs)]

mod error;
mod fuses;
mod hmac;
mod key;
mod register;

pub use error::HmacError;
pub use fuses::{KeyState, PURPOSE_HMAC_UP};
pub use hmac::Hmac;
pub use key::{BlockKey, KeyBlock};
pub use register::{Register, Registers};
