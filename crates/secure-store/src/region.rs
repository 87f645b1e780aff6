//! Where the store lies in the flash.

use embedded_storage::nor_flash::NorFlash;

use crate::error::StoreError;

/// Fewest bytes of a copy.
const MIN_COPY_LEN: u32 = 4096;

/// Most bytes of a copy.
const MAX_COPY_LEN: u32 = 1 << 24;

/// The part of a flash that is the store's: two copies of equal length, one behind the other.
///
/// Each copy is a whole number of erase sectors. Start and length are in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// The offset of the first byte in the flash.
    pub start: u32,
    /// The length of both copies together.
    pub len: u32,
}

impl Region {
    /// Returns the length of a copy.
    pub(crate) const fn copy_len(self) -> u32 {
        self.len / 2
    }

    /// Returns the offset of a copy in the flash.
    pub(crate) const fn copy_start(self, copy: Side) -> u32 {
        match copy {
            Side::A => self.start,
            Side::B => self.start.saturating_add(self.copy_len()),
        }
    }

    /// Checks the region against the flash that it is in.
    pub(crate) fn check<F: NorFlash>(self, flash: &F) -> Result<(), StoreError<F::Error>> {
        let sector = u32::try_from(F::ERASE_SIZE).unwrap_or(u32::MAX);
        let end = self.start.checked_add(self.len);
        let inside = end.is_some_and(|end| end as usize <= flash.capacity());
        let whole = self.start.is_multiple_of(sector) && self.copy_len().is_multiple_of(sector);
        let sized = (MIN_COPY_LEN..=MAX_COPY_LEN).contains(&self.copy_len());
        match inside && whole && sized && self.len.is_multiple_of(2) {
            true => Ok(()),
            false => Err(StoreError::Region),
        }
    }
}

/// One of the two copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    A,
    B,
}

impl Side {
    pub const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

/// One thing of each copy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Both<T> {
    pub a: T,
    pub b: T,
}

impl<T> Both<T> {
    pub const fn of(&self, side: Side) -> &T {
        match side {
            Side::A => &self.a,
            Side::B => &self.b,
        }
    }

    pub const fn of_mut(&mut self, side: Side) -> &mut T {
        match side {
            Side::A => &mut self.a,
            Side::B => &mut self.b,
        }
    }
}
