//! Looks for reachable panics in the binary of `tests/panic-free`.
//!
//! That binary calls the device crates' whole public API and is linked as firmware is: without the
//! functions that nothing calls. A panic that can be reached therefore shows as one of the core
//! library's panicking functions, and as the text that only the panic handler refers to. From the
//! panicking functions the references are followed back to the first line of source outside the
//! standard library, which tells where the panic comes from.

mod allowed;
mod coverage;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};

use crate::binary::{self, Binary};
use crate::install;
use crate::layout::Layout;
use crate::runner::{Log, Stop};
use allowed::{ABOVE_JWT_CORE, Allowed};

/// Profiles of the binary, and the optimisation level of each.
const RELEASE: (&str, &str) = ("release", "3");
const SMALL: (&str, &str) = ("small", "s");
const SMALLEST: (&str, &str) = ("smallest", "z");

/// The feature that makes the binary panic, and the file that the panic is in.
const CONTROL: (&str, &str) = ("deliberate-panic", "panic-free/src/main.rs:");

/// What the binary's panic handler is made of.
const MARKER: &[u8] = b"a panic can be reached!\n";

/// How the names of functions that panic begin; all of them end in the panic handler.
const PANICKING: [&str; 10] = [
    "core::panicking::",
    "core::option::unwrap_failed",
    "core::option::expect_failed",
    "core::result::unwrap_failed",
    "core::slice::index::slice_",
    "core::slice::copy_from_slice_impl::len_mismatch_fail",
    "core::str::slice_error_fail",
    "core::cell::panic_",
    "rust_begin_unwind",
    "__rustc::rust_begin_unwind",
];

/// What is linked, how, and which panics are let pass in it.
struct Scope {
    name: &'static str,
    features: &'static [&'static str],
    profiles: &'static [(&'static str, &'static str)],
    allowed: &'static [Allowed],
}

const SCOPES: [Scope; 3] = [
    Scope {
        name: "jwt-core alone",
        features: &["--no-default-features"],
        profiles: &[RELEASE, SMALL, SMALLEST],
        allowed: &[],
    },
    Scope {
        name: "all crates",
        features: &["--features", "asynchronous"],
        profiles: &[RELEASE, SMALL],
        allowed: &ABOVE_JWT_CORE,
    },
    // Messages of panics, which asynchronous functions need here, keep the compiler at this level
    // from inlining the standard library's checked functions, so that it no longer sees through them.
    Scope {
        name: "all crates, nothing asynchronous",
        features: &[],
        profiles: &[SMALLEST],
        allowed: &ABOVE_JWT_CORE,
    },
];

/// Checks every profile for one compiler target, and that a panic put in on purpose is found in each.
pub fn check(layout: &Layout, log: &mut Log, target: &str) -> Result<(), Stop> {
    install::targets(layout, log, &[target])?;
    coverage::check(layout)?;
    let mut origins = BTreeSet::new();
    for scope in &SCOPES {
        for (profile, level) in scope.profiles {
            let (feature, place) = CONTROL;
            let with_control = [scope.features, &["--features", feature]].concat();
            let control = link(layout, log, target, profile, &with_control)?;
            let control = origins_in(log, &control, level, scope.allowed)?;
            if !control.iter().any(|origin| origin.contains(place)) {
                let message = format!(
                    "the panic put in on purpose is not found in {} at opt-level {level}",
                    scope.name
                );
                return Err(anyhow!(message).into());
            }
            let binary = link(layout, log, target, profile, scope.features)?;
            for origin in origins_in(log, &binary, level, scope.allowed)? {
                origins.insert(format!("{}, opt-level {level}: {origin}", scope.name));
            }
        }
    }
    if origins.is_empty() {
        return Ok(());
    }
    for origin in &origins {
        log.line(origin)?;
    }
    Err(anyhow!("panics can be reached on {target}").into())
}

/// Links the binary and returns where it is.
fn link(
    layout: &Layout,
    log: &mut Log,
    target: &str,
    profile: &str,
    features: &[&str],
) -> Result<PathBuf> {
    let mut cargo = layout.cargo(["rustc", "--locked", "--bin", "panic-free"]);
    cargo
        .args(["--profile", profile, "--target", target])
        .args(features)
        .args(["--", "-C", "link-arg=--emit-relocs"]);
    log.run(cargo.current_dir(layout.root("tests/panic-free")))?;
    Ok(layout.target(&format!("{target}/{profile}/panic-free")))
}

/// Returns where the panics in the binary at `path` come from, one sentence each.
fn origins_in(
    log: &mut Log,
    path: &Path,
    level: &str,
    allowed: &[Allowed],
) -> Result<BTreeSet<String>> {
    let (data, binary) = binary::read(path)?;
    let mut origins = BTreeSet::new();
    let mut excused = false;
    for (origin, callee) in origins_of(&binary) {
        let origin = format!("{origin} calls {callee}");
        let excuses =
            |entry: &&Allowed| origin.contains(entry.place) && entry.levels.contains(&level);
        if let Some(entry) = allowed.iter().find(excuses) {
            log.line(format!("passed: {origin}: {}", entry.reason))?;
            excused = true;
        } else {
            origins.insert(origin);
        }
    }
    let handler = data.windows(MARKER.len()).any(|window| window == MARKER);
    if handler && !excused && origins.is_empty() {
        origins.insert("the panic handler is linked, but nothing is seen to call it".to_owned());
    }
    Ok(origins)
}

/// Follows the references to panicking functions back to lines outside the standard library.
fn origins_of(binary: &Binary) -> BTreeSet<(String, String)> {
    let mut panics: Vec<bool> = binary
        .functions
        .iter()
        .map(|function| PANICKING.iter().any(|name| function.name.starts_with(name)))
        .collect();
    let mut origins = BTreeSet::new();
    let mut grown = true;
    while grown {
        grown = false;
        for reference in &binary.references {
            if !panics[reference.to] || reference.from.is_some_and(|from| panics[from]) {
                continue;
            }
            let callee = &binary.functions[reference.to].name;
            let own = reference.lines.iter().find(|(file, _)| !is_std(file));
            match (own, reference.from) {
                (Some((file, line)), from) => {
                    let caller = from.map_or("data", |from| &binary.functions[from].name);
                    let place = format!("{}:{line} in {caller}", short(file));
                    origins.insert((place, callee.clone()));
                }
                // A function of the standard library: whatever calls it can panic.
                (None, Some(from)) => {
                    panics[from] = true;
                    grown = true;
                }
                (None, None) => {
                    origins.insert(("data".to_owned(), callee.clone()));
                }
            }
        }
    }
    origins
}

/// Returns a source file's path from its package on, or from the checkout.
fn short(file: &str) -> &str {
    let checkout = env!("CARGO_MANIFEST_DIR").trim_end_matches("xtask");
    match file.split_once("/registry/src/") {
        Some((_, path)) => path.split_once('/').map_or(path, |(_, path)| path),
        None => file.strip_prefix(checkout).unwrap_or(file),
    }
}

/// Tells whether a source file belongs to the standard library, which is compiled beforehand.
fn is_std(file: &str) -> bool {
    file.starts_with("/rustc/") || file.contains("/lib/rustlib/src/")
}
