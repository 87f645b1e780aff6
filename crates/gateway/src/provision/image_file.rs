//! The file that an image is written to: the options that every image has, and its forms.

use std::path::{Path, PathBuf};

use api_auth::Api;
use clap::Args;
use zeroize::Zeroizing;

use crate::credentials::CredentialArgs;
use crate::exit::Failure;
use crate::provision::custody::CustodyArgs;
use crate::provision::target::Target;
use crate::provision::uf2;
use crate::sign::api;
use crate::{durable, output};

/// Options of a command that writes one image with a credential in it.
#[derive(Args, Debug)]
pub struct ImageFileArgs {
    /// The chip
    #[arg(long, value_enum)]
    pub target: Target,
    /// The API whose credential the device gets, see gateway --help
    #[arg(long, value_parser = api)]
    pub api: &'static Api,
    /// The file to write, readable by its owner alone
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Write UF2, for drag and drop to an RP2040
    #[arg(long)]
    pub uf2: bool,
    #[command(flatten)]
    pub custody: CustodyArgs,
    /// Print a JSON object
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub credentials: CredentialArgs,
}

impl ImageFileArgs {
    /// Returns the command that flashes the file.
    pub fn flash_command(&self) -> String {
        let file = output::shell_word(&self.out);
        self.target.flash_command(&file, self.uf2)
    }
}

/// Returns a store's bytes as a file of the wanted form.
pub fn packed(
    target: Target,
    uf2: bool,
    bytes: Zeroizing<Vec<u8>>,
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    match (uf2, target.uf2_address()) {
        (false, _) => Ok(bytes),
        (true, Some(address)) => Ok(uf2::encode(&bytes, address, uf2::RP2040_FAMILY)),
        (true, None) => Err(Failure::usage(format_args!(
            "{} is not flashed with UF2: leave out --uf2",
            target.name()
        ))),
    }
}

/// Writes a file that may hold secrets.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    durable::replace(path, bytes)
        .map_err(|error| Failure::invalid(format_args!("can't write {}: {error}", path.display())))
}
