//! Measures how fast and how small signing is, on this machine and on devices.
//!
//! On this machine the programs of `benches/` time the library against others and against the hash
//! function alone, and count heap allocations. For the devices `benches/device` is built without a
//! meter to be weighed, and with one to be run in QEMU.

pub mod device;
mod report;
mod stated;

use std::cell::RefCell;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use serde::{Deserialize, Serialize};

use crate::layout::{DEVICE_TARGETS, Layout};
use crate::runner::{self, Log, Step, Stop};

/// Where figures go, and how many are taken.
#[derive(Args)]
pub struct Options {
    /// Write the figures to this file as JSON.
    #[arg(long)]
    json: Option<PathBuf>,

    /// Write the tables into README.md, between the lines that mark their place.
    #[arg(long, conflicts_with = "quick")]
    readme: bool,

    /// Take a tenth of the samples, and leave the devices out.
    #[arg(long)]
    quick: bool,
}

/// What one run measured.
#[derive(Default, Serialize)]
struct Figures {
    processor: String,
    compiler: String,
    sha_instructions: bool,
    desktop: Vec<Timing>,
    heap: Vec<Heap>,
    devices: Vec<device::Figures>,
    not_measured_in_this_run: Stated,
}

/// What others measured earlier.
#[derive(Serialize)]
struct Stated {
    limit_ns: f64,
    desktop: &'static [stated::Desktop],
    devices: &'static [stated::Device],
}

impl Default for Stated {
    fn default() -> Self {
        Self {
            limit_ns: stated::LIMIT_NS,
            desktop: &stated::DESKTOP,
            devices: &stated::DEVICES,
        }
    }
}

/// What the desktop program prints.
#[derive(Deserialize)]
struct Desktop {
    sha_instructions: bool,
    contenders: Vec<Timing>,
}

/// The time that one contender takes, in nanoseconds per token and in multiples of the limit.
#[derive(Deserialize, Serialize)]
struct Timing {
    name: String,
    ns: Quartiles,
    ratio: Quartiles,
}

#[derive(Deserialize, Serialize)]
struct Quartiles {
    lower: f64,
    median: f64,
    upper: f64,
}

/// What one contender takes from the heap per token.
#[derive(Deserialize, Serialize)]
struct Heap {
    name: String,
    allocations: f64,
    bytes: f64,
}

/// Measures, prints the tables and writes the files asked for.
pub fn run(layout: &Layout, options: &Options) -> Result<ExitCode> {
    let figures = RefCell::new(Figures::default());
    let mut steps = vec![
        Step::new("desktop", |log| desktop(layout, log, options, &figures)),
        Step::new("heap", |log| {
            let printed = log.output(&mut program(layout, "allocations"))?;
            figures.borrow_mut().heap = serde_json::from_str(&printed)?;
            Ok(())
        }),
    ];
    if !options.quick {
        for target in DEVICE_TARGETS {
            let figures = &figures;
            steps.push(Step::new(target, move |log| {
                let measured = device::measure(layout, log, target)?;
                figures.borrow_mut().devices.extend(measured);
                Ok(())
            }));
        }
    }
    let code = runner::run(layout, steps)?;

    let figures = figures.into_inner();
    let tables = report::measured(&figures);
    println!("\n{tables}\n{}", report::stated(&figures));
    if let Some(path) = &options.json {
        let json = serde_json::to_string_pretty(&figures)?;
        fs::write(path, json + "\n").with_context(|| format!("writing {}", path.display()))?;
    }
    if options.readme && code == ExitCode::SUCCESS {
        report::insert(&layout.root("README.md"), &tables)?;
    }
    Ok(code)
}

fn desktop(
    layout: &Layout,
    log: &mut Log,
    options: &Options,
    figures: &RefCell<Figures>,
) -> Result<(), Stop> {
    let mut desktop = program(layout, "desktop");
    if options.quick {
        desktop.args(["--", "--quick"]);
    }
    let measured: Desktop = serde_json::from_str(&log.output(&mut desktop)?)?;
    let mut figures = figures.borrow_mut();
    figures.processor = processor();
    figures.compiler = log
        .output(layout.command("rustc").arg("--version"))?
        .trim()
        .to_owned();
    figures.sha_instructions = measured.sha_instructions;
    figures.desktop = measured.contenders;
    Ok(())
}

fn program(layout: &Layout, name: &str) -> std::process::Command {
    layout.cargo([
        "run",
        "--locked",
        "--quiet",
        "--release",
        "--package",
        "benches",
        "--bin",
        name,
    ])
}

/// Returns the processor's name, or its architecture where nothing tells the name.
fn processor() -> String {
    let lines = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = lines.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == "model name").then(|| value.trim().to_owned())
    });
    name.unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}
