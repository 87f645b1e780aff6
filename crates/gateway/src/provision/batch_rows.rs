//! The rows of a fleet's CSV file: each as it is written, and as a device's image that can be made.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use csv::StringRecord;
use sha2::{Digest, Sha256};

use crate::exit::Failure;
use crate::provision::batch::BatchArgs;
use crate::provision::checked::Checking;
use crate::provision::custody::CustodyArgs;
use crate::provision::image::Plan;
use crate::provision::key_file;
use crate::provision::settings::Settings;

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

/// A row that makes sense.
pub struct Row {
    /// The device's name, and that of its image.
    pub name: String,
    /// What its image is made of.
    pub plan: Plan,
}

/// Reads all rows; the first that is wrong ends it.
pub fn rows(args: &BatchArgs) -> Result<Vec<Row>, Failure> {
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
                    .key_place(args.api, Some(args.target))
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
