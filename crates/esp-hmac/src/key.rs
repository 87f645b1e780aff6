//! A key in an eFuse block, as an engine.

use core::cell::RefCell;
use core::fmt;

use jwt_core::MacEngine;

use crate::error::HmacError;
use crate::hmac::Hmac;
use crate::register::Registers;

/// One of the six eFuse blocks for keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyBlock(u8);

impl KeyBlock {
    /// How many there are.
    pub const COUNT: u8 = 6;

    /// Returns a block, or `None` if `number` is more than 5.
    pub const fn new(number: u8) -> Option<Self> {
        if number < Self::COUNT {
            Some(Self(number))
        } else {
            None
        }
    }

    /// Returns all of them.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..Self::COUNT).map(Self)
    }

    /// Returns its number, 0 to 5.
    pub const fn number(self) -> u8 {
        self.0
    }
}

impl fmt::Display for KeyBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BLOCK_KEY{}", self.0)
    }
}

/// The key in a block of the chip's eFuses; several of them share one peripheral.
///
/// A block holds 32 bytes and the peripheral takes them for the first half of HMAC's block, zeros following. So a key
/// of up to 32 bytes is burnt as it is, and one of more than 64 bytes as its SHA-256, which HMAC would make of it anyway.
pub struct BlockKey<'a, R> {
    hmac: &'a RefCell<Hmac<R>>,
    block: KeyBlock,
}

impl<'a, R: Registers> BlockKey<'a, R> {
    /// Takes a block's key; whether the block holds one is seen when it is used.
    pub const fn new(hmac: &'a RefCell<Hmac<R>>, block: KeyBlock) -> Self {
        Self { hmac, block }
    }
}

impl<R: Registers> MacEngine for BlockKey<'_, R> {
    type Error = HmacError;
    type Midstate = ();

    fn absorb(&mut self, _blocks: &[[u8; 64]]) -> Result<(), HmacError> {
        Ok(())
    }

    fn finish(&mut self, _midstate: &(), message: &[u8]) -> Result<[u8; 32], HmacError> {
        let mut hmac = self.hmac.try_borrow_mut().map_err(|_| HmacError::Busy)?;
        hmac.mac(self.block, message)
    }
}

impl<R> fmt::Debug for BlockKey<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlockKey({})", self.block)
    }
}
