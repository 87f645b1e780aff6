//! A flash in a file, which outlives the process.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use embedded_storage::nor_flash::{ErrorType, MultiwriteNorFlash, NorFlash, ReadNorFlash};
use secure_store::{Image, ImageError};

/// A NOR flash whose every operation is in the file when it returns.
pub struct FileFlash {
    file: File,
    bytes: Vec<u8>,
}

impl FileFlash {
    /// Opens a file of so many bytes, or makes one that is erased.
    ///
    /// # Errors
    /// The file's, or that it has another length.
    pub fn open(path: &Path, len: usize) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false);
        let mut file = file.open(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        if bytes.is_empty() {
            bytes.resize(len, 0xff);
            file.write_all(&bytes)?;
        }
        match bytes.len() == len {
            true => Ok(Self { file, bytes }),
            false => Err(io::Error::other(format!("it should have {len} bytes"))),
        }
    }

    fn save(&mut self, from: u32, len: usize) -> Result<(), ImageError> {
        let start = from as usize;
        let changed = self.bytes.get(start..start.saturating_add(len));
        let changed = changed.ok_or(ImageError::OutOfBounds)?;
        let saved = self.file.seek(SeekFrom::Start(from.into()));
        // A disk that fails is no case that a flash knows.
        saved
            .and_then(|_| self.file.write_all(changed))
            .map_err(|_| ImageError::OutOfBounds)
    }
}

impl ErrorType for FileFlash {
    type Error = ImageError;
}

impl ReadNorFlash for FileFlash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), ImageError> {
        Image::new(&mut self.bytes).read(offset, bytes)
    }

    fn capacity(&self) -> usize {
        self.bytes.len()
    }
}

impl NorFlash for FileFlash {
    const WRITE_SIZE: usize = 1;
    const ERASE_SIZE: usize = Image::ERASE_SIZE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), ImageError> {
        Image::new(&mut self.bytes).erase(from, to)?;
        self.save(from, to.saturating_sub(from) as usize)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), ImageError> {
        Image::new(&mut self.bytes).write(offset, bytes)?;
        self.save(offset, bytes.len())
    }
}

impl MultiwriteNorFlash for FileFlash {}
