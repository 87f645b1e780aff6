//! The list of checks.

use anyhow::Result;

use crate::install;
use crate::layout::{DEVICE_TARGETS, Layout};
use crate::panic_free;
use crate::runner::Step;

/// Returns every check, in the order in which they run: quick and telling ones first.
pub fn all(layout: &Layout) -> Result<Vec<Step<'_>>> {
    let device_crates = layout.device_crates()?;
    let packages: Vec<String> = device_crates
        .iter()
        .flat_map(|name| ["--package".to_owned(), name.clone()])
        .collect();
    let packages_too = packages.clone();

    let mut steps = vec![
        Step::new("fmt", |log| {
            install::component(layout, log, "rustfmt", "rustfmt")?;
            log.run(&mut layout.cargo(["fmt", "--all", "--check"]))?;
            for manifest in layout.other_workspaces()? {
                log.run(&mut layout.cargo([
                    "fmt",
                    "--all",
                    "--check",
                    "--manifest-path",
                    &manifest,
                ]))?;
            }
            Ok(())
        }),
        Step::new("clippy host", |log| {
            install::component(layout, log, "clippy", "cargo-clippy")?;
            let clippy = ["clippy", "--locked", "--workspace", "--all-targets"];
            Ok(log.run(layout.cargo(clippy).args(["--", "-D", "warnings"]))?)
        }),
        Step::new("clippy thumbv6m", move |log| {
            install::targets(layout, log, &DEVICE_TARGETS[..1])?;
            install::component(layout, log, "clippy", "cargo-clippy")?;
            let mut clippy = layout.cargo(["clippy", "--locked", "--target", DEVICE_TARGETS[0]]);
            clippy.args(packages_too).args(["--", "-D", "warnings"]);
            Ok(log.run(&mut clippy)?)
        }),
        Step::new("tests", |log| {
            let kinds = ["--lib", "--bins", "--tests", "--examples"];
            let mut test = layout.cargo(["test", "--locked", "--workspace"]);
            Ok(log.run(test.args(kinds))?)
        }),
        Step::new("doctests", |log| {
            Ok(log.run(&mut layout.cargo(["test", "--locked", "--workspace", "--doc"]))?)
        }),
        Step::new("docs", |log| {
            let mut doc = layout.cargo(["doc", "--locked", "--workspace", "--no-deps"]);
            Ok(log.run(doc.env("RUSTDOCFLAGS", "-D warnings"))?)
        }),
        Step::new("embedded builds", move |log| {
            install::targets(layout, log, &DEVICE_TARGETS)?;
            let mut build = layout.cargo(["build", "--locked"]);
            for target in DEVICE_TARGETS {
                build.args(["--target", target]);
            }
            Ok(log.run(build.args(packages))?)
        }),
    ];
    for target in DEVICE_TARGETS {
        let check = move |log: &mut _| panic_free::check(layout, log, target);
        steps.push(Step::new(format!("panic-free {target}"), check));
    }
    Ok(steps)
}
