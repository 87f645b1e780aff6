//! Times the contenders and prints, as JSON, nanoseconds per token and the ratio to the limit.
//!
//! All run in this one process, in turns of a tenth of a millisecond, so that whatever else the
//! machine does hits all of them. A ratio is taken within each round before the median is.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use benches::{Contender, IAT};
use serde::Serialize;

const TURN: Duration = Duration::from_micros(100);
const ROUNDS: usize = 4000;
const QUICK_ROUNDS: usize = 400;

#[derive(Serialize)]
struct Report {
    /// Whether the processor has SHA-256 instructions, which the libraries built on `sha2` then use.
    sha_instructions: bool,
    contenders: Vec<Figures>,
}

#[derive(Serialize)]
struct Figures {
    name: &'static str,
    ns: Quartiles,
    /// To the first contender, the limit.
    ratio: Quartiles,
}

#[derive(Serialize)]
struct Quartiles {
    lower: f64,
    median: f64,
    upper: f64,
}

fn main() -> Result<()> {
    let rounds = match std::env::args().nth(1).as_deref() {
        Some("--quick") => QUICK_ROUNDS,
        _ => ROUNDS,
    };
    let mut contenders = benches::all()?;
    let mut last = Vec::new();
    let turns = contenders
        .iter_mut()
        .map(|contender| tokens_in(TURN, contender, &mut last))
        .collect::<Result<Vec<_>>>()?;

    let mut times = vec![Vec::with_capacity(rounds); contenders.len()];
    for round in 0..rounds {
        for place in 0..contenders.len() {
            let index = (place + round) % contenders.len();
            let time = time(&mut contenders[index], turns[index], &mut last)?;
            times[index].push(time.as_nanos() as f64 / turns[index] as f64);
        }
    }

    let limits = times.first().context("nothing to time")?;
    let contenders = contenders
        .iter()
        .zip(&times)
        .map(|(contender, times)| Figures {
            name: contender.name(),
            ns: quartiles(times.clone()),
            ratio: quartiles(
                times
                    .iter()
                    .zip(limits)
                    .map(|(t, limit)| t / limit)
                    .collect(),
            ),
        })
        .collect();
    let report = Report {
        sha_instructions: sha_instructions(),
        contenders,
    };
    serde_json::to_writer_pretty(std::io::stdout(), &report)?;
    println!();
    Ok(())
}

fn sha_instructions() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("sha");
    #[cfg(target_arch = "aarch64")]
    return std::arch::is_aarch64_feature_detected!("sha2");
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    return false;
}

/// Returns how many tokens take about `time`, at least one.
fn tokens_in(goal: Duration, contender: &mut Contender, last: &mut Vec<u8>) -> Result<u64> {
    let mut count = 1;
    loop {
        let taken = time(contender, count, last)?;
        if taken >= goal {
            return Ok(count);
        }
        count *= 2;
    }
}

fn time(contender: &mut Contender, count: u64, last: &mut Vec<u8>) -> Result<Duration> {
    let start = Instant::now();
    contender.run(IAT, count, last)?;
    Ok(start.elapsed())
}

fn quartiles(mut values: Vec<f64>) -> Quartiles {
    values.sort_by(f64::total_cmp);
    let at = |quarter: usize| values[(values.len() - 1) * quarter / 4];
    Quartiles {
        lower: at(1),
        median: at(2),
        upper: at(3),
    }
}
