//! An entry of a copy's log: a header of 16 bytes, the stored value, padding to 16.

use crate::checksum;
use crate::key::Key;
use crate::protection::MAX_OVERHEAD;

/// Most bytes of a value.
pub const MAX_VALUE_LEN: usize = 1024;

/// Length of an entry's header, and what entries are aligned to, in bytes.
pub(crate) const ENTRY_ALIGN: u32 = 16;

/// Most bytes of a value as it is stored.
pub(crate) const MAX_STORED_LEN: usize = MAX_VALUE_LEN + MAX_OVERHEAD;

/// Length of the longest entry in bytes.
pub(crate) const MAX_ENTRY_LEN: usize =
    (ENTRY_ALIGN as usize + MAX_STORED_LEN).next_multiple_of(ENTRY_ALIGN as usize);

/// How the value is stored; other numbers are kept, and refused when they are read.
pub(crate) mod form {
    /// There is no value any more.
    pub const REMOVED: u8 = 0;
    /// The value is stored as it is.
    pub const PLAIN: u8 = 1;
    /// Nonce, ciphertext, tag, link: see `sealed`.
    pub const SEALED: u8 = 2;
    /// There is no value any more, and a link vouches for it: see `sealed`.
    pub const REMOVED_SEALED: u8 = 3;

    /// Whether a record has no value any more.
    pub const fn is_removal(form: u8) -> bool {
        matches!(form, REMOVED | REMOVED_SEALED)
    }
}

/// Length of what tells sealed entries of one name and number apart, in bytes.
pub(crate) const MARK_LEN: usize = 12;

/// The nonce of a sealed value, zeros for any other: what is plain is not to be remembered.
pub(crate) type Mark = [u8; MARK_LEN];

/// What an entry's header says, but for the checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EntryHeader {
    pub key: Key,
    pub version: u8,
    pub form: u8,
    /// 0 in this version of the format, and kept whatever it is.
    pub reserved: u8,
    /// The bytes of the stored value.
    pub len: u16,
    /// The number of the write.
    pub seq: u32,
}

/// What 16 bytes where an entry could start are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EntryState {
    /// All ones: the log ends here, if the rest is too.
    Blank,
    /// No entry.
    Torn,
    /// A header and its checksum, still to be compared.
    Entry(EntryHeader, u32),
}

impl EntryHeader {
    /// Returns the bytes that the checksum, and a sealed value's tag, cover.
    pub fn to_bytes(self) -> [u8; 12] {
        let [slot_low, slot_high] = self.key.slot.to_le_bytes();
        let [len_low, len_high] = self.len.to_le_bytes();
        let [s0, s1, s2, s3] = self.seq.to_le_bytes();
        [
            self.key.kind,
            self.version,
            self.form,
            self.reserved,
            slot_low,
            slot_high,
            len_low,
            len_high,
            s0,
            s1,
            s2,
            s3,
        ]
    }

    pub fn parse(bytes: &[u8; ENTRY_ALIGN as usize]) -> EntryState {
        if bytes.iter().all(|byte| *byte == 0xff) {
            return EntryState::Blank;
        }
        let [
            kind,
            version,
            form,
            reserved,
            slot_low,
            slot_high,
            len_low,
            len_high,
            rest @ ..,
        ] = *bytes;
        let [s0, s1, s2, s3, c0, c1, c2, c3] = rest;
        let header = Self {
            key: Key {
                kind,
                slot: u16::from_le_bytes([slot_low, slot_high]),
            },
            version,
            form,
            reserved,
            len: u16::from_le_bytes([len_low, len_high]),
            seq: u32::from_le_bytes([s0, s1, s2, s3]),
        };
        if !header.key.is_storable() || usize::from(header.len) > MAX_STORED_LEN {
            return EntryState::Torn;
        }
        EntryState::Entry(header, u32::from_le_bytes([c0, c1, c2, c3]))
    }

    /// Returns the mark of the entry, the first part of whose stored value is `start`.
    pub fn mark(&self, start: &[u8]) -> Mark {
        let nonce = start.first_chunk().filter(|_| self.form == form::SEALED);
        nonce.copied().unwrap_or_default()
    }

    /// Returns the bytes that the whole entry takes.
    pub fn entry_len(&self) -> u32 {
        entry_len(usize::from(self.len))
    }
}

/// Returns the bytes that an entry with a stored value of `len` bytes takes.
pub(crate) fn entry_len(len: usize) -> u32 {
    let len = len.min(MAX_STORED_LEN) as u32;
    ENTRY_ALIGN.saturating_add(len.next_multiple_of(ENTRY_ALIGN))
}

/// Returns the first `len` bytes behind the place of an entry's header.
pub(crate) fn stored_mut(entry: &mut [u8; MAX_ENTRY_LEN], len: usize) -> &mut [u8] {
    let behind = entry.get_mut(ENTRY_ALIGN as usize..).unwrap_or_default();
    behind.get_mut(..len).unwrap_or_default()
}

/// Completes an entry whose value lies behind the place of its header, and returns its bytes.
pub(crate) fn complete<'e>(
    header: &EntryHeader,
    entry: &'e mut [u8; MAX_ENTRY_LEN],
) -> Option<&'e [u8]> {
    let fields = header.to_bytes();
    let value_end = usize::from(header.len).checked_add(ENTRY_ALIGN as usize)?;
    let mut digest = checksum::start();
    digest.update(&fields);
    digest.update(entry.get(ENTRY_ALIGN as usize..value_end)?);
    let checksum = digest.finalize().to_le_bytes();
    for (byte, field) in entry.iter_mut().zip(fields.into_iter().chain(checksum)) {
        *byte = field;
    }
    let entry = entry.get_mut(..header.entry_len() as usize)?;
    entry.get_mut(value_end..)?.fill(0xff);
    Some(entry)
}
