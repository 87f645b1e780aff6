//! Lints, links and rehearses the Pico W's firmware, whose radio needs files that this repository doesn't have.

use std::fs;

use crate::emulator;
use crate::install;
use crate::layout::Layout;
use crate::runner::{Log, Stop};

/// Where it is built, in the target directory: both variants' ELF files have the same name.
const TARGET: &str = "pico-w";
const STAND_INS: &str = "pico-w-stand-ins";

/// Stand-ins for the radio's firmware, of the length that the real files have, so that the link map is the same.
const FILES: [(&str, usize); 3] = [
    ("43439A0.bin", 231_077),
    ("43439A0_clm.bin", 984),
    ("nvram_rp2040.bin", 742),
];

/// The firmware believes no time before its build, 2026-01-01T00:00:00Z: what is rehearsed is the same every day.
const BUILD_SECS: &str = "1767225600";

/// Builds it with stand-ins, and plays it on a simulated radio.
pub fn check(layout: &Layout, log: &mut Log) -> Result<(), Stop> {
    install::component(layout, log, "clippy", "cargo-clippy")?;
    install::mbedtls(layout, log)?;
    emulator::prepare(layout, log)?;
    write_stand_ins(layout)?;
    for arguments in [
        &["clippy", "--locked", "--release", "--bins"][..],
        &["build", "--locked", "--release", "--bins"],
    ] {
        let mut cargo = layout.cargo(arguments.iter().copied());
        cargo
            .args(["--no-default-features", "--features", "pico-w"])
            .current_dir(layout.root("boards/rp2040"))
            .env("CARGO_TARGET_DIR", layout.target(TARGET))
            .env("CYW43_FIRMWARE_DIR", layout.target(STAND_INS))
            .env("SOURCE_DATE_EPOCH", BUILD_SECS);
        if arguments.contains(&"clippy") {
            cargo.args(["--", "-D", "warnings"]);
        }
        log.run(&mut cargo)?;
    }
    let programs = ["--package", "gateway", "--package", "emulator-standin"];
    let mut build = layout.cargo(["build", "--locked"]);
    log.run(build.args(programs))?;
    let mut node = layout.command("node");
    node.args(["--test", "--test-reporter=spec"]);
    node.arg(layout.root(emulator::WIFI));
    Ok(log.run(node.env("REHEARSAL_BUILT", "1"))?)
}

/// Writes bytes that are nowhere zero, and differ from place to place: the simulated radio keeps what it is sent, and a test
/// compares it.
fn write_stand_ins(layout: &Layout) -> Result<(), Stop> {
    let directory = layout.target(STAND_INS);
    fs::create_dir_all(&directory)?;
    for (name, len) in FILES {
        let bytes: Vec<u8> = (1..=250).cycle().take(len).collect();
        let file = directory.join(name);
        // A file that is written anew is compiled anew.
        if fs::read(&file).is_ok_and(|before| before == bytes) {
            continue;
        }
        fs::write(file, bytes)?;
    }
    Ok(())
}
