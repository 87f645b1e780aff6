//! `gateway device`: a device at the other end of a serial cable.

mod clock;
mod connection;
mod records;
mod rotation;
mod status;

use clap::{Args, Subcommand};

use crate::exit::{Exit, Failure};

const EXAMPLES: &str = "\
Examples:
  gateway device status --port /dev/ttyACM0
  gateway device set-clock --port /dev/ttyACM0 --device-key-file pump7.key
  gateway device provision --port /dev/ttyACM0 --window \\
      --api heymarket --settings pump7.toml
  gateway device rotate --port /dev/ttyACM0 --device-key-file pump7.key \\
      --api heymarket --credentials new.env
  gateway device retire --port /dev/ttyACM0 --device-key-file pump7.key

Anybody may ask for the status. Everything else is taken from whoever has the
device key, encrypted for the device once it has proved that it has the same; a
device without a key takes it while its button holds the provisioning window
open, and then credentials go over the cable as they are: use a cable that
nobody listens to.

A command that was interrupted can be repeated: what has arrived is kept for two
minutes, and nothing is done twice.

Exit codes: 0 done, 1 unexpected, 2 usage or the wrong key or a closed window, 3
refused, 4 no answer.";

/// The options of `gateway device`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct DeviceArgs {
    #[command(subcommand)]
    command: DeviceCommand,
}

#[derive(Debug, Subcommand)]
enum DeviceCommand {
    /// Ask the device how it is
    Status(status::StatusArgs),
    /// Set the device's clock to this machine's
    SetClock(clock::SetClockArgs),
    /// Send settings, and a credential to a device that has none
    Provision(records::ProvisionArgs),
    /// Give the device a new credential, and put it into use
    Rotate(rotation::RotateArgs),
    /// Have the device forget the credential that was replaced, after it was revoked
    Retire(rotation::RetireArgs),
    /// Have the device start again
    Reboot(clock::RebootArgs),
}

impl DeviceArgs {
    /// Whether a JSON object is to be printed.
    pub fn json(&self) -> bool {
        match &self.command {
            DeviceCommand::Status(args) => args.line.json,
            DeviceCommand::SetClock(args) => args.line.json,
            DeviceCommand::Provision(args) => args.line.json,
            DeviceCommand::Rotate(args) => args.line.json,
            DeviceCommand::Retire(args) => args.line.json,
            DeviceCommand::Reboot(args) => args.line.json,
        }
    }
}

/// Talks to the device.
pub fn run(args: &DeviceArgs) -> Result<Exit, Failure> {
    match &args.command {
        DeviceCommand::Status(args) => status::run(args),
        DeviceCommand::SetClock(args) => clock::set(args),
        DeviceCommand::Provision(args) => records::provision(args),
        DeviceCommand::Rotate(args) => rotation::rotate(args),
        DeviceCommand::Retire(args) => rotation::retire(args),
        DeviceCommand::Reboot(args) => clock::reboot(args),
    }
}
