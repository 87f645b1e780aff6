//! The peripheral's registers (ESP32-C3 TRM, HMAC Accelerator, "Register Summary").

/// The way to the peripheral's registers.
pub trait Registers {
    /// Reads a register.
    fn read(&mut self, register: Register) -> u32;

    /// Writes a register.
    fn write(&mut self, register: Register, value: u32);
}

/// A register of 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Register(u16);

impl Register {
    pub(crate) const SET_START: Self = Self(0x40);
    pub(crate) const SET_PARA_PURPOSE: Self = Self(0x44);
    pub(crate) const SET_PARA_KEY: Self = Self(0x48);
    pub(crate) const SET_PARA_FINISH: Self = Self(0x4c);
    pub(crate) const SET_MESSAGE_ONE: Self = Self(0x50);
    pub(crate) const SET_MESSAGE_ING: Self = Self(0x54);
    pub(crate) const SET_RESULT_FINISH: Self = Self(0x5c);
    pub(crate) const QUERY_ERROR: Self = Self(0x68);
    pub(crate) const QUERY_BUSY: Self = Self(0x6c);
    pub(crate) const SET_MESSAGE_PAD: Self = Self(0xf0);
    pub(crate) const ONE_BLOCK: Self = Self(0xf4);

    /// Returns the offset in bytes from the peripheral's first register; at most 0xf4.
    pub const fn offset(self) -> usize {
        self.0 as usize
    }

    /// Returns the 16 registers that a block of the message is written to.
    pub(crate) fn message() -> impl Iterator<Item = Self> {
        (0x80..0xc0).step_by(4).map(Self)
    }

    /// Returns the 8 registers that the MAC is read from.
    pub(crate) fn result() -> impl Iterator<Item = Self> {
        (0xc0..0xe0).step_by(4).map(Self)
    }
}
