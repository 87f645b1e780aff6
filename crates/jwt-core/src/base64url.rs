//! base64url without padding (RFC 4648 §5, RFC 7515 §2).
//!
//! By a table and by comparisons, not in constant time: a token is public. Decoding is strict, so that
//! of all texts only the canonical one stands for some bytes.

use crate::json::Sink;

/// Returns how many characters encode `bytes` bytes.
pub(crate) const fn encoded_len(bytes: usize) -> usize {
    let rest = match bytes % 3 {
        0 => 0,
        1 => 2,
        _ => 3,
    };
    (bytes / 3).saturating_mul(4).saturating_add(rest)
}

/// Returns how many bytes `chars` characters hold; one more than a multiple of four is never valid.
pub(crate) const fn decoded_len(chars: usize) -> usize {
    chars / 4 * 3 + chars % 4 * 3 / 4
}

/// Encodes `bytes` into `out`, which has [`encoded_len`] bytes, or more if they are whole groups.
#[inline]
pub(crate) fn encode(mut bytes: &[u8], mut out: &mut [u8]) {
    // Group by group: as_chunks would divide the lengths, in software on a Cortex-M0+.
    while let Some((group, bytes_after)) = bytes.split_first_chunk::<3>() {
        let Some((quad, out_after)) = out.split_first_chunk_mut::<4>() else {
            return;
        };
        *quad = encode_group(*group);
        (bytes, out) = (bytes_after, out_after);
    }
    let last = match *bytes {
        [a] => encode_group([a, 0, 0]),
        [a, b] => encode_group([a, b, 0]),
        _ => return,
    };
    for (slot, char) in out.iter_mut().zip(last) {
        *slot = char;
    }
}

/// Decodes `text` strictly into the start of `out`.
///
/// `None` for a character outside the alphabet, padding, white space, a length that no encoding has,
/// non-zero trailing bits, or an `out` shorter than [`decoded_len`].
pub(crate) fn decode<'o>(mut text: &[u8], out: &'o mut [u8]) -> Option<&'o [u8]> {
    let out = out.get_mut(..decoded_len(text.len()))?;
    let mut free = &mut *out;
    while let Some((quad, text_after)) = text.split_first_chunk::<4>() {
        let (group, free_after) = free.split_first_chunk_mut::<3>()?;
        *group = decode_quad(*quad)?;
        (text, free) = (text_after, free_after);
    }
    let group = match *text {
        [] => return Some(out),
        [a, b] => decode_quad([a, b, b'A', b'A'])?,
        [a, b, c] => decode_quad([a, b, c, b'A'])?,
        _ => return None,
    };
    let mut bytes = group.into_iter();
    for (slot, byte) in free.iter_mut().zip(bytes.by_ref()) {
        *slot = byte;
    }
    // What is left of the group are bits that no byte takes.
    bytes.all(|byte| byte == 0).then_some(out)
}

/// The URL and filename safe alphabet (RFC 4648 table 2).
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

#[inline]
fn encode_group([a, b, c]: [u8; 3]) -> [u8; 4] {
    let bits = u32::from_be_bytes([0, a, b, c]);
    let char = |shift: u32| ALPHABET[(bits >> shift & 0x3f) as usize];
    [char(18), char(12), char(6), char(0)]
}

fn decode_quad(quad: [u8; 4]) -> Option<[u8; 3]> {
    let mut bits = 0;
    for char in quad {
        bits = bits << 6 | u32::from(decode_char(char)?);
    }
    let [_, a, b, c] = bits.to_be_bytes();
    Some([a, b, c])
}

fn decode_char(char: u8) -> Option<u8> {
    match char {
        b'A'..=b'Z' => Some(char - b'A'),
        b'a'..=b'z' => Some(char - b'a' + 26),
        b'0'..=b'9' => Some(char - b'0' + 52),
        b'-' => Some(62),
        b'_' => Some(63),
        _ => None,
    }
}

/// Writes base64url text piece by piece: the bytes of one part after another, joined by raw dots.
///
/// Text past the end of the buffer is dropped; callers size the buffer first.
pub struct Writer<'a> {
    out: &'a mut [u8],
    len: usize,
    carry: [u8; 3],
    carried: usize,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(out: &'a mut [u8]) -> Self {
        Self {
            out,
            len: 0,
            carry: [0; 3],
            carried: 0,
        }
    }

    fn carry(&mut self, byte: u8) {
        if let Some(slot) = self.carry.get_mut(self.carried) {
            *slot = byte;
        }
        self.carried += 1;
        if self.carried == self.carry.len() {
            self.quad(encode_group(self.carry));
            self.carried = 0;
        }
    }

    fn quad(&mut self, chars: [u8; 4]) {
        let free = self.out.get_mut(self.len..).unwrap_or_default();
        if let Some(slot) = free.first_chunk_mut() {
            *slot = chars;
        }
        self.len += chars.len();
    }

    /// Ends the part being encoded.
    pub(crate) fn end_part(&mut self) {
        let chars = match *self.carried_bytes() {
            [a] => encode_group([a, 0, 0]),
            [a, b] => encode_group([a, b, 0]),
            _ => return,
        };
        self.raw(chars.get(..=self.carried).unwrap_or_default());
        self.carried = 0;
    }

    /// Appends `text` as it is, between parts.
    pub(crate) fn raw(&mut self, text: &[u8]) {
        let free = self.out.get_mut(self.len..).unwrap_or_default();
        for (slot, byte) in free.iter_mut().zip(text) {
            *slot = *byte;
        }
        self.len += text.len();
    }

    /// Returns how many characters are written.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Returns the 0 to 2 bytes that wait for their group of three.
    pub(crate) fn carried_bytes(&self) -> &[u8] {
        self.carry.get(..self.carried).unwrap_or_default()
    }
}

impl Sink for Writer<'_> {
    /// Appends `bytes` to the part being encoded.
    fn write(&mut self, mut bytes: &[u8]) {
        while self.carried > 0 {
            let Some((byte, rest)) = bytes.split_first() else {
                return;
            };
            self.carry(*byte);
            bytes = rest;
        }
        while let Some((group, rest)) = bytes.split_first_chunk::<3>() {
            self.quad(encode_group(*group));
            bytes = rest;
        }
        for byte in bytes {
            self.carry(*byte);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64ct::{Base64UrlUnpadded, Encoding};
    use proptest::prelude::*;
    use std::vec;

    proptest! {
        #[test]
        fn encodes_as_base64ct_in_any_pieces(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..6)
        ) {
            let whole = pieces.concat();
            let expected = Base64UrlUnpadded::encode_string(&whole);
            prop_assert_eq!(encoded_len(whole.len()), expected.len());

            let mut at_once = vec![0; expected.len()];
            encode(&whole, &mut at_once);
            prop_assert_eq!(&at_once, expected.as_bytes());

            let mut pieced = vec![0; expected.len()];
            let mut writer = Writer::new(&mut pieced);
            for piece in &pieces {
                writer.write(piece);
            }
            writer.end_part();
            prop_assert_eq!(writer.len(), expected.len());
            prop_assert_eq!(&pieced, expected.as_bytes());
        }

        #[test]
        fn decodes_what_base64ct_decodes(text in "[A-Za-z0-9_=+/ \n-]{0,12}", len in 0..12usize) {
            let mut expected = [0; 12];
            let expected = Base64UrlUnpadded::decode(&text, &mut expected[..len]).ok();
            let mut out = [0; 12];
            prop_assert_eq!(decode(text.as_bytes(), &mut out[..len]), expected);
        }

        #[test]
        fn decodes_what_base64ct_encodes(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let text = Base64UrlUnpadded::encode_string(&bytes);
            let mut out = [0; 100];
            prop_assert_eq!(decode(text.as_bytes(), &mut out), Some(&*bytes));
        }
    }

    /// Every character in every place of a group, the last one with and without trailing bits.
    #[test]
    fn decodes_every_group_that_base64ct_decodes() {
        for place in 0..4 {
            for char in 0..=u8::MAX {
                for len in 1..=4 {
                    let mut text = *b"AAAA";
                    text[place] = char;
                    let text = &text[..len];
                    let mut expected = [0; 3];
                    let expected = Base64UrlUnpadded::decode(text, &mut expected).ok();
                    assert_eq!(decode(text, &mut [0; 3]), expected, "{text:?}");
                }
            }
        }
    }
}
