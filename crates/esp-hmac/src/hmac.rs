//! The computation (ESP32-C3 TRM, HMAC Accelerator, "HMAC Process (Detailed)").

use core::fmt;

use crate::error::HmacError;
use crate::fuses::PURPOSE_HMAC_UP;
use crate::key::KeyBlock;
use crate::register::{Register, Registers};

/// Bytes that SHA-256 takes at a time.
const BLOCK_LEN: usize = 64;

/// Bytes of a last block that its padding takes at least: a one bit, and the length in bits (FIPS 180-4, section 5.1.1).
const PADDING_LEN: usize = 9;

/// How often the peripheral is asked whether it is done; a block takes it less than a hundred of these.
const MAX_POLLS: u32 = 100_000;

/// The peripheral, in its upstream mode: software gives the message and reads the MAC.
pub struct Hmac<R> {
    registers: R,
}

impl<R: Registers> Hmac<R> {
    /// Takes the registers of a peripheral that is clocked, and SHA with it, and out of reset.
    pub const fn new(registers: R) -> Self {
        Self { registers }
    }

    /// Returns the HMAC-SHA256 of `message` under the key in `block`.
    ///
    /// The peripheral keeps nothing of it.
    ///
    /// # Errors
    /// [`HmacError::Purpose`] and [`HmacError::Stuck`].
    pub fn mac(&mut self, block: KeyBlock, message: &[u8]) -> Result<[u8; 32], HmacError> {
        self.start(block)?;
        self.absorb(message)?;
        self.result()
    }

    /// Steps 1 and 2: the key, and what it may be used for.
    fn start(&mut self, block: KeyBlock) -> Result<(), HmacError> {
        self.wait()?;
        self.command(Register::SET_START)?;
        let purpose = u32::from(PURPOSE_HMAC_UP);
        self.registers.write(Register::SET_PARA_PURPOSE, purpose);
        let number = u32::from(block.number());
        self.registers.write(Register::SET_PARA_KEY, number);
        self.command(Register::SET_PARA_FINISH)?;
        if self.registers.read(Register::QUERY_ERROR) & 1 == 0 {
            return Ok(());
        }
        self.command(Register::SET_RESULT_FINISH)?;
        Err(HmacError::Purpose(block))
    }

    /// Steps 3 to 5: the message, padded here and not by the peripheral, which only pads whole blocks.
    fn absorb(&mut self, message: &[u8]) -> Result<(), HmacError> {
        let (whole, rest) = message.as_chunks::<BLOCK_LEN>();
        let padding_fits = rest.len() <= BLOCK_LEN - PADDING_LEN;
        let count = whole.len().saturating_add(if padding_fits { 1 } else { 2 });
        let mut blocks = Blocks { count, done: 0 };

        for block in whole {
            self.submit(block, &mut blocks)?;
        }
        let mut last = [0; BLOCK_LEN];
        for (byte, of_message) in last.iter_mut().zip(rest.iter().chain(&[0x80])) {
            *byte = *of_message;
        }
        if !padding_fits {
            self.submit(&last, &mut blocks)?;
            last = [0; BLOCK_LEN];
        }
        // The key's own block is hashed before the message's.
        let bits = (message.len() as u64)
            .saturating_add(BLOCK_LEN as u64)
            .saturating_mul(8);
        if let Some(length) = last.last_chunk_mut() {
            *length = bits.to_be_bytes();
        }
        self.submit(&last, &mut blocks)
    }

    /// Hands over a block, and says what follows it.
    fn submit(&mut self, block: &[u8; BLOCK_LEN], blocks: &mut Blocks) -> Result<(), HmacError> {
        for (register, word) in Register::message().zip(block.as_chunks::<4>().0) {
            self.registers.write(register, u32::from_le_bytes(*word));
        }
        self.command(Register::SET_MESSAGE_ONE)?;
        blocks.done = blocks.done.saturating_add(1);
        match blocks.count.saturating_sub(blocks.done) {
            0 if blocks.count == 1 => self.command(Register::ONE_BLOCK),
            0 => Ok(()),
            1 => self.command(Register::SET_MESSAGE_PAD),
            _ => self.command(Register::SET_MESSAGE_ING),
        }
    }

    /// Step 6: the MAC, which the peripheral then forgets.
    fn result(&mut self) -> Result<[u8; 32], HmacError> {
        let mut mac = [0; 32];
        for (register, word) in Register::result().zip(mac.as_chunks_mut::<4>().0) {
            *word = self.registers.read(register).to_le_bytes();
        }
        self.command(Register::SET_RESULT_FINISH)?;
        Ok(mac)
    }

    fn command(&mut self, register: Register) -> Result<(), HmacError> {
        self.registers.write(register, 1);
        self.wait()
    }

    fn wait(&mut self) -> Result<(), HmacError> {
        for _ in 0..MAX_POLLS {
            if self.registers.read(Register::QUERY_BUSY) & 1 == 0 {
                return Ok(());
            }
        }
        Err(HmacError::Stuck)
    }
}

/// How many blocks there are, the padding's too, and how many the peripheral has.
struct Blocks {
    count: usize,
    done: usize,
}

impl<R> fmt::Debug for Hmac<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hmac")
    }
}
