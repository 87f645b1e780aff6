//! The checks that take too long for every run, and that `test --all` adds.

use crate::emulator;
use crate::fuzz;
use crate::install;
use crate::layout::Layout;
use crate::runner::{Log, Step, Stop};

/// How long a fuzz target runs here.
const FUZZ_SECS: u32 = 120;

/// Sequences of operations whose every power cut is tried.
const STORE_SEQUENCES: &str = "250";

/// Returns the long checks, in the order in which they run.
pub fn all(layout: &Layout) -> anyhow::Result<Vec<Step<'_>>> {
    let mut steps = vec![
        Step::new("Miri", |log| miri(layout, log)),
        Step::new("long power cuts", |log| power_cuts(layout, log)),
        Step::new("long emulated rp2040", |log| {
            emulator::rp2040_long(layout, log)
        }),
    ];
    for target in fuzz::targets(layout)? {
        let name = format!("long fuzz {target}");
        let check = move |log: &mut Log| fuzz::smoke(layout, log, &target, FUZZ_SECS);
        steps.push(Step::new(name, check));
    }
    Ok(steps)
}

/// Interprets the C library's boundary, the one place of the device crates with `unsafe`, in search of undefined behaviour.
fn miri(layout: &Layout, log: &mut Log) -> Result<(), Stop> {
    install::miri(layout, log)?;
    let mut miri = layout.command("rustup");
    miri.args(["run", "nightly", "cargo", "miri", "test", "--locked"]);
    Ok(log.run(miri.args(["--package", "jwt-core-c", "--test", "boundary"]))?)
}

fn power_cuts(layout: &Layout, log: &mut Log) -> Result<(), Stop> {
    let mut test = layout.cargo(["test", "--locked", "--release", "--package", "secure-store"]);
    // Not captured, its counts are in the log.
    test.args(["--test", "power_cuts", "--", "--nocapture"]);
    Ok(log.run(test.env("SECURE_STORE_SEQUENCES", STORE_SEQUENCES))?)
}
