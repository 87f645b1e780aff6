//! `gateway provision batch`: one image for each row of a CSV file, or none at all.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

use api_auth::Api;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::credentials::CredentialArgs;
use crate::exit::{Exit, Failure};
use crate::output::report;
use crate::provision::batch_rows::{Row, rows};
use crate::provision::custody::custody_name;
use crate::provision::describe;
use crate::provision::image_file::write;
use crate::provision::settings_args::SettingsArgs;
use crate::provision::target::Target;
use crate::sign::api;
use crate::{durable, output};

const EXAMPLES: &str = "\
Examples:
  gateway provision batch devices.csv --target rp2040 --api heymarket \\
      --settings site.toml --uf2 --out images
  gateway provision batch devices.csv --target esp32c3 --api heymarket \\
      --settings site.toml --out images --json

The first line names the columns, of which only name is needed:
  name          the device's name, and the name of its image
  credentials   a file of NAME=VALUE lines for this device; without it
                --credentials or the environment
  device_key    a file of 32 bytes: the image is encrypted for the chip that
                has this key
  hardware_key  the fuse block or slot that the signing key is in
  settings      a settings file instead of --settings
  inbox, creator, recipients (with ; between them), address, router, name_server
                instead of what the settings file says

Files are relative to the CSV file. No secret belongs in it. Every row is
checked and its image made in memory before the first file is written. The
directory appears when all images and manifest.json, which has no secret, are in
it.

Exit codes: 0 written, 1 unexpected, 2 usage, or a row is wrong: nothing was
written.";

/// The options of `gateway provision batch`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct BatchArgs {
    /// The devices, one a row
    #[arg(value_name = "CSV")]
    pub devices: PathBuf,
    /// The chip
    #[arg(long, value_enum)]
    pub target: Target,
    /// The API whose credential the devices get
    #[arg(long, value_parser = api)]
    pub api: &'static Api,
    /// The directory to make, which must not be there yet
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Write UF2
    #[arg(long)]
    pub uf2: bool,
    #[command(flatten)]
    pub settings: SettingsArgs,
    /// Print a JSON object
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub credentials: CredentialArgs,
}

/// Makes the images.
pub fn run(args: &BatchArgs) -> Result<Exit, Failure> {
    if args.out.exists() {
        return Err(Failure::usage(format_args!(
            "{} is there already: name a directory that is not",
            args.out.display()
        )));
    }
    let rows = rows(args)?;
    let images = check(args, &rows)?;
    let shared = shared(&rows)?;
    if shared > 1 {
        output::note(format_args!(
            "note: {shared} devices share a credential: if one is stolen, all of them need another"
        ));
    }
    write_all(args, &rows, &images)?;
    report(
        args.json,
        json!({
            "ok": true,
            "directory": args.out,
            "manifest": args.out.join(MANIFEST),
            "images": rows.len(),
        }),
        format_args!(
            "{} images are in {}, listed in {MANIFEST}",
            rows.len(),
            args.out.display()
        ),
    )
}

const MANIFEST: &str = "manifest.json";

/// Makes every image once, and returns what the manifest says of them.
fn check(args: &BatchArgs, rows: &[Row]) -> Result<Vec<Value>, Failure> {
    let bar = bar("checking", rows.len());
    let mut images = Vec::with_capacity(rows.len());
    for row in rows {
        let made = row.plan.make().map_err(|failure| {
            let message = format!("{}: {failure}; nothing was written", row.name);
            failure.saying(message)
        })?;
        let digest = Sha256::digest(&*made.file);
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        images.push(json!({
            "name": row.name,
            "file": file_name(args, row),
            "custody": custody_name(made.custody),
            "api": args.api.name,
            "id": describe::shown_id(row.plan.secrets.credential()?.id()),
            "sha256": digest,
        }));
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(images)
}

/// Writes the images into a directory that gets its name when it is complete.
fn write_all(args: &BatchArgs, rows: &[Row], images: &[Value]) -> Result<(), Failure> {
    let unfinished = args.out.with_added_extension("unfinished");
    let unwritable = |error: std::io::Error| {
        Failure::invalid(format_args!(
            "can't write {}: {error}",
            unfinished.display()
        ))
    };
    if unfinished.exists() {
        return Err(Failure::usage(format_args!(
            "{} is left of a run that was ended: remove it",
            unfinished.display()
        )));
    }
    durable::create_new_directory(&unfinished).map_err(unwritable)?;
    let bar = bar("writing", rows.len());
    for row in rows {
        let made = row.plan.make()?;
        write(&unfinished.join(file_name(args, row)), &made.file)?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    let region = args.target.store();
    let manifest = json!({
        "target": args.target.name(),
        "offset": region.start,
        "length": region.len,
        "format": match args.uf2 {
            true => "uf2",
            false => "bin",
        },
        "images": images,
    });
    let text = Zeroizing::new(format!("{manifest:#}\n"));
    write(&unfinished.join(MANIFEST), text.as_bytes())?;
    fs::rename(&unfinished, &args.out).map_err(unwritable)
}

fn file_name(args: &BatchArgs, row: &Row) -> String {
    let extension = match args.uf2 {
        true => "uf2",
        false => "bin",
    };
    format!("{}.{extension}", row.name)
}

/// Returns how many devices the most shared credential has.
fn shared(rows: &[Row]) -> Result<usize, Failure> {
    let mut counts = HashMap::new();
    for row in rows {
        let secrets = &row.plan.secrets;
        let id = secrets.credential()?.id();
        let digest = Sha256::new()
            .chain_update(id)
            .chain_update("\n")
            .chain_update(secrets.key().expose_secret());
        *counts.entry(digest.finalize()).or_insert(0) += 1;
    }
    Ok(counts.into_values().max().unwrap_or_default())
}

/// Returns a bar that is drawn on a terminal alone.
fn bar(what: &'static str, len: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {bar:30} {pos}/{len} {eta}");
    let bar = ProgressBar::new(len as u64).with_message(what);
    // The template is a constant, which a test draws.
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
