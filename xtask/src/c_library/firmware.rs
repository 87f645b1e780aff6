//! Links a firmware in C with the library, runs it in QEMU, and has its tokens judged by PyJWT.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, anyhow, ensure};

use super::{CRATE, HEADER, WARNINGS, readme, work};
use crate::bench::device::loaded_bytes;
use crate::install;
use crate::layout::Layout;
use crate::runner::{Log, Stop};

const TARGET: &str = "thumbv6m-none-eabi";

/// The firmware's sources, in the crate.
const SOURCES: [&str; 3] = [
    "examples/template.c",
    "tests/firmware/startup.c",
    "tests/firmware/main.c",
];

/// What the firmware may take in bytes; what it takes is in the crate's README.
const MOST_FLASH: u64 = 12_288;
const MOST_STACK: u64 = 1_664;

/// Seconds after which an emulation is given up.
const TIMEOUT_SECS: &str = "60";

/// What the panic handler calls, and nobody defines.
const PANIC: &str = "jwt_panic_is_reachable";

/// Runs the firmware, and shows that none links from which a panic can be reached.
pub fn check(layout: &Layout, log: &mut Log) -> Result<(), Stop> {
    install::targets(layout, log, &[TARGET])?;
    install::program(layout, log, "clang", "clang")?;
    install::program(layout, log, "qemu-system-arm", "qemu-system-arm")?;
    let python = install::python(layout, log, "pyjwt")?;

    let library = build(layout, log, "firmware")?;
    let firmware = link_as_documented(layout, log, &library)?;
    let flash = loaded_bytes(&firmware)?;
    let printed = run(layout, &firmware)?;
    log.line(&printed)?;
    let stack = printed.lines().find_map(|line| line.strip_prefix("stack "));
    let stack: u64 = stack.context("the firmware prints no stack")?.parse()?;
    log.note(format!(
        "firmware in C: {flash} bytes of flash, {stack} of stack"
    ))?;
    if flash > MOST_FLASH || stack > MOST_STACK {
        return Err(anyhow!("that is more than {MOST_FLASH} and {MOST_STACK}").into());
    }
    judge(layout, log, &python, &printed)?;

    // Everything that is exported is linked, and then a library that is not optimised.
    let exports = declared(layout)?;
    link(layout, log, &library, &exports)?;
    let unoptimised = build(layout, log, "dev")?;
    match link(layout, log, &unoptimised, &exports) {
        Err(_) if fs::read_to_string(log_of_linker(layout)?)?.contains(PANIC) => Ok(()),
        _ => Err(anyhow!("a library that can panic links all the same").into()),
    }
}

/// Builds the static library as the README says, or without optimisation, and returns where it is.
fn build(layout: &Layout, log: &mut Log, profile: &str) -> Result<PathBuf> {
    // Its own directory: other compiler flags would evict what others have built.
    let directory = work(layout)?.join("target");
    let [commands, _] = readme::commands(layout)?;
    let mut shell = layout.command("sh");
    let commands = match profile {
        "dev" => commands.replace("--profile firmware", "--profile dev"),
        _ => commands,
    };
    shell.args(["-e", "-c", &commands]);
    shell.env_remove("CARGO_ENCODED_RUSTFLAGS");
    log.run(shell.env("CARGO_TARGET_DIR", &directory))?;
    let profile = if profile == "dev" { "debug" } else { profile };
    Ok(directory.join(TARGET).join(profile).join("libjwt_core_c.a"))
}

/// Returns the functions that the header declares.
fn declared(layout: &Layout) -> Result<Vec<String>> {
    let header = fs::read_to_string(layout.root(&format!("{CRATE}/{HEADER}")))?;
    let mut names = Vec::new();
    for line in header.lines() {
        let Some((declaration, _)) = line.split_once('(') else {
            continue;
        };
        let name = declaration
            .split([' ', '*'])
            .next_back()
            .unwrap_or_default();
        if name.starts_with("jwt_") && !line.starts_with([' ', '#']) && !line.contains("inline") {
            names.push(name.to_owned());
        }
    }
    ensure!(names.len() > 5, "the header declares {names:?}");
    Ok(names)
}

/// Compiles and links the firmware, and with it the functions called `wanted`.
fn link(layout: &Layout, log: &mut Log, library: &Path, wanted: &[String]) -> Result<PathBuf> {
    let directory = work(layout)?;
    let mut sources: Vec<PathBuf> = SOURCES.map(PathBuf::from).into();
    if !wanted.is_empty() {
        let table = directory.join("table.c");
        let entries: String = wanted
            .iter()
            .map(|name| format!("    (void (*)(void)){name},\n"))
            .collect();
        let text = format!(
            "#include \"jwt_core.h\"\nextern void (*const TABLE[])(void);\n\
             void (*const TABLE[])(void) = {{\n{entries}}};\n"
        );
        fs::write(&table, text)?;
        sources.push(table);
    }
    let mut objects = Vec::new();
    for source in sources {
        let name = source.file_stem().unwrap_or_default();
        let object = directory.join(name).with_extension("o");
        let mut clang = layout.command("clang");
        clang.arg(format!("--target={TARGET}"));
        clang.args(["-Os", "-std=c11", "-ffreestanding", "-Iinclude"]);
        clang.args(["-ffunction-sections", "-fdata-sections"]);
        clang
            .args(WARNINGS)
            .arg("-c")
            .arg(source)
            .arg("-o")
            .arg(&object);
        log.run(clang.current_dir(layout.root(CRATE)))?;
        objects.push(object);
    }
    let firmware = directory.join("firmware.elf");
    let mut lld = layout.command(&linker(layout, log)?.to_string_lossy());
    lld.args(["-flavor", "gnu", "--gc-sections", "-u", "TABLE", "-T"]);
    lld.arg(layout.root(&format!("{CRATE}/tests/firmware/firmware.ld")));
    lld.args(objects).arg(library).arg("-o").arg(&firmware);
    linked(layout, log, &mut lld)?;
    Ok(firmware)
}

/// Compiles and links the firmware by the README's commands.
fn link_as_documented(layout: &Layout, log: &mut Log, library: &Path) -> Result<PathBuf> {
    let directory = work(layout)?.join("documented");
    fs::create_dir_all(&directory)?;
    let [_, commands] = readme::commands(layout)?;
    let linker = format!("{} -flavor gnu", linker(layout, log)?.display());
    let mut shell = layout.command("sh");
    shell.args(["-e", "-c", &commands]);
    shell.env("LD", linker).env("OUT", &directory);
    log.run(shell.env("LIBRARY", library))?;
    Ok(directory.join("firmware.elf"))
}

/// Runs the linker, and keeps what it says.
fn linked(layout: &Layout, log: &mut Log, linker: &mut Command) -> Result<()> {
    let output = linker.stdin(Stdio::null()).output()?;
    log.line(String::from_utf8_lossy(&output.stderr))?;
    fs::write(log_of_linker(layout)?, &output.stderr)?;
    ensure!(output.status.success(), "the firmware does not link");
    Ok(())
}

fn log_of_linker(layout: &Layout) -> Result<PathBuf> {
    Ok(work(layout)?.join("linker.log"))
}

/// Returns the linker that comes with the compiler.
fn linker(layout: &Layout, log: &mut Log) -> Result<PathBuf> {
    let print = ["--print", "target-libdir"];
    let libraries = log.output(layout.command("rustc").args(print))?;
    let host = Path::new(libraries.trim()).parent();
    Ok(host.context("no sysroot")?.join("bin/rust-lld"))
}

fn run(layout: &Layout, firmware: &Path) -> Result<String> {
    let mut emulator = layout.command("timeout");
    emulator.args([TIMEOUT_SECS, "qemu-system-arm", "-M", "microbit"]);
    emulator.args(["-nographic", "-monitor", "none", "-serial", "none"]);
    emulator.args(["-semihosting-config", "enable=on,target=native", "-kernel"]);
    let output = emulator.arg(firmware).stdin(Stdio::null()).output()?;
    let printed = [output.stdout, output.stderr].concat();
    let printed = String::from_utf8_lossy(&printed).replace('\r', "");
    ensure!(output.status.success(), "the firmware failed:\n{printed}");
    Ok(printed)
}

/// Has PyJWT verify what the firmware printed.
fn judge(layout: &Layout, log: &mut Log, python: &Path, printed: &str) -> Result<()> {
    let lines = work(layout)?.join("lines.txt");
    fs::write(&lines, printed)?;
    let mut judge = layout.command(&python.to_string_lossy());
    judge.arg(layout.root(&format!("{CRATE}/tests/judge.py")));
    log.run(judge.arg(lines))
}
