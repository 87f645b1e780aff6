//! Checks what goes into Espressif's chips.

use std::fs;

use crate::image;
use crate::install;
use crate::layout::Layout;
use crate::runner::{Log, Stop};
use crate::sizes::{CHIPS, Chip};

const BOARD: &str = "boards/esp32";

/// The vendor's documented example, which the images below have.
const CREDENTIAL: [(&str, &str); 2] = [
    (
        "HEYMARKET_SECRET_ID",
        "74f80a77-9b3f-44ac-b3ad-ab68cfb548fa",
    ),
    ("HEYMARKET_SECRET_KEY", "cPQku7lnSLbnK88UFOBg1a6Q3t1w1RgK"),
];

fn chips() -> impl Iterator<Item = &'static Chip> {
    CHIPS.iter().filter(|chip| chip.board == BOARD)
}

/// Lints the board's firmware and examples for each chip that stable Rust builds for.
pub fn clippy(layout: &Layout, log: &mut Log) -> Result<(), Stop> {
    install::component(layout, log, "clippy", "cargo-clippy")?;
    install::mbedtls(layout, log)?;
    for chip in chips() {
        install::targets(layout, log, &[chip.target])?;
        for arguments in chip.builds {
            let mut clippy = layout.cargo(["clippy", "--locked", "--release"]);
            clippy.args(["--target", chip.target]).args(arguments);
            clippy.current_dir(layout.root(BOARD));
            log.run(clippy.args(["--", "-D", "warnings"]))?;
        }
    }
    Ok(())
}

/// Burns keys into the fuses of virtual chips, as the gateway program says.
pub fn espefuse(layout: &Layout, log: &mut Log) -> Result<(), Stop> {
    let python = install::python(layout, log, "esp32")?;
    log.run(&mut layout.cargo(["build", "--locked", "--package", "gateway"]))?;
    let mut rehearse = layout.command(&python.to_string_lossy());
    rehearse.arg(layout.root("tests/esp32/fuses.py"));
    Ok(log.run(rehearse.arg(layout.target("debug/gateway")))?)
}

/// Makes flash images of the example that signs with an eFuse key, has Espressif's program look into them, and boots
/// them on emulated chips.
pub fn images(layout: &Layout, log: &mut Log) -> Result<(), Stop> {
    let python = install::python(layout, log, "esp32")?;
    log.run(&mut layout.cargo(["build", "--locked", "--package", "gateway"]))?;
    let gateway = layout.target("debug/gateway");
    fs::create_dir_all(layout.target("esp32"))?;
    for chip in chips() {
        let store = layout.target(&format!("esp32/{}-store.bin", chip.name));
        let image = layout.target(&format!("esp32/{}-header.bin", chip.name));
        let mut provision = layout.command(&gateway.to_string_lossy());
        provision.args(["provision", "image", "--target", chip.name]);
        provision.args(["--api", "heymarket", "--hardware-key", "0", "--out"]);
        log.run(provision.arg(&store).envs(CREDENTIAL))?;
        let elf = image::make(layout, log, chip, "header", &store, &image)?;

        let mut look = layout.command(&python.to_string_lossy());
        look.arg(layout.root("tests/esp32/image.py")).arg(&gateway);
        log.run(look.arg(chip.name).arg(&image).arg(&store))?;
        let mut boot = layout.command(&python.to_string_lossy());
        boot.arg(layout.root("tests/esp32/header.py")).arg(&gateway);
        log.run(boot.arg(chip.name).arg(&image).arg(&elf))?;
    }
    Ok(())
}
