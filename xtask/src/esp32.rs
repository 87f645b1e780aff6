//! Checks what goes into Espressif's chips.

use crate::install;
use crate::layout::Layout;
use crate::runner::{Log, Stop};
use crate::sizes::CHIPS;

const BOARD: &str = "boards/esp32";

/// Lints the board's firmware and examples for each chip that stable Rust builds for.
pub fn clippy(layout: &Layout, log: &mut Log) -> Result<(), Stop> {
    install::component(layout, log, "clippy", "cargo-clippy")?;
    for chip in CHIPS.iter().filter(|chip| chip.board == BOARD) {
        install::targets(layout, log, &[chip.target])?;
        let mut clippy = layout.cargo(["clippy", "--locked", "--release", "--bins", "--examples"]);
        clippy.args(["--target", chip.target]).args(chip.features);
        clippy.current_dir(layout.root(BOARD));
        log.run(clippy.args(["--", "-D", "warnings"]))?;
    }
    Ok(())
}

/// Burns keys into the fuses of virtual chips, as the gateway program says.
pub fn espefuse(layout: &Layout, log: &mut Log) -> Result<(), Stop> {
    let python = install::python(layout, log, "espefuse")?;
    log.run(&mut layout.cargo(["build", "--locked", "--package", "gateway"]))?;
    let mut rehearse = layout.command(&python.to_string_lossy());
    rehearse.arg(layout.root("tests/espefuse/rehearse.py"));
    Ok(log.run(rehearse.arg(layout.target("debug/gateway")))?)
}
