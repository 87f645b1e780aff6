//! The limit of signing again: the SHA-256 compressions that depend on the time of issue, alone.

use std::hint::black_box;

use anyhow::{Context, Result};
use sha2::block_api::compress256;

use crate::{ID, KEY, TOKEN};

const BLOCK_LEN: usize = 64;
const DIGEST_LEN: usize = 32;

type Block = [u8; BLOCK_LEN];
type State = [u32; 8];

/// The initial hash value (FIPS 180-4 section 5.3.3).
const INITIAL: State = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// Returns a loop that computes the MAC of the documented example from its prepared states.
///
/// The key and the message's first block are absorbed beforehand. Two blocks in one call end the
/// inner hash, and its digest is the outer hash's only block. Which of two equal messages comes next
/// depends on the digest before it.
///
/// # Errors
/// The documented example is not the one that this is written for.
pub fn run() -> Result<impl FnMut(u64, u64, &mut Vec<u8>) -> Result<()>> {
    let (message, _signature) = TOKEN.rsplit_once('.').context("the example has no dot")?;
    let (first, rest) = message
        .as_bytes()
        .split_first_chunk::<BLOCK_LEN>()
        .context("the example is short")?;

    let key = digest(&format!("{ID}||{KEY}"));
    let inner = absorb(absorb(INITIAL, &keyed(&key, 0x36)), first);
    let outer = absorb(INITIAL, &keyed(&key, 0x5c));
    let last_two: [Block; 2] = *padded(rest, BLOCK_LEN + message.len())
        .first_chunk()
        .context("the example is short")?;
    let messages = [last_two; 2];
    let outer_block: Block = padded(&[0; DIGEST_LEN], BLOCK_LEN + DIGEST_LEN)[0];

    let mut next = 0;
    Ok(move |_, count, last: &mut Vec<u8>| {
        let mut mac = inner;
        for _ in 0..count {
            let mut state = inner;
            compress256(&mut state, &messages[next]);
            let mut block = outer_block;
            block[..DIGEST_LEN].copy_from_slice(&bytes(state));
            mac = outer;
            compress256(&mut mac, &[block]);
            mac = black_box(mac);
            next = (mac[7] & 1) as usize;
        }
        last.clear();
        last.extend_from_slice(&bytes(mac));
        Ok(())
    })
}

fn absorb(mut state: State, block: &Block) -> State {
    compress256(&mut state, std::slice::from_ref(block));
    state
}

/// Returns the key in a block, XORed with `pad` (RFC 2104 section 2).
fn keyed(key: &[u8; DIGEST_LEN], pad: u8) -> Block {
    let mut block = [pad; BLOCK_LEN];
    for (slot, byte) in block.iter_mut().zip(key) {
        *slot ^= byte;
    }
    block
}

fn digest(text: &str) -> [u8; DIGEST_LEN] {
    let mut state = INITIAL;
    compress256(&mut state, &padded(text.as_bytes(), text.len()));
    bytes(state)
}

/// Returns `rest`, the end of a message of `message_len` bytes, in padded blocks.
fn padded(rest: &[u8], message_len: usize) -> Vec<Block> {
    let mut bytes = rest.to_vec();
    bytes.push(0x80);
    while bytes.len() % BLOCK_LEN != BLOCK_LEN - 8 {
        bytes.push(0);
    }
    bytes.extend((8 * message_len as u64).to_be_bytes());
    bytes.as_chunks().0.to_vec()
}

fn bytes(state: State) -> [u8; DIGEST_LEN] {
    let mut bytes = [0; DIGEST_LEN];
    for (slot, word) in bytes.as_chunks_mut().0.iter_mut().zip(state) {
        *slot = word.to_be_bytes();
    }
    bytes
}
