//! The desktop program of the token signer.

mod check;
mod claims_file;
mod cli;
mod client;
mod connector;
mod credential_file;
mod credentials;
mod delivery;
mod demo;
mod device;
mod durable;
mod endpoint;
mod exit;
mod inbox;
mod inspect;
mod keys;
mod moment;
mod outbox_dir;
mod outcome;
mod output;
mod private_file;
mod provision;
mod rotation;
mod seclusion;
mod send;
mod sender;
mod serve;
mod session;
mod sign;
mod token_text;
mod transport;
mod trust;
mod verify;

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use crate::cli::{Cli, Command};
use crate::exit::{Exit, Failure};

/// Fewest bytes of an argument that is not repeated in an error.
const SECRET_LEN: usize = 20;

fn main() -> ExitCode {
    seclusion::seclude();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    let (json, result) = match cli.command {
        None => (false, demo::run(&demo::DemoArgs::default())),
        Some(Command::Demo(args)) => (false, demo::run(&args)),
        Some(Command::Sign(args)) => (args.json, sign::run(&args)),
        Some(Command::Inspect(args)) => (args.json, inspect::run(&args)),
        Some(Command::Verify(args)) => (args.json, verify::run(&args)),
        Some(Command::Check(args)) => (args.json, check::run(&args)),
        Some(Command::Send(args)) => (args.json, send::run(&args)),
        Some(Command::Keys(args)) => (args.json(), keys::run(&args)),
        Some(Command::Provision(args)) => (args.json(), provision::run(&args)),
        Some(Command::Device(args)) => (args.json(), device::run(&args)),
        Some(Command::Serve(args)) => (args.json, serve::run(&args)),
    };
    match result {
        Ok(exit) => exit.into(),
        Err(failure) => {
            report(&failure, json);
            failure.exit.into()
        }
    }
}

fn report(failure: &Failure, json: bool) {
    output::note(format_args!("error: {failure}"));
    if json {
        // The exit code says the rest if standard output is gone.
        let _ = output::line(output::json_text(&failure.json()));
    }
}

/// Ends a run whose command line can't be read, in one line; help and version are printed as they are.
fn refuse(error: &clap::Error) -> ExitCode {
    let asked_for_help = error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    if !error.use_stderr() || asked_for_help {
        // A reader that has gone away is no failure.
        let _ = error.print();
        return match asked_for_help {
            true => Exit::Usage.into(),
            false => Exit::Done.into(),
        };
    }
    let text = error.to_string();
    let facts = text.split("\n\nUsage:").next().unwrap_or(&text);
    let facts = facts.split("\n\nFor more").next().unwrap_or(facts);
    let mut facts = facts.trim_start_matches("error: ").to_owned();
    // What stands in the wrong place may be a secret or a token.
    for argument in std::env::args_os() {
        let argument = argument.to_string_lossy();
        let value = argument.split_once('=').map(|(_, value)| value);
        for word in [Some(&*argument), value].into_iter().flatten() {
            if word.len() >= SECRET_LEN {
                facts = facts.replace(word, "...");
            }
        }
    }
    let failure = Failure::usage(format_args!("{facts} (--help shows how)"));
    report(&failure, std::env::args_os().any(|arg| arg == "--json"));
    failure.exit.into()
}
