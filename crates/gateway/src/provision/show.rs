//! `gateway provision show`: what is in an image, without anything secret.

use std::fmt::Write;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use secure_store::StoreError;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::exit::{Exit, Failure};
use crate::output;
use crate::provision::custody::custody_name;
use crate::provision::describe::{describe, name};
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

Exit codes: 0 everything that could be checked is in order, 1 something is
damaged or unreadable, 2 usage.";

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
    let mut bytes = read(&args.image, args.target)?;
    let device_key = args
        .device_key_file
        .as_deref()
        .map(key_file::read)
        .transpose()?;
    let mut store = StoreImage::open(&mut bytes, device_key.as_ref())?;
    let mut found = Findings::default();
    let copies = copies(&store, &mut found);
    let records = records(&mut store, &mut found);
    let certificates = certificates(&mut store, &mut found);
    let ok = found.wrong.is_empty();
    if args.json {
        let object = json!({
            "ok": ok,
            "copies": copies,
            "records": records,
            "certificates": certificates,
            "wrong": found.wrong,
            "sealed": found.sealed,
        });
        output::line(output::json_text(&object))?;
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

/// Reads the store's bytes out of a file.
pub fn read(path: &Path, target: Option<Target>) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let name = path.display();
    let unreadable = |error| Failure::usage(format_args!("can't read {name}: {error}"));
    let file = File::open(path).map_err(unreadable)?;
    // As large as it will get, so that no copy of a plain image is left behind by growing.
    let len = file.metadata().map_err(unreadable)?.len().min(MAX_LEN);
    let mut bytes = Zeroizing::new(Vec::with_capacity(len as usize + 1));
    file.take(MAX_LEN)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if uf2::is_uf2(&bytes) {
        let decoded = uf2::decode(&bytes)
            .map_err(|why| Failure::invalid(format_args!("{name} is a damaged UF2 file: {why}")))?;
        return match Target::Rp2040.uf2_address() {
            Some(address) if address == decoded.address => Ok(decoded.bytes),
            _ => Err(Failure::invalid(format_args!(
                "{name} is not the image of a store: it is for address {:#x}",
                decoded.address
            ))),
        };
    }
    let Some(target) = target else {
        return Ok(bytes);
    };
    let region = target.store();
    let start = region.start as usize;
    match bytes.get(start..start + region.len as usize) {
        Some(store) => Ok(Zeroizing::new(store.to_vec())),
        None if bytes.len() == region.len as usize => Ok(bytes),
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
            Ok(Some((version, value))) => match describe(number, version, &value, info.custody) {
                Some(lines) => {
                    let mut facts = Map::new();
                    for (what, text) in lines {
                        found.line(format_args!("  {what}: {text}"));
                        facts.insert(what, text.into());
                    }
                    object.insert("value".into(), facts.into());
                }
                None => found.wrong.push(format!("{name} is not of its form")),
            },
            Ok(None) => {}
            Err(StoreError::Sealed) => found.sealed += 1,
            Err(error) => found.wrong.push(unreadable(&name, &error)),
        }
        shown.push(Value::Object(object));
    }
    shown.into()
}

/// Shows by their fingerprints, as browsers and `openssl x509` show them, whom TLS trusts.
fn certificates(store: &mut StoreImage<'_>, found: &mut Findings) -> Value {
    let all = match store.certificates() {
        Ok(all) => all.unwrap_or_default(),
        // Said of the settings already.
        Err(StoreError::Sealed) => return Value::Null,
        Err(error) => {
            found.wrong.push(format!(
                "the certificates are not the ones that the settings sum up, so the device trusts none: {error}"
            ));
            return Value::Null;
        }
    };
    let mut shown = Vec::new();
    for der in all {
        let digest = Sha256::digest(&der);
        let sha256: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        found.line(format_args!(
            "TLS trusts: SHA-256 {sha256}, {} bytes",
            der.len()
        ));
        shown.push(json!({ "bytes": der.len(), "sha256": sha256 }));
    }
    shown.into()
}

fn unreadable(name: &str, error: &Error) -> String {
    format!("{name}: {error}")
}
