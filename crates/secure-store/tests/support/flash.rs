//! A NOR flash that keeps a journal of its page programs and sector erases, so that a test can go back
//! to each of them and take the power away before, inside or after it.
//!
//! The model of an interruption is harsher than what datasheets describe: bits that were to be programmed are, are
//! not, or read differently at every start; a sector whose erase was cut short has bits in any state.

use std::cell::RefCell;
use std::rc::Rc;

use embedded_storage::nor_flash::{
    ErrorType, MultiwriteNorFlash, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash,
};

use super::random::Random;

pub const SECTOR: usize = 4096;
pub const PAGE: usize = 256;
/// The strictest of the boards': ESP32 reads and writes words.
pub const WORD: usize = 4;

/// What a flash does to its cells.
#[derive(Clone, Debug)]
pub enum Op {
    Program { offset: usize, bytes: Vec<u8> },
    Erase { sector: usize },
}

#[derive(Clone)]
pub struct MockFlash {
    pub bytes: Vec<u8>,
    /// Bits that were interrupted and are read anew at every start.
    unsteady: Vec<u8>,
    /// What was done since the journal was last taken.
    pub journal: Vec<Op>,
    pub programs: u64,
    pub erases: Vec<u64>,
    /// Most bytes that one call has erased, during which a device does nothing else.
    pub longest_erase: usize,
    /// Operations until the driver fails, or never.
    pub fails_after: Option<u64>,
    /// Operations until the power goes inside one, and how.
    pub cut_after: Option<(u64, Random)>,
    /// An offset whose bits don't get programmed any more.
    pub worn: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DriverFailed;

impl NorFlashError for DriverFailed {
    fn kind(&self) -> NorFlashErrorKind {
        NorFlashErrorKind::Other
    }
}

impl MockFlash {
    pub fn new(len: usize) -> Self {
        Self::with(vec![0xff; len])
    }

    pub fn with(bytes: Vec<u8>) -> Self {
        Self {
            unsteady: vec![0; bytes.len()],
            journal: Vec::new(),
            programs: 0,
            erases: vec![0; bytes.len() / SECTOR],
            longest_erase: 0,
            fails_after: None,
            cut_after: None,
            worn: None,
            bytes,
        }
    }

    /// Power returns: every unsteady bit is read as something.
    pub fn start(&mut self, random: &mut Random) {
        for (byte, unsteady) in self.bytes.iter_mut().zip(&self.unsteady) {
            if *unsteady != 0 {
                *byte = (*byte & !unsteady) | (random.byte() & unsteady);
            }
        }
    }

    /// Carries out an operation to its end.
    pub fn apply(&mut self, op: &Op) {
        match op {
            Op::Program { offset, bytes } => {
                for (at, byte) in bytes.iter().enumerate() {
                    if self.worn == Some(offset + at) {
                        continue;
                    }
                    self.bytes[offset + at] &= byte;
                    // A bit that is programmed now is steady.
                    self.unsteady[offset + at] &= byte;
                }
                self.programs += 1;
            }
            Op::Erase { sector } => {
                let range = sector * SECTOR..(sector + 1) * SECTOR;
                self.bytes[range.clone()].fill(0xff);
                self.unsteady[range].fill(0);
                self.erases[*sector] += 1;
            }
        }
    }

    /// Makes a byte read as it does or as erased, as after an erase that was cut short at once.
    pub fn unsettle(&mut self, offset: usize) {
        self.unsteady[offset] = !self.bytes[offset];
    }

    /// Takes the power away inside an operation.
    pub fn interrupt(&mut self, op: &Op, random: &mut Random) {
        match op {
            Op::Program { offset, bytes } => {
                let middle = random.below(bytes.len() + 1);
                let style = random.below(5);
                for (at, byte) in bytes.iter().enumerate() {
                    let old = self.bytes[offset + at];
                    let to_clear = old & !byte;
                    let (cleared, unsteady) = match style {
                        // A first part is done, or a last one.
                        0 => (if at < middle { to_clear } else { 0 }, 0),
                        1 => (if at >= middle { to_clear } else { 0 }, 0),
                        // Any of the bits are done, and any of them are unsteady.
                        2 => (to_clear & random.byte(), 0),
                        3 => (to_clear & random.byte(), to_clear & random.byte()),
                        // All are done, but for a byte that is unsteady.
                        _ if at == middle => (to_clear, to_clear & random.byte()),
                        _ => (to_clear, 0),
                    };
                    self.bytes[offset + at] = old & !cleared;
                    self.unsteady[offset + at] |= unsteady;
                }
            }
            Op::Erase { sector } => {
                let style = random.below(9);
                let middle = random.below(SECTOR);
                for at in 0..SECTOR {
                    let place = sector * SECTOR + at;
                    let old = self.bytes[place];
                    let (byte, unsteady) = match style {
                        // Any state at all.
                        0 => (random.byte(), random.byte()),
                        // Some bits are erased, few or many.
                        1 => (old | (random.byte() & random.byte() & random.byte()), 0),
                        2 => (old | random.byte() | random.byte() | random.byte(), 0),
                        // Chips program a sector to zeros before they erase it.
                        3 => (old & random.byte(), 0),
                        // A first part is erased, or a last one.
                        4 => (if at < middle { 0xff } else { old }, 0),
                        5 => (if at >= middle { 0xff } else { old }, 0),
                        // It reads as it did, or as erased, and here or everywhere it is neither.
                        6 => (old, !old & random.byte()),
                        7 if at == middle => (old, !old),
                        7 => (old, 0),
                        _ => (0xff, random.byte() & random.byte()),
                    };
                    self.bytes[place] = byte;
                    self.unsteady[place] |= unsteady;
                }
            }
        }
    }

    fn run(&mut self, op: Op) -> Result<(), DriverFailed> {
        if let Some(left) = &mut self.fails_after {
            *left = left.checked_sub(1).ok_or(DriverFailed)?;
        }
        if let Some((left, mut random)) = self.cut_after.take() {
            let Some(left) = left.checked_sub(1) else {
                self.interrupt(&op, &mut random);
                self.fails_after = Some(0);
                return Err(DriverFailed);
            };
            self.cut_after = Some((left, random));
        }
        self.apply(&op);
        self.journal.push(op);
        Ok(())
    }
}

impl ErrorType for MockFlash {
    type Error = DriverFailed;
}

impl ReadNorFlash for MockFlash {
    const READ_SIZE: usize = WORD;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), DriverFailed> {
        let offset = offset as usize;
        assert!(
            offset.is_multiple_of(WORD) && bytes.len().is_multiple_of(WORD),
            "unaligned read"
        );
        bytes.copy_from_slice(&self.bytes[offset..offset + bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.bytes.len()
    }
}

impl NorFlash for MockFlash {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = SECTOR;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), DriverFailed> {
        let (from, to) = (from as usize, to as usize);
        assert!(
            from.is_multiple_of(SECTOR) && to.is_multiple_of(SECTOR),
            "unaligned erase"
        );
        assert!(to <= self.bytes.len(), "erase behind the end");
        self.longest_erase = self.longest_erase.max(to - from);
        (from / SECTOR..to / SECTOR).try_for_each(|sector| self.run(Op::Erase { sector }))
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), DriverFailed> {
        let mut offset = offset as usize;
        assert!(
            offset.is_multiple_of(WORD) && bytes.len().is_multiple_of(WORD),
            "unaligned write"
        );
        let mut rest = bytes;
        while !rest.is_empty() {
            let (page, after) = rest.split_at(rest.len().min(PAGE - offset % PAGE));
            for (at, byte) in page.iter().enumerate() {
                let old = self.bytes[offset + at];
                assert_eq!(
                    old & byte,
                    *byte,
                    "a cleared bit at {} is to be set",
                    offset + at
                );
            }
            self.run(Op::Program {
                offset,
                bytes: page.to_vec(),
            })?;
            offset += page.len();
            rest = after;
        }
        Ok(())
    }
}

impl MultiwriteNorFlash for MockFlash {}

/// A flash that a test can look into, and damage, while a store has it.
#[derive(Clone)]
pub struct Shared(pub Rc<RefCell<MockFlash>>);

impl Shared {
    pub fn new(len: usize) -> Self {
        Self(Rc::new(RefCell::new(MockFlash::new(len))))
    }
}

impl ErrorType for Shared {
    type Error = DriverFailed;
}

impl ReadNorFlash for Shared {
    const READ_SIZE: usize = WORD;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), DriverFailed> {
        self.0.borrow_mut().read(offset, bytes)
    }

    fn capacity(&self) -> usize {
        self.0.borrow().capacity()
    }
}

impl NorFlash for Shared {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = SECTOR;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), DriverFailed> {
        self.0.borrow_mut().erase(from, to)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), DriverFailed> {
        self.0.borrow_mut().write(offset, bytes)
    }
}

impl MultiwriteNorFlash for Shared {}
