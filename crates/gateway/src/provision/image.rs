//! `gateway provision image`: the store of a device that has never been on.

use std::path::{Path, PathBuf};

use api_auth::{Api, Scheme, Slot, Slots};
use clap::Args;
use jwt_core::HmacKey;
use secure_store::Custody;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::credentials::{CredentialArgs, Secrets};
use crate::exit::{Exit, Failure};
use crate::provision::contents::{self, KeyPlace, Record};
use crate::provision::settings::Checked;
use crate::provision::settings_args::SettingsArgs;
use crate::provision::store_image::StoreImage;
use crate::provision::target::Target;
use crate::provision::{key_file, uf2};
use crate::sign::api;
use crate::{durable, output};

const EXAMPLES: &str = "\
Examples:
  gateway provision image --target rp2040 --api heymarket --settings pump7.toml --uf2 --out pump7.uf2
  gateway provision image --target esp32c3 --api heymarket --settings pump7.toml \\
      --device-key-file pump7.key --out pump7.bin
  gateway provision image --target esp32c3 --api heymarket --settings pump7.toml \\
      --device-key-file pump7.key --hardware-key 0 --out pump7.bin

Without a device key the image holds the prepared key as it is: plain. With one it is encrypted for the
chip that has the same key in a fuse block or a secure element: sealed. With --hardware-key the key that signs is in
the chip (gateway provision efuse-key) and in no image: hardware. A plain image is as secret as the credential.

Exit codes: 0 written, 1 unexpected, 2 usage or configuration: nothing was written.";

/// The options of `gateway provision image`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ImageArgs {
    /// The chip
    #[arg(long, value_enum)]
    target: Target,
    /// The API whose credential the device gets, see gateway --help
    #[arg(long, value_parser = api)]
    api: &'static Api,
    /// The file to write, readable by its owner alone
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Write UF2, for drag and drop to an RP2040
    #[arg(long)]
    uf2: bool,
    #[command(flatten)]
    custody: CustodyArgs,
    #[command(flatten)]
    settings: SettingsArgs,
    /// Print a JSON object
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    credentials: CredentialArgs,
}

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

    /// Returns where the key that signs is, if it can be there.
    pub fn key_place(&self, api: &Api) -> Result<KeyPlace, Failure> {
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

/// What an image is made of.
pub struct Plan {
    /// The chip.
    pub target: Target,
    /// The credential.
    pub secrets: Secrets,
    /// Where its key is.
    pub place: KeyPlace,
    /// The key that the records are encrypted under.
    pub device_key: Option<HmacKey>,
    /// The settings.
    pub settings: Checked,
    /// Whether it is UF2.
    pub uf2: bool,
}

/// An image in memory.
pub struct Made {
    /// The file's bytes.
    pub file: Zeroizing<Vec<u8>>,
    /// Who can get at the credential's key.
    pub custody: Custody,
}

impl Plan {
    /// Makes the image; the same plan makes the same bytes.
    pub fn make(&self) -> Result<Made, Failure> {
        let region = self.target.store();
        let mut bytes = Zeroizing::new(vec![0xff; region.len as usize]);
        let mut store = StoreImage::format(&mut bytes, self.device_key.as_ref())?;
        let mut records: Vec<Record> = contents::settings(&self.settings)?;
        records.push(contents::credential(&self.secrets, self.place, Slot::A)?);
        let slots = Slots::EMPTY.deployed(Slot::A).map_err(Failure::invalid)?;
        records.push(contents::rotation(&slots));
        for record in &records {
            store
                .put(record.key, record.version, &record.value)
                .map_err(Failure::invalid)?;
        }
        let custody = match self.place {
            KeyPlace::Hardware(_) => Custody::Hardware,
            KeyPlace::Store => store.custody(),
        };
        let file = packed(self.target, self.uf2, bytes)?;
        Ok(Made { file, custody })
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

/// Makes and writes the image.
pub fn run(args: &ImageArgs) -> Result<Exit, Failure> {
    let settings = args.settings.checked(&args.credentials)?;
    let plan = Plan {
        target: args.target,
        place: args.custody.key_place(args.api)?,
        device_key: args.custody.device_key()?,
        secrets: args.credentials.secrets(args.api)?,
        settings: settings.unwrap_or_default(),
        uf2: args.uf2,
    };
    let made = plan.make()?;
    write(&args.out, &made.file)?;
    for missing in plan.settings.missing() {
        output::note(format_args!("note: {missing}"));
    }
    let command = args.target.flash_command(&shown(&args.out), args.uf2);
    report(
        args.json,
        json!({
            "ok": true,
            "file": args.out,
            "target": args.target.name(),
            "custody": custody_name(made.custody),
            "offset": args.target.store().start,
            "length": args.target.store().len,
            "flash": command,
        }),
        format_args!(
            "{} is written: {}\nflash it with: {command}",
            args.out.display(),
            made.custody
        ),
    )
}

/// Writes a file that may hold secrets.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    durable::replace(path, bytes)
        .map_err(|error| Failure::invalid(format_args!("can't write {}: {error}", path.display())))
}

/// Prints what was done, for a person or a script.
pub fn report(json: bool, facts: Value, text: impl std::fmt::Display) -> Result<Exit, Failure> {
    match json {
        true => output::line(facts)?,
        false => output::line(text)?,
    }
    Ok(Exit::Done)
}

/// Returns a custody in one word.
pub fn custody_name(custody: Custody) -> &'static str {
    match custody {
        Custody::Plain => "plain",
        Custody::Sealed => "sealed",
        Custody::Hardware => "hardware",
    }
}

/// Returns a path as a shell takes it.
pub fn shown(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |char: char| char.is_ascii_alphanumeric() || "/._-+=:,@%".contains(char);
    match text.chars().all(plain) && !text.is_empty() {
        true => text,
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}
