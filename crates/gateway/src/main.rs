//! The desktop program of the token signer.

mod check;
mod cli;
mod client;
mod connector;
mod credentials;
mod delivery;
mod demo;
mod endpoint;
mod exit;
mod inbox;
mod inspect;
mod moment;
mod outbox_dir;
mod output;
mod send;
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

fn main() -> ExitCode {
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
        let _ = output::line(failure.json());
    }
}

/// Ends a run whose command line can't be read, in one line; help and version are printed as they are.
fn refuse(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        let _ = error.print();
        return Exit::Done.into();
    }
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let _ = error.print();
        return Exit::Usage.into();
    }
    let text = error.to_string();
    let facts = text.split("\n\nUsage:").next().unwrap_or(&text);
    let facts = facts
        .split("\n\nFor more information")
        .next()
        .unwrap_or(facts);
    let facts = facts.trim_start_matches("error: ");
    let failure = Failure::usage(format_args!("{facts} (--help shows how)"));
    report(&failure, std::env::args_os().any(|arg| arg == "--json"));
    failure.exit.into()
}
