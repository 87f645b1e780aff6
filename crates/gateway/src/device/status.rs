//! `gateway device status`.

use std::fmt;

use api_auth::{Slot, Slots};
use clap::Args;
use device_link::{Access, Authority, ClockQuality, Reply, Request, Status};
use secure_store::Custody;
use serde_json::{Value, json};

use crate::credentials::Secrets;
use crate::device::connection::{Connection, LineArgs};
use crate::exit::{Exit, Failure};
use crate::moment;
use crate::output::{printable, report};
use crate::provision::custody::custody_name;
use crate::provision::{describe, key_file, successor};

/// The options of `gateway device status`.
#[derive(Args, Debug)]
pub struct StatusArgs {
    #[command(flatten)]
    pub line: LineArgs,
    /// Have the device prove that it has the key in this file of 32 bytes
    #[arg(long, value_name = "FILE")]
    device_key_file: Option<std::path::PathBuf>,
}

/// Asks and prints.
pub fn run(args: &StatusArgs) -> Result<Exit, Failure> {
    let authority = match &args.device_key_file {
        Some(path) => Authority::Key(key_file::read(path)?),
        None => Authority::None,
    };
    let proved = args.device_key_file.is_some();
    let mut connection = Connection::open(&args.line, authority)?;
    let (object, text) = connection.ask(&Request::Status, |reply| match reply {
        Reply::Status(status) => Some((json(&status, proved), Text { status, proved }.to_string())),
        _ => None,
    })?;
    report(args.line.json, object, text.trim_end())
}

/// Asks a device for its slots.
pub fn slots(connection: &mut Connection) -> Result<Slots, Failure> {
    connection.ask(&Request::Status, |reply| match reply {
        Reply::Status(status) => Some(status.slots),
        _ => None,
    })
}

/// Asks a device for its slots, and whether a credential can take the place of the one that is in use, with what a
/// person has to make sure of.
pub fn slots_and_successor(
    connection: &mut Connection,
    secrets: &Secrets,
) -> Result<(Slots, Result<Option<String>, Failure>), Failure> {
    connection.ask(&Request::Status, |reply| match reply {
        Reply::Status(status) => {
            let active = status.credential(status.slots.active());
            let successor = match active {
                Some(active) => successor::check_shown(active.api, active.id, secrets),
                None => Ok(None),
            };
            Some((status.slots, successor))
        }
        _ => None,
    })
}

/// Asks a device how it will keep what it is sent.
pub fn custody(connection: &mut Connection) -> Result<Custody, Failure> {
    connection.ask(&Request::Status, |reply| match reply {
        Reply::Status(status) => Some(status.custody),
        _ => None,
    })
}

fn json(status: &Status<'_>, proved: bool) -> Value {
    let slot = |slot| {
        let credential = status.credential(slot);
        json!({
            "state": describe::state(&status.slots, slot),
            "api": credential.map(|credential| credential.api),
            "id": credential.map(|credential| credential.id),
            "custody": credential.map(|credential| custody_name(credential.custody)),
        })
    };
    json!({
        "ok": true,
        "name": status.name,
        "firmware": status.firmware,
        "uptime_secs": status.uptime_secs,
        "custody": custody_name(status.custody),
        "key_proved": proved,
        "access": match status.access {
            Access::Key => "key",
            Access::Closed => "closed",
            Access::Window { .. } => "window",
        },
        "clock": {
            "quality": quality(status.clock.quality),
            "unix_secs": Some(status.clock.unix_secs).filter(|secs| *secs != 0),
            "error_secs": status.clock.error_secs,
        },
        "slots": { "a": slot(Slot::A), "b": slot(Slot::B) },
        "next": describe::next(&status.slots),
        "outbox": {
            "queued": status.outbox.queued,
            "maybe_sent": status.outbox.maybe_sent,
            "rejected": status.outbox.rejected,
            "delivered": status.outbox.delivered,
        },
        "store": status.copies.map(|copy| json!({ "sound": copy.sound, "erases": copy.erases })),
    })
}

fn quality(quality: ClockQuality) -> &'static str {
    match quality {
        ClockQuality::Unset => "unset",
        ClockQuality::Rtc => "rtc",
        ClockQuality::Sntp => "sntp",
        ClockQuality::Server => "server",
        ClockQuality::Desktop => "desktop",
        _ => "other",
    }
}

struct Text<'s> {
    status: Status<'s>,
    proved: bool,
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = &self.status;
        let name = match status.name {
            "" => "a device without a name".into(),
            name => printable(name),
        };
        let uptime = moment::span(status.uptime_secs.into());
        writeln!(f, "{name}, {}, up for {uptime}", printable(status.firmware))?;
        writeln!(f, "custody: {}", status.custody)?;
        let access = match status.access {
            Access::Key if self.proved => "whoever has the device key, which it has proved".into(),
            Access::Key => "whoever has the device key".into(),
            Access::Closed => "nobody until its window is opened at the device".into(),
            Access::Window { secs_left } => {
                format!(
                    "whoever holds the cable, for {}",
                    moment::span(secs_left.into())
                )
            }
        };
        writeln!(f, "takes changes from: {access}")?;
        match status.clock.quality {
            ClockQuality::Unset => writeln!(f, "clock: unset, so it signs nothing")?,
            known => writeln!(
                f,
                "clock: {}, from {}, {} s off at most",
                moment::utc(status.clock.unix_secs),
                quality(known),
                status.clock.error_secs
            )?,
        }
        for slot in [Slot::A, Slot::B] {
            write!(f, "slot {slot:?}: {}", describe::state(&status.slots, slot))?;
            match status.credential(slot) {
                None => writeln!(f)?,
                Some(credential) => {
                    let id = match credential.id {
                        "" => String::new(),
                        id => format!(" {}...", printable(id)),
                    };
                    let (api, custody) =
                        (printable(credential.api), custody_name(credential.custody));
                    writeln!(f, "; {api}{id}, {custody}")?;
                }
            }
        }
        writeln!(f, "next: {}", describe::next(&status.slots))?;
        let outbox = &status.outbox;
        writeln!(
            f,
            "outbox: {} queued, {} maybe sent, {} rejected, {} delivered since the start",
            outbox.queued, outbox.maybe_sent, outbox.rejected, outbox.delivered
        )?;
        let copy = |sound| if sound { "sound" } else { "to be repaired" };
        let [a, b] = status.copies;
        writeln!(
            f,
            "store: copy A {}, erased {} times; copy B {}, erased {} times",
            copy(a.sound),
            a.erases,
            copy(b.sound),
            b.erases
        )
    }
}
