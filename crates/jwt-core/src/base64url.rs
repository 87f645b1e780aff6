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

/// Encodes a digest.
///
/// From its words, which the caller has just made bytes of: the compiler then leaves the bytes out.
#[inline]
pub(crate) fn encode_digest(digest: &[u8; 32], out: &mut [u8; 43]) {
    let mut words = [0u32; 9];
    for (word, bytes) in words.iter_mut().zip(digest.as_chunks::<4>().0) {
        *word = u32::from_be_bytes(*bytes);
    }
    let mut groups = [0u32; 12];
    let quads = groups.as_chunks_mut::<4>().0.iter_mut();
    for (group, [a, b, c]) in quads.zip(words.as_chunks::<3>().0) {
        *group = [a >> 8, a << 16 | b >> 16, b << 8 | c >> 24, *c];
    }
    let (quads, rest) = out.as_chunks_mut::<4>();
    for (quad, group) in quads.iter_mut().zip(&groups) {
        *quad = encode_bits(*group);
    }
    for (slot, char) in rest.iter_mut().zip(encode_bits(groups[10])) {
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

/// Encodes the lower 24 bits.
#[inline]
fn encode_bits(bits: u32) -> [u8; 4] {
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
    free: &'a mut [u8],
    len: usize,
    carry: Carry,
}

/// The 0 to 2 bytes that wait for their group of three, the last one lowest, below a bit that is set.
#[derive(Clone, Copy)]
pub(crate) struct Carry(u32);

impl Carry {
    pub(crate) const EMPTY: Self = Self(1);

    /// Returns how many bytes wait.
    pub(crate) const fn len(self) -> usize {
        (self.0 > 0xff) as usize + (self.0 > 0xffff) as usize
    }
}

impl<'a> Writer<'a> {
    pub(crate) fn new(out: &'a mut [u8]) -> Self {
        Self::resume(out, Carry::EMPTY)
    }

    /// Continues a part of which `carry` waits to be encoded.
    #[inline]
    pub(crate) fn resume(out: &'a mut [u8], carry: Carry) -> Self {
        Self {
            free: out,
            len: 0,
            carry,
        }
    }

    /// Appends a byte to the part being encoded.
    #[inline]
    pub(crate) fn byte(&mut self, byte: u8) {
        let bits = self.carry.0 << 8 | u32::from(byte);
        self.carry.0 = if bits < 1 << 24 {
            bits
        } else {
            self.quad(encode_bits(bits));
            1
        };
    }

    #[inline]
    fn quad(&mut self, chars: [u8; 4]) {
        self.len += chars.len();
        if let Some((slot, free)) = core::mem::take(&mut self.free).split_first_chunk_mut() {
            *slot = chars;
            self.free = free;
        }
    }

    /// Ends the part being encoded.
    #[inline]
    pub(crate) fn end_part(&mut self) {
        let Carry(bits) = self.carry;
        let carried = self.carry.len();
        if carried > 0 {
            let chars = encode_bits(if carried == 1 { bits << 16 } else { bits << 8 });
            self.raw(chars.get(..=carried).unwrap_or_default());
            self.carry = Carry::EMPTY;
        }
    }

    /// Appends `text` as it is, between parts.
    #[inline]
    pub(crate) fn raw(&mut self, text: &[u8]) {
        for char in text {
            self.len += 1;
            if let Some((slot, free)) = core::mem::take(&mut self.free).split_first_mut() {
                *slot = *char;
                self.free = free;
            }
        }
    }

    /// Returns how many characters are written.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Returns what waits for its group of three.
    pub(crate) fn carry(&self) -> Carry {
        self.carry
    }
}

impl Sink for Writer<'_> {
    /// Appends `bytes` to the part being encoded.
    // One copy for the many pieces that a header and claims are written in; times go byte by byte.
    #[inline(never)]
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.byte(*byte);
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
        fn encodes_a_digest_as_base64ct(digest in any::<[u8; 32]>()) {
            let mut out = [0; 43];
            encode_digest(&digest, &mut out);
            let expected = Base64UrlUnpadded::encode_string(&digest);
            prop_assert_eq!(&out, expected.as_bytes());
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
