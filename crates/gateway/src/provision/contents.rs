//! The records that a device starts with.

use api_auth::{Scheme, Slot, Slots};
use device_link::ROTATION_VERSION;
use secrecy::ExposeSecret;
use secure_store::{
    CERTIFICATES_VERSION, CREDENTIAL_VERSION, Certificates, Credential, CredentialKey, Key,
    MAX_CREDENTIAL_LEN, MAX_VALUE_LEN, SETTINGS_VERSION, Setting, encode_settings,
};
use zeroize::Zeroizing;

use crate::credentials::Secrets;
use crate::exit::Failure;
use crate::provision::checked::Checked;

/// A record to be written.
pub struct Record {
    /// Its name.
    pub key: Key,
    /// The version of its form.
    pub version: u8,
    /// Its value.
    pub value: Zeroizing<Vec<u8>>,
}

/// Where a credential's key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyPlace {
    /// In the record.
    Store,
    /// In this key block or slot of the chip.
    Hardware(u8),
}

/// Returns the record of a credential in a slot.
pub fn credential(secrets: &Secrets, place: KeyPlace, slot: Slot) -> Result<Record, Failure> {
    let id = secrets.credential()?.id();
    let key = match (place, secrets.api.scheme) {
        (KeyPlace::Hardware(number), _) => CredentialKey::Hardware(number),
        (KeyPlace::Store, Scheme::IssIat | Scheme::KidExp) => {
            CredentialKey::Prepared(secrets.hmac_key()?)
        }
        (KeyPlace::Store, _) => CredentialKey::Sent(secrets.key().expose_secret()),
    };
    let credential = Credential {
        api: secrets.api.name,
        id,
        key,
    };
    let mut out = Zeroizing::new([0; MAX_CREDENTIAL_LEN]);
    let value = credential
        .encode(&mut *out)
        .ok_or_else(|| Failure::usage("the credential is too long for a device"))?;
    Ok(Record {
        key: credential_key(slot),
        version: CREDENTIAL_VERSION,
        value: Zeroizing::new(value.to_vec()),
    })
}

/// Returns the record of how far a rotation has come.
pub fn rotation(slots: &Slots) -> Record {
    Record {
        key: Key::ROTATION,
        version: ROTATION_VERSION,
        value: Zeroizing::new(slots.to_bytes().to_vec()),
    }
}

/// Returns the name of a slot's record.
pub const fn credential_key(slot: Slot) -> Key {
    Key::credential(match slot {
        Slot::A => 0,
        Slot::B => 1,
    })
}

/// Returns the records of settings: certificates before the settings that sum them up.
pub fn settings(settings: &Checked) -> Result<Vec<Record>, Failure> {
    let mut records = Vec::new();
    let mut network = network(settings);
    if let Some(der) = &settings.certificates {
        let certificates = Certificates::new(der)
            .ok_or_else(|| Failure::usage("the certificates are too long for a device"))?;
        for (part, bytes) in (0..).zip(certificates.parts()) {
            records.push(Record {
                key: Key::certificates(part),
                version: CERTIFICATES_VERSION,
                value: Zeroizing::new(bytes.to_vec()),
            });
        }
        network.push(value(Setting::CERTIFICATES, certificates.sum()));
    }
    for (key, what, list) in [
        (Key::DEVICE, "the device's", device(settings)),
        (Key::NETWORK, "the network's", network),
    ] {
        if !list.is_empty() {
            records.push(settings_record(key, what, &list)?);
        }
    }
    Ok(records)
}

type Values = Vec<(Setting, Zeroizing<Vec<u8>>)>;

fn value(setting: Setting, bytes: impl AsRef<[u8]>) -> (Setting, Zeroizing<Vec<u8>>) {
    (setting, Zeroizing::new(bytes.as_ref().to_vec()))
}

fn device(settings: &Checked) -> Values {
    let mut list = Values::new();
    if let Some(name) = &settings.name {
        list.push(value(Setting::NAME, name.as_str()));
    }
    if let Some((inbox, creator)) = settings.account {
        list.push(value(Setting::INBOX_ID, inbox.to_le_bytes()));
        list.push(value(Setting::CREATOR_ID, creator.to_le_bytes()));
    }
    for number in &settings.recipients {
        list.push(value(Setting::RECIPIENT, number.as_str()));
    }
    let [door, flood] = &settings.contacts;
    for (setting, text) in [(Setting::DOOR_TEXT, door), (Setting::FLOOD_TEXT, flood)] {
        list.extend(text.as_ref().map(|text| value(setting, text)));
    }
    if let Some((text, limit)) = &settings.temperature {
        list.push(value(Setting::TEMPERATURE_TEXT, text));
        list.push(value(Setting::TEMPERATURE_LIMIT, limit.to_le_bytes()));
    }
    list
}

fn network(settings: &Checked) -> Values {
    let mut list = Values::new();
    if let Some((name, passphrase)) = &settings.wifi {
        list.push(value(Setting::WIFI_SSID, name));
        let passphrase = passphrase.as_ref();
        list.extend(passphrase.map(|text| value(Setting::WIFI_PASSPHRASE, text.expose_secret())));
    }
    if let Some((address, prefix)) = settings.address {
        let [a, b, c, d] = address.octets();
        list.push(value(Setting::ADDRESS, [a, b, c, d, prefix]));
    }
    for (setting, address) in [
        (Setting::ROUTER, settings.router),
        (Setting::NAME_SERVER, settings.name_server),
    ] {
        list.extend(address.map(|address| value(setting, address.octets())));
    }
    for (setting, text) in [
        (Setting::API_HOST, &settings.host),
        (Setting::TIME_HOST, &settings.time_host),
    ] {
        list.extend(text.as_ref().map(|text| value(setting, text)));
    }
    if let Some(port) = settings.port {
        list.push(value(Setting::API_PORT, u64::from(port).to_le_bytes()));
    }
    if settings.test_plain_http {
        list.push(value(Setting::PLAIN_HTTP_TEST, 1u64.to_le_bytes()));
    }
    list
}

fn settings_record(key: Key, whose: &str, list: &Values) -> Result<Record, Failure> {
    let mut out = Zeroizing::new([0; MAX_VALUE_LEN]);
    let pairs = list
        .iter()
        .map(|(setting, value)| (*setting, value.as_slice()));
    let value = encode_settings(pairs, &mut *out).ok_or_else(|| {
        Failure::usage(format_args!(
            "{whose} settings have more than {MAX_VALUE_LEN} bytes: shorten the texts"
        ))
    })?;
    Ok(Record {
        key,
        version: SETTINGS_VERSION,
        value: Zeroizing::new(value.to_vec()),
    })
}
