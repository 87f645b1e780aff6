//! Reading and writing the small binary forms of records.

/// Takes a value apart from its front.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(taken)
    }

    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub fn byte(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    /// Takes a length of one byte and as many bytes.
    pub fn short(&mut self) -> Option<&'a [u8]> {
        let len = self.byte()?;
        self.take(usize::from(len))
    }

    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

/// Puts a value together in a buffer.
pub(crate) struct Writer<'o> {
    out: &'o mut [u8],
    len: usize,
}

impl<'o> Writer<'o> {
    pub const fn new(out: &'o mut [u8]) -> Self {
        Self { out, len: 0 }
    }

    pub fn put(&mut self, bytes: &[u8]) -> Option<()> {
        let end = self.len.checked_add(bytes.len())?;
        let place = self.out.get_mut(self.len..end)?;
        for (slot, byte) in place.iter_mut().zip(bytes) {
            *slot = *byte;
        }
        self.len = end;
        Some(())
    }

    /// Puts a length of one byte and the bytes.
    pub fn short(&mut self, bytes: &[u8]) -> Option<()> {
        let len = u8::try_from(bytes.len()).ok()?;
        self.put(&[len])?;
        self.put(bytes)
    }

    pub fn finish(self) -> Option<&'o [u8]> {
        self.out.get(..self.len)
    }
}
