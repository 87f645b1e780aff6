//! `gateway device provision`: settings and the first credential, over the cable.

use api_auth::{Api, Slot, SlotState};
use clap::{ArgGroup, Args};
use indicatif::{ProgressBar, ProgressStyle};
use secure_store::Custody;
use serde_json::json;

use crate::credentials::CredentialArgs;
use crate::device::connection::{AuthorityArgs, Connection, LineArgs};
use crate::device::status;
use crate::exit::{Exit, Failure};
use crate::output::report;
use crate::provision::contents::{self, KeyPlace, Record};
use crate::provision::custody::CustodyArgs;
use crate::provision::settings_args::SettingsArgs;
use crate::provision::target::Target;
use crate::sign::api;

/// The options of `gateway device provision`.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("what").args(["api", "settings"]).required(true).multiple(true))]
pub struct ProvisionArgs {
    #[command(flatten)]
    pub line: LineArgs,
    #[command(flatten)]
    authority: AuthorityArgs,
    #[command(flatten)]
    settings: SettingsArgs,
    /// The API whose credential the device gets
    #[arg(long, value_parser = api)]
    api: Option<&'static Api>,
    #[command(flatten)]
    place: PlaceArgs,
    #[command(flatten)]
    credentials: CredentialArgs,
}

/// Options of where the key that signs is.
#[derive(Args, Debug)]
pub struct PlaceArgs {
    /// The key that signs is in this fuse block or slot of the chip, and is not sent
    #[arg(long, value_name = "NUMBER", requires = "api", value_parser = clap::value_parser!(u8).range(0..16))]
    hardware_key: Option<u8>,
    /// The chip, where its device key's place has to be told from the one of --hardware-key
    #[arg(long, value_enum, requires = "hardware_key")]
    target: Option<Target>,
}

impl PlaceArgs {
    /// Returns where the key is, if it can be there.
    pub fn key_place(&self, authority: &AuthorityArgs, api: &Api) -> Result<KeyPlace, Failure> {
        let custody = CustodyArgs {
            hardware_key: self.hardware_key,
            device_key_file: authority.device_key_file.clone(),
        };
        custody.key_place(api, self.target)
    }
}

/// Sends the records.
pub fn provision(args: &ProvisionArgs) -> Result<Exit, Failure> {
    let mut records = match args.settings.checked(&args.credentials)? {
        None => Vec::new(),
        Some(settings) => contents::settings(&settings)?,
    };
    let credential = match args.api {
        None => None,
        Some(api) => Some((
            args.credentials.secrets(api)?,
            args.place.key_place(&args.authority, api)?,
        )),
    };
    let mut connection = Connection::open(&args.line, args.authority.authority()?)?;
    if let Some((secrets, place)) = &credential {
        let slots = status::slots(&mut connection)?;
        let slot = slots.active();
        // A credential that is on trial may be this one, sent before an interruption.
        if !matches!(slots.state(slot), SlotState::Empty | SlotState::Trial) {
            return Err(Failure::usage(
                "the device has a credential: replace it with gateway device rotate",
            ));
        }
        records.push(contents::credential(secrets, *place, slot)?);
    }
    let unchanged = send(&mut connection, &records)?;
    report(
        args.line.json,
        json!({ "ok": true, "records": records.len(), "unchanged": unchanged }),
        format_args!(
            "{} records are in the device, {unchanged} of them were before",
            records.len()
        ),
    )
}

/// Sends a credential for a slot.
pub fn send_credential(
    connection: &mut Connection,
    credential: (&crate::credentials::Secrets, KeyPlace),
    slot: Slot,
) -> Result<(), Failure> {
    let record = contents::credential(credential.0, credential.1, slot)?;
    send(connection, &[record]).map(|_| ())
}

/// Sends records and returns how many the device had already.
///
/// To a device that proves its device key only if it will seal them: otherwise somebody has put a store in it that
/// isn't, to read what it gets.
fn send(connection: &mut Connection, records: &[Record]) -> Result<usize, Failure> {
    if connection.keyed && status::custody(connection)? == Custody::Plain {
        return Err(Failure::usage(
            "the device has the device key but would not seal what it is sent: flash a store that was made with --device-key-file, and look for who has replaced it",
        ));
    }
    let total: usize = records.iter().map(|record| record.value.len()).sum();
    let style = ProgressStyle::with_template("sending {bar:30} {bytes}/{total_bytes}");
    let bar = ProgressBar::new(total as u64)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let mut unchanged = 0;
    for record in records {
        unchanged += usize::from(connection.upload(record, &bar)?);
    }
    bar.finish_and_clear();
    Ok(unchanged)
}
