//! A flash in a slice of memory: what a desktop makes and reads images with.

use core::fmt;

use embedded_storage::nor_flash::{
    ErrorType, MultiwriteNorFlash, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash,
};

/// Bytes of a sector of every flash that the project's boards have.
const SECTOR_LEN: usize = 4096;

/// A NOR flash of 4096-byte sectors in a slice: programming only clears bits, as in a chip.
///
/// An image that starts as a slice of `0xff` ends as what a device would have written.
#[derive(Debug)]
pub struct Image<'a> {
    bytes: &'a mut [u8],
}

impl<'a> Image<'a> {
    /// Makes a flash of a slice, which has what was flashed to it.
    pub fn new(bytes: &'a mut [u8]) -> Self {
        Self { bytes }
    }

    fn range(&mut self, offset: u32, len: usize) -> Result<&mut [u8], ImageError> {
        let start = offset as usize;
        let end = start.checked_add(len).ok_or(ImageError::OutOfBounds)?;
        self.bytes
            .get_mut(start..end)
            .ok_or(ImageError::OutOfBounds)
    }
}

impl ErrorType for Image<'_> {
    type Error = ImageError;
}

impl ReadNorFlash for Image<'_> {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), ImageError> {
        let stored = self.range(offset, bytes.len())?;
        for (byte, stored) in bytes.iter_mut().zip(stored) {
            *byte = *stored;
        }
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.bytes.len()
    }
}

impl NorFlash for Image<'_> {
    const WRITE_SIZE: usize = 1;
    const ERASE_SIZE: usize = SECTOR_LEN;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), ImageError> {
        let aligned = |offset: u32| (offset as usize).is_multiple_of(SECTOR_LEN);
        if !aligned(from) || !aligned(to) {
            return Err(ImageError::NotAligned);
        }
        let len = to.checked_sub(from).ok_or(ImageError::OutOfBounds)?;
        self.range(from, len as usize)?.fill(0xff);
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), ImageError> {
        for (stored, byte) in self.range(offset, bytes.len())?.iter_mut().zip(bytes) {
            *stored &= byte;
        }
        Ok(())
    }
}

impl MultiwriteNorFlash for Image<'_> {}

/// Says why an image can't be accessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImageError {
    /// An erase begins or ends inside a sector.
    NotAligned,
    /// The image is shorter.
    OutOfBounds,
}

impl NorFlashError for ImageError {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            Self::NotAligned => NorFlashErrorKind::NotAligned,
            Self::OutOfBounds => NorFlashErrorKind::OutOfBounds,
        }
    }
}

impl fmt::Display for ImageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAligned => "the image can only be erased by whole sectors of 4096 bytes",
            Self::OutOfBounds => "the image is shorter than the region of the store",
        })
    }
}

impl core::error::Error for ImageError {}
