//! The tables, as Markdown that can also be read as it is.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::device::Figures as Device;
use super::{Figures, Timing, stated};

const BEGIN: &str = "<!-- bench:begin -->";
const END: &str = "<!-- bench:end -->";

/// Returns the tables of what was measured.
pub fn measured(figures: &Figures) -> String {
    let mut text = String::new();
    if !figures.desktop.is_empty() {
        let sha = if figures.sha_instructions {
            "with"
        } else {
            "without"
        };
        text += &format!(
            "On a desktop ({}, {sha} SHA instructions, {}), one token after another:\n\n",
            figures.processor, figures.compiler
        );
        let rows = figures.desktop.iter();
        text += &table(
            &["", "ns per token", "times the limit", "heap allocations"],
            rows.map(|timing| desktop_row(figures, timing)).collect(),
        );
    }
    if !figures.devices.is_empty() {
        text += "\nOn devices, a whole firmware that signs and nothing else, as bytes of flash / \
                 instructions per token / bytes of stack, the key's preparation included; the token's \
                 buffer is not on the stack:\n\n";
        text += &table(
            &["", "opt-level 3", "opt-level s"],
            device_rows(&figures.devices),
        );
    }
    text
}

/// Returns the tables of what others measured.
pub fn stated(figures: &Figures) -> String {
    let mut text = String::new();
    if !figures.desktop.is_empty() {
        let limit = stated::LIMIT_NS;
        text += &format!(
            "Not measured in this run, and on a machine where the limit took {limit:.0} ns:\n\n"
        );
        let rows = stated::DESKTOP.iter().map(|desktop| {
            let allocations = desktop.allocations.map(|count| count.to_string());
            vec![
                desktop.name.to_owned(),
                format!("{:.0}", desktop.ns),
                format!("{:.2}", desktop.ns / limit),
                allocations.unwrap_or_default(),
            ]
        });
        text += &table(
            &["", "ns per token", "times the limit", "heap allocations"],
            rows.collect(),
        );
    }
    if !figures.devices.is_empty() {
        text += "\nNot measured in this run, as above:\n\n";
        let rows = stated::DEVICES.iter().map(|device| {
            let cell = |[flash, instructions, stack]: [u32; 3]| {
                format!("{flash} / {instructions} / {stack}")
            };
            vec![
                format!("{}, {}", short(device.target), device.name),
                device.opt_3.map_or_else(String::new, cell),
                cell(device.opt_s),
            ]
        });
        text += &table(&["", "opt-level 3", "opt-level s"], rows.collect());
    }
    text
}

/// Returns the architecture that a compiler target's name begins with.
fn short(target: &str) -> &str {
    target.split('-').next().unwrap_or(target)
}

fn desktop_row(figures: &Figures, timing: &Timing) -> Vec<String> {
    let heap = figures.heap.iter().find(|heap| heap.name == timing.name);
    vec![
        timing.name.clone(),
        format!("{:.0}", timing.ns.median),
        format!("{:.2}", timing.ratio.median),
        heap.map_or_else(String::new, |heap| format!("{:.0}", heap.allocations)),
    ]
}

/// One row for what differs only in its optimisation level.
fn device_rows(devices: &[Device]) -> Vec<Vec<String>> {
    let mut rows: Vec<Vec<String>> = Vec::new();
    for device in devices {
        let name = format!(
            "{}, `sha2` {}, {}",
            short(&device.target),
            device.sha2_backend,
            device.binary.replace('-', " ")
        );
        let cell = format!(
            "{} / {:.0} / {}",
            device.flash_bytes, device.instructions, device.stack_bytes
        );
        match rows.iter_mut().find(|row| row[0] == name) {
            Some(row) => row.push(cell),
            None => rows.push(vec![name, cell]),
        }
    }
    rows
}

fn table(head: &[&str], rows: Vec<Vec<String>>) -> String {
    let head: Vec<String> = head.iter().map(|cell| (*cell).to_owned()).collect();
    let widths: Vec<usize> = (0..head.len())
        .map(|column| {
            let cells = std::iter::once(&head).chain(&rows);
            let lengths = cells.map(|row| row[column].chars().count());
            lengths.max().unwrap_or(0).max("---:".len())
        })
        .collect();
    let line = |row: &[String]| {
        let cells = row.iter().zip(&widths).enumerate();
        let cells = cells.map(|(column, (cell, width))| match column {
            0 => format!(" {cell:<width$} |"),
            _ => format!(" {cell:>width$} |"),
        });
        format!("|{}\n", cells.collect::<String>())
    };
    let rule: Vec<String> = widths
        .iter()
        .enumerate()
        .map(|(column, width)| match column {
            0 => "-".repeat(*width),
            _ => "-".repeat(width - 1) + ":",
        })
        .collect();
    let rows: String = rows.iter().map(|row| line(row)).collect();
    line(&head) + &line(&rule) + &rows
}

/// Replaces what stands between the marks in the file at `path`.
///
/// # Errors
/// The file can't be read or written, or lacks a mark.
pub fn insert(path: &Path, tables: &str) -> Result<()> {
    let place = path.display();
    let text = fs::read_to_string(path).with_context(|| format!("reading {place}"))?;
    let text = between_marks(&text, tables).with_context(|| {
        format!("{place} has no place for the tables: a line `{BEGIN}` and, after it, `{END}`")
    })?;
    fs::write(path, text).with_context(|| format!("writing {place}"))
}

fn between_marks(text: &str, tables: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{tables}{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_replace_older_ones_and_nothing_else() {
        let empty = "# Title\n<!-- bench:begin -->\n<!-- bench:end -->\nend\n";
        let first = between_marks(empty, "one\ntwo\n").unwrap();
        assert_eq!(
            first,
            "# Title\n<!-- bench:begin -->\none\ntwo\n<!-- bench:end -->\nend\n"
        );
        assert_eq!(between_marks(&first, "").unwrap(), empty);
        assert_eq!(between_marks("<!-- bench:begin -->\n", ""), None);
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = vec![vec!["a long name".to_owned(), "7".to_owned()]];
        assert_eq!(
            table(&["", "ns per token"], rows),
            "|             | ns per token |\n\
             | ----------- | -----------: |\n\
             | a long name |            7 |\n"
        );
    }
}
