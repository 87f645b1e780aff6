//! Makes one file of all that an ESP32's flash holds: boot loader, partition table, firmware and store.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use crate::install;
use crate::layout::Layout;
use crate::runner::{Log, Stop};
use crate::sizes::{self, CHIPS, Chip};

/// Where the partition table lies on every chip of the family.
const TABLE: usize = 0x8000;
const TABLE_LEN: usize = 0xc00;
const ENTRY_LEN: usize = 32;
/// What each of the table's entries begins with.
const ENTRY_MAGIC: [u8; 2] = [0xaa, 0x50];
const STORE: &str = "store";

/// The options of `cargo xtask image`.
#[derive(Args)]
pub struct Options {
    /// The chip.
    #[arg(long, default_value = "esp32c3", value_parser = ["esp32c3", "esp32c6"])]
    chip: String,

    /// The firmware, or the example that signs, which Rust alone builds.
    #[arg(long, default_value = "header", value_parser = ["gateway-esp32", "header"])]
    binary: String,

    /// The store of `gateway provision image`.
    #[arg(long, value_name = "FILE")]
    store: PathBuf,

    /// The file to write.
    #[arg(value_name = "FILE")]
    out: PathBuf,
}

/// Makes the image that the options ask for.
pub fn run(layout: &Layout, options: &Options) -> Result<()> {
    let mut log = Log::create(layout, "image")?;
    let chip = CHIPS.iter().find(|chip| chip.name == options.chip);
    let chip = chip.context("no such chip")?;
    match make(
        layout,
        &mut log,
        chip,
        &options.binary,
        &options.store,
        &options.out,
    ) {
        Ok(_) => {
            println!("{} is written", options.out.display());
            Ok(())
        }
        Err(Stop::Failed(error)) => Err(error.context("see target/xtask-logs/image.log")),
        Err(Stop::Skipped(reason)) => bail!(reason),
    }
}

/// Builds a binary and writes the flash that runs it, as large as espflash makes it: the whole of the flash. Returns the
/// linked file.
pub fn make(
    layout: &Layout,
    log: &mut Log,
    chip: &Chip,
    binary: &str,
    store: &Path,
    out: &Path,
) -> Result<PathBuf, Stop> {
    let [firmware, examples] = chip.builds;
    let example = layout.root(&format!("{}/examples/{binary}.rs", chip.board));
    let arguments = match example.exists() {
        true => examples,
        false => {
            install::mbedtls(layout, log)?;
            firmware
        }
    };
    let binaries = sizes::build_some(layout, log, chip, arguments)?;
    let found = binaries.iter().find(|(name, _)| name == binary);
    let (_, elf) = found.with_context(|| format!("{} has no binary {binary}", chip.board))?;
    let espflash = espflash(layout, log)?;

    let mut save = layout.command(&espflash.to_string_lossy());
    save.args(["save-image", "--merge", "--chip", chip.name]);
    save.arg(elf).arg(std::path::absolute(out)?);
    // The board's directory has the table and the size of the flash.
    log.run(save.current_dir(layout.root(chip.board)))?;

    let mut flash = fs::read(out)?;
    let store = fs::read(store).with_context(|| format!("reading {}", store.display()))?;
    let place = partition(&flash, STORE)?;
    place
        .and_then(|(start, len)| flash.get_mut(start..start + len))
        .filter(|place| place.len() == store.len())
        .context("the store and its partition differ in length")?
        .copy_from_slice(&store);
    // A plain store is as secret as its credential.
    fs::set_permissions(out, Permissions::from_mode(0o600))?;
    fs::write(out, flash)?;
    Ok(elf.clone())
}

/// Returns Espressif's flashing program for Rust.
pub fn espflash(layout: &Layout, log: &mut Log) -> Result<PathBuf, Stop> {
    install::cargo_tool(layout, log, "espflash", "4.7.0")
}

/// Returns where a partition begins and how long it is, if the flash's table has it.
fn partition(flash: &[u8], label: &str) -> Result<Option<(usize, usize)>> {
    let table = flash
        .get(TABLE..TABLE + TABLE_LEN)
        .context("no partition table")?;
    let (entries, _) = table.as_chunks::<ENTRY_LEN>();
    ensure!(entries[0].starts_with(&ENTRY_MAGIC), "no partition table");
    let word = |bytes: &[u8]| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize;
    let mut entries = entries
        .iter()
        .filter(|entry| entry.starts_with(&ENTRY_MAGIC));
    let entry = entries.find(|entry| {
        let name = entry[12..28].split(|byte| *byte == 0).next();
        name == Some(label.as_bytes())
    });
    Ok(entry.map(|entry| (word(&entry[4..]), word(&entry[8..]))))
}
