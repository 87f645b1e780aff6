//! Lints and links the Pico W's firmware, whose radio needs files that this repository doesn't have.

use std::fs;

use crate::install;
use crate::layout::{DEVICE_TARGETS, Layout};
use crate::runner::{Log, Stop};

/// Stand-ins for the radio's firmware, of the length that the real files have, so that the link map is the same.
const FILES: [(&str, usize); 3] = [
    ("43439A0.bin", 231_077),
    ("43439A0_clm.bin", 984),
    ("nvram_rp2040.bin", 742),
];

/// Builds it with stand-ins: nothing here can run it.
pub fn check(layout: &Layout, log: &mut Log) -> Result<(), Stop> {
    install::targets(layout, log, &DEVICE_TARGETS[..1])?;
    install::component(layout, log, "clippy", "cargo-clippy")?;
    install::mbedtls(layout, log)?;
    let directory = layout.target("pico-w-stand-ins");
    fs::create_dir_all(&directory)?;
    for (name, len) in FILES {
        fs::write(directory.join(name), vec![0; len])?;
    }
    for arguments in [
        &["clippy", "--locked", "--release", "--bins"][..],
        &["build", "--locked", "--release", "--bins"],
    ] {
        let mut cargo = layout.cargo(arguments.iter().copied());
        cargo
            .args(["--no-default-features", "--features", "pico-w"])
            .current_dir(layout.root("boards/rp2040"))
            .env("CYW43_FIRMWARE_DIR", &directory);
        if arguments.contains(&"clippy") {
            cargo.args(["--", "-D", "warnings"]);
        }
        log.run(&mut cargo)?;
    }
    Ok(())
}
