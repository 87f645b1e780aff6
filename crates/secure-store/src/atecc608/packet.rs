//! Commands and responses as bytes (data sheet, sections 4.1 and 4.2).
//!
//! | | byte 0 | 1 | 2 | 3..5 | then | last 2 |
//! | --- | --- | --- | --- | --- | --- | --- |
//! | command, behind its word address | count | opcode | param1 | param2 | data | CRC |
//! | response | count | data or status | | | | CRC |
//!
//! The count includes itself and the CRC. Numbers of two bytes have their low byte first.

use crc::{Algorithm, Crc};

use super::error::Status;

/// Bytes of a message that one command takes.
pub(super) const BLOCK_LEN: usize = 64;

/// Count, opcode, two parameters of 1 and 2 bytes, CRC.
const OVERHEAD: usize = 7;

/// Word address and the longest command.
const MAX_COMMAND_LEN: usize = 1 + OVERHEAD + BLOCK_LEN;

/// Count, 32 bytes, CRC.
pub(super) const MAX_RESPONSE_LEN: usize = 35;

/// The word address of commands (data sheet, section 7.2.1).
const COMMAND: u8 = 0x03;

/// Polynomial 0x8005, each byte taken from its lowest bit (data sheet, section 4.1).
const CRC_ALGORITHM: Algorithm<u16> = Algorithm {
    width: 16,
    poly: 0x8005,
    init: 0,
    refin: true,
    refout: false,
    xorout: 0,
    check: 0,
    residue: 0,
};

static CRC_16: Crc<u16> = Crc::<u16>::new(&CRC_ALGORITHM);

/// One of the commands that are used here, with the longest it may take.
#[derive(Clone, Copy)]
pub(super) struct Command<'a> {
    pub opcode: u8,
    pub param1: u8,
    pub param2: u16,
    pub data: &'a [u8],
    /// The longest execution time of any clock divider, in milliseconds.
    pub max_ms: u32,
}

impl Command<'_> {
    /// Writes the command with its word address to the front of `out` and returns it.
    ///
    /// `None` if the data are longer than [`BLOCK_LEN`].
    pub fn encode<'o>(&self, out: &'o mut [u8; MAX_COMMAND_LEN]) -> Option<&'o [u8]> {
        let count = self.data.len().checked_add(OVERHEAD)?;
        let [low, high] = self.param2.to_le_bytes();
        let head = [
            COMMAND,
            u8::try_from(count).ok()?,
            self.opcode,
            self.param1,
            low,
            high,
        ];
        let checked_end = count.checked_sub(1)?;
        let (checked, rest) = out.split_at_mut_checked(checked_end)?;
        for (byte, field) in checked.iter_mut().zip(head.iter().chain(self.data)) {
            *byte = *field;
        }
        let crc = CRC_16.checksum(checked.get(1..)?);
        *rest.first_chunk_mut()? = crc.to_le_bytes();
        out.get(..count.checked_add(1)?)
    }

    pub const fn buffer() -> [u8; MAX_COMMAND_LEN] {
        [0; MAX_COMMAND_LEN]
    }
}

/// What a device has answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Response<'a> {
    Status(Status),
    Data(&'a [u8]),
    /// No response, or a damaged one.
    Garbled,
}

impl<'a> Response<'a> {
    pub fn parse(bytes: &'a [u8]) -> Self {
        let packet = bytes
            .first()
            .and_then(|count| bytes.get(..usize::from(*count)));
        let Some((checked, crc)) = packet.and_then(<[u8]>::split_last_chunk) else {
            return Self::Garbled;
        };
        match checked {
            _ if CRC_16.checksum(checked) != u16::from_le_bytes(*crc) => Self::Garbled,
            [_, status] => Self::Status(Status::from_byte(*status)),
            [_, data @ ..] => Self::Data(data),
            [] => Self::Garbled,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The four bytes that every device answers a wake pulse with.
    #[test]
    fn the_answer_to_a_wake_pulse_has_the_right_crc() {
        let response = Response::parse(&[0x04, 0x11, 0x33, 0x43]);
        assert_eq!(response, Response::Status(Status::Awake));
    }

    /// The Info command with the CRC that Microchip's library documents for it.
    #[test]
    fn info_is_encoded_as_documented() {
        let command = Command {
            opcode: 0x30,
            param1: 0,
            param2: 0,
            data: &[],
            max_ms: 5,
        };
        let expected = [0x03, 0x07, 0x30, 0x00, 0x00, 0x00, 0x03, 0x5d];
        assert_eq!(command.encode(&mut Command::buffer()), Some(&expected[..]));
    }
}
