//! Where things are: directories, workspaces and the crates that run on a device.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

/// Compiler targets that every device crate is built for.
pub const DEVICE_TARGETS: [&str; 2] = ["thumbv6m-none-eabi", "riscv32imc-unknown-none-elf"];

/// Directories of the checkout and of what is built from it.
pub struct Layout {
    root: PathBuf,
    target: PathBuf,
}

impl Layout {
    /// Finds the checkout from this package's manifest, and the target directory from
    /// `CARGO_TARGET_DIR` or the checkout.
    pub fn find() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("the xtask package has no parent directory")?
            .to_path_buf();
        let target = match env::var_os("CARGO_TARGET_DIR") {
            Some(dir) => root.join(dir),
            None => root.join("target"),
        };
        Ok(Self { root, target })
    }

    /// Returns `path` inside the checkout.
    pub fn root(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// Returns `path` inside the target directory, which all workspaces share.
    pub fn target(&self, path: &str) -> PathBuf {
        self.target.join(path)
    }

    /// Returns `program`, to be run in the checkout with the shared target directory.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(&self.root)
            .env("CARGO_TARGET_DIR", &self.target);
        command
    }

    /// Returns the cargo that started this program, with `arguments`, to be run in the checkout.
    pub fn cargo<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        let cargo = env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let mut command = self.command(&cargo);
        command.args(arguments);
        command
    }

    /// Returns the names of the crates that declare `#![no_std]`, in alphabetical order.
    pub fn device_crates(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for directory in directories(&self.root.join("crates"))? {
            let Ok(source) = fs::read_to_string(directory.join("src/lib.rs")) else {
                continue;
            };
            if source.lines().any(|line| line == "#![no_std]") {
                names.push(file_name(&directory));
            }
        }
        Ok(names)
    }

    /// Returns the manifests of all workspaces, the main one first.
    pub fn workspaces(&self) -> Result<Vec<PathBuf>> {
        let mut manifests = vec![self.root.join("Cargo.toml")];
        for directory in ["benches", "boards", "fuzz", "tests"] {
            find_workspaces(&self.root.join(directory), &mut manifests)?;
        }
        Ok(manifests)
    }
}

fn find_workspaces(directory: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let manifest = directory.join("Cargo.toml");
    let text = fs::read_to_string(&manifest).unwrap_or_default();
    if text.lines().any(|line| line == "[workspace]") {
        found.push(manifest);
    }
    for nested in directories(directory)? {
        if !["target", "node_modules"].contains(&&*file_name(&nested)) {
            find_workspaces(&nested, found)?;
        }
    }
    Ok(())
}

/// Returns the directories in `parent` in alphabetical order; none when it does not exist.
fn directories(parent: &Path) -> Result<Vec<PathBuf>> {
    if !parent.exists() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(parent).with_context(|| format!("reading {}", parent.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}
