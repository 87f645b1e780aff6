//! `gateway provision image`: the store of a device that has never been on.

use api_auth::{Slot, Slots};
use clap::Args;
use jwt_core::HmacKey;
use secure_store::Custody;
use serde_json::json;
use zeroize::Zeroizing;

use crate::credentials::Secrets;
use crate::exit::{Exit, Failure};
use crate::output::{self, report};
use crate::provision::checked::Checked;
use crate::provision::contents::{self, KeyPlace, Record};
use crate::provision::custody::custody_name;
use crate::provision::image_file::{self, ImageFileArgs, packed};
use crate::provision::settings_args::SettingsArgs;
use crate::provision::store_image::StoreImage;
use crate::provision::target::Target;

const EXAMPLES: &str = "\
Examples:
  gateway provision image --target rp2040 --api heymarket \\
      --settings pump7.toml --uf2 --out pump7.uf2
  gateway provision image --target esp32c3 --api heymarket \\
      --settings pump7.toml --device-key-file pump7.key --out pump7.bin
  gateway provision image --target esp32c3 --api heymarket \\
      --settings pump7.toml --device-key-file pump7.key --hardware-key 0 \\
      --out pump7.bin

Without a device key the image holds the prepared key as it is: plain. With one
it is encrypted for the chip that has the same key in a fuse block or a secure
element: sealed. With --hardware-key the key that signs is in the chip (gateway
provision efuse-key) and in no image: hardware. A plain image is as secret as
the credential.

Exit codes: 0 written, 1 unexpected, 2 usage or configuration: nothing was
written.";

/// The options of `gateway provision image`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ImageArgs {
    #[command(flatten)]
    pub file: ImageFileArgs,
    #[command(flatten)]
    settings: SettingsArgs,
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

/// Makes and writes the image.
pub fn run(args: &ImageArgs) -> Result<Exit, Failure> {
    let file = &args.file;
    let settings = args.settings.checked(&file.credentials)?;
    let plan = Plan {
        target: file.target,
        place: file.custody.key_place(file.api, Some(file.target))?,
        device_key: file.custody.device_key()?,
        secrets: file.credentials.secrets(file.api)?,
        settings: settings.unwrap_or_default(),
        uf2: file.uf2,
    };
    let made = plan.make()?;
    image_file::write(&file.out, &made.file)?;
    for missing in plan.settings.missing() {
        output::note(format_args!("note: {missing}"));
    }
    let command = file.flash_command();
    report(
        file.json,
        json!({
            "ok": true,
            "file": file.out,
            "target": file.target.name(),
            "custody": custody_name(made.custody),
            "offset": file.target.store().start,
            "length": file.target.store().len,
            "flash": command,
        }),
        format_args!(
            "{} is written: {}\nflash it with: {command}",
            file.out.display(),
            made.custody
        ),
    )
}
