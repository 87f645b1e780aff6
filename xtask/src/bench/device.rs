//! Weighs the firmware of `benches/device` and measures it in QEMU.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use object::elf::SHF_ALLOC;
use object::{Object, ObjectSection, SectionFlags};
use serde::Serialize;

use crate::install;
use crate::layout::Layout;
use crate::runner::{Log, Stop};

/// What each binary does, by name.
const BINARIES: [&str; 2] = ["template", "key-each-time"];
/// Optimisation levels, by the profile that sets each.
const PROFILES: [(&str, &str); 2] = [("3", "release"), ("s", "small")];
/// Forms of `sha2` in software, by the compiler flags that choose each.
const BACKENDS: [(&str, &str); 2] = [
    ("default", ""),
    ("compact", "--cfg sha2_backend_soft=\"compact\""),
];

/// Power of two of nanoseconds that an instruction takes on QEMU's ARM board.
const ARM_ICOUNT_SHIFT: u32 = 6;
/// Nanoseconds of a tick of SysTick there, at 16 MHz.
const ARM_TICK_NS: f64 = 62.5;
/// Seconds after which an emulation hangs.
const TIMEOUT_SECS: &str = "60";

/// What one binary takes.
#[derive(Serialize)]
pub struct Figures {
    pub target: String,
    pub binary: String,
    pub opt_level: String,
    pub sha2_backend: String,
    /// Code and data of the whole binary without the meter.
    pub flash_bytes: u64,
    /// Per token, after the first.
    pub instructions: f64,
    /// From the start of the program to the first token.
    pub first_instructions: f64,
    /// From the stack's top down to the lowest byte used.
    pub stack_bytes: u64,
}

/// Builds and runs every binary for one compiler target.
pub fn measure(layout: &Layout, log: &mut Log, target: &str) -> Result<Vec<Figures>, Stop> {
    install::targets(layout, log, &[target])?;
    let (program, package) = emulator(target);
    install::program(layout, log, program, package)?;
    let token = fs::read_to_string(layout.root("benches/example-token.txt"))?;

    let mut figures = Vec::new();
    for (backend, flags) in BACKENDS {
        for (level, profile) in PROFILES {
            for binary in BINARIES {
                let build = Build {
                    target,
                    profile,
                    binary,
                    backend,
                    flags,
                };
                let flash_bytes = loaded_bytes(&build.run(layout, log, &[])?)?;
                let metered = build.run(layout, log, &["--features", "measure"])?;
                let printed = log.output(&mut emulate(layout, target, &metered))?;
                let printed = Printed::parse(&printed);
                ensure_token(&printed, &token)?;
                figures.push(Figures {
                    target: target.to_owned(),
                    binary: binary.to_owned(),
                    opt_level: level.to_owned(),
                    sha2_backend: backend.to_owned(),
                    flash_bytes,
                    instructions: instructions(target, printed.number("ticks")?)
                        / printed.number("tokens")?,
                    first_instructions: instructions(target, printed.number("first")?),
                    stack_bytes: printed.number("stack")? as u64,
                });
            }
        }
    }
    Ok(figures)
}
