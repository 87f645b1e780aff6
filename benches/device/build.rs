//! Hands the linker the memory map of the emulated board.

use std::env;
use std::fs;
use std::path::PathBuf;

fn main() {
    let architecture = env::var("CARGO_CFG_TARGET_ARCH").unwrap();
    let map = format!("memory-{architecture}.x");
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap());
    fs::copy(&map, out.join("memory.x")).unwrap();
    println!("cargo:rerun-if-changed={map}");
    println!("cargo:rustc-link-search={}", out.display());
    // The ARM runtime's script includes the map by itself.
    if architecture == "riscv32" {
        println!("cargo:rustc-link-arg=-Tmemory.x");
    }
    println!("cargo:rustc-link-arg=-Tlink.x");
    println!("cargo:rustc-link-arg=--nmagic");
}
