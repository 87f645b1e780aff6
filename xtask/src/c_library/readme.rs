//! Runs what the crate's README.md and the root's show: the C code, the CMake lines, the commands.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::{CRATE, EXAMPLES, WARNINGS, work};
use crate::install;
use crate::layout::Layout;
use crate::runner::{Log, Stop};

/// Documents with C code.
const WITH_CODE: [&str; 2] = ["README.md", "crates/jwt-core-c/README.md"];

/// Compiles the C code, and builds and runs the examples by the CMake lines.
pub fn check(layout: &Layout, log: &mut Log, library: &Path) -> Result<(), Stop> {
    let directory = work(layout)?;
    for document in WITH_CODE {
        for code in blocks(layout, document, "c")? {
            let source = directory.join("readme.c");
            fs::write(&source, code)?;
            let mut cc = layout.command("cc");
            cc.args(["-std=c99", "-fsyntax-only", "-I"]);
            cc.arg(layout.root(&format!("{CRATE}/include")));
            log.run(cc.args(WARNINGS).arg(source))?;
        }
    }

    install::program(layout, log, "cmake", "cmake")?;
    let project = directory.join("cmake");
    fs::create_dir_all(&project)?;
    let sources = EXAMPLES.map(|source| format!("${{JWT_CORE_SOURCE}}/{source}"));
    let lines = blocks(layout, &format!("{CRATE}/README.md"), "cmake")?.concat();
    let text = format!(
        "cmake_minimum_required(VERSION 3.16)\nproject(firmware C)\nset(CMAKE_C_STANDARD 99)\n\
         add_executable(firmware {})\n{lines}target_link_libraries(firmware PRIVATE pthread dl m)\n",
        sources.join(" ")
    );
    fs::write(project.join("CMakeLists.txt"), text)?;
    let mut configure = cmake(layout, &["-S"]);
    configure.arg(&project).arg("-B").arg(project.join("build"));
    configure.arg(format!("-DJWT_CORE_LIBRARY={}", library.display()));
    let source = layout.root(CRATE);
    configure.arg(format!("-DJWT_CORE_SOURCE={}", source.display()));
    log.run(&mut configure)?;
    log.run(cmake(layout, &["--build"]).arg(project.join("build")))?;
    let program = project.join("build/firmware");
    Ok(log.run(&mut layout.command(&program.to_string_lossy()))?)
}

fn cmake(layout: &Layout, arguments: &[&str]) -> Command {
    let mut command = layout.command("cmake");
    command.args(arguments);
    command
}

/// Returns the commands of the crate's README that build a library, and those that link a firmware with it.
pub fn commands(layout: &Layout) -> Result<[String; 2]> {
    let blocks = blocks(layout, &format!("{CRATE}/README.md"), "sh")?;
    <[String; 2]>::try_from(blocks)
        .ok()
        .context("the README has not two blocks of commands")
}

/// Returns the blocks of a document that are in a language.
fn blocks(layout: &Layout, document: &str, language: &str) -> Result<Vec<String>> {
    let path: PathBuf = layout.root(document);
    let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let mut blocks = Vec::new();
    let mut block: Option<String> = None;
    for line in text.lines() {
        match &mut block {
            None if line == format!("```{language}") => block = Some(String::new()),
            None => {}
            Some(_) if line == "```" => blocks.extend(block.take()),
            Some(text) => {
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    Ok(blocks)
}
