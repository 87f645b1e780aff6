//! The header of a copy: 32 bytes, written last, so that it vouches for what it stands before.

use crate::checksum;

/// Length of the header in bytes; the first entry follows it.
pub(crate) const HEADER_LEN: u32 = 32;

/// Version of the format, in `docs/store-format.md`.
pub const FORMAT_VERSION: u8 = 1;

const MAGIC: [u8; 8] = *b"SECSTORE";

/// What a copy's header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// The length of the copy in bytes.
    pub copy_len: u32,
    /// How often the copy was erased.
    pub erases: u32,
    /// The number of the last write that the first `count` entries take into account.
    pub through: u32,
    /// The entries that were there before the header.
    pub count: u32,
}

/// What 32 bytes at the start of a copy are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderState {
    Blank,
    Foreign,
    Newer(u8),
    Valid(Header),
}

impl Header {
    pub fn to_bytes(self) -> [u8; HEADER_LEN as usize] {
        let mut bytes = [0; HEADER_LEN as usize];
        let fields = MAGIC
            .into_iter()
            .chain([FORMAT_VERSION, 0, 0, 0])
            .chain(self.copy_len.to_le_bytes())
            .chain(self.erases.to_le_bytes())
            .chain(self.through.to_le_bytes())
            .chain(self.count.to_le_bytes());
        for (byte, field) in bytes.iter_mut().zip(fields) {
            *byte = field;
        }
        let checksum = checksum::of(&bytes[..28]);
        bytes[28..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    pub fn parse(bytes: &[u8; HEADER_LEN as usize]) -> HeaderState {
        let (words, _) = bytes.as_chunks::<4>();
        let [
            m0,
            m1,
            [version, ..],
            copy_len,
            erases,
            through,
            count,
            checksum,
        ] = *words
        else {
            return HeaderState::Foreign;
        };
        if bytes.iter().all(|byte| *byte == 0xff) {
            return HeaderState::Blank;
        }
        let intact = u32::from_le_bytes(checksum) == checksum::of(&bytes[..28]);
        if [m0, m1].as_flattened() != MAGIC || !intact {
            return HeaderState::Foreign;
        }
        if version != FORMAT_VERSION {
            return HeaderState::Newer(version);
        }
        HeaderState::Valid(Self {
            copy_len: u32::from_le_bytes(copy_len),
            erases: u32::from_le_bytes(erases),
            through: u32::from_le_bytes(through),
            count: u32::from_le_bytes(count),
        })
    }
}
