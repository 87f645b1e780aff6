//! `gateway provision rotate`: the second credential, in the image of a device that is in the field.

use std::path::PathBuf;

use api_auth::{Api, SlotState, Slots};
use clap::Args;
use secure_store::{Credential, Key};
use serde_json::json;

use crate::credentials::CredentialArgs;
use crate::exit::{Exit, Failure};
use crate::output;
use crate::provision::contents;
use crate::provision::describe;
use crate::provision::image::{CustodyArgs, packed, report, shown, write};
use crate::provision::show;
use crate::provision::store_image::StoreImage;
use crate::provision::target::Target;
use crate::sign::api;

const EXAMPLES: &str = "\
Examples:
  picotool save -r 0x101f0000 0x10200000 field.bin
  gateway provision rotate field.bin --target rp2040 --api heymarket --credentials new.env --out next.bin

The new credential goes into the slot that is not in use; everything else stays. The device checks it with the
API, and uses the old one until it is promoted. What the device writes between reading its flash and
writing it back is lost, so let no alert be waiting; gateway device rotate has no such gap.

Exit codes: 0 written, 1 the image is damaged, 2 usage, or the rotation is at another step: nothing was written.";

/// The options of `gateway provision rotate`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct RotateArgs {
    /// The image that was read from the device: its store, or with --target its whole flash
    #[arg(value_name = "IMAGE")]
    image: PathBuf,
    /// The chip
    #[arg(long, value_enum)]
    target: Target,
    /// The API whose new credential the device gets
    #[arg(long, value_parser = api)]
    api: &'static Api,
    /// The file to write, readable by its owner alone
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Write UF2
    #[arg(long)]
    uf2: bool,
    #[command(flatten)]
    custody: CustodyArgs,
    /// Print a JSON object
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    credentials: CredentialArgs,
}

/// Puts the credential into the image.
pub fn run(args: &RotateArgs) -> Result<Exit, Failure> {
    let place = args.custody.key_place(args.api)?;
    let device_key = args.custody.device_key()?;
    let (mut bytes, _) = show::read(&args.image, Some(args.target))?;
    let mut store = StoreImage::open(&mut bytes, device_key.as_ref())?;
    let slots = slots(&mut store)?;
    let slot = slots.standby();
    if slots.state(slots.active()) == SlotState::Empty {
        return Err(Failure::usage(
            "the image has no credential that could be replaced: make one with gateway provision image",
        ));
    }
    if slots.state(slot) != SlotState::Empty {
        return Err(Failure::usage(format_args!(
            "slot {slot:?} is not free; what comes next is: {}",
            describe::next(&slots)
        )));
    }
    same_api(
        &mut store,
        contents::credential_key(slots.active()),
        args.api,
    )?;
    let secrets = args.credentials.secrets(args.api)?;
    let deployed = slots.deployed(slot).map_err(Failure::invalid)?;
    // The order of the device: a credential whose slot is called empty is no harm, the reverse is.
    for record in [
        contents::credential(&secrets, place, slot)?,
        contents::rotation(&deployed),
    ] {
        store
            .put(record.key, record.version, &record.value)
            .map_err(Failure::invalid)?;
    }
    drop(store);
    let file = packed(args.target, args.uf2, bytes)?;
    write(&args.out, &file)?;
    let command = args.target.flash_command(&shown(&args.out), args.uf2);
    output::note(
        "note: what the device has written since its flash was read is lost when this is flashed",
    );
    report(
        args.json,
        json!({ "ok": true, "file": args.out, "slot": format!("{slot:?}"), "flash": command }),
        format_args!(
            "{} is written: the new credential is in slot {slot:?}\nflash it with: {command}",
            args.out.display()
        ),
    )
}

fn slots(store: &mut StoreImage<'_>) -> Result<Slots, Failure> {
    match store.get(Key::ROTATION).map_err(Failure::invalid)? {
        None => Ok(Slots::EMPTY),
        Some((_, record)) => Slots::from_bytes(&record).map_err(Failure::invalid),
    }
}

fn same_api(store: &mut StoreImage<'_>, active: Key, api: &Api) -> Result<(), Failure> {
    let Some((_, value)) = store.get(active).map_err(Failure::invalid)? else {
        return Err(Failure::invalid(
            "the image lacks the credential that is in use",
        ));
    };
    let credential = Credential::decode(&value)
        .ok_or_else(|| Failure::invalid("the credential that is in use can't be read"))?;
    match credential.api == api.name {
        true => Ok(()),
        false => Err(Failure::usage(format_args!(
            "the device's credential is one of {}: a rotation stays with its API",
            credential.api
        ))),
    }
}
