//! SHA-256 as HMAC uses it: states, whole blocks, one final padding (FIPS 180-4 §5.1.1, §6.2).

use sha2::block_api::compress256;
use zeroize::Zeroizing;

/// Length of a SHA-256 block in bytes.
pub(crate) const BLOCK_LEN: usize = 64;
/// Length of a SHA-256 digest, and so of an HS256 signature, in bytes.
pub(crate) const DIGEST_LEN: usize = 32;

pub(crate) type Block = [u8; BLOCK_LEN];
pub(crate) type Digest = [u8; DIGEST_LEN];
pub(crate) type State = [u32; 8];

/// The initial hash value (FIPS 180-4 §5.3.3).
pub(crate) const INITIAL: State = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// Absorbs whole blocks into `state`.
#[inline]
pub(crate) fn compress(state: &mut State, blocks: &[Block]) {
    #[cfg(test)]
    count::add(blocks.len());
    compress256(state, blocks);
}

/// Absorbs `rest` and the padding of a message, of which `absorbed` bytes are absorbed already, a
/// multiple of 64.
///
/// Two blocks, if it takes two, are compressed in one call, which is faster than two calls.
#[inline]
pub(crate) fn finish(state: &mut State, absorbed: usize, rest: &[u8]) {
    let (blocks, tail) = rest.as_chunks::<BLOCK_LEN>();
    if !blocks.is_empty() {
        compress(state, blocks);
    }

    let mut padded = [[0u8; BLOCK_LEN]; 2];
    let bytes = padded.as_flattened_mut();
    for (slot, byte) in bytes.iter_mut().zip(tail) {
        *slot = *byte;
    }
    if let Some(end) = bytes.get_mut(tail.len()) {
        *end = 0x80;
    }
    let last = if tail.len() < BLOCK_LEN - 8 {
        &mut padded[..1]
    } else {
        &mut padded[..]
    };
    let bits = (absorbed as u64).wrapping_add(rest.len() as u64) << 3;
    if let Some(length) = last.as_flattened_mut().last_chunk_mut::<8>() {
        *length = bits.to_be_bytes();
    }
    compress(state, last);
}

/// Absorbs the end of a message of `len` bytes and the padding, in the place where the end is: the
/// first `filled` bytes of `block`, fewer than all, with zeros after them.
#[inline]
pub(crate) fn finish_in_place(state: &mut State, block: &mut Block, filled: usize, len: usize) {
    if let Some(end) = block.get_mut(filled) {
        *end = 0x80;
    }
    if filled >= BLOCK_LEN - 8 {
        compress(state, core::slice::from_ref(block));
        *block = [0; BLOCK_LEN];
    }
    if let Some(length) = block.last_chunk_mut::<8>() {
        *length = ((len as u64) << 3).to_be_bytes();
    }
    compress(state, core::slice::from_ref(block));
}

/// Writes the digest of the concatenated `parts` to the start of `block`, which holds zeros, and zeros
/// after it.
///
/// The parts are secret: nothing of them is left elsewhere.
pub(crate) fn digest_parts(parts: &[&[u8]], block: &mut Block) {
    let mut state = Zeroizing::new(INITIAL);
    let mut len = 0usize;
    let mut filled = 0;
    for byte in parts.iter().copied().flatten() {
        if let Some(slot) = block.get_mut(filled) {
            *slot = *byte;
        }
        len = len.wrapping_add(1);
        filled += 1;
        if filled == BLOCK_LEN {
            compress(&mut state, core::slice::from_ref(block));
            *block = [0; BLOCK_LEN];
            filled = 0;
        }
    }
    finish_in_place(&mut state, block, filled, len);
    *block = [0; BLOCK_LEN];
    write_digest(&state, block);
}

/// Writes a state's words, as much of them as fits, to `bytes`.
#[inline]
pub(crate) fn write_digest(state: &State, bytes: &mut [u8]) {
    for (bytes, word) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
}

/// Counts compressions, so that tests can hold the template to its promise.
#[cfg(test)]
pub(crate) mod count {
    use core::cell::Cell;

    std::thread_local!(static COMPRESSIONS: Cell<usize> = const { Cell::new(0) });

    pub(crate) fn add(blocks: usize) {
        COMPRESSIONS.set(COMPRESSIONS.get() + blocks);
    }

    /// Runs `work` and returns how many blocks it compressed on this thread.
    pub(crate) fn during(work: impl FnOnce()) -> usize {
        let before = COMPRESSIONS.get();
        work();
        COMPRESSIONS.get() - before
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sha2::{Digest as _, Sha256};

    proptest! {
        /// Any split into parts hashes as the whole does in the `sha2` crate.
        #[test]
        fn digest_of_parts_is_digest_of_whole(
            parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..150), 0..5)
        ) {
            let slices: std::vec::Vec<&[u8]> = parts.iter().map(|part| part.as_slice()).collect();
            let expected: Digest = Sha256::digest(parts.concat()).into();
            let mut block = [0; BLOCK_LEN];
            digest_parts(&slices, &mut block);
            prop_assert_eq!(&block[..DIGEST_LEN], expected);
            prop_assert_eq!(&block[DIGEST_LEN..], [0; DIGEST_LEN]);
        }
    }
}
