//! The HMAC peripheral as the ESP32-C3 Technical Reference Manual describes it ("HMAC Accelerator"), register by register.
//!
//! It does what it is told as the chip would, the wrong things too, and keeps a list of what the manual doesn't allow.

use std::cell::RefCell;
use std::rc::Rc;

use esp_hmac::{Register, Registers};
use sha2::block_api::compress256;

/// FIPS 180-4, section 5.3.3.
const SHA256_INITIAL: [u32; 8] = [
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
];

/// What came last, and so what may come next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Idle,
    Started,
    Configured,
    /// The block's purpose is another one.
    Refused,
    /// A block is processed; the peripheral doesn't know whether it was the last.
    Block,
    /// `SET_MESSAGE_PAD` has said that the next block is the last.
    LastAnnounced,
    Done,
}

pub struct Peripheral {
    /// The eFuse blocks for keys: purpose and key.
    pub fuses: [(u32, [u8; 32]); 6],
    /// How often it answers that it is busy after each command.
    pub busy_polls: u32,
    /// Whether SHA has its clock.
    pub sha_clock: bool,
    /// What was done that the manual doesn't allow.
    pub violations: Vec<String>,
    /// The commands, by offset, messages and polls left out.
    pub commands: Vec<usize>,
    step: Step,
    purpose: u32,
    key: u32,
    message: [u32; 16],
    state: [u32; 8],
    result: [u32; 8],
    polls_left: u32,
}

impl Peripheral {
    /// Returns a chip in whose block `block` a key is burnt with purpose `HMAC_UP`.
    pub fn with_key(block: usize, key: &[u8]) -> Self {
        let mut burnt = [0; 32];
        burnt[..key.len()].copy_from_slice(key);
        let mut fuses = [(0, [0; 32]); 6];
        fuses[block] = (8, burnt);
        Self {
            fuses,
            busy_polls: 3,
            sha_clock: true,
            violations: Vec::new(),
            commands: Vec::new(),
            step: Step::Idle,
            purpose: 0,
            key: 0,
            message: [0; 16],
            state: SHA256_INITIAL,
            result: [0; 8],
            polls_left: 0,
        }
    }

    fn mismatch(&self) -> bool {
        let fuse = self.fuses.get(self.key as usize);
        fuse.is_none_or(|(purpose, _)| *purpose != self.purpose)
    }

    fn padded_key(&self, pad: u8) -> [u8; 64] {
        let mut block = [pad; 64];
        for (byte, key) in block.iter_mut().zip(self.fuses[self.key as usize].1) {
            *byte ^= key;
        }
        block
    }

    fn compress_message(&mut self) {
        let mut block = [0; 64];
        for (bytes, word) in block.as_chunks_mut().0.iter_mut().zip(self.message) {
            *bytes = word.to_le_bytes();
        }
        compress256(&mut self.state, &[block]);
    }

    /// The outer hash: of the inner one, which is taken for finished.
    fn finish(&mut self) {
        let mut last = [0; 64];
        for (bytes, word) in last.as_chunks_mut().0.iter_mut().zip(self.state) {
            *bytes = word.to_be_bytes();
        }
        last[32] = 0x80;
        last[56..].copy_from_slice(&((64 + 32) * 8u64).to_be_bytes());
        let mut outer = SHA256_INITIAL;
        compress256(&mut outer, &[self.padded_key(0x5c)]);
        compress256(&mut outer, &[last]);
        self.result = outer.map(u32::swap_bytes);
        self.step = Step::Done;
    }

    fn command(&mut self, offset: usize, allowed: &[Step]) {
        if self.polls_left > 0 {
            self.violations.push(format!("{offset:#x} while busy"));
        }
        if !allowed.contains(&self.step) {
            let step = self.step;
            self.violations.push(format!("{offset:#x} after {step:?}"));
        }
        self.commands.push(offset);
        self.polls_left = match self.sha_clock {
            true => self.busy_polls,
            false => u32::MAX,
        };
    }

    pub fn write(&mut self, offset: usize, value: u32) {
        match offset {
            0x40 => {
                self.command(offset, &[Step::Idle]);
                self.step = Step::Started;
            }
            0x44 => self.purpose = value & 0xf,
            0x48 => self.key = value & 0x7,
            0x4c => {
                self.command(offset, &[Step::Started]);
                if self.mismatch() {
                    self.step = Step::Refused;
                    return;
                }
                self.state = SHA256_INITIAL;
                let key = self.padded_key(0x36);
                compress256(&mut self.state, &[key]);
                self.step = Step::Configured;
            }
            0x50 => {
                // A second block may only come after 0x54 or 0xf0 have said that there is one.
                self.command(offset, &[Step::Configured, Step::LastAnnounced]);
                match self.step {
                    Step::Configured => {
                        self.compress_message();
                        self.step = Step::Block;
                    }
                    Step::LastAnnounced => {
                        self.compress_message();
                        self.finish();
                    }
                    // There is nothing to add a block to.
                    _ => {}
                }
            }
            0x54 => {
                self.command(offset, &[Step::Block]);
                if self.step == Step::Block {
                    self.step = Step::Configured;
                }
            }
            0x58 => panic!("padding by the peripheral, which only whole blocks may ask for"),
            0x5c => {
                self.command(offset, &[Step::Done, Step::Refused]);
                self.result = [0; 8];
                self.step = Step::Idle;
            }
            0x80..0xc0 => {
                if self.polls_left > 0 {
                    self.violations.push(format!("{offset:#x} while busy"));
                }
                self.message[(offset - 0x80) / 4] = value;
            }
            0xf0 => {
                self.command(offset, &[Step::Block]);
                if self.step == Step::Block {
                    self.step = Step::LastAnnounced;
                }
            }
            0xf4 => {
                self.command(offset, &[Step::Block]);
                if self.step == Step::Block {
                    self.finish();
                }
            }
            _ => self.violations.push(format!("{offset:#x} written")),
        }
    }

    pub fn read(&mut self, offset: usize) -> u32 {
        match offset {
            0x68 => u32::from(self.mismatch()),
            0x6c if self.polls_left == u32::MAX => 1,
            0x6c => {
                let busy = self.polls_left > 0;
                self.polls_left = self.polls_left.saturating_sub(1);
                u32::from(busy)
            }
            0xc0..0xe0 if self.step == Step::Done && self.polls_left == 0 => {
                self.result[(offset - 0xc0) / 4]
            }
            _ => {
                self.violations.push(format!("{offset:#x} read"));
                0
            }
        }
    }
}

/// The way to a peripheral that a test looks into, too.
#[derive(Clone)]
pub struct Bus(pub Rc<RefCell<Peripheral>>);

impl Bus {
    pub fn new(peripheral: Peripheral) -> Self {
        Self(Rc::new(RefCell::new(peripheral)))
    }
}

impl Registers for Bus {
    fn read(&mut self, register: Register) -> u32 {
        self.0.borrow_mut().read(register.offset())
    }

    fn write(&mut self, register: Register, value: u32) {
        self.0.borrow_mut().write(register.offset(), value);
    }
}
