//! `gateway provision rotate`: the second credential, in the image of a device that is in the field.

use std::path::PathBuf;

use api_auth::{SlotState, Slots};
use clap::Args;
use secure_store::{Credential, Key};
use serde_json::json;

use crate::credentials::Secrets;
use crate::exit::{Exit, Failure};
use crate::output::{self, report};
use crate::provision::contents;
use crate::provision::describe;
use crate::provision::image_file::{self, ImageFileArgs, packed};
use crate::provision::show;
use crate::provision::store_image::StoreImage;
use crate::provision::successor;

const EXAMPLES: &str = "\
Examples:
  picotool save -r 0x101f0000 0x10200000 field.bin
  gateway provision rotate field.bin --target rp2040 --api heymarket \\
      --credentials new.env --out next.bin

The new credential goes into the slot that is not in use; everything else stays.
The device checks it with the API, and uses the old one until it is promoted.
What the device writes between reading its flash and writing it back is lost, so
let no alert be waiting; gateway device rotate has no such gap.

Exit codes: 0 written, 1 the image is damaged, 2 usage, or the rotation is at
another step: nothing was written.";

/// The options of `gateway provision rotate`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct RotateArgs {
    /// The image that was read from the device: its store, or with --target its whole flash
    #[arg(value_name = "IMAGE")]
    image: PathBuf,
    #[command(flatten)]
    pub file: ImageFileArgs,
}

/// Puts the credential into the image.
pub fn run(args: &RotateArgs) -> Result<Exit, Failure> {
    let file = &args.file;
    let place = file.custody.key_place(file.api, Some(file.target))?;
    let device_key = file.custody.device_key()?;
    let mut bytes = show::read(&args.image, Some(file.target))?;
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
    let secrets = file.credentials.secrets(file.api)?;
    let active = contents::credential_key(slots.active());
    check_successor(&mut store, active, &secrets)?;
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
    let bytes = packed(file.target, file.uf2, bytes)?;
    image_file::write(&file.out, &bytes)?;
    let command = file.flash_command();
    output::note(
        "note: what the device has written since its flash was read is lost when this is flashed",
    );
    report(
        file.json,
        json!({ "ok": true, "file": file.out, "slot": format!("{slot:?}"), "flash": command }),
        format_args!(
            "{} is written: the new credential is in slot {slot:?}\nflash it with: {command}",
            file.out.display()
        ),
    )
}

fn slots(store: &mut StoreImage<'_>) -> Result<Slots, Failure> {
    match store.get(Key::ROTATION).map_err(Failure::invalid)? {
        None => Ok(Slots::EMPTY),
        Some((_, record)) => Slots::from_bytes(&record).map_err(Failure::invalid),
    }
}

fn check_successor(
    store: &mut StoreImage<'_>,
    active: Key,
    secrets: &Secrets,
) -> Result<(), Failure> {
    let Some((_, value)) = store.get(active).map_err(Failure::invalid)? else {
        return Err(Failure::invalid(
            "the image lacks the credential that is in use",
        ));
    };
    let credential = Credential::decode(&value)
        .ok_or_else(|| Failure::invalid("the credential that is in use can't be read"))?;
    successor::check(credential.api, credential.id, secrets)
}
