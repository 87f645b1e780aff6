//! Reading and writing the fields of a payload.

use heapless::Vec;

use crate::frame::MAX_PAYLOAD_LEN;

/// A payload that is being put together.
pub(crate) type Payload = Vec<u8, MAX_PAYLOAD_LEN>;

/// Takes a payload apart from its front.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    pub fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub fn u8(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    pub fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// Takes a length of one byte and a text of as many.
    pub fn text(&mut self) -> Option<&'a str> {
        let len = self.u8()?;
        core::str::from_utf8(self.take(usize::from(len))?).ok()
    }

    /// Returns `Some` if nothing is left.
    pub fn end(self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

/// Appends a length of one byte and a text of at most `max_len` bytes; what is longer is cut.
pub(crate) fn put_text(out: &mut Payload, text: &str, max_len: usize) -> Option<()> {
    let text = text.get(..text.floor_char_boundary(max_len))?;
    out.push(u8::try_from(text.len()).ok()?).ok()?;
    out.extend_from_slice(text.as_bytes()).ok()
}
