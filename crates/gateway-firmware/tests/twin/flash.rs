//! The flash of the twin's board, and the power that fails at one of its operations.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use embedded_storage::nor_flash::{ErrorType, MultiwriteNorFlash, NorFlash, ReadNorFlash};
use secure_store::{Image, ImageError};

/// When the power goes: at which of the flash's operations, and how far that one comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    pub operation: usize,
    pub moment: Moment,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    Before,
    Inside,
    After,
}

/// What a life ends with whose power is cut.
pub struct PowerCut;

/// Memory, and the supply that fails in the middle of an operation.
pub struct Flash {
    pub bytes: Rc<RefCell<Vec<u8>>>,
    pub operations: Rc<Cell<usize>>,
    pub cut: Rc<Cell<Option<Cut>>>,
}

impl Flash {
    /// Carries an operation out, or as much of it as the power lasts for.
    fn operate(
        &mut self,
        whole: impl FnOnce(&mut Image<'_>) -> Result<(), ImageError>,
        part: impl FnOnce(&mut [u8]),
    ) -> Result<(), ImageError> {
        let operation = self.operations.get();
        self.operations.set(operation + 1);
        let cut = self.cut.get().filter(|cut| cut.operation == operation);
        let mut bytes = self.bytes.borrow_mut();
        match cut.map(|cut| cut.moment) {
            Some(Moment::Before) => {}
            Some(Moment::Inside) => part(&mut bytes),
            None | Some(Moment::After) => whole(&mut Image::new(&mut bytes))?,
        }
        drop(bytes);
        match cut {
            None => Ok(()),
            Some(_) => {
                self.cut.set(None);
                std::panic::resume_unwind(Box::new(PowerCut))
            }
        }
    }
}

impl ErrorType for Flash {
    type Error = ImageError;
}

impl ReadNorFlash for Flash {
    const READ_SIZE: usize = 1;
    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
        Image::new(&mut self.bytes.borrow_mut()).read(offset, bytes)
    }
    fn capacity(&self) -> usize {
        self.bytes.borrow().len()
    }
}

impl MultiwriteNorFlash for Flash {}

impl NorFlash for Flash {
    const WRITE_SIZE: usize = 1;
    const ERASE_SIZE: usize = 4096;

    /// An erase that is cut short leaves anything at all.
    fn erase(&mut self, from: u32, to: u32) -> Result<(), Self::Error> {
        self.operate(
            |image| image.erase(from, to),
            |bytes| {
                let mut random = from | 1;
                for byte in &mut bytes[from as usize..to as usize] {
                    random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    *byte = (random >> 24) as u8;
                }
            },
        )
    }

    /// A write that is cut short has come to its middle, and programmed some bits there.
    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Self::Error> {
        self.operate(
            |image| image.write(offset, bytes),
            |stored| {
                let middle = bytes.len() / 2;
                let stored = &mut stored[offset as usize..];
                for (stored, byte) in stored.iter_mut().zip(&bytes[..middle]) {
                    *stored &= byte;
                }
                stored[middle] &= bytes[middle] | 0x5a;
            },
        )
    }
}
