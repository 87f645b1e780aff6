//! UF2, Microsoft's format for flashing over USB mass storage: blocks of 512 bytes, 256 of them payload.
//!
//! | offset | content |
//! | --- | --- |
//! | 0, 4 | `0A324655` ("UF2\n"), `9E5D5157` |
//! | 8 | flags: `00002000`, a family ID is there |
//! | 12 | the address of the payload |
//! | 16 | the length of the payload: 256, the only one that the RP2040's boot ROM takes |
//! | 20, 24 | the number of the block, the number of blocks |
//! | 28 | the family ID |
//! | 32 | the payload, then zeros |
//! | 508 | `0AB16F30` |

use zeroize::Zeroizing;

/// The RP2040's family ID (its datasheet, section 2.8.4.2).
pub const RP2040_FAMILY: u32 = 0xe48b_ff56;

const BLOCK_LEN: usize = 512;
const PAYLOAD_LEN: usize = 256;
const MAGIC: [u32; 2] = [0x0a32_4655, 0x9e5d_5157];
const END_MAGIC: u32 = 0x0ab1_6f30;
const FAMILY_ID_PRESENT: u32 = 0x2000;

/// Returns the UF2 file that writes `bytes`, a multiple of 256 of them, at an address.
pub fn encode(bytes: &[u8], address: u32, family: u32) -> Zeroizing<Vec<u8>> {
    let count = bytes.len() / PAYLOAD_LEN;
    let mut file = Zeroizing::new(Vec::with_capacity(count * BLOCK_LEN));
    for (number, payload) in (0..).zip(bytes.chunks_exact(PAYLOAD_LEN)) {
        let words = [
            MAGIC[0],
            MAGIC[1],
            FAMILY_ID_PRESENT,
            address + number * PAYLOAD_LEN as u32,
            PAYLOAD_LEN as u32,
            number,
            count as u32,
            family,
        ];
        let start = file.len();
        file.extend(words.into_iter().flat_map(u32::to_le_bytes));
        file.extend_from_slice(payload);
        file.resize(start + BLOCK_LEN - 4, 0);
        file.extend(END_MAGIC.to_le_bytes());
    }
    file
}

/// What a UF2 file writes, and where.
pub struct Decoded {
    /// The address of the first byte.
    pub address: u32,
    /// The bytes.
    pub bytes: Zeroizing<Vec<u8>>,
}

/// Whether a file begins as a UF2 file does.
pub fn is_uf2(file: &[u8]) -> bool {
    file.starts_with(&MAGIC[0].to_le_bytes())
}

/// Reads a UF2 file for the RP2040 whose blocks follow each other.
///
/// # Errors
/// What is wrong with which block.
pub fn decode(file: &[u8]) -> Result<Decoded, String> {
    let (blocks, rest) = file.as_chunks::<BLOCK_LEN>();
    if blocks.is_empty() || !rest.is_empty() {
        return Err("its length is no multiple of 512 bytes".into());
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(blocks.len() * PAYLOAD_LEN));
    let mut first = 0;
    for (number, block) in (0..).zip(blocks) {
        let word = |at: usize| {
            let word = block[at..].first_chunk();
            word.map_or(0, |word| u32::from_le_bytes(*word))
        };
        let wrong = |what: &str| Err(format!("block {number} has another {what}"));
        if [word(0), word(4)] != MAGIC || word(508) != END_MAGIC {
            return wrong("magic number");
        }
        if word(8) & FAMILY_ID_PRESENT == 0 || word(28) != RP2040_FAMILY {
            return wrong("family");
        }
        if word(16) != PAYLOAD_LEN as u32 {
            return wrong("payload length");
        }
        if word(20) != number || word(24) as usize != blocks.len() {
            return wrong("number");
        }
        if number == 0 {
            first = word(12);
        }
        if word(12) != first.wrapping_add(number.wrapping_mul(PAYLOAD_LEN as u32)) {
            return wrong("address");
        }
        bytes.extend_from_slice(&block[32..32 + PAYLOAD_LEN]);
    }
    Ok(Decoded {
        address: first,
        bytes,
    })
}
