//! A slot's key as an HMAC engine.

use embedded_hal::delay::DelayNs;
use embedded_hal::i2c::{ErrorType, I2c};
use jwt_core::MacEngine;

use super::Atecc608;
use super::error::AteccError;

/// An HMAC-SHA256 key that never leaves its slot.
#[derive(Debug)]
pub struct SlotKey<I, D> {
    device: Atecc608<I, D>,
    slot: u8,
}

impl<I, D> SlotKey<I, D> {
    pub(super) const fn new(device: Atecc608<I, D>, slot: u8) -> Self {
        Self { device, slot }
    }
}

impl<I: I2c, D: DelayNs> MacEngine for SlotKey<I, D> {
    type Error = AteccError<<I as ErrorType>::Error>;
    type Midstate = ();

    fn absorb(&mut self, _blocks: &[[u8; 64]]) -> Result<(), Self::Error> {
        Ok(())
    }

    fn finish(&mut self, _midstate: &(), message: &[u8]) -> Result<[u8; 32], Self::Error> {
        self.device.hmac(self.slot, message)
    }
}
