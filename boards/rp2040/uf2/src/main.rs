//! Builds the firmware and puts it into a UF2 file beside the ELF.
//!
//! The format: https://github.com/microsoft/uf2. The RP2040's boot ROM (datasheet, section 2.8.4.2) wants pages
//! of 256 bytes at addresses that are multiples of it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::{env, fs, io};

const MAGIC: [u32; 3] = [0x0a32_4655, 0x9e5d_5157, 0x0ab1_6f30];
const FAMILY_ID_PRESENT: u32 = 0x2000;
const RP2040: u32 = 0xe48b_ff56;
const PAGE_LEN: usize = 256;
const BLOCK_LEN: usize = 512;

const FLASH: std::ops::Range<u64> = 0x1000_0000..0x1020_0000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let board = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let target =
        env::var_os("CARGO_TARGET_DIR").map_or_else(|| board.join("target"), PathBuf::from);
    let built = Command::new("cargo")
        .args(["build", "--release", "--locked", "--target-dir"])
        .arg(&target)
        .current_dir(&board)
        .status()?;
    if !built.success() {
        return Err("the firmware was not built".into());
    }
    let elf = target.join("thumbv6m-none-eabi/release/gateway-rp2040");
    let pages = pages(&fs::read(&elf)?)?;
    let uf2 = elf.with_extension("uf2");
    fs::write(&uf2, encode(&pages)?)?;
    println!("{}\n{}", elf.display(), uf2.display());
    Ok(())
}

/// Returns what the ELF puts into the flash, page by page; gaps in a page are as erased.
fn pages(elf: &[u8]) -> object::Result<BTreeMap<u32, [u8; PAGE_LEN]>> {
    let elf = object::File::parse(elf)?;
    let mut pages = BTreeMap::new();
    let object::File::Elf32(elf) = &elf else {
        return Ok(pages);
    };
    for header in elf.elf_program_headers() {
        let endian = elf.endian();
        // Data for the RAM lies in the flash at its physical address.
        let start = u64::from(header.p_paddr.get(endian));
        let data = object::read::elf::ProgramHeader::data(header, endian, elf.data());
        let is_load = header.p_type.get(endian) == object::elf::PT_LOAD;
        if !is_load || !FLASH.contains(&start) {
            continue;
        }
        for (address, byte) in (start as u32..).zip(data.unwrap_or_default()) {
            let offset = address as usize % PAGE_LEN;
            let page = pages
                .entry(address - offset as u32)
                .or_insert([0xff; PAGE_LEN]);
            page[offset] = *byte;
        }
    }
    Ok(pages)
}

fn encode(pages: &BTreeMap<u32, [u8; PAGE_LEN]>) -> io::Result<Vec<u8>> {
    let count = u32::try_from(pages.len()).map_err(io::Error::other)?;
    let mut uf2 = Vec::with_capacity(pages.len() * BLOCK_LEN);
    for (number, (address, page)) in (0..).zip(pages) {
        let [first, second, last] = MAGIC;
        let len = PAGE_LEN as u32;
        let head = [
            first,
            second,
            FAMILY_ID_PRESENT,
            *address,
            len,
            number,
            count,
            RP2040,
        ];
        let mut block = [0; BLOCK_LEN];
        for (to, word) in block.chunks_exact_mut(4).zip(head) {
            to.copy_from_slice(&word.to_le_bytes());
        }
        block[32..32 + PAGE_LEN].copy_from_slice(page);
        block[BLOCK_LEN - 4..].copy_from_slice(&last.to_le_bytes());
        uf2.extend_from_slice(&block);
    }
    Ok(uf2)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The header and the trailer are those of the format's own page, field by field.
    #[test]
    fn a_page_becomes_a_block() {
        let uf2 = encode(&BTreeMap::from([(0x1000_0100, [7; PAGE_LEN])])).unwrap();
        assert_eq!(uf2.len(), 512);
        assert_eq!(&uf2[..8], b"UF2\nWQ]\x9e");
        assert_eq!(uf2[8..12], [0, 0x20, 0, 0]);
        assert_eq!(uf2[12..16], [0, 1, 0, 0x10]);
        assert_eq!(uf2[16..28], [0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]);
        assert_eq!(uf2[28..32], [0x56, 0xff, 0x8b, 0xe4]);
        assert!(uf2[32..288].iter().all(|byte| *byte == 7));
        assert!(uf2[288..508].iter().all(|byte| *byte == 0));
        assert_eq!(uf2[508..], [0x30, 0x6f, 0xb1, 0x0a]);
    }
}
