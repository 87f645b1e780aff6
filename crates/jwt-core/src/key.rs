//! The software HMAC-SHA256 key: RFC 2104 §4's two precomputed states.

use core::convert::Infallible;
use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::engine::MacEngine;
use crate::sha256::{self, BLOCK_LEN, Block, DIGEST_LEN, Digest, State};

/// Fewest bytes of a key that [`HmacKey::new`] accepts: the hash's output size (RFC 7518 §3.2).
pub const MIN_KEY_LEN: usize = 32;

/// Length of a prepared key in bytes: two SHA-256 states.
pub const PREPARED_LEN: usize = 64;

/// An HMAC-SHA256 key, prepared once into the two SHA-256 states that every MAC starts from.
///
/// The key's bytes are not kept. The states are signing-equivalent, so they are zeroized on drop
/// and never printed; copies that the compiler leaves in registers or on the stack are not covered.
///
/// ```
/// # fn main() -> Result<(), jwt_core::KeyError> {
/// // Heymarket's key is ID || KEY, here with its documentation's example.
/// let key = jwt_core::HmacKey::from_parts(&[
///     b"74f80a77-9b3f-44ac-b3ad-ab68cfb548fa",
///     b"||",
///     b"cPQku7lnSLbnK88UFOBg1a6Q3t1w1RgK",
/// ])?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct HmacKey {
    inner: State,
    outer: State,
}

impl HmacKey {
    /// Prepares a key of at least [`MIN_KEY_LEN`] bytes.
    ///
    /// # Errors
    /// [`KeyError::Empty`] and [`KeyError::TooShort`].
    pub fn new(key: &[u8]) -> Result<Self, KeyError> {
        Self::from_parts(&[key])
    }

    /// Prepares the key that is the concatenation of `parts`, together at least [`MIN_KEY_LEN`] bytes.
    ///
    /// # Errors
    /// [`KeyError::Empty`] and [`KeyError::TooShort`].
    pub fn from_parts(parts: &[&[u8]]) -> Result<Self, KeyError> {
        match total_len(parts) {
            len @ 1..MIN_KEY_LEN => Err(KeyError::TooShort { len }),
            _ => Self::weak(parts),
        }
    }

    /// Prepares the concatenation of `parts` whatever its length, against RFC 7518's advice.
    ///
    /// For peers that issue keys under 32 bytes, and for test vectors.
    ///
    /// # Errors
    /// [`KeyError::Empty`].
    pub fn weak(parts: &[&[u8]]) -> Result<Self, KeyError> {
        let len = total_len(parts);
        if len == 0 {
            return Err(KeyError::Empty);
        }
        let mut block = Zeroizing::new([0u8; BLOCK_LEN]);
        if len > BLOCK_LEN {
            sha256::digest_parts(parts, &mut block);
        } else {
            for (slot, byte) in block.iter_mut().zip(parts.iter().copied().flatten()) {
                *slot = *byte;
            }
        }
        let mut key = Self {
            inner: sha256::INITIAL,
            outer: sha256::INITIAL,
        };
        // RFC 2104 section 2: the key XORed with either byte starts the inner and the outer hash.
        for (state, pad) in [(&mut key.inner, 0x36), (&mut key.outer, 0x36 ^ 0x5c)] {
            block.iter_mut().for_each(|byte| *byte ^= pad);
            sha256::compress(state, core::slice::from_ref(&block));
        }
        Ok(key)
    }

    /// Returns the prepared key for a store: the inner state's words, then the outer's, big-endian.
    ///
    /// It signs whatever the key signs, but the key itself can't be computed from it.
    pub fn to_prepared(&self) -> Zeroizing<[u8; PREPARED_LEN]> {
        let mut bytes = Zeroizing::new([0; PREPARED_LEN]);
        let words = self.inner.iter().chain(&self.outer);
        for (bytes, word) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(words) {
            *bytes = word.to_be_bytes();
        }
        bytes
    }

    /// Takes a key over that [`to_prepared`](Self::to_prepared) has given out.
    pub fn from_prepared(bytes: &[u8; PREPARED_LEN]) -> Self {
        let mut key = Self {
            inner: [0; 8],
            outer: [0; 8],
        };
        let words = key.inner.iter_mut().chain(&mut key.outer);
        for (word, bytes) in words.zip(bytes.as_chunks::<4>().0) {
            *word = u32::from_be_bytes(*bytes);
        }
        key
    }
}

fn total_len(parts: &[&[u8]]) -> usize {
    parts
        .iter()
        .fold(0, |len: usize, part| len.saturating_add(part.len()))
}

impl Drop for HmacKey {
    fn drop(&mut self) {
        self.inner.zeroize();
        self.outer.zeroize();
    }
}

impl ZeroizeOnDrop for HmacKey {}

impl fmt::Debug for HmacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HmacKey(..)")
    }
}

/// The inner SHA-256 state of an [`HmacKey`] after a message's first blocks; zeroized on drop.
pub struct Midstate {
    state: State,
    absorbed: usize,
}

impl Drop for Midstate {
    fn drop(&mut self) {
        self.state.zeroize();
    }
}

impl ZeroizeOnDrop for Midstate {}

impl fmt::Debug for Midstate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Midstate(..)")
    }
}

impl MacEngine for &HmacKey {
    type Error = Infallible;
    type Midstate = Midstate;

    fn absorb(&mut self, blocks: &[Block]) -> Result<Midstate, Infallible> {
        let mut state = self.inner;
        sha256::compress(&mut state, blocks);
        Ok(Midstate {
            state,
            absorbed: blocks.as_flattened().len(),
        })
    }

    #[inline]
    fn finish(&mut self, midstate: &Midstate, message: &[u8]) -> Result<Digest, Infallible> {
        let rest = message.get(midstate.absorbed..).unwrap_or_default();
        // Each state starts with its padded key: one more block than the message shows.
        let mut inner = midstate.state;
        sha256::finish(&mut inner, BLOCK_LEN + midstate.absorbed, rest);
        let mut block = [0; BLOCK_LEN];
        sha256::write_digest(&inner, &mut block);
        let mut outer = self.outer;
        sha256::finish_in_place(&mut outer, &mut block, DIGEST_LEN, BLOCK_LEN + DIGEST_LEN);
        let mut digest = [0; DIGEST_LEN];
        sha256::write_digest(&outer, &mut digest);
        Ok(digest)
    }
}

impl MacEngine for HmacKey {
    type Error = Infallible;
    type Midstate = Midstate;

    fn absorb(&mut self, blocks: &[Block]) -> Result<Midstate, Infallible> {
        (&*self).absorb(blocks)
    }

    #[inline]
    fn finish(&mut self, midstate: &Midstate, message: &[u8]) -> Result<Digest, Infallible> {
        (&*self).finish(midstate, message)
    }
}

/// Why a key was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// The key has no bytes.
    Empty,
    /// The key has fewer than [`MIN_KEY_LEN`] bytes.
    TooShort {
        /// How many bytes it has.
        len: usize,
    },
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the HMAC key is empty: give the API's secret"),
            Self::TooShort { len } => write!(
                f,
                "the HMAC key has {len} bytes, HS256 wants at least {MIN_KEY_LEN} (RFC 7518 section 3.2): \
                 have a longer secret issued, or prepare it as a weak key on purpose"
            ),
        }
    }
}

impl core::error::Error for KeyError {}
