//! Who can get at the key that a device signs with: the options that say so, and what it is called.

use std::path::PathBuf;

use api_auth::{Api, Scheme};
use clap::{Args, ValueEnum};
use jwt_core::HmacKey;
use secure_store::Custody;

use crate::exit::Failure;
use crate::output;
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
        if let Some(number) = self.hardware_key
            && let Some(chips) = chips_with_device_key_at(number, target)
        {
            if self.device_key_file.is_some() {
                return Err(refused(number, target, &chips));
            }
            warn(number, &chips);
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

/// Names the chips, or the target if it is one, whose firmware looks for the device key under a number.
fn chips_with_device_key_at(number: u8, target: Option<Target>) -> Option<String> {
    let keeps = |chip: &&Target| chip.device_key_place() == number;
    let all = Target::value_variants();
    let chips: Vec<_> = match &target {
        Some(target) => [target].into_iter().filter(keeps).collect(),
        None => all.iter().filter(keeps).collect(),
    };
    let names: Vec<_> = chips.into_iter().map(|chip| chip.name()).collect();
    (!names.is_empty()).then(|| names.join(" or "))
}

/// Refuses the place of the device key: what it signs is not to be what seals the store.
fn refused(number: u8, target: Option<Target>, chips: &str) -> Failure {
    let what = match target {
        Some(_) => "",
        None => "name the chip with --target, and if it is one of these, ",
    };
    Failure::usage(format_args!(
        "number {number} is where {chips} keeps its device key: {what}put the key that signs elsewhere, and name that place with --hardware-key"
    ))
}

fn warn(number: u8, chips: &str) {
    output::note(format_args!(
        "warning: number {number} is where {chips} keeps its device key: the gateway's firmware takes what is there for it, and does not sign with it"
    ));
}

/// Warns of a key that signs and is to be burnt where the device key belongs.
pub fn warn_of_device_key_place(number: u8, target: Target) {
    if let Some(chips) = chips_with_device_key_at(number, Some(target)) {
        warn(number, &chips);
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
