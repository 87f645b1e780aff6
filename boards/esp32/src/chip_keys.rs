//! Where keys are that no software can read: eFuse blocks behind the HMAC peripheral, and the slots of an ATECC608.
//!
//! A number names one of them. On a chip with the peripheral, 0 to 5 are its eFuse blocks and 6 to 15 the slots of those
//! numbers; on the classic ESP32, which has none, 0 to 15 are slots.

use core::cell::RefCell;
use core::fmt;

use embassy_time::Delay;
use embedded_hal_bus::i2c::RefCellDevice;
#[cfg(hmac_peripheral)]
use esp_hmac::{BlockKey, Hmac, HmacError, KeyBlock};
use gateway_firmware::ChipKeys;
use jwt_core::MacEngine;
use secure_store::MonotonicCounter;
use secure_store::atecc608::{Atecc608, AteccError, DEFAULT_ADDRESS, SlotKey};

use crate::board::{Bus, SharedBus};
#[cfg(hmac_peripheral)]
use crate::fuse_keys::{FuseKeys, Fuses};

/// The slot whose key seals the store on a chip without the peripheral.
#[cfg(not(hmac_peripheral))]
const DEVICE_KEY_SLOT: u8 = 2;

/// The counter of the ATECC608 by which an old image of the flash is told; the other can be tied to the use of a key.
const COUNTER: u8 = 1;

/// The places of keys on one board.
pub struct Keys {
    /// The HMAC peripheral.
    #[cfg(hmac_peripheral)]
    pub hmac: &'static RefCell<Hmac<Fuses>>,
    /// The bus that an ATECC608 is on, if there is one: that is seen when it is used.
    pub bus: &'static RefCell<Bus>,
}

impl ChipKeys for Keys {
    type Key = Key;

    /// The place of the device key is none for another: what it signs is not to be what seals the store.
    fn key(&self, slot: u8) -> Option<Key> {
        #[cfg(hmac_peripheral)]
        if KeyBlock::new(slot).is_some() {
            return FuseKeys(self.hmac).key(slot).map(Key::Fuse);
        }
        #[cfg(not(hmac_peripheral))]
        if slot == DEVICE_KEY_SLOT {
            return None;
        }
        self.slot(slot)
    }

    fn device_key(&self) -> Option<Key> {
        #[cfg(hmac_peripheral)]
        return FuseKeys(self.hmac).device_key().map(Key::Fuse);
        #[cfg(not(hmac_peripheral))]
        self.slot(DEVICE_KEY_SLOT)
    }

    /// With keys in fuses a board needs no ATECC608, so that there a counter that can't be read is taken for none.
    fn counter(&self) -> Option<impl MonotonicCounter> {
        let mut counter = self.element().into_counter(COUNTER).ok()?;
        if cfg!(hmac_peripheral) {
            counter.read().ok()?;
        }
        Some(counter)
    }
}

impl Keys {
    fn element(&self) -> Atecc608<SharedBus, Delay> {
        Atecc608::new(RefCellDevice::new(self.bus), Delay, DEFAULT_ADDRESS)
    }

    fn slot(&self, slot: u8) -> Option<Key> {
        self.element().into_key(slot).ok().map(Key::Element)
    }
}

/// A key in one of the places.
pub enum Key {
    /// In an eFuse block.
    #[cfg(hmac_peripheral)]
    Fuse(BlockKey<'static, Fuses>),
    /// In the ATECC608.
    Element(SlotKey<SharedBus, Delay>),
}

impl MacEngine for Key {
    type Error = KeyError;
    type Midstate = ();

    fn absorb(&mut self, _blocks: &[[u8; 64]]) -> Result<(), KeyError> {
        Ok(())
    }

    fn finish(&mut self, _midstate: &(), message: &[u8]) -> Result<[u8; 32], KeyError> {
        match self {
            #[cfg(hmac_peripheral)]
            Self::Fuse(key) => key.mac(message).map_err(KeyError::Fuse),
            Self::Element(key) => key.mac(message).map_err(KeyError::Element),
        }
    }
}

/// Says why a key can't be used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum KeyError {
    /// The HMAC peripheral refuses.
    #[cfg(hmac_peripheral)]
    Fuse(HmacError),
    /// The ATECC608 refuses, or doesn't answer.
    Element(AteccError<esp_hal::i2c::master::Error>),
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            #[cfg(hmac_peripheral)]
            Self::Fuse(error) => error.fmt(f),
            Self::Element(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for KeyError {}
