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

    // Reproducible where somebody wants it: https://reproducible-builds.org/specs/source-date-epoch/
    let build_secs = env::var("SOURCE_DATE_EPOCH").unwrap_or_else(|_| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        now.as_secs().to_string()
    });
    println!("cargo:rustc-env=BUILD_SECS={build_secs}");
    println!("cargo:rerun-if-env-changed=SOURCE_DATE_EPOCH");
    println!("cargo:rerun-if-changed=src");
}
