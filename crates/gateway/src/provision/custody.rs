//! Who can get at the key that a device signs with: the options that say so, and what it is called.

use std::path::PathBuf;

use api_auth::{Api, Scheme};
use clap::{Args, ValueEnum};
use jwt_core::HmacKey;
use secure_store::Custody;

use crate::exit::Failure;
use crate::provision::contents::KeyPlace;
use crate::provision::key_file;
use crate::provision::target::Target;

/// Options of who can get at the key.
#[derive(Args, Clone, Debug, Default)]
pub struct CustodyArgs {
    /// Encrypt the records under the device's key, which is in this file of 32 bytes
    #[arg(long, value_name = "FILE")]
    pub device_key_file: Option<PathBuf>,
    /// The key that signs is in this fuse block or slot of the chip, and in no file
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u8).range(0..16))]
    pub hardware_key: Option<u8>,
}

impl CustodyArgs {
    /// Reads the device key, if one is named.
    pub fn device_key(&self) -> Result<Option<HmacKey>, Failure> {
        self.device_key_file
            .as_deref()
            .map(key_file::read)
            .transpose()
    }

    /// Returns where the key that signs is, if it can be there on the target.
    ///
    /// Over the cable the target is known only if a person has named it: what is no place on some chip is then none.
    pub fn key_place(&self, api: &Api, target: Option<Target>) -> Result<KeyPlace, Failure> {
        if let (Some(number), Some(_)) = (self.hardware_key, &self.device_key_file) {
            check_free(number, target)?;
        }
        match (self.hardware_key, api.scheme) {
            (None, _) => Ok(KeyPlace::Store),
            (Some(number), Scheme::IssIat | Scheme::KidExp) => Ok(KeyPlace::Hardware(number)),
            (Some(_), _) => Err(Failure::usage(format_args!(
                "{} is sent its key as it is, so the key can't stay in hardware: leave out --hardware-key, seal it with --device-key-file",
                api.name
            ))),
        }
    }
}

/// Refuses the place of the device key: what it signs is not to be what seals the store.
fn check_free(number: u8, target: Option<Target>) -> Result<(), Failure> {
    let keeps = |target: &&Target| target.device_key_place() == number;
    match target {
        Some(target) if keeps(&&target) => Err(Failure::usage(format_args!(
            "number {number} is where {} keeps its device key: put the key that signs elsewhere, and name that place with --hardware-key",
            target.name()
        ))),
        Some(_) => Ok(()),
        None => {
            let chips = Target::value_variants().iter().filter(keeps);
            let names: Vec<_> = chips.map(|target| target.name()).collect();
            match names.is_empty() {
                true => Ok(()),
                false => Err(Failure::usage(format_args!(
                    "number {number} is where these keep their device key: {}; name the chip with --target, or, if it is one of them, put the key that signs elsewhere",
                    names.join(", ")
                ))),
            }
        }
    }
}

/// Returns a custody in one word.
pub fn custody_name(custody: Custody) -> &'static str {
    match custody {
        Custody::Plain => "plain",
        Custody::Sealed => "sealed",
        Custody::Hardware => "hardware",
    }
}
