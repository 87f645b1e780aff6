//! The command line.

use clap::{Parser, Subcommand};

use crate::{
    check, credentials, demo, device, exit, inspect, keys, provision, send, serve, sign, verify,
};

/// Signs short-lived tokens for gateways, and sends SMS alerts with them
#[derive(Debug, Parser)]
#[command(name = "gateway", version, after_help = after_help())]
pub struct Cli {
    /// What to do; without it, the demo runs
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Send an alert to a stand-in on this machine, and show every step
    Demo(demo::DemoArgs),
    /// Sign a token and print it
    Sign(sign::SignArgs),
    /// Show what a token says, and what each API would say about it
    Inspect(inspect::InspectArgs),
    /// Check a token's signature and times
    Verify(verify::VerifyArgs),
    /// Check that an API accepts the credentials, without any effect
    Check(check::CheckArgs),
    /// Send an SMS alert
    Send(send::SendArgs),
    /// List, create, revoke and rotate API keys
    Keys(keys::KeysArgs),
    /// Make what is flashed and burnt into a device
    Provision(provision::ProvisionArgs),
    /// Talk to a device over a serial port
    Device(device::DeviceArgs),
    /// Run a stand-in of the four APIs on this machine
    Serve(serve::ServeArgs),
}

fn after_help() -> String {
    format!(
        "\
Examples:
  gateway                               try it out, nothing leaves this machine
  gateway sign --api heymarket          a token for curl or a script
  gateway sign --api heymarket | gateway inspect
  gateway check --api heymarket         do the credentials work?
  gateway send --to 15551234567 --text 'Pump 3: no flow'

{}

{}",
        credentials::HELP,
        exit::HELP
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    /// What is longer is broken anywhere, and a broken example can't be pasted.
    #[test]
    fn help_fits_into_a_terminal() {
        fn check(command: &clap::Command) {
            let text = command.get_after_help().map(ToString::to_string);
            for line in text.unwrap_or_default().lines() {
                assert!(line.len() <= 80, "{}: {line}", command.get_name());
            }
            command.get_subcommands().for_each(check);
        }
        check(&Cli::command());
    }
}
