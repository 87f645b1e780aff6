//! Installs what a step needs, if it is missing.
//!
//! Compiler parts go into the active toolchain and Debian packages into the system, the latter only
//! as root; everything else goes into the target directory. A need that cannot be met skips the step
//! and says how to meet it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

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

/// Makes Miri available, which only the nightly toolchain has.
pub fn miri(layout: &Layout, log: &mut Log) -> Result<(), Stop> {
    let version = ["run", "nightly", "cargo", "miri", "--version"];
    if log.run(layout.command("rustup").args(version)).is_err() {
        let install = ["toolchain", "install", "nightly", "--profile", "minimal"];
        let components = ["--component", "miri", "--component", "rust-src"];
        rustup(layout, log, &[&install[..], &components].concat())?;
    }
    Ok(())
}

fn rustup(layout: &Layout, log: &mut Log, arguments: &[&str]) -> Result<(), Stop> {
    needed(
        log.run(layout.command("rustup").args(arguments)),
        &format!("`rustup {}`", arguments.join(" ")),
    )
}

/// Builds a cargo tool from source, once, and returns its program.
pub fn cargo_tool(
    layout: &Layout,
    log: &mut Log,
    name: &str,
    version: &str,
) -> Result<PathBuf, Stop> {
    let root = layout.target(&format!("tools/{name}-{version}"));
    let program = root.join("bin").join(name);
    if !program.exists() {
        // Unoptimised: the tools' own work is short, and optimising them takes minutes.
        let mut install = layout.cargo(["install", "--locked", "--debug", "--quiet", name]);
        install.args(["--version", version, "--root"]).arg(&root);
        // Its own, temporary one: what it builds is of no use to anything else.
        install.env_remove("CARGO_TARGET_DIR");
        needed(log.run(&mut install), &format!("{name} {version}"))?;
    }
    Ok(program)
}

/// Makes `program` available, which the Debian package `package` holds.
pub fn program(layout: &Layout, log: &mut Log, program: &str, package: &str) -> Result<(), Stop> {
    if log.run(layout.command(program).arg("--version")).is_ok() {
        return Ok(());
    }
    debian(layout, log, &[package])
}

/// Makes available what builds Mbed TLS: a C compiler for every target, CMake, and libclang for the bindings.
pub fn mbedtls(layout: &Layout, log: &mut Log) -> Result<(), Stop> {
    let mut there = env::var_os("LIBCLANG_PATH").is_some() || libclang();
    for program in ["clang", "cmake", "make"] {
        there &= log.run(layout.command(program).arg("--version")).is_ok();
    }
    match there {
        true => Ok(()),
        false => debian(layout, log, &["clang", "cmake", "libclang-dev", "make"]),
    }
}

/// Whether Debian's libclang is where it is looked for.
fn libclang() -> bool {
    let Ok(entries) = fs::read_dir("/usr/lib") else {
        return false;
    };
    entries
        .flatten()
        .any(|entry| entry.path().join("lib/libclang.so").exists())
}

/// Installs packages by apt-get.
fn debian(layout: &Layout, log: &mut Log, packages: &[&str]) -> Result<(), Stop> {
    let names = packages.join(" ");
    let by_hand = format!("`sudo apt-get update && sudo apt-get install {names}`");
    let root = log.output(layout.command("id").arg("-u"));
    if root.is_ok_and(|id| id.trim() == "0") {
        let mut apt = layout.command("apt-get");
        apt.env("DEBIAN_FRONTEND", "noninteractive");
        needed(log.run(apt.arg("update")), &by_hand)?;
        let mut apt = layout.command("apt-get");
        apt.env("DEBIAN_FRONTEND", "noninteractive");
        apt.args(["install", "--yes", "--no-install-recommends"]);
        needed(log.run(apt.args(packages)), &by_hand)
    } else {
        Err(Stop::Skipped(format!("{names} is missing: run {by_hand}")))
    }
}

/// Makes a Python environment that holds the packages of a test's `requirements.txt`, and returns its
/// interpreter. The file pins versions and hashes.
pub fn python(layout: &Layout, log: &mut Log, test: &str) -> Result<PathBuf, Stop> {
    program(layout, log, "python3", "python3")?;
    let requirements = layout.root(&format!("tests/{test}/requirements.txt"));
    let wanted = fs::read(&requirements)?;
    let environment = layout.target(&format!("python-{test}"));
    let interpreter = environment.join("bin/python");
    let installed = environment.join("installed-requirements.txt");
    if fs::read(&installed).is_ok_and(|installed| installed == wanted) {
        return Ok(interpreter);
    }
    let create = |log: &mut Log| {
        let mut python = layout.command("python3");
        log.run(python.args(["-m", "venv", "--clear"]).arg(&environment))
    };
    if create(log).is_err() {
        debian(layout, log, &["python3-venv"])?;
        create(log)?;
    }
    let mut pip = layout.command(&interpreter.to_string_lossy());
    pip.args(["-m", "pip", "install", "--disable-pip-version-check"]);
    pip.args(["--require-hashes", "--requirement"])
        .arg(&requirements);
    needed(log.run(&mut pip), "the Python package index")?;
    fs::write(installed, wanted)?;
    Ok(interpreter)
}

/// Turns a failed installation into a step that is skipped.
fn needed(result: anyhow::Result<()>, what: &str) -> Result<(), Stop> {
    result.map_err(|error| Stop::Skipped(format!("{what} is needed: {error:#}")))
}
