//! Installs what a step needs, if it is missing.
//!
//! Compiler parts go into the active toolchain; everything else into the target directory, so that a
//! checkout changes nothing else on the machine.

use std::path::Path;

use anyhow::Result;

use crate::layout::Layout;
use crate::runner::{Log, Stop};

/// Makes the core library of each compiler target available.
pub fn targets(layout: &Layout, log: &mut Log, targets: &[&str]) -> Result<(), Stop> {
    for target in targets {
        let print = ["--print", "target-libdir", "--target", target];
        let directory = log.output(layout.command("rustc").args(print))?;
        if !Path::new(directory.trim()).exists() {
            rustup(layout, log, &["target", "add", target])?;
        }
    }
    Ok(())
}

/// Makes a component, such as `clippy`, available; `program` is what it brings.
pub fn component(
    layout: &Layout,
    log: &mut Log,
    component: &str,
    program: &str,
) -> Result<(), Stop> {
    if log.run(layout.command(program).arg("--version")).is_err() {
        rustup(layout, log, &["component", "add", component])?;
    }
    Ok(())
}

fn rustup(layout: &Layout, log: &mut Log, arguments: &[&str]) -> Result<(), Stop> {
    log.run(layout.command("rustup").args(arguments))
        .map_err(|error| {
            Stop::Skipped(format!(
                "`rustup {}` is needed: {error:#}",
                arguments.join(" ")
            ))
        })
}
