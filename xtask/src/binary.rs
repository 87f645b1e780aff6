//! Reads which function of a linked binary refers to which, and from what line of source.

use std::path::Path;

use addr2line::Context as Lines;
use anyhow::{Context, Result, ensure};
use gimli::{EndianSlice, LittleEndian};
use object::elf::{FileHeader32, R_ARM_ABS32};
use object::read::elf::ElfFile;
use object::{
    LittleEndian as Elf32, Object, ObjectSection, ObjectSymbol, RelocationFlags, RelocationTarget,
    SymbolKind,
};

const ARM_ABSOLUTE: RelocationFlags = RelocationFlags::Elf {
    r_type: R_ARM_ABS32,
};

/// A function in a binary.
pub struct Function {
    /// The name as it stands in the source, without the compiler's hash.
    pub name: String,
    start: u64,
    size: u64,
}

/// A call of a function, or a use of its address.
pub struct Reference {
    /// Index of the function that contains the reference; none for one in data.
    pub from: Option<usize>,
    /// Index of the function referred to.
    pub to: usize,
    /// Source files and lines that the reference was compiled from, the innermost inlined one first.
    pub lines: Vec<(String, u32)>,
}

/// Functions of a binary that was linked with `--emit-relocs`, and the references between them.
pub struct Binary {
    pub functions: Vec<Function>,
    pub references: Vec<Reference>,
}

impl Binary {
    /// Reads a 32-bit little-endian ELF file.
    ///
    /// # Errors
    /// It is not one, or it has no symbols or no relocations left.
    pub fn read(data: &[u8]) -> Result<Self> {
        let elf = ElfFile::<FileHeader32<Elf32>>::parse(data)?;
        let functions = functions(&elf)?;
        let lines = Lines::from_dwarf(gimli::Dwarf::load(|section| {
            let section = elf.section_by_name(section.name());
            let data = section.map_or(Ok(&[][..]), |section| section.data());
            data.map(|data| EndianSlice::new(data, LittleEndian))
        })?)?;

        let mut references = Vec::new();
        for section in elf.sections() {
            // Debug information refers to functions too, but is not loaded anywhere.
            if section.address() == 0 {
                continue;
            }
            for (address, relocation) in section.relocations() {
                let RelocationTarget::Symbol(index) = relocation.target() else {
                    continue;
                };
                let absolute = relocation.flags() == ARM_ABSOLUTE;
                let target = if absolute {
                    // ARM keeps the addend in the section, where the linker has added the symbol.
                    let word = section
                        .data_range(address, 4)?
                        .and_then(|word| word.try_into().ok());
                    u32::from_le_bytes(word.context("a relocation outside its section")?).into()
                } else {
                    let symbol = elf.symbol_by_index(index)?.address();
                    symbol.wrapping_add_signed(relocation.addend())
                };
                if let Some(to) = at(&functions, target) {
                    references.push(Reference {
                        from: at(&functions, address),
                        to,
                        lines: source(&lines, address)?,
                    });
                }
            }
        }
        ensure!(!references.is_empty(), "the binary has no relocations");
        Ok(Self {
            functions,
            references,
        })
    }
}

/// Returns the functions by rising address.
fn functions(elf: &ElfFile<'_, FileHeader32<Elf32>>) -> Result<Vec<Function>> {
    let mut functions = Vec::new();
    for symbol in elf.symbols() {
        if symbol.kind() == SymbolKind::Text && symbol.size() > 0 {
            functions.push(Function {
                name: format!("{:#}", rustc_demangle::demangle(symbol.name()?)),
                start: even(symbol.address()),
                size: symbol.size(),
            });
        }
    }
    ensure!(!functions.is_empty(), "the binary has no symbols");
    functions.sort_by_key(|function| function.start);
    Ok(functions)
}

/// Returns the index of the function that holds `address`.
fn at(functions: &[Function], address: u64) -> Option<usize> {
    let address = even(address);
    let after = functions.partition_point(|function| function.start <= address);
    let holds = |function: &Function| address - function.start < function.size;
    functions[..after].iter().rposition(holds)
}

/// Clears the lowest bit, which tells the instruction set in an ARM function's address.
fn even(address: u64) -> u64 {
    address & !1
}

type Dwarf<'a> = EndianSlice<'a, LittleEndian>;

fn source(lines: &Lines<Dwarf<'_>>, address: u64) -> Result<Vec<(String, u32)>> {
    let mut found = Vec::new();
    let mut frames = lines.find_frames(address).skip_all_loads()?;
    while let Some(frame) = frames.next()? {
        if let Some(place) = frame.location {
            let file = place.file.unwrap_or_default().to_owned();
            found.push((file, place.line.unwrap_or_default()));
        }
    }
    Ok(found)
}

/// Reads the binary at `path`; see [`Binary::read`].
pub fn read(path: &Path) -> Result<(Vec<u8>, Binary)> {
    let data = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    let binary = Binary::read(&data).with_context(|| format!("reading {}", path.display()))?;
    Ok((data, binary))
}
