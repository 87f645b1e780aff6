//! Consistent Overhead Byte Stuffing (Cheshire and Baker 1999): bytes without a zero among them, one more for
//! every 254 or part of it.

use heapless::Vec;

/// Longest run of bytes other than zero that one code byte stands for.
const RUN_LEN: usize = 254;

/// Returns the most bytes that `len` bytes are encoded in.
pub(crate) const fn max_encoded_len(len: usize) -> usize {
    len + len / RUN_LEN + 1
}

/// Appends the encoded `bytes` to `out`, or returns `None` if they don't fit.
pub(crate) fn encode<const N: usize>(bytes: &[u8], out: &mut Vec<u8, N>) -> Option<()> {
    let mut runs = bytes.split(|byte| *byte == 0).peekable();
    while let Some(run) = runs.next() {
        let (full, rest) = run.as_chunks::<RUN_LEN>();
        for full in full {
            out.push(0xff).ok()?;
            out.extend_from_slice(full).ok()?;
        }
        // The last run may end with a full one; every other is followed by a zero, which this code says.
        if !rest.is_empty() || full.is_empty() || runs.peek().is_some() {
            out.push(u8::try_from(rest.len()).ok()?.checked_add(1)?)
                .ok()?;
            out.extend_from_slice(rest).ok()?;
        }
    }
    Some(())
}

/// Decodes byte by byte.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Decoder {
    /// The bytes that the present code still stands for.
    left: u8,
    /// Whether a zero comes before the next run.
    zero: bool,
}

/// What an encoded byte stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decoded {
    /// Itself.
    Byte(u8),
    /// A zero.
    Zero,
    /// Nothing yet.
    Nothing,
}

impl Decoder {
    /// Takes an encoded byte, which is not zero.
    pub fn take(&mut self, byte: u8) -> Decoded {
        if let Some(left) = self.left.checked_sub(1) {
            self.left = left;
            return Decoded::Byte(byte);
        }
        let zero = core::mem::replace(&mut self.zero, byte != 0xff);
        self.left = byte.saturating_sub(1);
        match zero {
            true => Decoded::Zero,
            false => Decoded::Nothing,
        }
    }

    /// Whether the bytes so far can be all.
    pub const fn is_complete(&self) -> bool {
        self.left == 0
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use proptest::prelude::*;
    use std::vec::Vec as StdVec;

    use super::*;

    fn decoded(encoded: &[u8]) -> Option<StdVec<u8>> {
        let mut decoder = Decoder::default();
        let mut bytes = StdVec::new();
        for byte in encoded {
            match decoder.take(*byte) {
                Decoded::Byte(byte) => bytes.push(byte),
                Decoded::Zero => bytes.push(0),
                Decoded::Nothing => {}
            }
        }
        decoder.is_complete().then_some(bytes)
    }

    /// Bytes with runs of 253 to 255 bytes that are not zero, around which codes change.
    fn runs() -> impl Strategy<Value = StdVec<u8>> {
        let run = prop_oneof![0..5usize, 252..257usize, 507..510usize];
        prop::collection::vec((run, 0..3usize), 0..3).prop_map(|runs| {
            let mut bytes = StdVec::new();
            for (run, zeros) in runs {
                bytes.resize(bytes.len() + run, 0xa5);
                bytes.resize(bytes.len() + zeros, 0);
            }
            bytes
        })
    }

    proptest! {
        #[test]
        fn agrees_with_another_implementation(bytes in prop_oneof![runs(), any::<StdVec<u8>>()]) {
            let mut out = Vec::<u8, 4096>::new();
            encode(&bytes, &mut out).unwrap();
            prop_assert!(!out.contains(&0));
            prop_assert!(out.len() <= max_encoded_len(bytes.len()));
            prop_assert_eq!(&cobs::decode_vec(&out).unwrap(), &bytes);
            prop_assert_eq!(decoded(&cobs::encode_vec(&bytes)).unwrap(), bytes);
        }
    }
}
