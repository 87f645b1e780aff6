//! Looks for reachable panics in the binary of `tests/panic-free`.
//!
//! That binary calls the device crates' whole public API and is linked as firmware is: without the
//! functions that nothing calls. A panic that can be reached therefore shows as one of the core
//! library's panicking functions, and as the text that only the panic handler refers to. From the
//! panicking functions the references are followed back to the first line of source outside the
//! standard library, which tells where the panic comes from.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};

use crate::binary::{self, Binary};
use crate::install;
use crate::layout::Layout;
use crate::runner::{Log, Stop};

/// Profiles of the binary, and the optimisation level of each.
const PROFILES: [(&str, &str); 3] = [("release", "3"), ("small", "s"), ("smallest", "z")];

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

/// Panics of dependencies that stay in although nothing reaches them.
///
/// Each is a package's name, the optimisation levels at which the compiler does not see it, and why
/// nothing does. A panic is a package's if the line that it was compiled from is.
const ALLOWED: [(&str, &[&str], &str); 12] = [
    (
        "chacha20-",
        &["z"],
        "cuts keys and blocks into words, which have the lengths that their types say",
    ),
    (
        "chacha20poly1305-",
        &["z"],
        "copies two lengths of 8 bytes into a block of 16",
    ),
    (
        "chrono-",
        &["3", "s", "z"],
        "looks up tables by remainders and ordinals that fit them",
    ),
    (
        "cipher-",
        &["3", "s", "z"],
        "ends its keystream after 256 GiB, of which a sealed value takes 1 KiB",
    ),
    ("hybrid-array-", &["z"], "indexes arrays with constants"),
    (
        "universal-hash-",
        &["z"],
        "pads a rest that is shorter than a block",
    ),
    (
        "secure-store/src/ds3231.rs:0",
        &["3", "s"],
        "holds chrono inlined, where merged panics lose their lines",
    ),
    (
        "base64ct-",
        &["z"],
        "cuts its slices to lengths that it has just compared",
    ),
    (
        "httparse-",
        &["3", "s", "z"],
        "cuts a header value behind a byte that it has found in it; finds the byte that is not zero \
         in a word that is not",
    ),
    (
        "postcard-",
        &["z"],
        "writes a number into an array that has room for its longest encoding",
    ),
    (
        "serde-json-core-",
        &["3", "s", "z"],
        "indexes its buffer after comparing the length",
    ),
    (
        " in panic_free::serde_claims::",
        &["3", "s", "z"],
        "holds serde-json-core inlined, where merged panics lose their lines",
    ),
];

/// Checks every profile for one compiler target, and that a panic put in on purpose is found in each.
pub fn check(layout: &Layout, log: &mut Log, target: &str) -> Result<(), Stop> {
    install::targets(layout, log, &[target])?;
    let mut origins = BTreeSet::new();
    for (profile, level) in PROFILES {
        let (feature, place) = CONTROL;
        let control = link(layout, log, target, profile, &["--features", feature])?;
        let control = origins_in(&control, level)?;
        if !control.iter().any(|origin| origin.contains(place)) {
            let message = format!("the panic put in on purpose is not found at opt-level {level}");
            return Err(anyhow!(message).into());
        }
        for origin in origins_in(&link(layout, log, target, profile, &[])?, level)? {
            origins.insert(format!("opt-level {level}: {origin}"));
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
fn origins_in(path: &Path, level: &str) -> Result<BTreeSet<String>> {
    let (data, binary) = binary::read(path)?;
    let mut origins = BTreeSet::new();
    let mut allowed = false;
    for (origin, callee) in origins_of(&binary) {
        let excuses = |(package, levels, _): &(&str, &[&str], _)| {
            origin.contains(package) && levels.contains(&level)
        };
        if ALLOWED.iter().any(excuses) {
            allowed = true;
        } else {
            origins.insert(format!("{origin} calls {callee}"));
        }
    }
    let handler = data.windows(MARKER.len()).any(|window| window == MARKER);
    if handler && !allowed && origins.is_empty() {
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
