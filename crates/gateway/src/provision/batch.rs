//! `gateway provision batch`: one image for each row of a CSV file, or none at all.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use api_auth::Api;
use clap::Args;
use csv::StringRecord;
use indicatif::{ProgressBar, ProgressStyle};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::credentials::CredentialArgs;
use crate::exit::{Exit, Failure};
use crate::output::report;
use crate::provision::custody::{CustodyArgs, custody_name};
use crate::provision::image::Plan;
use crate::provision::image_file::write;
use crate::provision::settings::{Checking, Settings};
use crate::provision::settings_args::SettingsArgs;
use crate::provision::target::Target;
use crate::provision::{describe, key_file};
use crate::sign::api;
use crate::{durable, output};

/// The columns that a file can have; those of settings are called as in a settings file.
const COLUMNS: [&str; 11] = [
    "name",
    "credentials",
    "device_key",
    "hardware_key",
    "settings",
    "inbox",
    "creator",
    "recipients",
    "address",
    "router",
    "name_server",
];

const EXAMPLES: &str = "\
Examples:
  gateway provision batch devices.csv --target rp2040 --api heymarket --settings site.toml --uf2 --out images
  gateway provision batch devices.csv --target esp32c3 --api heymarket --settings site.toml --out images --json

The first line names the columns, of which only name is needed:
  name          the device's name, and the name of its image
  credentials   a file of NAME=VALUE lines for this device; without it --credentials or the environment
  device_key    a file of 32 bytes: the image is encrypted for the chip that has this key
  hardware_key  the fuse block or slot that the signing key is in
  settings      a settings file instead of --settings
  inbox, creator, recipients (with ; between them), address, router, name_server
                instead of what the settings file says

Files are relative to the CSV file. No secret belongs in it. Every row is checked and its image made in memory before
the first file is written. The directory appears when all images and manifest.json, which has no secret, are in it.

Exit codes: 0 written, 1 unexpected, 2 usage, or a row is wrong: nothing was written.";

/// The options of `gateway provision batch`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct BatchArgs {
    /// The devices, one a row
    #[arg(value_name = "CSV")]
    devices: PathBuf,
    /// The chip
    #[arg(long, value_enum)]
    target: Target,
    /// The API whose credential the devices get
    #[arg(long, value_parser = api)]
    api: &'static Api,
    /// The directory to make, which must not be there yet
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Write UF2
    #[arg(long)]
    uf2: bool,
    #[command(flatten)]
    settings: SettingsArgs,
    /// Print a JSON object
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    credentials: CredentialArgs,
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

/// A row that makes sense.
struct Row {
    name: String,
    plan: Plan,
}

/// Reads all rows; the first that is wrong ends it.
fn rows(args: &BatchArgs) -> Result<Vec<Row>, Failure> {
    let file = args.devices.display().to_string();
    let unreadable = |error: csv::Error| {
        Failure::usage(match error.kind() {
            csv::ErrorKind::UnequalLengths {
                pos: Some(position),
                expected_len,
                len,
            } => format!(
                "{file}, line {}: there are {len} fields, the first line has {expected_len}; nothing was written",
                position.line()
            ),
            _ => format!("can't read {file}: {error}"),
        })
    };
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_path(&args.devices)
        .map_err(unreadable)?;
    let columns = reader.headers().map_err(unreadable)?.clone();
    check_columns(&file, &columns)?;
    let base = args.settings.read()?;
    let mut rows: Vec<Row> = Vec::new();
    let mut names = HashMap::new();
    let mut keys = HashMap::new();
    for record in reader.records() {
        let record = record.map_err(unreadable)?;
        let line = record.position().map_or(0, csv::Position::line);
        let fields = Fields {
            file: &file,
            line,
            columns: &columns,
            record: &record,
        };
        let row = fields.row(args, &base)?;
        if let Some(first) = names.insert(row.name.to_ascii_lowercase(), line) {
            return Err(fields.wrong("name", format_args!("is that of line {first}")));
        }
        if let Some(key) = &row.plan.device_key
            && let Some(first) = keys.insert(Sha256::digest(*key.to_prepared()), line)
        {
            return Err(fields.wrong(
                "device_key",
                format_args!("is that of line {first}: every device has its own"),
            ));
        }
        rows.push(row);
    }
    match rows.is_empty() {
        true => Err(Failure::usage(format_args!("{file} lists no device"))),
        false => Ok(rows),
    }
}

fn check_columns(file: &str, columns: &StringRecord) -> Result<(), Failure> {
    for (at, column) in columns.iter().enumerate() {
        if !COLUMNS.contains(&column) {
            return Err(Failure::usage(format_args!(
                "{file}, line 1: there is no column {column:?}, only {}",
                COLUMNS.join(", ")
            )));
        }
        if columns.iter().take(at).any(|other| other == column) {
            return Err(Failure::usage(format_args!(
                "{file}, line 1: column {column} is there twice"
            )));
        }
    }
    match columns.iter().any(|column| column == "name") {
        true => Ok(()),
        false => Err(Failure::usage(format_args!(
            "{file}, line 1: the column name is missing"
        ))),
    }
}

/// A row as it is written.
struct Fields<'f> {
    file: &'f str,
    line: u64,
    columns: &'f StringRecord,
    record: &'f StringRecord,
}

impl Fields<'_> {
    /// Returns a field that is not empty.
    fn get(&self, column: &str) -> Option<&str> {
        let at = self.columns.iter().position(|known| known == column)?;
        self.record.get(at).filter(|field| !field.is_empty())
    }

    fn wrong(&self, column: &str, what: impl std::fmt::Display) -> Failure {
        Failure::usage(format_args!(
            "{}, line {}, column {column}: {what}; nothing was written",
            self.file, self.line
        ))
    }

    fn parsed<T: FromStr>(&self, column: &str, form: &str) -> Result<Option<T>, Failure> {
        let parsed = self.get(column).map(str::parse).transpose();
        parsed.map_err(|_| self.wrong(column, format_args!("should be {form}")))
    }

    /// Returns a file that a field names.
    fn path(&self, column: &str) -> Option<PathBuf> {
        let name = self.get(column)?;
        let directory = Path::new(self.file).parent();
        Some(directory.map_or_else(|| name.into(), |directory| directory.join(name)))
    }

    fn row(&self, args: &BatchArgs, base: &Settings) -> Result<Row, Failure> {
        let within = |column: &'static str| move |failure: Failure| self.wrong(column, failure);
        let name = self
            .get("name")
            .ok_or_else(|| self.wrong("name", "is empty"))?;
        let credentials = match self.path("credentials") {
            Some(path) => args.credentials.with_file(path),
            None => args.credentials.clone(),
        };
        let custody = CustodyArgs {
            device_key_file: self.path("device_key"),
            hardware_key: match self.parsed("hardware_key", "a number from 0 to 15")? {
                Some(16..) => return Err(self.wrong("hardware_key", "should be 0 to 15")),
                number => number,
            },
        };
        let settings = self.settings(args, base)?;
        let settings = settings.check(&credentials).map_err(|error| match error {
            Checking::Setting(error) => {
                let column = error.name.rsplit('.').next().unwrap_or(error.name);
                match self.get(column) {
                    Some(_) => self.wrong(column, error.what),
                    None => self.wrong("settings", format_args!("{} {}", error.name, error.what)),
                }
            }
            Checking::Other(failure) => self.wrong("settings", failure),
        })?;
        if let Some(missing) = settings.missing().first() {
            return Err(self.wrong("settings", missing));
        }
        Ok(Row {
            name: name.to_owned(),
            plan: Plan {
                target: args.target,
                place: custody
                    .key_place(args.api)
                    .map_err(within("hardware_key"))?,
                device_key: custody
                    .device_key_file
                    .as_deref()
                    .map(key_file::read)
                    .transpose()
                    .map_err(within("device_key"))?,
                secrets: credentials
                    .secrets(args.api)
                    .map_err(within("credentials"))?,
                settings,
                uf2: args.uf2,
            },
        })
    }

    /// Returns the settings of all devices with this one's in their place.
    fn settings(&self, args: &BatchArgs, base: &Settings) -> Result<Settings, Failure> {
        let mut settings = match self.path("settings") {
            Some(path) => {
                let settings = args.settings.read_from(&path);
                settings.map_err(|failure| self.wrong("settings", failure))?
            }
            None => base.clone(),
        };
        settings.device.name = self.get("name").map(str::to_owned);
        settings.device.inbox = self.parsed("inbox", "a number")?.or(settings.device.inbox);
        settings.device.creator = self
            .parsed("creator", "a number")?
            .or(settings.device.creator);
        if let Some(numbers) = self.get("recipients") {
            settings.device.recipients = numbers.split(';').map(str::to_owned).collect();
        }
        if let Some(address) = self.get("address") {
            settings.network.address = Some(address.to_owned());
        }
        settings.network.router = self
            .parsed("router", "an IPv4 address")?
            .or(settings.network.router);
        settings.network.name_server = self
            .parsed("name_server", "an IPv4 address")?
            .or(settings.network.name_server);
        Ok(settings)
    }
}

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
    durable::create_directory(&unfinished).map_err(unwritable)?;
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
