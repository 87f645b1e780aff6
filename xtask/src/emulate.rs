//! The release firmware of a board, emulated, for a person to play with.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};

use crate::emulator;
use crate::layout::Layout;
use crate::runner::{Log, Stop};

const PLAY: &str = "boards/rp2040/test/emulate.mjs";

const EXAMPLES: &str = "\
Examples:
  cargo xtask emulate rp2040
      a gateway that is provisioned for a stand-in of the API; Ctrl-D closes the door's contact
  gateway provision image --target rp2040 --api heymarket --settings pump7.toml --out pump7.bin
  cargo xtask emulate rp2040 --provision pump7.bin
      one that is provisioned otherwise: this machine's loopback is 10.0.2.2 to it, and the only name
      that it finds is time.test, so nothing goes to a real API by mistake
  cargo xtask emulate rp2040 --blank
      one that is not provisioned: press the button with Ctrl-B, then, in another terminal, with the
      port that is printed: gateway device provision --port /dev/pts/7 --window ...

Time is real, and the emulated core is slower than the chip: a TLS handshake takes its time.";

/// Options of `emulate`.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Options {
    /// The board
    board: Board,

    /// What the store holds, as `gateway provision image --target rp2040` writes it without --uf2
    #[arg(long, value_name = "FILE", conflicts_with = "blank")]
    provision: Option<PathBuf>,

    /// Leave the store blank
    #[arg(long)]
    blank: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Board {
    /// A W5500-EVB-Pico with a clock chip and a secure element
    Rp2040,
}

/// Builds the firmware and runs it on this terminal.
pub fn run(layout: &Layout, options: &Options) -> anyhow::Result<ExitCode> {
    let Options {
        board: Board::Rp2040,
        provision,
        blank,
    } = options;
    let mut play = layout.command("node");
    play.arg(layout.root(PLAY));
    if let Some(path) = provision {
        let path = path
            .canonicalize()
            .with_context(|| format!("reading {}", path.display()))?;
        play.arg("--store").arg(path);
    }
    if *blank {
        play.arg("--blank");
    }
    println!("building the firmware, the gateway program and the stand-in …");
    let mut log = Log::create(layout, "emulate")?;
    match emulator::build(layout, &mut log) {
        Ok(()) => {}
        Err(Stop::Failed(error)) => {
            return Err(error.context("see target/xtask-logs/emulate.log"));
        }
        Err(Stop::Skipped(reason)) => bail!(reason),
    }
    match play.status()?.success() {
        true => Ok(ExitCode::SUCCESS),
        false => Ok(ExitCode::FAILURE),
    }
}
