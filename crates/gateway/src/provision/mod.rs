//! `gateway provision`: from credentials and settings to what is flashed and burnt into a device.

mod batch;
mod batch_rows;
mod checked;
pub mod contents;
pub mod custody;
pub mod describe;
mod efuse;
mod image;
mod image_file;
pub mod key_file;
mod rotate;
pub mod settings;
pub mod settings_args;
mod show;
mod store_image;
pub mod successor;
pub mod target;
mod uf2;

use clap::{Args, Subcommand};

use crate::exit::{Exit, Failure};
use crate::output;

const EXAMPLES: &str = "\
Examples:
  gateway provision settings --example > pump7.toml
  gateway provision image --target rp2040 --api heymarket \\
      --settings pump7.toml --uf2 --out pump7.uf2
  gateway provision show pump7.uf2
  gateway provision device-key --target esp32c3 --out pump7.key
  gateway provision efuse-key --target esp32c3 --api heymarket --out site7.hmac
  gateway provision batch devices.csv --target rp2040 --api heymarket \\
      --settings site.toml --out images

Each command's --help tells more. Over a cable, without flashing: gateway
device.";

const SETTINGS_EXAMPLES: &str = "\
Examples:
  gateway provision settings --example > pump7.toml
  gateway provision settings pump7.toml --credentials site7.env

WIFI_PASSPHRASE, for settings that name a wireless network, is looked for where
credentials are.

Exit codes: 0 in order, 1 unexpected, 2 usage, or a setting is wrong.";

/// The options of `gateway provision`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ProvisionArgs {
    #[command(subcommand)]
    command: ProvisionCommand,
}

#[derive(Debug, Subcommand)]
enum ProvisionCommand {
    /// Make the image of a device's store, with its credential and settings
    Image(image::ImageArgs),
    /// Write the key that a chip's HMAC peripheral signs tokens with, for burning into a fuse block
    EfuseKey(efuse::EfuseKeyArgs),
    /// Write a random device key, which a device's records are encrypted under
    DeviceKey(efuse::DeviceKeyArgs),
    /// Put a new credential into the free slot of an image that was read from a device
    Rotate(rotate::RotateArgs),
    /// Make an image for each row of a CSV file
    Batch(batch::BatchArgs),
    /// Show what is in an image, but no secret
    Show(show::ShowArgs),
    /// Check a settings file, or print an example
    Settings(CheckArgs),
}

/// The options of `gateway provision settings`.
#[derive(Args, Debug)]
#[command(after_help = SETTINGS_EXAMPLES)]
struct CheckArgs {
    /// Print a file with every setting
    #[arg(long, required_unless_present = "file")]
    example: bool,
    /// The file to check
    #[arg(value_name = "FILE", conflicts_with = "example")]
    file: Option<std::path::PathBuf>,
    #[command(flatten)]
    credentials: crate::credentials::CredentialArgs,
}

impl ProvisionArgs {
    /// Whether a JSON object is to be printed.
    pub fn json(&self) -> bool {
        match &self.command {
            ProvisionCommand::Image(args) => args.file.json,
            ProvisionCommand::EfuseKey(args) => args.json(),
            ProvisionCommand::DeviceKey(args) => args.json(),
            ProvisionCommand::Rotate(args) => args.file.json,
            ProvisionCommand::Batch(args) => args.json,
            ProvisionCommand::Show(args) => args.json,
            ProvisionCommand::Settings(_) => false,
        }
    }
}

/// Provisions.
pub fn run(args: &ProvisionArgs) -> Result<Exit, Failure> {
    match &args.command {
        ProvisionCommand::Image(args) => image::run(args),
        ProvisionCommand::EfuseKey(args) => efuse::run_efuse_key(args),
        ProvisionCommand::DeviceKey(args) => efuse::run_device_key(args),
        ProvisionCommand::Rotate(args) => rotate::run(args),
        ProvisionCommand::Batch(args) => batch::run(args),
        ProvisionCommand::Show(args) => show::run(args),
        ProvisionCommand::Settings(args) => check_settings(args),
    }
}

fn check_settings(args: &CheckArgs) -> Result<Exit, Failure> {
    let Some(path) = &args.file else {
        output::line(settings::EXAMPLE.trim_end())?;
        return Ok(Exit::Done);
    };
    let name = path.display().to_string();
    let checked = settings::Settings::read(path)?
        .check(&args.credentials)
        .map_err(|error| error.of(&name))?;
    contents::settings(&checked)?;
    for missing in checked.missing() {
        output::note(format_args!("note: {missing}"));
    }
    output::line(format_args!("{name} is in order"))?;
    Ok(Exit::Done)
}
