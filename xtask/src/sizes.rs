//! Weighs the boards' firmware and holds it to the budget in `boards/budget.toml`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use object::{Object, ObjectSection, SectionFlags, SectionKind, elf};
use serde::Deserialize;
use serde_json::Value;

use crate::install;
use crate::layout::Layout;
use crate::runner::{Log, Stop};

const BUDGET: &str = "boards/budget.toml";

/// The section that is what the others leave of the RAM.
const REST: &str = ".stack";

/// What ends the name of a section that only keeps another's addresses free.
const PLACEHOLDER: &str = "_dummy";

/// A chip, and how the firmware and the examples of its board are built.
pub struct Chip {
    pub name: &'static str,
    pub board: &'static str,
    pub target: &'static str,
    /// Cargo's arguments that choose the firmware, and the examples: those are built without what only the firmware needs.
    pub builds: [&'static [&'static str]; 2],
    /// Where its RAM begins and ends; the ESP32-C3 has it at two places, one for code and one for data.
    ram: &'static [(u64, u64)],
}

/// The chips whose firmware stable Rust builds.
///
/// Addresses are those of the chips' own documents: RP2040 datasheet, section 2.2.1; ESP32-C3 and ESP32-C6 technical
/// reference manuals, chapter "System and Memory".
pub const CHIPS: [Chip; 3] = [
    Chip {
        name: "rp2040",
        board: "boards/rp2040",
        target: "thumbv6m-none-eabi",
        builds: [
            &["--bins"],
            &[
                "--examples",
                "--no-default-features",
                "--features",
                "last-words",
            ],
        ],
        ram: &[(0x2000_0000, 0x2004_2000)],
    },
    Chip {
        name: "esp32c3",
        board: "boards/esp32",
        target: "riscv32imc-unknown-none-elf",
        builds: [
            &["--bins", "--features", "esp32c3"],
            &[
                "--examples",
                "--no-default-features",
                "--features",
                "esp32c3",
            ],
        ],
        ram: &[(0x3fc8_0000, 0x3fce_0000), (0x4037_c000, 0x403e_0000)],
    },
    Chip {
        name: "esp32c6",
        board: "boards/esp32",
        target: "riscv32imac-unknown-none-elf",
        builds: [
            &["--bins", "--features", "esp32c6"],
            &[
                "--examples",
                "--no-default-features",
                "--features",
                "esp32c6",
            ],
        ],
        ram: &[(0x4080_0000, 0x4088_0000)],
    },
];

/// Bytes of a binary, or as many as it may have.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Size {
    /// Code and data as they are flashed.
    flash: u64,
    /// What is taken when the program starts; the stack and what is allocated come on top.
    ram: u64,
}

type Budget = BTreeMap<String, BTreeMap<String, Size>>;

/// Builds every binary, shows what each takes, and fails if one takes more than it may: what the budget doesn't
/// name may take nothing.
pub fn check(layout: &Layout, log: &mut Log) -> Result<(), Stop> {
    let budget: Budget = toml::from_str(&fs::read_to_string(layout.root(BUDGET))?)?;
    let mut over = Vec::new();
    log.note(format!(
        "{:<9} {:<14} {:>9} {:>9}   {:>9} {:>9}",
        "chip", "binary", "flash", "of", "RAM", "of"
    ))?;
    for chip in &CHIPS {
        for (name, path) in build(layout, log, chip)? {
            let size = size(chip, &path)?;
            let most = budget.get(chip.name).and_then(|chip| chip.get(&name));
            let most = most.copied().unwrap_or_default();
            log.note(format!(
                "{:<9} {name:<14} {:>9} {:>9}   {:>9} {:>9}",
                chip.name, size.flash, most.flash, size.ram, most.ram
            ))?;
            for (what, size, most) in [
                ("flash", size.flash, most.flash),
                ("RAM", size.ram, most.ram),
            ] {
                if size > most {
                    over.push(format!(
                        "{name} on {} takes {size} bytes of {what}",
                        chip.name
                    ));
                }
            }
        }
    }
    match over.is_empty() {
        true => Ok(()),
        false => {
            let over = over.join(", ");
            Err(
                anyhow!("{over}: make it smaller, or raise {BUDGET} and say in the commit why")
                    .into(),
            )
        }
    }
}

/// Builds a chip's firmware and examples as they are flashed, and returns their names and files.
fn build(layout: &Layout, log: &mut Log, chip: &Chip) -> Result<Vec<(String, PathBuf)>, Stop> {
    install::mbedtls(layout, log)?;
    let mut binaries = Vec::new();
    for arguments in chip.builds {
        binaries.append(&mut build_some(layout, log, chip, arguments)?);
    }
    binaries.sort();
    Ok(binaries)
}

/// Builds what Cargo's arguments choose of a chip's binaries as they are flashed, and returns their names and files.
pub fn build_some(
    layout: &Layout,
    log: &mut Log,
    chip: &Chip,
    arguments: &[&str],
) -> Result<Vec<(String, PathBuf)>, Stop> {
    install::targets(layout, log, &[chip.target])?;
    let mut build = layout.cargo(["build", "--locked", "--release", "--target", chip.target]);
    build.args(arguments);
    build.arg("--message-format=json-render-diagnostics");
    let messages = log.output(build.current_dir(layout.root(chip.board)))?;
    let mut binaries = Vec::new();
    for line in messages.lines() {
        let message: Value = serde_json::from_str(line)?;
        if let Some(file) = message["executable"].as_str() {
            let name = message["target"]["name"].as_str();
            let name = name.context("a binary without a name")?;
            binaries.push((name.to_owned(), file.into()));
        }
    }
    Ok(binaries)
}

/// Returns what a linked binary takes.
fn size(chip: &Chip, path: &Path) -> Result<Size> {
    let data = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    let file = object::File::parse(&*data)?;
    let mut size = Size { flash: 0, ram: 0 };
    for section in file.sections() {
        let SectionFlags::Elf { sh_flags, .. } = section.flags() else {
            continue;
        };
        let allocated = sh_flags.contains(elf::SHF_ALLOC);
        let name = section.name()?;
        if !allocated || name == REST || name.ends_with(PLACEHOLDER) {
            continue;
        }
        if section.kind() != SectionKind::UninitializedData {
            size.flash += section.size();
        }
        let address = section.address();
        let inside = |(start, end): &(u64, u64)| (*start..*end).contains(&address);
        if chip.ram.iter().any(inside) {
            size.ram += section.size();
        }
    }
    Ok(size)
}
