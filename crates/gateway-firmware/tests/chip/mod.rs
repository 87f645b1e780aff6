//! A chip with keys that may answer nobody.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

use jwt_core::{HmacKey, MacEngine};

/// A key in the chip, which takes messages whole as such chips do, and whether the chip is silent.
pub struct ChipKey(pub HmacKey, pub Rc<Cell<bool>>);

/// The chip doesn't answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Silent;

impl fmt::Display for Silent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the chip is silent")
    }
}

impl std::error::Error for Silent {}

impl MacEngine for ChipKey {
    type Error = Silent;
    type Midstate = ();

    fn absorb(&mut self, _: &[[u8; 64]]) -> Result<(), Silent> {
        Ok(())
    }

    fn finish(&mut self, (): &(), message: &[u8]) -> Result<[u8; 32], Silent> {
        match self.1.get() {
            true => Err(Silent),
            false => Ok(self.0.mac(message).unwrap()),
        }
    }
}
