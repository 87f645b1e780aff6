//! The value of an `Authorization` header, owned, in fixed storage.

use core::fmt;

use jwt_core::{MacEngine, SignError, Template, Times};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::scheme::{FIELD, Scheme, basic_len};

/// What goes behind `Authorization:`, at most `N` bytes, zeroized on drop; `Debug` doesn't show it.
///
/// The crate alone makes it, of visible ASCII and single spaces, so it can be written into a request
/// as it is: it has no CR, no LF and no other control that could end the line or start another.
/// [`Scheme::value_len`] tells which `N` a credential needs.
pub struct Authorization<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Authorization<N> {
    pub(crate) const EMPTY: Self = Self {
        bytes: [0; N],
        len: 0,
    };

    /// Makes the value of a checked key that is sent as it is.
    pub(crate) fn of_key(scheme: Scheme, key: &str) -> Result<Self, BufferTooSmall> {
        let mut value = Self::EMPTY;
        let needed = scheme.value_len(0, key.len());
        value.fill(scheme, needed, |out| match scheme {
            Scheme::Basic => basic(key, out),
            _ => copy(key.as_bytes(), out),
        })?;
        Ok(value)
    }

    /// Puts the scheme's prefix and what `write` puts behind it into the value; empty on failure.
    ///
    /// `write` returns the bytes written, all visible ASCII, or `None` if they don't fit.
    fn fill(
        &mut self,
        scheme: Scheme,
        needed: usize,
        write: impl FnOnce(&mut [u8]) -> Option<usize>,
    ) -> Result<(), BufferTooSmall> {
        self.clear();
        let prefix = scheme.prefix().as_bytes();
        let written = self
            .bytes
            .split_at_mut_checked(prefix.len())
            .and_then(|(head, rest)| {
                copy(prefix, head)?;
                write(rest)
            });
        self.len = written
            .ok_or(BufferTooSmall { needed })?
            .saturating_add(prefix.len());
        Ok(())
    }

    /// Signs a token into the value, which is empty on failure.
    pub(crate) fn sign_bearer<E: MacEngine>(
        &mut self,
        template: &mut Template<E, N>,
        times: &Times,
    ) -> Result<(), SignError<E::Error>> {
        self.clear();
        let prefix = Scheme::Bearer.prefix().as_bytes();
        let (head, rest) = match self.bytes.split_at_mut_checked(prefix.len()) {
            Some(parts) => parts,
            None => {
                return Err(SignError::BufferTooSmall {
                    needed: template.token_len(times),
                });
            }
        };
        let token_len = template.sign(times, rest)?.len();
        copy(prefix, head);
        self.len = prefix.len().saturating_add(token_len);
        Ok(())
    }

    /// Zeroizes the value.
    pub(crate) fn clear(&mut self) {
        self.bytes.zeroize();
        self.len = 0;
    }

    /// Returns the header's value, without its name.
    pub fn value(&self) -> &str {
        let bytes = self.bytes.get(..self.len).unwrap_or_default();
        core::str::from_utf8(bytes).unwrap_or_default()
    }

    /// Returns the length in bytes of the line that [`write_line`](Self::write_line) writes.
    pub fn line_len(&self) -> usize {
        FIELD.len().saturating_add(self.len)
    }

    /// Writes `Authorization: ` and the value, without CRLF, to the start of `out` and returns the line.
    ///
    /// # Errors
    /// [`BufferTooSmall`] if `out` is shorter than [`line_len`](Self::line_len); it is left untouched.
    pub fn write_line<'o>(&self, out: &'o mut [u8]) -> Result<&'o str, BufferTooSmall> {
        let needed = self.line_len();
        let line = out.get_mut(..needed).ok_or(BufferTooSmall { needed })?;
        for (to, from) in line
            .iter_mut()
            .zip(FIELD.bytes().chain(self.value().bytes()))
        {
            *to = from;
        }
        Ok(core::str::from_utf8(line).unwrap_or_default())
    }
}

impl<const N: usize> Drop for Authorization<N> {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl<const N: usize> ZeroizeOnDrop for Authorization<N> {}

impl<const N: usize> fmt::Debug for Authorization<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authorization(..)")
    }
}

/// Copies `bytes` to the start of `out` and returns how many they are, `None` if they don't fit.
fn copy(bytes: &[u8], out: &mut [u8]) -> Option<usize> {
    let out = out.get_mut(..bytes.len())?;
    for (to, from) in out.iter_mut().zip(bytes) {
        *to = *from;
    }
    Some(bytes.len())
}

/// Writes the padded base64 of `key` and a colon (RFC 7617 §2, RFC 4648 §4) and returns its length.
fn basic(key: &str, out: &mut [u8]) -> Option<usize> {
    let needed = basic_len(key.len());
    let (quads, _) = out.get_mut(..needed)?.as_chunks_mut::<4>();
    let mut user = key.bytes().chain([b':']);
    for quad in quads {
        let (first, second, third) = (user.next(), user.next(), user.next());
        let byte = |byte: Option<u8>| u32::from(byte.unwrap_or_default());
        let bits = byte(first) << 16 | byte(second) << 8 | byte(third);
        let char = |shift: u32| base64_char((bits >> shift) & 63);
        *quad = [
            char(18),
            char(12),
            second.map_or(b'=', |_| char(6)),
            third.map_or(b'=', |_| char(0)),
        ];
    }
    Some(needed)
}

/// Returns the character of six bits, by arithmetic instead of a table: the key isn't told by the cache.
///
/// A compiler may make branches of it all the same.
const fn base64_char(six_bits: u32) -> u8 {
    // All ones if the bits are above the limit.
    const fn above(limit: u32, six_bits: u32) -> u32 {
        ((limit.wrapping_sub(six_bits) as i32) >> 31) as u32
    }
    let offset = (b'A' as u32)
        .wrapping_add(above(25, six_bits) & 6)
        .wrapping_sub(above(51, six_bits) & 75)
        .wrapping_sub(above(61, six_bits) & 15)
        .wrapping_add(above(62, six_bits) & 3);
    six_bits.wrapping_add(offset) as u8
}

/// A buffer that doesn't hold what was to be written to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BufferTooSmall {
    /// The bytes that it has to have.
    pub needed: usize,
}

impl fmt::Display for BufferTooSmall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the buffer is too small: {} bytes are needed",
            self.needed
        )
    }
}

impl core::error::Error for BufferTooSmall {}
