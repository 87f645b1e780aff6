//! Runs release firmware on an emulated RP2040, and lints what only that target builds.

use std::fs;
use std::thread;

use crate::install;
use crate::layout::{DEVICE_TARGETS, Layout};
use crate::runner::{Log, Stop};

const DIRECTORY: &str = "tests/emulator";
const TESTS: &str = "boards/rp2040/test";
const REHEARSAL: &str = "boards/rp2040/test/rehearsal.mjs";
/// The Pico W's, which is other firmware: a check of its own.
pub const WIFI: &str = "boards/rp2040/test/wifi.test.mjs";
/// What builds for the RP2040 alone, each a workspace.
const FIRMWARE: [&str; 2] = ["boards/rp2040", "tests/emulator/firmware"];

/// Lints the board's firmware, the emulator's own, and what other firmware takes of the board's.
pub fn clippy(layout: &Layout, log: &mut Log) -> Result<(), Stop> {
    install::targets(layout, log, &DEVICE_TARGETS[..1])?;
    install::component(layout, log, "clippy", "cargo-clippy")?;
    install::mbedtls(layout, log)?;
    for directory in FIRMWARE {
        let mut clippy = layout.cargo(["clippy", "--locked", "--release", "--bins", "--examples"]);
        clippy.current_dir(layout.root(directory));
        log.run(clippy.args(["--", "-D", "warnings"]))?;
    }
    let mut header = layout.cargo(["clippy", "--locked", "--release", "--examples"]);
    header.args(["--no-default-features", "--features", "last-words"]);
    header.current_dir(layout.root(FIRMWARE[0]));
    Ok(log.run(header.args(["--", "-D", "warnings"]))?)
}

/// Tests the simulated chips, alone and with a small firmware that uses real drivers.
pub fn chips(layout: &Layout, log: &mut Log) -> Result<(), Stop> {
    prepare(layout, log)?;
    let mut npm = layout.command("npm");
    Ok(log.run(npm.arg("test").current_dir(layout.root(DIRECTORY)))?)
}

/// Tests the gateway's firmware from a contact that closes to a message that the stand-in took, on good days and hard ones.
pub fn rp2040(layout: &Layout, log: &mut Log) -> Result<(), Stop> {
    rehearse(layout, log, ".test.mjs")
}

/// Does what takes too long for every run.
pub fn rp2040_long(layout: &Layout, log: &mut Log) -> Result<(), Stop> {
    rehearse(layout, log, ".long.mjs")
}

/// Builds the firmware and runs the test files whose names end so, as many at once as there are cores.
fn rehearse(layout: &Layout, log: &mut Log, suffix: &str) -> Result<(), Stop> {
    build(layout, log)?;
    let mut files = Vec::new();
    for entry in fs::read_dir(layout.root(TESTS))? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(suffix) && path != layout.root(WIFI) {
            files.push(path);
        }
    }
    files.sort();
    let cores = thread::available_parallelism()?;
    let mut node = layout.command("node");
    node.args(["--test", "--test-reporter=spec"]);
    node.arg(format!("--test-concurrency={cores}"));
    Ok(log.run(node.args(files).env("REHEARSAL_BUILT", "1"))?)
}

/// Builds what a rehearsal of the gateway's firmware needs.
pub fn build(layout: &Layout, log: &mut Log) -> Result<(), Stop> {
    prepare(layout, log)?;
    install::mbedtls(layout, log)?;
    let mut build = layout.command("node");
    Ok(log.run(build.arg(layout.root(REHEARSAL)))?)
}

/// Installs what runs the emulator.
pub fn prepare(layout: &Layout, log: &mut Log) -> Result<(), Stop> {
    install::targets(layout, log, &DEVICE_TARGETS[..1])?;
    install::program(layout, log, "node", "nodejs")?;
    install::program(layout, log, "npm", "npm")?;
    install::program(layout, log, "qemu-system-arm", "qemu-system-arm")?;
    let modified = |file: &str| fs::metadata(layout.root(DIRECTORY).join(file))?.modified();
    let wanted = modified("package-lock.json")?;
    if modified("node_modules/.package-lock.json").is_ok_and(|installed| installed >= wanted) {
        return Ok(());
    }
    let mut npm = layout.command("npm");
    npm.args(["ci", "--no-audit", "--no-fund"]);
    Ok(log.run(npm.current_dir(layout.root(DIRECTORY)))?)
}
