//! Tests the boards' TLS on the host, against servers that deserve trust and servers that don't.

use crate::install;
use crate::layout::Layout;
use crate::runner::{Log, Stop};

const MANIFEST: [&str; 2] = ["--manifest-path", "boards/tls/Cargo.toml"];

/// Lints and tests the crate with its own lockfile.
pub fn check(layout: &Layout, log: &mut Log) -> Result<(), Stop> {
    install::mbedtls(layout, log)?;
    install::component(layout, log, "clippy", "cargo-clippy")?;
    let mut clippy = layout.cargo(["clippy", "--locked", "--all-targets"]);
    log.run(clippy.args(MANIFEST).args(["--", "-D", "warnings"]))?;
    let mut test = layout.cargo(["test", "--locked", "--no-fail-fast"]);
    Ok(log.run(test.args(MANIFEST))?)
}
