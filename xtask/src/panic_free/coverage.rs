//! Looks whether the binary of `tests/panic-free` mentions every public function of the crates in it.
//!
//! By name alone: of two functions with the same name in a crate, one that is left out is not missed.
//! A name that nothing mentions is, which is what happens when a function is added.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::layout::Layout;

/// Checks every crate that has a module in the binary.
///
/// # Errors
/// A public function is not mentioned, or a file can't be read.
pub fn check(layout: &Layout) -> Result<()> {
    let probe = read_all(&sources(&layout.root("tests/panic-free/src"))?)?;
    let mentioned = words(&probe);
    let mut missing = Vec::new();
    for name in layout.device_crates()? {
        let module = format!("tests/panic-free/src/{}.rs", name.replace('-', "_"));
        if !layout.root(&module).exists() {
            continue;
        }
        let source = layout.root(&format!("crates/{name}/src"));
        let exporting = read_all(&exporting(&source)?)?;
        let exported = exports(&exporting);
        for file in sources(&source)? {
            for function in public_functions(&read(&file)?, &exported) {
                if !mentioned.contains(&*function) {
                    missing.push(format!("{name}: {function}"));
                }
            }
        }
    }
    ensure!(
        missing.is_empty(),
        "tests/panic-free uses every public function but these:\n{}",
        missing.join("\n")
    );
    Ok(())
}

/// Returns the files that say what a crate exports: its `lib.rs`, and the modules that are public.
fn exporting(source: &Path) -> Result<Vec<PathBuf>> {
    let library = source.join("lib.rs");
    let modules = read(&library)?;
    let modules = modules.lines().filter_map(|line| {
        let name = line.strip_prefix("pub mod ")?.strip_suffix(';')?;
        let places = [format!("{name}.rs"), format!("{name}/mod.rs")];
        places
            .map(|place| source.join(place))
            .into_iter()
            .find(|path| path.exists())
    });
    let modules: Vec<_> = modules.collect();
    Ok([vec![library], modules].concat())
}

/// Returns the public functions in a source file that are `exported` themselves or belong to types
/// that are. Tests, which stand last, are left out.
fn public_functions(source: &str, exported: &HashSet<&str>) -> Vec<String> {
    let source = source
        .split("#[cfg(test)]\nmod ")
        .next()
        .unwrap_or_default();
    let mut found = Vec::new();
    let mut owner_is_exported = false;
    for line in source.lines() {
        if line.starts_with("impl") {
            owner_is_exported = owner(line).is_some_and(|owner| exported.contains(owner));
        }
        let Some(name) = declared(line) else { continue };
        let is_method = line.starts_with(' ');
        if is_method && owner_is_exported || !is_method && exported.contains(name) {
            found.push(name.to_owned());
        }
    }
    found
}

/// Returns the words in what `source` declares public or exports, its functions' bodies left out.
fn exports(source: &str) -> HashSet<&str> {
    let mut exported = HashSet::new();
    let mut rest = source;
    while let Some(start) = rest.find("\npub ") {
        let statement = rest.get(start + 1..).unwrap_or_default();
        let end = if statement.starts_with("pub use") {
            ';'
        } else {
            '\n'
        };
        let end = statement.find(end).unwrap_or(statement.len());
        let (statement, after) = statement.split_at(end);
        exported.extend(words(statement));
        rest = after;
    }
    exported
}

/// Returns the name of the type that an `impl` without a trait is for.
fn owner(line: &str) -> Option<&str> {
    let mut rest = line.strip_prefix("impl")?;
    if rest.starts_with('<') {
        let mut depth = 0;
        let end = rest.find(|char| {
            depth += i32::from(char == '<') - i32::from(char == '>');
            depth == 0
        })?;
        rest = rest.get(end + 1..)?;
    }
    let name = rest.trim_start();
    (!name.contains(" for ")).then(|| name.split(['<', ' ']).next())?
}

/// Returns the name of the public function that a line declares.
fn declared(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix("pub ")?;
    let rest = rest.strip_prefix("const ").unwrap_or(rest);
    let rest = rest.strip_prefix("async ").unwrap_or(rest);
    let rest = rest.strip_prefix("unsafe ").unwrap_or(rest);
    let rest = rest.strip_prefix("extern \"C\" ").unwrap_or(rest);
    rest.strip_prefix("fn ")?.split(['(', '<']).next()
}

fn words(text: &str) -> HashSet<&str> {
    text.split(|char: char| !char.is_alphanumeric() && char != '_')
        .collect()
}

fn read_all(files: &[PathBuf]) -> Result<String> {
    files.iter().map(|file| read(file)).collect()
}

/// Returns the Rust sources in `directory` and below.
fn sources(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries =
        fs::read_dir(directory).with_context(|| format!("reading {}", directory.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(sources(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exports_are_found() {
        let source = "//! pub Not\nmod no;\nuse a::No;\npub use a::{\n    B,\n    c,\n};\n\
                      pub struct D<'a> {\n    pub e: u8,\n}\nimpl No {}\n";
        let exported = exports(source);
        let expected = HashSet::from(["pub", "use", "a", "B", "c", "struct", "D"]);
        assert!(exported.is_superset(&expected));
        assert!(
            ["no", "No", "Not", "e"]
                .iter()
                .all(|word| !exported.contains(word))
        );
    }

    #[test]
    fn public_functions_of_exported_types_are_found() {
        let source = "\
            pub fn free() {}\n\
            pub unsafe extern \"C\" fn foreign() {}\n\
            pub fn internal() {}\n\
            impl<E: Engine<N>, const N: usize> Exported<E, N> {\n\
            \x20   pub const fn one() {}\n\
            \x20   pub async fn two<T>(\n\
            \x20   pub(crate) fn no() {}\n\
            \x20   fn none() {}\n\
            impl Private {\n\
            \x20   pub fn hidden() {}\n\
            impl Trait for Exported {\n\
            #[cfg(test)]\n\
            mod tests {\n\
            \x20   pub fn free() {}";
        let exported = HashSet::from(["free", "foreign", "Exported"]);
        let expected = ["free", "foreign", "one", "two"];
        assert_eq!(public_functions(source, &exported), expected);
    }
}
