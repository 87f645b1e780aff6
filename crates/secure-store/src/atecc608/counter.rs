//! A monotonic counter, which counts to 2,097,151 and never back (data sheet, section 5.1.1).

use embedded_hal::delay::DelayNs;
use embedded_hal::i2c::{ErrorType, I2c};

use super::Atecc608;
use super::error::AteccError;
use crate::rollback::MonotonicCounter;

/// One of the two counters.
///
/// An increment whose response is lost is not repeated: read the counter to know.
#[derive(Debug)]
pub struct SlotCounter<I, D> {
    device: Atecc608<I, D>,
    counter: u8,
}

impl<I, D> SlotCounter<I, D> {
    pub(super) const fn new(device: Atecc608<I, D>, counter: u8) -> Self {
        Self { device, counter }
    }
}

impl<I: I2c, D: DelayNs> MonotonicCounter for SlotCounter<I, D> {
    type Error = AteccError<<I as ErrorType>::Error>;

    fn read(&mut self) -> Result<u32, Self::Error> {
        self.device.count(false, self.counter)
    }

    fn increment(&mut self) -> Result<u32, Self::Error> {
        self.device.count(true, self.counter)
    }
}
