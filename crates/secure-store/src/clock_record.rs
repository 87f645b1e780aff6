//! The clock record: what a device without power remembers of the time.

use crate::bytes::Reader;

/// Version of the record's form.
pub const CLOCK_VERSION: u8 = 1;

/// What a device remembers of the time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClockRecord {
    /// The Unix seconds that the present is never before.
    pub floor_secs: u64,
    /// The Unix seconds at which the real-time clock was last set, if anybody knows.
    pub rtc_set_secs: Option<u64>,
}

impl ClockRecord {
    /// Length of the record in bytes.
    pub const LEN: usize = 16;

    /// Returns the record: both numbers little-endian, the second 0 if it isn't known.
    pub fn encode(&self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        let words = [self.floor_secs, self.rtc_set_secs.unwrap_or(0)];
        for (bytes, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(words) {
            *bytes = word.to_le_bytes();
        }
        bytes
    }

    /// Reads a record of this version's form, or returns `None` if it isn't one.
    pub fn decode(value: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(value);
        let floor_secs = u64::from_le_bytes(reader.array()?);
        let rtc_set_secs = u64::from_le_bytes(reader.array()?);
        reader.rest().is_empty().then_some(Self {
            floor_secs,
            rtc_set_secs: Some(rtc_set_secs).filter(|secs| *secs != 0),
        })
    }
}
