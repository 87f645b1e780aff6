//! Hands the memory map to the linker, and the time of the build to the firmware.

#[path = "src/memory.rs"]
mod memory;

use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, fs, path::PathBuf};

use memory::{BOOT2_LEN, FLASH_BASE, RAM_BASE, RAM_LEN, STACK_LEN, STORE_START};

fn main() {
    let program = FLASH_BASE + BOOT2_LEN;
    let program_len = STORE_START - BOOT2_LEN;
    let ram = RAM_BASE + STACK_LEN;
    let ram_len = RAM_LEN - STACK_LEN;
    let map = format!(
        "MEMORY {{\n  BOOT2 : ORIGIN = {FLASH_BASE:#x}, LENGTH = {BOOT2_LEN:#x}\n  \
         FLASH : ORIGIN = {program:#x}, LENGTH = {program_len:#x}\n  \
         RAM : ORIGIN = {ram:#x}, LENGTH = {ram_len:#x}\n}}\n\
         _stack_start = {ram:#x};\n_stack_end = {RAM_BASE:#x};\n"
    );
    let out = PathBuf::from(env::var("OUT_DIR").unwrap());
    fs::write(out.join("memory.x"), map).unwrap();
    println!("cargo:rustc-link-search={}", out.display());

    if env::var_os("CARGO_FEATURE_PICO_W").is_some() {
        radio_firmware();
    }

    // Reproducible where somebody wants it: https://reproducible-builds.org/specs/source-date-epoch/
    let build_secs = env::var("SOURCE_DATE_EPOCH").unwrap_or_else(|_| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        now.as_secs().to_string()
    });
    println!("cargo:rustc-env=BUILD_SECS={build_secs}");
    println!("cargo:rerun-if-env-changed=SOURCE_DATE_EPOCH");
    println!("cargo:rerun-if-changed=src");
}

/// Finds the firmware of the Pico W's radio, which is not a part of this repository: see the README.
fn radio_firmware() {
    const VARIABLE: &str = "CYW43_FIRMWARE_DIR";
    println!("cargo:rerun-if-env-changed={VARIABLE}");
    let Some(dir) = env::var_os(VARIABLE) else {
        panic!(
            "set {VARIABLE} to the directory with the radio's firmware, see boards/rp2040/README.md"
        );
    };
    let dir = fs::canonicalize(&dir)
        .unwrap_or_else(|error| panic!("{VARIABLE} is {}: {error}", dir.display()));
    for name in ["43439A0.bin", "43439A0_clm.bin", "nvram_rp2040.bin"] {
        let file = dir.join(name);
        assert!(file.is_file(), "{VARIABLE} has no {name}");
        println!("cargo:rerun-if-changed={}", file.display());
    }
    println!("cargo:rustc-env=CYW43_FIRMWARE={}", dir.display());
}
