//! Weighs the firmware of `benches/device` and measures it in QEMU.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use object::{Object, ObjectSegment};
use serde::Serialize;

use crate::install;
use crate::layout::{DEVICE_TARGETS, Layout};
use crate::runner::{Log, Stop};

/// As many as there are targets, so that [`check`] runs each.
const BINARIES: [&str; 2] = ["template", "key-each-time"];
/// Optimisation levels, and the profile that sets each.
const PROFILES: [(&str, &str); 2] = [("3", "release"), ("s", "small")];
/// Forms of `sha2` in software, and the compiler flags that choose each.
const BACKENDS: [(&str, &str); 2] = [
    ("default", ""),
    ("compact", "--cfg sha2_backend_soft=\"compact\""),
];

/// Power of two of nanoseconds that an instruction takes on QEMU's ARM board, by choice.
const ARM_ICOUNT_SHIFT: u32 = 6;
/// Nanoseconds that a tick of SysTick takes there, at 16 MHz.
const ARM_TICK_NS: f64 = 62.5;
/// Seconds after which an emulation is given up.
const TIMEOUT_SECS: &str = "60";

/// What one firmware takes.
#[derive(Serialize)]
pub struct Figures {
    pub target: String,
    pub binary: &'static str,
    pub opt_level: &'static str,
    pub sha2_backend: &'static str,
    /// Code and data of the whole binary, without the meter.
    pub flash_bytes: u64,
    /// Per token, after the first.
    pub instructions: f64,
    /// From the start of `main` to the first token.
    pub first_instructions: f64,
    /// From the stack's top down to the lowest byte used.
    pub stack_bytes: f64,
}

/// Builds and runs each firmware once, each for another target, and compares its token with the documented one.
pub fn check(layout: &Layout, log: &mut Log) -> Result<(), Stop> {
    for (target, binary) in DEVICE_TARGETS.into_iter().zip(BINARIES) {
        install(layout, log, target)?;
        let firmware = Firmware {
            target,
            backend: BACKENDS[1],
            profile: PROFILES[1],
            binary,
        };
        firmware.measure(layout, log)?;
    }
    Ok(())
}

/// Builds, weighs and runs every firmware for one compiler target.
pub fn measure(layout: &Layout, log: &mut Log, target: &str) -> Result<Vec<Figures>, Stop> {
    install(layout, log, target)?;
    let mut figures = Vec::new();
    for backend in BACKENDS {
        for profile in PROFILES {
            for binary in BINARIES {
                let firmware = Firmware {
                    target,
                    backend,
                    profile,
                    binary,
                };
                figures.push(firmware.measure(layout, log)?);
            }
        }
    }
    Ok(figures)
}

fn install(layout: &Layout, log: &mut Log, target: &str) -> Result<(), Stop> {
    install::targets(layout, log, &[target])?;
    let (emulator, package) = if is_arm(target) {
        ("qemu-system-arm", "qemu-system-arm")
    } else {
        ("qemu-system-riscv32", "qemu-system-misc")
    };
    install::program(layout, log, emulator, package)
}

struct Firmware<'a> {
    target: &'a str,
    backend: (&'static str, &'static str),
    profile: (&'static str, &'static str),
    binary: &'static str,
}

impl Firmware<'_> {
    fn measure(&self, layout: &Layout, log: &mut Log) -> Result<Figures> {
        let flash_bytes = loaded_bytes(&self.link(layout, log, &[])?)?;
        let metered = self.link(layout, log, &["--features", "measure"])?;
        let report = log.output(&mut self.emulation(layout, &metered))?;
        log.line(&report)?;

        let example = fs::read_to_string(layout.root("benches/example-token.txt"))?;
        ensure!(
            value(&report, "token")? == example,
            "{} made another token than the documented one",
            self.binary
        );
        let instructions = |name| Ok::<_, anyhow::Error>(self.instructions(number(&report, name)?));
        Ok(Figures {
            target: self.target.to_owned(),
            binary: self.binary,
            opt_level: self.profile.0,
            sha2_backend: self.backend.0,
            flash_bytes,
            instructions: instructions("ticks")? / number(&report, "tokens")?,
            first_instructions: instructions("first")?,
            stack_bytes: number(&report, "stack")?,
        })
    }

    /// Links the firmware and returns where it is.
    fn link(&self, layout: &Layout, log: &mut Log, features: &[&str]) -> Result<PathBuf> {
        let (backend, flags) = self.backend;
        let (_, profile) = self.profile;
        // A directory for each set of compiler flags, which would otherwise evict each other.
        let directory = layout.target(&format!("bench-device/{backend}"));
        let mut cargo = layout.cargo(["build", "--locked", "--bin", self.binary]);
        cargo
            .args(["--profile", profile, "--target", self.target])
            .args(features)
            .arg("--target-dir")
            .arg(&directory)
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .env("RUSTFLAGS", flags);
        log.run(cargo.current_dir(layout.root("benches/device")))?;
        Ok(directory.join(self.target).join(profile).join(self.binary))
    }

    fn emulation(&self, layout: &Layout, firmware: &Path) -> Command {
        let mut command = layout.command("timeout");
        command.arg(TIMEOUT_SECS);
        if is_arm(self.target) {
            let shift = format!("shift={ARM_ICOUNT_SHIFT}");
            command.args(["qemu-system-arm", "-M", "microbit", "-icount", &shift]);
        } else {
            command.args(["qemu-system-riscv32", "-M", "virt", "-bios", "none"]);
            command.args(["-cpu", "rv32,a=off,f=off,d=off", "-icount", "shift=0"]);
        }
        command.args(["-nographic", "-monitor", "none", "-serial", "none"]);
        command.args(["-semihosting-config", "enable=on,target=native", "-kernel"]);
        command.arg(firmware);
        command
    }

    /// Returns how many instructions take so many ticks of the counter that the meter reads.
    fn instructions(&self, ticks: f64) -> f64 {
        if is_arm(self.target) {
            ticks * ARM_TICK_NS / f64::from(1 << ARM_ICOUNT_SHIFT)
        } else {
            ticks
        }
    }
}

fn is_arm(target: &str) -> bool {
    target.starts_with("thumb")
}

/// Returns how many bytes of the ELF file at `path` are put into memory: code, constants, initial
/// values.
pub fn loaded_bytes(path: &Path) -> Result<u64> {
    let data = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    let elf = object::File::parse(&*data)?;
    let sizes = elf.segments().map(|segment| segment.file_range().1);
    Ok(sizes.sum())
}

/// Returns what follows `name` in the meter's report.
fn value<'a>(report: &'a str, name: &str) -> Result<&'a str> {
    let mut lines = report.lines().filter_map(|line| line.split_once(' '));
    let (_, value) = lines
        .find(|(key, _)| *key == name)
        .with_context(|| format!("the firmware does not report `{name}`"))?;
    Ok(value)
}

fn number(report: &str, name: &str) -> Result<f64> {
    value(report, name)?
        .parse()
        .with_context(|| format!("the firmware's `{name}`"))
}
