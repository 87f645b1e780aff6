//! The project's own commands, run as `cargo xtask COMMAND`.

mod bench;
mod binary;
mod c_library;
mod documents;
mod emulate;
mod emulator;
mod esp32;
mod fuzz;
mod image;
mod install;
mod layout;
mod long;
mod panic_free;
mod pico_w;
mod qemu;
mod runner;
mod sizes;
mod steps;
mod tls;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use layout::Layout;

/// The project's own commands.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run every check and end with the line `N passed, N failed, N skipped`.
    ///
    /// What a check needs (compiler targets, cargo tools, Python packages) is installed first: into
    /// the target directory where that is possible. A check whose needs cannot be met is skipped and
    /// named; with CI=true in the environment that is a failure. The exit code is 1 if a check failed.
    Test {
        /// Run only the checks whose name contains one of these words.
        words: Vec<String>,

        /// Run the long checks too: more power cuts, longer fuzzing; about an hour on two cores.
        #[arg(long)]
        all: bool,

        /// Print the names of the checks and exit.
        #[arg(long)]
        list: bool,
    },

    /// Fuzz the targets of fuzz/, or one of them, for longer than `test` does.
    ///
    /// Inputs that reach new code are kept in fuzz/corpus; one that fails goes to fuzz/artifacts.
    Fuzz {
        /// How long to fuzz each target.
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
        minutes: u32,

        /// The only target to fuzz.
        target: Option<String>,
    },

    /// Run a board's release firmware in the emulator: its console on this terminal, its contacts on keys.
    Emulate(emulate::Options),

    /// Make one file of all that an ESP32-C3's or -C6's 4 MB of flash hold: boot loader, partition table, firmware
    /// or example, and the store of `gateway provision image`.
    Image(image::Options),

    /// Time signing against other libraries and against the hash function alone, count heap
    /// allocations, and measure a signing firmware's flash, instructions and stack in QEMU.
    Bench(bench::Options),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli.command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    let layout = Layout::find()?;
    match command {
        Command::Bench(options) => bench::run(&layout, &options),
        Command::Emulate(options) => emulate::run(&layout, &options),
        Command::Test { words, all, list } => {
            let mut steps = steps::all(&layout)?;
            if all {
                steps.extend(long::all(&layout)?);
            }
            if !words.is_empty() {
                steps.retain(|step| words.iter().any(|word| step.name().contains(word)));
                anyhow::ensure!(
                    !steps.is_empty(),
                    "no check has such a name; `cargo xtask test --list` prints them"
                );
            }
            if list {
                for step in &steps {
                    println!("{}", step.name());
                }
                return Ok(ExitCode::SUCCESS);
            }
            runner::run(&layout, steps)
        }
        Command::Image(options) => {
            image::run(&layout, &options)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Fuzz { minutes, target } => {
            fuzz::run(&layout, minutes, target.as_deref())?;
            Ok(ExitCode::SUCCESS)
        }
    }
}
