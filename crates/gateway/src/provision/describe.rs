//! What a record holds, in words and without secrets.

use api_auth::{Slot, SlotState, Slots, Step};
use device_link::SHOWN_ID_LEN;
use secure_store::{ClockRecord, Credential, CredentialKey, Custody, Key, Setting, Settings};

use crate::moment;
use crate::output::printable;

/// Returns a record's name.
pub fn name(key: Key) -> String {
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
        _ if key == Key::certificates(key.slot) => match key.slot {
            Key::CERTIFICATES_ASIDE.. => format!(
                "certificates that others replace, part {}",
                key.slot - Key::CERTIFICATES_ASIDE
            ),
            part => format!("certificates, part {part}"),
        },
        Key { kind, slot } => format!("record {kind}/{slot}"),
    }
}

/// What is said of a value: what it is, and its text.
pub type Lines = Vec<(String, String)>;

/// Says what a record holds, or returns `None` if it is not of its form.
pub fn describe(key: Key, version: u8, value: &[u8], custody: Option<Custody>) -> Option<Lines> {
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
            let (count, [raising @ (0 | 1)]) = value.split_first_chunk()? else {
                return None;
            };
            let count = u32::from_le_bytes(*count);
            let state = if *raising == 1 {
                ", being raised to it"
            } else {
                ""
            };
            line("counter", format!("{count}{state}"))
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
    let mut lines = vec![("api".to_owned(), printable(credential.api))];
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
