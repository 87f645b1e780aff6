//! Runs the desktop's tests of the device crates as bare-metal code on cores that QEMU emulates.

use std::process::Stdio;

use anyhow::{Result, anyhow};

use crate::install;
use crate::layout::Layout;
use crate::runner::{Log, Stop};

const DIRECTORY: &str = "tests/qemu";

/// What the falsified vector's test is called.
const CONTROL: &str = "rfc_4231";

/// Longer than any run takes, also on a busy machine.
const LIMIT_SECS: &str = "900";

/// A core: the compiler's target, the emulator and its options, and the emulator's Debian package.
pub struct Core {
    pub target: &'static str,
    emulator: &'static str,
    options: &'static [&'static str],
    package: &'static str,
}

/// The instruction sets of the ESP32-C3 and of the RP2040.
///
/// QEMU has no board of enough memory with a Cortex-M0+; the ARMv6-M code runs on a Cortex-M3, which has all of
/// its instructions.
pub const CORES: [Core; 2] = [
    Core {
        target: "riscv32imc-unknown-none-elf",
        emulator: "qemu-system-riscv32",
        options: &[
            "-M",
            "virt",
            "-cpu",
            "rv32,a=off,f=off,d=off",
            "-bios",
            "none",
        ],
        package: "qemu-system-misc",
    },
    Core {
        target: "thumbv6m-none-eabi",
        emulator: "qemu-system-arm",
        options: &["-M", "mps2-an385"],
        package: "qemu-system-arm",
    },
];

/// Runs the tests on a core, and shows that a vector with a wrong digit is found there.
pub fn check(layout: &Layout, log: &mut Log, core: &Core) -> Result<(), Stop> {
    install::targets(layout, log, &[core.target])?;
    install::program(layout, log, core.emulator, core.package)?;

    build(layout, log, core, &["--features", "deliberate-failure"])?;
    let (passed, printed) = run(layout, core)?;
    let failed_in = printed.lines().rfind(|line| line.starts_with("  "));
    if passed || failed_in.map(str::trim) != Some(CONTROL) {
        log.line(&printed)?;
        return Err(anyhow!("a vector with a wrong digit is not found").into());
    }

    build(layout, log, core, &[])?;
    let (passed, printed) = run(layout, core)?;
    log.line(&printed)?;
    let last = printed.lines().last().unwrap_or_default();
    let count = last.strip_suffix(" passed").map(str::parse::<u32>);
    match (passed, count) {
        (true, Some(Ok(1..))) => Ok(()),
        _ => Err(anyhow!("the run ends with: {last}").into()),
    }
}

fn build(layout: &Layout, log: &mut Log, core: &Core, features: &[&str]) -> Result<()> {
    let mut build = layout.cargo(["build", "--locked", "--release", "--target", core.target]);
    build.args(features);
    log.run(build.current_dir(layout.root(DIRECTORY)))
}

/// Runs what was built; returns whether it ended well, and what it printed.
fn run(layout: &Layout, core: &Core) -> Result<(bool, String)> {
    let mut emulator = layout.command("timeout");
    emulator
        .args([LIMIT_SECS, core.emulator])
        .args(core.options);
    emulator.args(["-nographic", "-monitor", "none", "-serial", "none"]);
    emulator.args(["-semihosting-config", "enable=on,target=native", "-kernel"]);
    emulator.arg(layout.target(&format!("{}/release/qemu-tests", core.target)));
    let output = emulator.stdin(Stdio::null()).output()?;
    let printed = [output.stdout, output.stderr].concat();
    let printed = String::from_utf8_lossy(&printed).replace('\r', "");
    Ok((output.status.success(), printed))
}
