//! A simulated ATECC608: its bus, its states, its CRC and its HMAC are written anew, from the data sheet.

use std::cell::RefCell;
use std::rc::Rc;

use embedded_hal::delay::DelayNs;
use embedded_hal::i2c::{Error, ErrorKind, ErrorType, I2c, NoAcknowledgeSource, Operation};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

const ADDRESS: u8 = 0x60;
const WATCHDOG_NS: u64 = 700_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Power {
    Asleep,
    Idle,
    Awake,
}

/// What goes wrong, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The n-th write to the device is not acknowledged.
    NoAck(u32),
    /// A bit of the n-th write to the device flips.
    FlippedWrite(u32, usize),
    /// A bit of the n-th read from the device flips.
    FlippedRead(u32, usize),
}

pub struct Chip {
    pub slots: [Option<[u8; 32]>; 16],
    pub counters: [u32; 2],
    pub config_locked: bool,
    pub never_finishes: bool,
    pub fault: Option<Fault>,
    pub ns: u64,
    pub commands: Vec<u8>,
    writes: u32,
    reads: u32,
    power: Power,
    woken_ns: u64,
    ready_ns: u64,
    output: Vec<u8>,
    read_at: usize,
    sha: Option<Hmac<Sha256>>,
    noise: u8,
}

/// The bus and the clock of a chip.
#[derive(Clone)]
pub struct Sim(pub Rc<RefCell<Chip>>);

impl Sim {
    pub fn new() -> Self {
        Self(Rc::new(RefCell::new(Chip {
            slots: [None; 16],
            counters: [0; 2],
            config_locked: true,
            never_finishes: false,
            fault: None,
            ns: 0,
            commands: Vec::new(),
            writes: 0,
            reads: 0,
            power: Power::Asleep,
            woken_ns: 0,
            ready_ns: 0,
            output: Vec::new(),
            read_at: 0,
            sha: None,
            noise: 0,
        })))
    }

    pub fn is_asleep(&self) -> bool {
        self.0.borrow().power == Power::Asleep
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nack;

impl Error for Nack {
    fn kind(&self) -> ErrorKind {
        ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address)
    }
}

impl ErrorType for Sim {
    type Error = Nack;
}

impl DelayNs for Sim {
    fn delay_ns(&mut self, ns: u32) {
        self.0.borrow_mut().ns += u64::from(ns);
    }
}

impl I2c for Sim {
    fn transaction(&mut self, address: u8, operations: &mut [Operation<'_>]) -> Result<(), Nack> {
        let mut chip = self.0.borrow_mut();
        // 10 µs a bit, address and acknowledge included.
        chip.ns += 90_000;
        chip.watch();
        for operation in operations {
            match operation {
                Operation::Write(bytes) => {
                    chip.ns += bytes.len() as u64 * 90_000;
                    chip.write(address, bytes)?;
                }
                Operation::Read(bytes) => {
                    chip.ns += bytes.len() as u64 * 90_000;
                    chip.read(address, bytes)?;
                }
            }
        }
        Ok(())
    }
}

fn crc(bytes: &[u8]) -> [u8; 2] {
    let mut register = 0u16;
    for byte in bytes {
        for bit in 0..8 {
            let data_bit = byte >> bit & 1;
            let crc_bit = (register >> 15) as u8;
            register <<= 1;
            if data_bit != crc_bit {
                register ^= 0x8005;
            }
        }
    }
    register.to_le_bytes()
}

fn packet(data: &[u8]) -> Vec<u8> {
    let mut packet = vec![data.len() as u8 + 3];
    packet.extend(data);
    let crc = crc(&packet);
    packet.extend(crc);
    packet
}

impl Chip {
    fn watch(&mut self) {
        if self.power == Power::Awake && self.ns - self.woken_ns > WATCHDOG_NS {
            self.sleep();
        }
    }

    fn sleep(&mut self) {
        self.power = Power::Asleep;
        self.sha = None;
        self.output.clear();
    }

    fn write(&mut self, address: u8, bytes: &[u8]) -> Result<(), Nack> {
        if address == 0 {
            if self.power != Power::Awake {
                self.power = Power::Awake;
                // A wake from idle ends a computation too (data sheet, section 5.1.8).
                self.sha = None;
                self.woken_ns = self.ns;
                self.ready_ns = self.ns + 1_400_000;
                self.answer(&[0x11]);
            }
            return Err(Nack);
        }
        if address != ADDRESS || self.power != Power::Awake || self.ns < self.ready_ns {
            return Err(Nack);
        }
        self.writes += 1;
        let mut bytes = bytes.to_vec();
        match self.fault {
            Some(Fault::NoAck(n)) if n == self.writes => return Err(Nack),
            Some(Fault::FlippedWrite(n, bit)) if n == self.writes => {
                let bit = bit % (bytes.len() * 8);
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
            _ => {}
        }
        match bytes[0] {
            0x00 => self.read_at = 0,
            0x01 => self.sleep(),
            0x02 => {
                self.power = Power::Idle;
                self.output.clear();
            }
            0x03 => self.command(&bytes[1..]),
            _ => {}
        }
        Ok(())
    }

    fn read(&mut self, address: u8, bytes: &mut [u8]) -> Result<(), Nack> {
        if address != ADDRESS || self.power != Power::Awake || self.ns < self.ready_ns {
            return Err(Nack);
        }
        self.reads += 1;
        for byte in bytes.iter_mut() {
            *byte = *self.output.get(self.read_at).unwrap_or(&0xff);
            self.read_at += 1;
        }
        if let Some(Fault::FlippedRead(n, bit)) = self.fault
            && n == self.reads
        {
            let bit = bit % (bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        Ok(())
    }

    fn answer(&mut self, data: &[u8]) {
        self.output = packet(data);
        self.read_at = 0;
    }

    fn command(&mut self, group: &[u8]) {
        let whole = group.len() >= 7 && usize::from(group[0]) == group.len();
        if !whole || crc(&group[..group.len() - 2]) != group[group.len() - 2..] {
            return self.answer(&[0xff]);
        }
        let (opcode, param1) = (group[1], group[2]);
        let param2 = u16::from_le_bytes([group[3], group[4]]);
        let data = &group[5..group.len() - 2];
        self.commands.push(opcode);
        let (busy_ms, result) = match opcode {
            0x30 => (1, Ok(vec![0x00, 0x00, 0x60, 0x02])),
            0x1b if !self.config_locked => (20, Ok([0xff, 0xff, 0, 0].repeat(8))),
            0x1b => {
                self.noise = self.noise.wrapping_add(1);
                (20, Ok(vec![self.noise; 32]))
            }
            0x24 => (20, self.counter(param1, param2)),
            0x02 => (1, self.config(param1, param2)),
            0x47 => (9, self.sha(param1, param2, data)),
            _ => (1, Err(0x03)),
        };
        self.ready_ns = match self.never_finishes {
            true => u64::MAX,
            false => self.ns + busy_ms * 1_000_000,
        };
        match result {
            Ok(data) => self.answer(&data),
            Err(status) => self.answer(&[status]),
        }
    }

    fn counter(&mut self, mode: u8, id: u16) -> Result<Vec<u8>, u8> {
        let counter = self.counters.get_mut(usize::from(id)).ok_or(0x03)?;
        match mode {
            0 => {}
            1 if *counter < 2_097_151 => *counter += 1,
            1 => return Err(0x0f),
            _ => return Err(0x03),
        }
        Ok(counter.to_le_bytes().to_vec())
    }

    fn config(&mut self, zone: u8, address: u16) -> Result<Vec<u8>, u8> {
        let mut config: Vec<u8> = (0..128).collect();
        config[86] = 0x00;
        config[87] = if self.config_locked { 0x00 } else { 0x55 };
        match zone {
            0x80 if address == 0 => Ok(config[..32].to_vec()),
            0x00 => {
                let start = usize::from(address) * 4;
                Ok(config.get(start..start + 4).ok_or(0x03)?.to_vec())
            }
            _ => Err(0x03),
        }
    }

    fn sha(&mut self, mode: u8, param2: u16, data: &[u8]) -> Result<Vec<u8>, u8> {
        match mode {
            0x04 => {
                let slot = self.slots.get(usize::from(param2)).ok_or(0x03)?;
                let key = slot.ok_or(0x0f)?;
                self.sha = Some(Hmac::new_from_slice(&key).unwrap());
                Ok(vec![0])
            }
            0x01 if data.len() == 64 && param2 == 64 => {
                self.sha.as_mut().ok_or(0x0f)?.update(data);
                Ok(vec![0])
            }
            0xc2 if data.len() < 64 && usize::from(param2) == data.len() => {
                let mut sha = self.sha.take().ok_or(0x0f)?;
                sha.update(data);
                Ok(sha.finalize().into_bytes().to_vec())
            }
            _ => Err(0x03),
        }
    }
}
