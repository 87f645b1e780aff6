//! What the eFuses say of a key block (ESP32-C3 TRM, eFuse Controller, "Key Purpose" and "Programming of Parameters").

use core::fmt;

use crate::key::KeyBlock;

/// The purpose of a key that software has the peripheral compute with, called `HMAC_UP`.
pub const PURPOSE_HMAC_UP: u8 = 8;

/// The bit of `WR_DIS` that locks the purpose of the first block; the others' follow.
const PURPOSE_LOCK_BIT: u32 = 8;

/// The bit of `WR_DIS` that locks the first block; the others' follow.
const BLOCK_LOCK_BIT: u32 = 23;

/// What the eFuses say of a key block; a device prints it when it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyState {
    /// The block.
    pub block: KeyBlock,
    /// What the key may be used for, 0 to 15; 0 if nothing was burnt.
    pub purpose: u8,
    /// Whether software can't read the key.
    pub read_protected: bool,
    /// Whether neither key nor purpose can be changed any more.
    pub write_protected: bool,
}

impl KeyState {
    /// Reads the state of a block out of its purpose and the fields `RD_DIS` and `WR_DIS`.
    ///
    /// ```
    /// use esp_hmac::{KeyBlock, KeyState};
    ///
    /// // What `espefuse burn-key BLOCK_KEY0 FILE HMAC_UP` leaves behind.
    /// let state = KeyState::of(KeyBlock::new(0).unwrap(), 8, 0x01, 0x0080_0101);
    /// assert!(state.is_hardware());
    /// assert_eq!(
    ///     state.to_string(),
    ///     "eFuse BLOCK_KEY0: purpose HMAC_UP, read-protected, write-protected"
    /// );
    /// ```
    pub const fn of(block: KeyBlock, purpose: u8, rd_dis: u8, wr_dis: u32) -> Self {
        let number = block.number();
        let purpose_locked = (wr_dis >> PURPOSE_LOCK_BIT >> number) & 1 == 1;
        let block_locked = (wr_dis >> BLOCK_LOCK_BIT >> number) & 1 == 1;
        Self {
            block,
            purpose,
            read_protected: (rd_dis >> number) & 1 == 1,
            write_protected: purpose_locked && block_locked,
        }
    }

    /// Whether the peripheral computes with the key and no software can read it.
    pub const fn is_hardware(&self) -> bool {
        self.purpose == PURPOSE_HMAC_UP && self.read_protected
    }
}

impl fmt::Display for KeyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "eFuse {}: ", self.block)?;
        match self.purpose {
            PURPOSE_HMAC_UP => f.write_str("purpose HMAC_UP")?,
            other => write!(
                f,
                "purpose {other}, not HMAC_UP, so the peripheral refuses it"
            )?,
        }
        f.write_str(match self.read_protected {
            true => ", read-protected",
            false => ", NOT read-protected: any software can read the key",
        })?;
        f.write_str(match self.write_protected {
            true => ", write-protected",
            false => ", not write-protected",
        })
    }
}
