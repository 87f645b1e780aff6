//! `gateway provision show`: what is in an image, without anything secret.

use std::fmt::Write;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use api_auth::{Slot, SlotState, Slots, Step};
use clap::Args;
use device_link::SHOWN_ID_LEN;
use secure_store::{
    ClockRecord, Credential, CredentialKey, Custody, Key, Setting, Settings, StoreError,
};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use crate::exit::{Exit, Failure};
use crate::moment;
use crate::output;
use crate::provision::image::custody_name;
use crate::provision::store_image::{Error, StoreImage};
use crate::provision::target::Target;
use crate::provision::{key_file, uf2};

/// More than any flash has, in bytes.
const MAX_LEN: u64 = 64 * 1024 * 1024;

const EXAMPLES: &str = "\
Examples:
  gateway provision show pump7.uf2
  gateway provision show pump7.bin --device-key-file pump7.key
  picotool save -a flash.bin && gateway provision show flash.bin --target rp2040

Exit codes: 0 everything that could be checked is in order, 1 something is damaged or unreadable, 2 usage.";

/// The options of `gateway provision show`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ShowArgs {
    /// The image of a store, as it is or in UF2, or with --target of a whole flash
    #[arg(value_name = "IMAGE")]
    image: PathBuf,
    /// The chip whose whole flash the image is
    #[arg(long, value_enum)]
    target: Option<Target>,
    /// The device key of a sealed image
    #[arg(long, value_name = "FILE")]
    device_key_file: Option<PathBuf>,
    /// Print a JSON object
    #[arg(long)]
    pub json: bool,
}

/// Shows an image.
pub fn run(args: &ShowArgs) -> Result<Exit, Failure> {
    let (mut bytes, _) = read(&args.image, args.target)?;
    let device_key = args
        .device_key_file
        .as_deref()
        .map(key_file::read)
        .transpose()?;
    let mut store = StoreImage::open(&mut bytes, device_key.as_ref())?;
    let mut found = Findings::default();
    let copies = copies(&store, &mut found);
    let records = records(&mut store, &mut found);
    let ok = found.wrong.is_empty();
    if args.json {
        let object = json!({
            "ok": ok,
            "copies": copies,
            "records": records,
            "wrong": found.wrong,
            "sealed": found.sealed,
        });
        output::line(object)?;
    } else {
        output::line(found.text.trim_end())?;
        if found.sealed > 0 {
            output::note(
                "note: what is sealed was not checked: name its key with --device-key-file",
            );
        }
        for wrong in &found.wrong {
            output::note(format_args!("wrong: {wrong}"));
        }
    }
    Ok(match ok {
        true => Exit::Done,
        false => Exit::Invalid,
    })
}

/// Reads the store's bytes out of a file; returns whether it is UF2.
pub fn read(path: &Path, target: Option<Target>) -> Result<(Zeroizing<Vec<u8>>, bool), Failure> {
    let name = path.display();
    let mut bytes = Zeroizing::new(Vec::new());
    let unreadable = |error| Failure::usage(format_args!("can't read {name}: {error}"));
    let file = File::open(path).map_err(unreadable)?;
    file.take(MAX_LEN)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if uf2::is_uf2(&bytes) {
        let decoded = uf2::decode(&bytes)
            .map_err(|why| Failure::invalid(format_args!("{name} is a damaged UF2 file: {why}")))?;
        return match Target::Rp2040.uf2_address() {
            Some(address) if address == decoded.address => Ok((decoded.bytes, true)),
            _ => Err(Failure::invalid(format_args!(
                "{name} is not the image of a store: it is for address {:#x}",
                decoded.address
            ))),
        };
    }
    let Some(target) = target else {
        return Ok((bytes, false));
    };
    let region = target.store();
    let start = region.start as usize;
    match bytes.get(start..start + region.len as usize) {
        Some(store) => Ok((Zeroizing::new(store.to_vec()), false)),
        None if bytes.len() == region.len as usize => Ok((bytes, false)),
        None => Err(Failure::usage(format_args!(
            "{name} has {} bytes and can't be the flash of {}, whose store ends at {}",
            bytes.len(),
            target.name(),
            start + region.len as usize
        ))),
    }
}

/// What is found, as text and as what is wrong with it.
#[derive(Default)]
struct Findings {
    text: String,
    wrong: Vec<String>,
    sealed: usize,
}

impl Findings {
    fn line(&mut self, text: std::fmt::Arguments<'_>) {
        // A string takes everything.
        let _ = writeln!(self.text, "{text}");
    }
}

fn copies(store: &StoreImage<'_>, found: &mut Findings) -> Value {
    let mut shown = Vec::new();
    for (name, copy) in ["A", "B"].into_iter().zip(store.health()) {
        let state = match copy.sound {
            true => "whole and up to date",
            false => "damaged or behind",
        };
        found.line(format_args!(
            "copy {name}: {state}, erased {} times",
            copy.erases
        ));
        if !copy.sound {
            found.wrong.push(format!(
                "copy {name} is damaged or behind: the other was used, and the device makes it anew"
            ));
        }
        shown.push(json!({ "copy": name, "sound": copy.sound, "erases": copy.erases }));
    }
    shown.into()
}

fn records(store: &mut StoreImage<'_>, found: &mut Findings) -> Value {
    let mut shown = Vec::new();
    let mut infos = store.records();
    infos.sort_by_key(|info| (info.key.kind, info.key.slot));
    let mut certificates = Vec::new();
    let mut summed_up = None;
    for info in infos {
        let (number, name) = (info.key, name(info.key));
        let custody = info.custody.map_or("unknown", custody_name);
        found.line(format_args!(
            "{name}: version {}, {custody}, {} bytes, write {}",
            info.version, info.stored_len, info.seq
        ));
        let mut object = Map::new();
        object.insert("record".into(), name.clone().into());
        object.insert("kind".into(), number.kind.into());
        object.insert("slot".into(), number.slot.into());
        object.insert("version".into(), info.version.into());
        object.insert("custody".into(), custody.into());
        object.insert("write".into(), info.seq.into());
        match store.get(number) {
            Ok(Some((version, value))) => {
                match describe(number, version, &value, info.custody) {
                    Some(lines) => {
                        let mut facts = Map::new();
                        for (what, text) in lines {
                            found.line(format_args!("  {what}: {text}"));
                            facts.insert(what, text.into());
                        }
                        object.insert("value".into(), facts.into());
                    }
                    None => found.wrong.push(format!("{name} is not of its form")),
                }
                if number.kind == Key::certificates(0).kind {
                    certificates.extend_from_slice(&value);
                }
                if number == Key::NETWORK {
                    let settings = Settings::decode(&value);
                    summed_up =
                        settings.and_then(|all| Some(all.get(Setting::CERTIFICATES)?.to_vec()));
                }
            }
            Ok(None) => {}
            Err(StoreError::Sealed) => found.sealed += 1,
            Err(error) => found.wrong.push(unreadable(&name, &error)),
        }
        shown.push(Value::Object(object));
    }
    let sum = sum(&certificates);
    let consistent = match &summed_up {
        Some(summed_up) => *summed_up == sum,
        None => certificates.is_empty() || found.sealed > 0,
    };
    if !consistent {
        let wrong =
            "the certificates are not the ones that the settings sum up: the device trusts none";
        found.wrong.push(wrong.into());
    }
    shown.into()
}

/// Returns what the network's settings say of all certificates.
pub fn sum(certificates: &[u8]) -> Vec<u8> {
    let mut sum = Vec::from((certificates.len() as u16).to_le_bytes());
    sum.extend(crc32fast::hash(certificates).to_le_bytes());
    sum
}

fn unreadable(name: &str, error: &Error) -> String {
    format!("{name}: {error}")
}

fn name(key: Key) -> String {
    match key {
        Key::ROTATION => "rotation".into(),
        Key::CLOCK => "clock".into(),
        Key::DEVICE => "device settings".into(),
        Key::NETWORK => "network settings".into(),
        Key::ANCHOR => "anchor".into(),
        _ if key == Key::credential(0) => "credential A".into(),
        _ if key == Key::credential(1) => "credential B".into(),
        _ if key == Key::outbox(0) => "outbox, count of openings".into(),
        _ if key == Key::outbox(key.slot) => format!("outbox, alert {}", key.slot),
        _ if key == Key::certificates(key.slot) => format!("certificates, part {}", key.slot),
        Key { kind, slot } => format!("record {kind}/{slot}"),
    }
}

type Lines = Vec<(String, String)>;

/// Says what a record holds, or returns `None` if it is not of its form.
fn describe(key: Key, version: u8, value: &[u8], custody: Option<Custody>) -> Option<Lines> {
    let line = |what: &str, text: String| vec![(what.to_owned(), text)];
    if version > 1 {
        return Some(line("value", "of a later version than this program".into()));
    }
    Some(match key {
        Key::ROTATION => {
            let slots = Slots::from_bytes(value).ok()?;
            vec![
                ("slot A".into(), state(&slots, Slot::A)),
                ("slot B".into(), state(&slots, Slot::B)),
                ("next".into(), next(&slots)),
            ]
        }
        Key::CLOCK => {
            let clock = ClockRecord::decode(value)?;
            line("not before", moment::utc(clock.floor_secs))
        }
        Key::ANCHOR => {
            let count = u32::from_le_bytes(value.try_into().ok()?);
            line("counter", count.to_string())
        }
        Key::DEVICE | Key::NETWORK => settings(&Settings::decode(value)?)?,
        _ if key.kind == Key::credential(0).kind => credential(value, custody)?,
        _ => Lines::new(),
    })
}

/// Returns a line for each setting; what is there several times shares one.
fn settings(settings: &Settings<'_>) -> Option<Lines> {
    let mut lines = Lines::new();
    for (setting, value) in settings.iter() {
        let (name, text) = setting_line(setting, value)?;
        match lines.iter_mut().find(|(known, _)| *known == name) {
            Some((_, texts)) => *texts = format!("{texts}, {text}"),
            None => lines.push((name, text)),
        }
    }
    Some(lines)
}

fn credential(value: &[u8], custody: Option<Custody>) -> Option<Lines> {
    let credential = Credential::decode(value)?;
    let place = match credential.key {
        CredentialKey::Prepared(_) => "prepared, not shown".into(),
        CredentialKey::Sent(_) => "sent as it is, not shown".into(),
        CredentialKey::Hardware(number) => format!("in the chip, block or slot {number}"),
    };
    let mut lines = vec![("api".to_owned(), credential.api.to_owned())];
    if !credential.id.is_empty() {
        lines.push(("id".into(), shown_id(credential.id)));
    }
    lines.push(("key".into(), place));
    if let Some(stored) = custody {
        lines.push(("custody".into(), credential.custody(stored).to_string()));
    }
    Some(lines)
}

/// Returns the first characters of an ID, for vendors ask to keep IDs to oneself.
pub fn shown_id(id: &str) -> String {
    match id.get(..SHOWN_ID_LEN) {
        Some(start) if start.len() < id.len() => format!("{}...", printable(start)),
        _ => printable(id),
    }
}

/// Returns the state of a slot in words.
pub fn state(slots: &Slots, slot: Slot) -> String {
    let state = match slots.state(slot) {
        SlotState::Empty => "empty",
        SlotState::Trial => "on trial: the API hasn't seen it yet",
        SlotState::Verified => "verified, not in use yet",
        SlotState::Good => "good",
        SlotState::Retiring => "replaced, to be revoked",
    };
    match slots.active() == slot && slots.state(slot) != SlotState::Empty {
        true => format!("{state}, in use"),
        false => state.into(),
    }
}

/// Returns what comes next in a rotation, in words.
pub fn next(slots: &Slots) -> String {
    match slots.next() {
        Step::Deploy(slot) => format!("store a credential in slot {slot:?}"),
        Step::Check(slot) => format!("the device checks slot {slot:?} with the API"),
        Step::Promote => "put the verified credential into use".into(),
        Step::Revoke(slot) => format!("revoke the credential of slot {slot:?}, then retire it"),
        Step::Rest => "nothing until the next rotation".into(),
    }
}

/// How the value of a setting is read.
#[derive(Clone, Copy)]
enum Form {
    Text,
    Number,
    Millidegrees,
    Address,
    Secret,
    Certificates,
}

const SETTINGS: &[(Setting, &str, Form)] = &[
    (Setting::NAME, "name", Form::Text),
    (Setting::INBOX_ID, "inbox", Form::Number),
    (Setting::CREATOR_ID, "creator", Form::Number),
    (Setting::RECIPIENT, "recipient", Form::Text),
    (Setting::DOOR_TEXT, "door", Form::Text),
    (Setting::FLOOD_TEXT, "flood", Form::Text),
    (Setting::TEMPERATURE_TEXT, "temperature", Form::Text),
    (
        Setting::TEMPERATURE_LIMIT,
        "temperature limit",
        Form::Millidegrees,
    ),
    (Setting::WIFI_SSID, "wifi", Form::Text),
    (Setting::WIFI_PASSPHRASE, "wifi passphrase", Form::Secret),
    (Setting::API_HOST, "host", Form::Text),
    (Setting::API_PORT, "port", Form::Number),
    (Setting::ADDRESS, "address", Form::Address),
    (Setting::ROUTER, "router", Form::Address),
    (Setting::NAME_SERVER, "name server", Form::Address),
    (Setting::TIME_HOST, "time host", Form::Text),
    (Setting::CERTIFICATES, "certificates", Form::Certificates),
    (
        Setting::PLAIN_HTTP_TEST,
        "plain HTTP for a test",
        Form::Number,
    ),
];

/// Returns a setting's name and value, or `None` if the value is not of the setting's form.
fn setting_line(setting: Setting, value: &[u8]) -> Option<(String, String)> {
    let known = SETTINGS.iter().find(|(known, ..)| *known == setting);
    let Some((_, name, form)) = known else {
        let name = format!("setting {}", setting.0);
        return Some((
            name,
            format!("{} bytes, unknown to this program", value.len()),
        ));
    };
    let number = || Some(u64::from_le_bytes(value.try_into().ok()?));
    let text = match form {
        Form::Text => printable(std::str::from_utf8(value).ok()?),
        Form::Number => number()?.to_string(),
        Form::Millidegrees => format!("{} °C", number()? as f64 / 1000.0),
        Form::Address => match *value {
            [a, b, c, d] => format!("{a}.{b}.{c}.{d}"),
            [a, b, c, d, prefix] => format!("{a}.{b}.{c}.{d}/{prefix}"),
            _ => return None,
        },
        Form::Secret => "not shown".into(),
        Form::Certificates => match *value {
            [low, high, ..] if value.len() == 6 => {
                format!("{} bytes", u16::from_le_bytes([low, high]))
            }
            _ => return None,
        },
    };
    Some(((*name).to_owned(), text))
}

/// Returns text that can't control a terminal.
fn printable(text: &str) -> String {
    text.replace(char::is_control, "?")
}
