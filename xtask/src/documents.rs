//! Compiles and runs the Rust examples of the Markdown files.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

use crate::layout::Layout;
use crate::runner::{Log, Stop};

/// Tests the examples in `README.md` and in `docs/`, which may use the device crates.
pub fn check(layout: &Layout, log: &mut Log) -> Result<(), Stop> {
    let crates = layout.device_crates()?;
    let mut build = layout.cargo(["build", "--locked", "--lib"]);
    for name in &crates {
        build.args(["--package", name]);
    }
    log.run(&mut build)?;

    for document in documents(layout)? {
        let mut rustdoc = layout.command("rustdoc");
        rustdoc.args(["--test", "--edition", "2024"]).arg(&document);
        rustdoc
            .arg("-L")
            .arg(joined("dependency=", layout.target("debug/deps")));
        for name in &crates {
            let name = name.replace('-', "_");
            let library = layout.target(&format!("debug/lib{name}.rlib"));
            let link = joined(&format!("{name}="), library);
            rustdoc.arg("--extern").arg(link);
        }
        log.run(&mut rustdoc)?;
    }
    Ok(())
}

fn documents(layout: &Layout) -> anyhow::Result<Vec<PathBuf>> {
    let mut documents = vec![layout.root("README.md")];
    for entry in fs::read_dir(layout.root("docs"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "md") {
            documents.push(path);
        }
    }
    documents.sort();
    Ok(documents)
}

fn joined(option: &str, path: PathBuf) -> OsString {
    let mut option = OsString::from(option);
    option.push(path);
    option
}
