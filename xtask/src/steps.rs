//! The list of checks.

use anyhow::{Result, anyhow};

use crate::bench;
use crate::c_library;
use crate::documents;
use crate::emulator;
use crate::esp32;
use crate::fuzz;
use crate::install;
use crate::layout::{DEVICE_TARGETS, Layout};
use crate::panic_free;
use crate::pico_w;
use crate::qemu;
use crate::runner::{Log, Step, Stop};
use crate::sizes;
use crate::tls;

/// How long a fuzz target runs as a check.
const FUZZ_SECS: u32 = 10;

/// Returns every check, in the order in which they run.
///
/// Checks that build the same things stand together, and the ones that tell most come first.
pub fn all(layout: &Layout) -> Result<Vec<Step<'_>>> {
    let mut steps = vec![
        Step::new("fmt", |log| fmt(layout, log)),
        Step::new("clippy host", |log| clippy_host(layout, log)),
        Step::new("clippy device", |log| clippy_device(layout, log)),
        Step::new("tests", |log| tests(layout, log)),
        Step::new("doctests", |log| {
            Ok(log.run(&mut layout.cargo(["test", "--locked", "--workspace", "--doc"]))?)
        }),
        Step::new("docs", |log| {
            let mut doc = layout.cargo(["doc", "--locked", "--workspace", "--no-deps"]);
            Ok(log.run(doc.env("RUSTDOCFLAGS", "-D warnings"))?)
        }),
        Step::new("examples in documents", |log| documents::check(layout, log)),
        Step::new("cargo run", |log| cargo_run(layout, log)),
        Step::new("PyJWT", |log| pyjwt(layout, log)),
        Step::new("C library", |log| c_library::check(layout, log)),
        Step::new("espefuse", |log| esp32::espefuse(layout, log)),
        Step::new("embedded builds", |log| embedded_builds(layout, log)),
    ];
    for target in DEVICE_TARGETS {
        let check = move |log: &mut _| panic_free::check(layout, log, target);
        steps.push(Step::new(format!("panic-free {target}"), check));
    }
    for core in &qemu::CORES {
        let check = move |log: &mut _| qemu::check(layout, log, core);
        steps.push(Step::new(format!("tests on {}", core.target), check));
    }
    steps.push(Step::new("device benchmarks", |log| {
        bench::device::check(layout, log)
    }));
    for target in fuzz::targets(layout)? {
        let name = format!("fuzz {target}");
        let smoke = move |log: &mut _| fuzz::smoke(layout, log, &target, FUZZ_SECS);
        steps.push(Step::new(name, smoke));
    }
    steps.push(Step::new("dependencies", |log| dependencies(layout, log)));
    steps.push(Step::new("TLS", |log| tls::check(layout, log)));
    steps.push(Step::new("clippy rp2040", |log| {
        emulator::clippy(layout, log)
    }));
    steps.push(Step::new("Pico W", |log| pico_w::check(layout, log)));
    steps.push(Step::new("clippy esp32", |log| esp32::clippy(layout, log)));
    steps.push(Step::new("flash and RAM", |log| sizes::check(layout, log)));
    steps.push(Step::new("esp32 images", |log| esp32::images(layout, log)));
    steps.push(Step::new("emulated chips", |log| {
        emulator::chips(layout, log)
    }));
    steps.push(Step::new("emulated rp2040", |log| {
        emulator::rp2040(layout, log)
    }));
    Ok(steps)
}

fn fmt(layout: &Layout, log: &mut Log) -> Result<(), Stop> {
    install::component(layout, log, "rustfmt", "rustfmt")?;
    for manifest in layout.workspaces()? {
        let mut fmt = layout.cargo(["fmt", "--all", "--manifest-path"]);
        log.run(
            fmt.arg(manifest)
                .args(["--", "--check", "--color", "never"]),
        )?;
    }
    Ok(())
}

fn clippy_host(layout: &Layout, log: &mut Log) -> Result<(), Stop> {
    install::component(layout, log, "clippy", "cargo-clippy")?;
    // The fuzzing engine is C++.
    install::program(layout, log, "c++", "g++")?;
    let mut clippy = layout.cargo(["clippy", "--locked", "--workspace", "--all-targets"]);
    log.run(clippy.args(["--", "-D", "warnings"]))?;
    let mut clippy = layout.cargo(["clippy", "--locked", "--manifest-path", "fuzz/Cargo.toml"]);
    Ok(log.run(clippy.args(["--", "-D", "warnings"]))?)
}

fn clippy_device(layout: &Layout, log: &mut Log) -> Result<(), Stop> {
    let target = DEVICE_TARGETS[0];
    install::targets(layout, log, &[target])?;
    install::component(layout, log, "clippy", "cargo-clippy")?;
    let mut clippy = layout.cargo(["clippy", "--locked", "--target", target]);
    clippy.args(packages(layout)?);
    log.run(clippy.args(["--", "-D", "warnings"]))?;
    for manifest in ["tests/panic-free/Cargo.toml", "tests/qemu/Cargo.toml"] {
        let mut clippy = layout.cargo(["clippy", "--locked", "--target", target]);
        clippy.args(["--manifest-path", manifest]);
        log.run(clippy.args(["--", "-D", "warnings"]))?;
    }
    Ok(())
}

fn tests(layout: &Layout, log: &mut Log) -> Result<(), Stop> {
    // Benchmarks have commands of their own, and doctests are the next check.
    let kinds = ["--lib", "--bins", "--tests", "--examples"];
    let mut test = layout.cargo(["test", "--locked", "--workspace", "--no-fail-fast"]);
    Ok(log.run(test.args(kinds))?)
}

/// Runs what a newcomer runs first.
fn cargo_run(layout: &Layout, log: &mut Log) -> Result<(), Stop> {
    let printed = log.output(&mut layout.cargo(["run", "--locked"]))?;
    log.line(&printed)?;
    if printed.trim().is_empty() {
        return Err(anyhow!("`cargo run` prints nothing").into());
    }
    Ok(())
}

/// Compares tokens with the vendor's documented example and with PyJWT.
fn pyjwt(layout: &Layout, log: &mut Log) -> Result<(), Stop> {
    let python = install::python(layout, log, "pyjwt")?;
    log.run(&mut layout.cargo(["build", "--locked", "--package", "gateway"]))?;
    let mut compare = layout.command(&python.to_string_lossy());
    compare.arg(layout.root("tests/pyjwt/differential.py"));
    Ok(log.run(compare.arg(layout.target("debug/gateway")))?)
}

fn embedded_builds(layout: &Layout, log: &mut Log) -> Result<(), Stop> {
    install::targets(layout, log, &DEVICE_TARGETS)?;
    let mut build = layout.cargo(["build", "--locked"]);
    for target in DEVICE_TARGETS {
        build.args(["--target", target]);
    }
    Ok(log.run(build.args(packages(layout)?))?)
}

/// Checks licences, sources and banned packages of every workspace.
fn dependencies(layout: &Layout, log: &mut Log) -> Result<(), Stop> {
    let cargo_deny = install::cargo_tool(layout, log, "cargo-deny", "0.20.2")?;
    for manifest in layout.workspaces()? {
        let mut deny = layout.command(&cargo_deny.to_string_lossy());
        deny.args(["--locked", "--manifest-path"]).arg(manifest);
        deny.args(["check", "--hide-inclusion-graph"]);
        deny.args(["--allow", "license-exception-not-encountered"]);
        log.run(deny.args(["licenses", "bans", "sources"]))?;
    }
    Ok(())
}

/// Returns cargo's arguments that choose the device crates.
fn packages(layout: &Layout) -> Result<Vec<String>> {
    let names = layout.device_crates()?.into_iter();
    Ok(names
        .flat_map(|name| ["--package".to_owned(), name])
        .collect())
}
