//! Runs the fuzz targets of `fuzz/` by `cargo fuzz`.
//!
//! They are built by the stable compiler without a sanitizer: the crates under test forbid `unsafe`,
//! so that a sanitizer would cost half the speed to watch dependencies alone.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::install;
use crate::layout::Layout;
use crate::runner::{Log, Stop};

/// Returns the names of the targets, in alphabetical order.
pub fn targets(layout: &Layout) -> Result<Vec<String>> {
    let directory = layout.root("fuzz/fuzz_targets");
    let mut names = Vec::new();
    for entry in
        fs::read_dir(&directory).with_context(|| format!("reading {}", directory.display()))?
    {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        names.push(name.into_owned());
    }
    names.sort();
    Ok(names)
}

/// Runs one target for `secs` seconds, with what it prints going to the log.
pub fn smoke(layout: &Layout, log: &mut Log, target: &str, secs: u32) -> Result<(), Stop> {
    let mut fuzz = prepare(layout, log, target, secs)?;
    Ok(log.run(&mut fuzz)?)
}

/// Runs each of the targets, or the named one, for `minutes` minutes, with its output on the terminal.
pub fn run(layout: &Layout, minutes: u32, only: Option<&str>) -> Result<()> {
    let mut targets = targets(layout)?;
    if let Some(name) = only {
        let known = targets.join(", ");
        targets.retain(|target| target == name);
        ensure!(
            !targets.is_empty(),
            "no target is named {name}: there are {known}"
        );
    }
    let mut log = Log::create(layout, "fuzz")?;
    for target in targets {
        let mut fuzz = match prepare(layout, &mut log, &target, minutes.saturating_mul(60)) {
            Ok(command) => command,
            Err(Stop::Failed(error)) => return Err(error),
            Err(Stop::Skipped(reason)) => anyhow::bail!(reason),
        };
        println!("fuzzing {target} for {minutes} min");
        ensure!(fuzz.status()?.success(), "{target} found something");
    }
    Ok(())
}

/// Returns the command that fuzzes `target`.
///
/// New inputs are kept in `fuzz/corpus`, which is not part of the checkout; `fuzz/seeds` is.
fn prepare(layout: &Layout, log: &mut Log, target: &str, secs: u32) -> Result<Command, Stop> {
    install::program(layout, log, "c++", "g++")?;
    let cargo_fuzz = install::cargo_tool(layout, log, "cargo-fuzz", "0.13.2")?;
    let corpus = layout.root(&format!("fuzz/corpus/{target}"));
    fs::create_dir_all(&corpus)?;
    let seeds = layout.root(&format!("fuzz/seeds/{target}"));

    let mut fuzz = layout.command(&cargo_fuzz.to_string_lossy());
    fuzz.args(["fuzz", "run", "--sanitizer", "none", "--target-dir"])
        .arg(layout.target("fuzz"))
        .arg(target)
        .arg(corpus);
    if seeds.exists() {
        fuzz.arg(seeds);
    }
    fuzz.arg("--")
        .arg(format!("-max_total_time={secs}"))
        .arg("-timeout=10");
    Ok(fuzz)
}
