//! The ATECC608: keys that no software can read, and a counter that only grows.

use core::cell::RefCell;

use embassy_time::Delay;
use embedded_hal_bus::i2c::RefCellDevice;
use gateway_firmware::ChipKeys;
use secure_store::MonotonicCounter;
use secure_store::atecc608::{Atecc608, DEFAULT_ADDRESS, SlotKey};

use crate::bus::{Bus, SharedBus};

/// The slot of the ATECC608 whose key seals the store and is proved to whoever provisions.
pub const DEVICE_KEY_SLOT: u8 = 2;

/// The counter of the ATECC608 by which an old image of the flash is told; the other can be tied to the use of a key.
const COUNTER: u8 = 1;

/// The ATECC608 on the bus, if there is one: that is seen when it is used.
#[derive(Clone, Copy)]
pub struct Element(pub &'static RefCell<Bus>);

impl Element {
    fn device(&self) -> Atecc608<SharedBus, Delay> {
        Atecc608::new(RefCellDevice::new(self.0), Delay, DEFAULT_ADDRESS)
    }
}

impl ChipKeys for Element {
    type Key = SlotKey<SharedBus, Delay>;

    /// The slot of the device key is none for another: what it signs is not to be what seals the store.
    fn key(&self, slot: u8) -> Option<Self::Key> {
        match slot {
            DEVICE_KEY_SLOT => None,
            _ => self.device().into_key(slot).ok(),
        }
    }

    fn device_key(&self) -> Option<Self::Key> {
        self.device().into_key(DEVICE_KEY_SLOT).ok()
    }

    fn counter(&self) -> Option<impl MonotonicCounter> {
        self.device().into_counter(COUNTER).ok()
    }
}
