//! The ATECC608 secure element: HMAC-SHA256 with a key that can't be read, counters, random numbers.
//!
//! "Data sheet" is Microchip's ATECC608A-TNGTLS, DS40002112B, whose commands and I/O are those of every
//! ATECC608A and ATECC608B; cryptoauthlib (`lib/calib`) was read beside it for the longest execution times. How a
//! slot has to be configured for HMAC is in the complete data sheet, which takes an agreement with Microchip.
//!
//! The device sleeps between operations rather than idling: that clears its volatile memory, TempKey and what SHA has so
//! far among it (data sheet, section 7.2.1), and draws the least current; no operation needs what another has left.

mod counter;
mod error;
mod key;
mod packet;

use core::fmt;

use embedded_hal::delay::DelayNs;
use embedded_hal::i2c::I2c;
use zeroize::Zeroizing;

pub use counter::SlotCounter;
pub use error::{AteccError, Status};
pub use key::SlotKey;

use packet::{BLOCK_LEN, Command, MAX_RESPONSE_LEN, Response};

/// The 7-bit address that devices have unless they were ordered with another.
pub const DEFAULT_ADDRESS: u8 = 0x60;

/// Opcodes (data sheet, section 5, table 5-1).
mod opcode {
    pub const READ: u8 = 0x02;
    pub const RANDOM: u8 = 0x1b;
    pub const COUNTER: u8 = 0x24;
    pub const INFO: u8 = 0x30;
    pub const SHA: u8 = 0x47;
}

/// Word addresses (data sheet, section 7.2.1).
mod word {
    pub const SLEEP: u8 = 0x01;
}

/// Modes of the SHA command (data sheet, section 5.1.8).
mod sha {
    pub const UPDATE: u8 = 0x01;
    /// Ends, and answers with the digest instead of keeping it.
    pub const END_OUT: u8 = 0xc2;
    pub const HMAC_START: u8 = 0x04;
}

/// Microseconds from the wake pulse until the device answers, t_WHI (data sheet, section 8.3), if it isn't configured to test
/// itself first.
const WAKE_US: u32 = 1500;

/// Milliseconds between two looks for a response.
const POLL_MS: u32 = 1;

/// How often anything is tried.
const ATTEMPTS: u32 = 3;

type Result<T, I> = core::result::Result<T, AteccError<<I as embedded_hal::i2c::ErrorType>::Error>>;

/// An ATECC608 on a bus of at most 100 kHz, which is slow enough to make its wake pulse.
pub struct Atecc608<I, D> {
    i2c: I,
    delay: D,
    address: u8,
}

/// Which of the device's zones are locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Locks {
    /// The configuration zone; without it nothing can be relied upon.
    pub config: bool,
    /// The data and one-time-programmable zones; without it slots can be read.
    pub data: bool,
}

impl<I: I2c, D: DelayNs> Atecc608<I, D> {
    /// Takes the bus that the device is on, and its 7-bit address.
    pub const fn new(i2c: I, delay: D, address: u8) -> Self {
        Self {
            i2c,
            delay,
            address,
        }
    }

    /// Gives bus and delay back.
    pub fn release(self) -> (I, D) {
        (self.i2c, self.delay)
    }

    /// Returns the 4 bytes that tell the kind and revision of the device; the third is 0x60 (data sheet, section 5.1.2).
    ///
    /// # Errors
    /// Any [`AteccError`].
    pub fn revision(&mut self) -> Result<[u8; 4], I> {
        let info = Command {
            opcode: opcode::INFO,
            param1: 0,
            param2: 0,
            data: &[],
            max_ms: 5,
        };
        self.repeat(|device| device.ask(&info))
    }

    /// Returns the 9 bytes that no other device has (data sheet, sections 5.1.6 and 2.1).
    ///
    /// # Errors
    /// Any [`AteccError`].
    pub fn serial_number(&mut self) -> Result<[u8; 9], I> {
        let [a, b, c, d, _, _, _, _, e, f, g, h, i, ..] =
            self.repeat(|device| device.read_config::<32>(0x80, 0))?;
        Ok([a, b, c, d, e, f, g, h, i])
    }

    /// Returns which zones are locked: bytes 86 and 87 of the configuration (data sheet, section 2.1).
    ///
    /// # Errors
    /// Any [`AteccError`].
    pub fn locks(&mut self) -> Result<Locks, I> {
        let [_, _, data, config] = self.repeat(|device| device.read_config(0x00, 84 / 4))?;
        // 0x55 is unlocked, all else locked.
        Ok(Locks {
            config: config != 0x55,
            data: data != 0x55,
        })
    }

    /// Returns 32 random bytes (data sheet, section 5.1.5).
    ///
    /// # Errors
    /// Any [`AteccError`], [`AteccError::Unlocked`] among them.
    pub fn random(&mut self) -> Result<[u8; 32], I> {
        let random = Command {
            opcode: opcode::RANDOM,
            param1: 0,
            param2: 0,
            data: &[],
            max_ms: 23,
        };
        let bytes: [u8; 32] = self.repeat(|device| device.ask(&random))?;
        // What a device whose configuration isn't locked gives, over and over.
        match bytes
            .as_chunks::<4>()
            .0
            .iter()
            .all(|word| *word == [0xff, 0xff, 0, 0])
        {
            true => Err(AteccError::Unlocked),
            false => Ok(bytes),
        }
    }

    /// Returns the HMAC-SHA256 of `message` under the key in a slot (data sheet, section 5.1.8).
    ///
    /// The key is the slot's 32 bytes. The device's watchdog ends a computation after 0.7 s at the earliest, and waking it
    /// would end it too: 6 blocks of 64 bytes are done by then whatever the device's clock, some 40 at its usual pace.
    ///
    /// # Errors
    /// Any [`AteccError`], for a message that takes longer too.
    pub fn hmac(&mut self, slot: u8, message: &[u8]) -> Result<[u8; 32], I> {
        check_slot(slot, 15)?;
        self.repeat(|device| {
            device.sha(sha::HMAC_START, u16::from(slot), &[])?;
            let (blocks, rest) = message.as_chunks::<BLOCK_LEN>();
            for block in blocks {
                device.sha(sha::UPDATE, BLOCK_LEN as u16, block)?;
            }
            let rest_len = rest.len() as u16;
            device.ask(&sha_command(sha::END_OUT, rest_len, rest))
        })
    }

    /// Makes a slot's key of the device: an engine that signs tokens and seals stores.
    ///
    /// Where device keys and counters are wanted too, give each a device of its own on a shared bus.
    ///
    /// # Errors
    /// [`AteccError::NoSuchSlot`].
    pub fn into_key(self, slot: u8) -> Result<SlotKey<I, D>, I> {
        check_slot(slot, 15)?;
        Ok(SlotKey::new(self, slot))
    }

    /// Makes one of its two monotonic counters of the device.
    ///
    /// # Errors
    /// [`AteccError::NoSuchSlot`].
    pub fn into_counter(self, counter: u8) -> Result<SlotCounter<I, D>, I> {
        check_slot(counter, 1)?;
        Ok(SlotCounter::new(self, counter))
    }

    /// Reads or increments a counter (data sheet, section 5.1.1).
    fn count(&mut self, increment: bool, counter: u8) -> Result<u32, I> {
        let command = Command {
            opcode: opcode::COUNTER,
            param1: u8::from(increment),
            param2: u16::from(counter),
            data: &[],
            max_ms: 25,
        };
        let ask = |device: &mut Self| device.ask(&command);
        let count = match increment {
            true => self.session(ask),
            false => self.repeat(ask),
        };
        count.map(u32::from_le_bytes)
    }

    /// Carries out what can be repeated without harm, until it succeeds or the device refuses.
    fn repeat<T>(&mut self, mut work: impl FnMut(&mut Self) -> Result<T, I>) -> Result<T, I> {
        for _ in 1..ATTEMPTS {
            match self.session(&mut work) {
                Err(AteccError::Bus(_) | AteccError::Timeout | AteccError::Garbled) => {}
                done => return done,
            }
        }
        self.session(work)
    }

    /// Wakes the device, lets `work` happen and puts the device to sleep.
    fn session<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, I>) -> Result<T, I> {
        self.wake()?;
        let done = work(self);
        // If it fails the watchdog will do it, and the next wake pulse makes sure of it.
        let _ = self.tell(word::SLEEP);
        done
    }

    /// Wakes the device (data sheet, section 7.1.1 "Device is Asleep").
    fn wake(&mut self) -> Result<(), I> {
        for _ in 0..ATTEMPTS {
            // Nobody acknowledges address 0: its zero bits at 100 kHz are the pulse.
            let _ = self.i2c.write(0x00, &[0x00]);
            self.delay.delay_us(WAKE_US);
            let mut response = [0; 4];
            if self.i2c.read(self.address, &mut response).is_ok()
                && Response::parse(&response) == Response::Status(Status::Awake)
            {
                return Ok(());
            }
            // It was awake, with something else to say; a device that hears this wakes up the next time.
            let _ = self.tell(word::SLEEP);
        }
        Err(AteccError::Asleep)
    }

    fn tell(&mut self, word_address: u8) -> Result<(), I> {
        self.i2c
            .write(self.address, &[word_address])
            .map_err(AteccError::Bus)
    }

    fn sha(&mut self, mode: u8, param2: u16, data: &[u8]) -> Result<(), I> {
        let mut response = Zeroizing::new([0; MAX_RESPONSE_LEN]);
        match self.execute(&sha_command(mode, param2, data), 1, &mut response)? {
            Response::Status(Status::Success) => Ok(()),
            Response::Status(status) => Err(AteccError::Refused(status)),
            Response::Data(_) | Response::Garbled => Err(AteccError::Garbled),
        }
    }

    /// Reads 4 bytes of the configuration at a word, or 32 at a block (`0x80`).
    fn read_config<const N: usize>(&mut self, zone: u8, address: u16) -> Result<[u8; N], I> {
        self.ask(&Command {
            opcode: opcode::READ,
            param1: zone,
            param2: address,
            data: &[],
            max_ms: 5,
        })
    }

    /// Carries out a command that is answered with `N` bytes.
    fn ask<const N: usize>(&mut self, command: &Command<'_>) -> Result<[u8; N], I> {
        let mut response = Zeroizing::new([0; MAX_RESPONSE_LEN]);
        match self.execute(command, N, &mut response)? {
            Response::Data(data) => data.try_into().map_err(|_| AteccError::Garbled),
            Response::Status(status) => Err(AteccError::Refused(status)),
            Response::Garbled => Err(AteccError::Garbled),
        }
    }

    /// Carries a command out and reads its response of `len` bytes; it is repeated only if it was not carried out.
    ///
    /// A response isn't read twice: if the device missed the command, that would be the last one's.
    fn execute<'r>(
        &mut self,
        command: &Command<'_>,
        len: usize,
        response: &'r mut [u8; MAX_RESPONSE_LEN],
    ) -> Result<Response<'r>, I> {
        let mut buffer = Command::buffer();
        let bytes = command.encode(&mut buffer).ok_or(AteccError::Garbled)?;
        let response_len = len.saturating_add(3);
        let response = response.get_mut(..response_len).unwrap_or_default();
        for _ in 0..ATTEMPTS {
            self.i2c
                .write(self.address, bytes)
                .map_err(AteccError::Bus)?;
            self.await_response(command.max_ms, response)?;
            if Response::parse(response) != Response::Status(Status::Communication) {
                break;
            }
        }
        Ok(Response::parse(response))
    }

    /// Reads until the device, which doesn't acknowledge while it is busy, answers.
    fn await_response(&mut self, max_ms: u32, response: &mut [u8]) -> Result<(), I> {
        let mut waited_ms = 0;
        while self.i2c.read(self.address, response).is_err() {
            if waited_ms >= max_ms {
                return Err(AteccError::Timeout);
            }
            self.delay.delay_ms(POLL_MS);
            waited_ms = waited_ms.saturating_add(POLL_MS);
        }
        Ok(())
    }
}

fn sha_command(mode: u8, param2: u16, data: &[u8]) -> Command<'_> {
    Command {
        opcode: opcode::SHA,
        param1: mode,
        param2,
        data,
        max_ms: 75,
    }
}

fn check_slot<E>(slot: u8, last: u8) -> core::result::Result<(), AteccError<E>> {
    match slot <= last {
        true => Ok(()),
        false => Err(AteccError::NoSuchSlot),
    }
}

impl<I, D> fmt::Debug for Atecc608<I, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Atecc608({:#04x})", self.address)
    }
}
