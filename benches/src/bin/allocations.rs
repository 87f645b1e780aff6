//! Counts what a token takes from the heap, once a contender is prepared, and prints it as JSON.
//!
//! A program of its own, since counting slows down those who allocate.

use std::alloc::System;

use anyhow::Result;
use benches::IAT;
use serde::Serialize;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const TOKENS: u64 = 1000;

#[derive(Serialize)]
struct Figures {
    name: &'static str,
    /// Allocations per token, moves of a growing block included.
    allocations: f64,
    /// Bytes per token.
    bytes: f64,
}

fn main() -> Result<()> {
    let mut figures = Vec::new();
    let mut last = Vec::with_capacity(1024);
    for mut contender in benches::all()? {
        contender.run(IAT, 1, &mut last)?;
        let region = Region::new(HEAP);
        contender.run(IAT, TOKENS, &mut last)?;
        let change = region.change();
        figures.push(Figures {
            name: contender.name(),
            allocations: (change.allocations + change.reallocations) as f64 / TOKENS as f64,
            bytes: change.bytes_allocated as f64 / TOKENS as f64,
        });
    }
    serde_json::to_writer_pretty(std::io::stdout(), &figures)?;
    println!();
    Ok(())
}
