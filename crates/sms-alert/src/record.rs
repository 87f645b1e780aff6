//! How an alert lies in the store: a format byte, then postcard 1 (the format is specified at
//! postcard.jamesmunns.com/wire-format), then a byte that counts doubts, or none for zero.
//!
//! The count came later: a reader that doesn't know it passes over it, and a record without it counts none.

use serde::{Deserialize, Serialize};

use crate::alert::Alert;
use crate::local_id::AlertId;

/// Changes when the fields below do.
const FORMAT: u8 = 1;

/// Bytes of the longest record: an alert with [`MAX_PHONES`](crate::MAX_PHONES) numbers and the
/// longest text has 965, the rest is room for the records of a later format.
pub const MAX_RECORD_LEN: usize = 1024;

/// Where an alert stands, as far as a restart has to know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stored {
    /// No request for it is under way; earlier ones are in `doubts`.
    Queued,
    /// A request for it may have reached the server.
    Sending,
    /// The server has refused it with this status.
    Rejected(u16),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub id: u64,
    pub stored: Stored,
    /// Whether an earlier request for it may have been acted upon.
    pub doubtful: bool,
    pub alert: Alert,
    /// The requests, before the one that is under way, after which the server may have acted.
    #[serde(skip)]
    pub doubts: u8,
}

impl Record {
    pub fn id(&self) -> AlertId {
        AlertId(self.id)
    }

    /// Returns the bytes written to the front of `out`.
    pub fn encode<'o>(
        &self,
        out: &'o mut [u8; MAX_RECORD_LEN],
    ) -> Result<&'o [u8], postcard::Error> {
        let [format, rest @ ..] = &mut *out;
        *format = FORMAT;
        let mut length = postcard::to_slice(self, rest)?.len();
        if self.doubts > 0 {
            let count = rest.get_mut(length);
            *count.ok_or(postcard::Error::SerializeBufferFull)? = self.doubts;
            length = length.saturating_add(1);
        }
        Ok(out.get(..=length).unwrap_or_default())
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, postcard::Error> {
        match bytes.split_first() {
            Some((&FORMAT, rest)) => {
                let (mut record, rest) = postcard::take_from_bytes::<Self>(rest)?;
                record.doubts = rest.first().copied().unwrap_or(0);
                Ok(record)
            }
            _ => Err(postcard::Error::DeserializeBadEncoding),
        }
    }
}

/// The record that counts the openings of the outbox.
pub(crate) fn encode_opening(opening: u32) -> [u8; 5] {
    let [a, b, c, d] = opening.to_le_bytes();
    [FORMAT, a, b, c, d]
}

pub(crate) fn decode_opening(bytes: &[u8]) -> Option<u32> {
    match *bytes {
        [FORMAT, a, b, c, d] => Some(u32::from_le_bytes([a, b, c, d])),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::{MAX_PHONES, MAX_TEXT_LEN, Recipient};
    use crate::phone::PhoneNumber;

    #[test]
    fn the_longest_record_is_as_long_as_stated() {
        let phones = [PhoneNumber::new("123456789012345").unwrap(); MAX_PHONES];
        let to = Recipient::Phones(heapless::Vec::from_slice(&phones).unwrap());
        let mut alert = Alert::new(to, &"x".repeat(MAX_TEXT_LEN)).unwrap();
        alert.expires_at = Some(u64::MAX);
        let record = Record {
            id: u64::MAX,
            stored: Stored::Rejected(u16::MAX),
            doubtful: true,
            alert,
            doubts: u8::MAX,
        };
        let mut out = [0; MAX_RECORD_LEN];
        let bytes = record.encode(&mut out).unwrap();
        assert_eq!(bytes.len(), 965);
        assert_eq!(Record::decode(bytes).unwrap(), record);

        // What was read and written before there was a count is the same without it.
        let (uncounted, _) = bytes.split_at(964);
        let record = Record {
            doubts: 0,
            ..record
        };
        assert_eq!(Record::decode(uncounted).unwrap(), record);
        assert_eq!(postcard::from_bytes::<Record>(&bytes[1..]).unwrap(), record);
        assert_eq!(record.encode(&mut [0; MAX_RECORD_LEN]).unwrap(), uncounted);
        for length in 0..964 {
            assert!(Record::decode(&bytes[..length]).is_err());
        }
    }
}
