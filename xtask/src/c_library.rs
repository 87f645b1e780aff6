//! Builds `jwt-core-c` as firmware written in C uses it: header, static library, C tests.

mod firmware;
mod readme;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};

use crate::install;
use crate::layout::Layout;
use crate::runner::{Log, Stop};

const CRATE: &str = "crates/jwt-core-c";

/// The header, in the crate.
const HEADER: &str = "include/jwt_core.h";

/// The generator of the header.
const CBINDGEN: (&str, &str) = ("cbindgen", "0.29.4");

/// What the header and whoever includes it has to compile with.
const WARNINGS: [&str; 4] = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"];

/// Compilers, their language, and the sources of the test programs in it.
const TESTS: [(&str, &str, &[&[&str]]); 2] = [
    (
        "cc",
        "-std=c99",
        &[
            &["tests/tokens.c"],
            &["tests/session.c"],
            &["tests/misuse.c"],
            &["tests/verify.c"],
            &EXAMPLES,
        ],
    ),
    ("c++", "-std=c++11", &[&["tests/header.cpp"]]),
];

/// The examples, and the program that runs them.
const EXAMPLES: [&str; 3] = [
    "tests/examples.c",
    "examples/session.c",
    "examples/template.c",
];

const SANITIZERS: [&str; 2] = [
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=undefined",
];

/// Runs everything.
pub fn check(layout: &Layout, log: &mut Log) -> Result<(), Stop> {
    header(layout, log)?;
    install::program(layout, log, "cc", "gcc")?;
    install::program(layout, log, "c++", "g++")?;
    let library = host_library(layout, log)?;
    host_tests(layout, log, &library)?;
    readme::check(layout, log, &library)?;
    firmware::check(layout, log)
}

/// Compares the committed header with what the source makes.
fn header(layout: &Layout, log: &mut Log) -> Result<(), Stop> {
    let cbindgen = install::cargo_tool(layout, log, CBINDGEN.0, CBINDGEN.1)?;
    let made = work(layout)?.join("jwt_core.h");
    let mut generate = layout.command(&cbindgen.to_string_lossy());
    generate.args(["--quiet", "--config"]);
    generate.arg(layout.root(&format!("{CRATE}/cbindgen.toml")));
    generate.arg("--output").arg(&made).arg(layout.root(CRATE));
    log.run(&mut generate)?;
    let committed = format!("{CRATE}/{HEADER}");
    if fs::read(&made)? == fs::read(layout.root(&committed))? {
        return Ok(());
    }
    let made = made.display();
    Err(anyhow!("the header is not what the source makes: `cp {made} {committed}`").into())
}

/// Builds the library for this machine, with overflow checks and assertions, and returns where it is.
fn host_library(layout: &Layout, log: &mut Log) -> Result<PathBuf> {
    let mut build = layout.cargo(["rustc", "--locked", "--package", "jwt-core-c"]);
    log.run(build.args(["--crate-type", "staticlib"]))?;
    Ok(layout.target("debug/libjwt_core_c.a"))
}

/// Compiles each test with and without sanitizers, links it with the library, and runs it.
fn host_tests(layout: &Layout, log: &mut Log, library: &Path) -> Result<(), Stop> {
    for (compiler, language, programs) in TESTS {
        for sanitizers in [&SANITIZERS[..], &[]] {
            if !sanitizers.is_empty() && !links(layout, log, compiler, sanitizers)? {
                log.note(format!("{compiler} has no sanitizers here"))?;
                continue;
            }
            for sources in programs {
                let program = work(layout)?.join("host-test");
                let mut compile = layout.command(compiler);
                compile.args([language, "-g"]).args(WARNINGS);
                compile.args(sanitizers).arg("-Iinclude").arg("-o");
                compile.arg(&program).args(*sources).arg(library);
                // What Rust's standard library, which a hosted build contains, wants of an older C library.
                compile.args(["-lpthread", "-ldl", "-lm"]);
                log.run(compile.current_dir(layout.root(CRATE)))?;
                log.run(&mut layout.command(&program.to_string_lossy()))?;
            }
        }
    }
    Ok(())
}

/// Tells whether a compiler links a program with these flags.
fn links(layout: &Layout, log: &mut Log, compiler: &str, flags: &[&str]) -> Result<bool> {
    let directory = work(layout)?;
    let source = directory.join("probe.c");
    fs::write(&source, "int main(void) { return 0; }\n")?;
    let mut probe = layout.command(compiler);
    probe.args(flags).arg("-o").arg(directory.join("probe"));
    Ok(log.run(probe.arg(source)).is_ok())
}

/// Returns the directory for what is made here.
fn work(layout: &Layout) -> Result<PathBuf> {
    let directory = layout.target("jwt-core-c");
    fs::create_dir_all(&directory).with_context(|| format!("creating {}", directory.display()))?;
    Ok(directory)
}
