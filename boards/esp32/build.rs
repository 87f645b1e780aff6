//! Hands the time of the build to the firmware, and what the chip has.

use std::env;
use std::time::{SystemTime, UNIX_EPOCH};

fn main() {
    // Reproducible where somebody wants it: https://reproducible-builds.org/specs/source-date-epoch/
    let build_secs = env::var("SOURCE_DATE_EPOCH").unwrap_or_else(|_| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        now.as_secs().to_string()
    });
    println!("cargo:rustc-env=BUILD_SECS={build_secs}");
    println!("cargo:rerun-if-env-changed=SOURCE_DATE_EPOCH");
    for sources in ["src", "examples", "../tls", "../../crates"] {
        println!("cargo:rerun-if-changed={sources}");
    }

    // The classic ESP32 has no HMAC peripheral.
    if env::var_os("CARGO_FEATURE_ESP32").is_none() {
        println!("cargo:rustc-cfg=hmac_peripheral");
    }
}
