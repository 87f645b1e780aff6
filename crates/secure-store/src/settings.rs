//! Settings of device and network: numbered values, so that programs of different age read each other's.

use crate::bytes::{Reader, Writer};

/// Version of the form of both records.
pub const SETTINGS_VERSION: u8 = 1;

/// What a setting is called.
///
/// Numbers from 128 on are each firmware's own; those of `gateway-firmware` are here too, for whoever provisions it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Setting(pub u8);

impl Setting {
    /// The device's name, unique in its fleet: text.
    pub const NAME: Self = Self(1);
    /// The inbox that alerts are sent from: a number.
    pub const INBOX_ID: Self = Self(2);
    /// The member that sends them: a number.
    pub const CREATOR_ID: Self = Self(3);
    /// Somebody to be alerted, as often as there are such people: text.
    pub const RECIPIENT: Self = Self(4);
    /// The name of the wireless network: 1 to 32 bytes.
    pub const WIFI_SSID: Self = Self(64);
    /// The passphrase of the wireless network: text, secret.
    pub const WIFI_PASSPHRASE: Self = Self(65);
    /// The host of the API, if it is not the API's own: text.
    pub const API_HOST: Self = Self(66);
    /// The TCP port of the API, if it is not 443: a number.
    pub const API_PORT: Self = Self(67);
    /// The device's address, if DHCP gives none: 4 bytes of IPv4 and the length of the prefix.
    pub const ADDRESS: Self = Self(68);
    /// The router's address: 4 bytes of IPv4.
    pub const ROUTER: Self = Self(69);
    /// The name server's address: 4 bytes of IPv4.
    pub const NAME_SERVER: Self = Self(70);
    /// The host to ask for the time by SNTP: text.
    pub const TIME_HOST: Self = Self(71);
    /// The certificates that TLS trusts, see [`Key::certificates`](crate::Key::certificates): the length of all of
    /// them (2 bytes, little-endian) and their CRC-32/ISO-HDLC (4 bytes, little-endian).
    pub const CERTIFICATES: Self = Self(72);

    /// What `gateway-firmware` sends when the door's contact closes: text; without it the contact raises no alert.
    pub const DOOR_TEXT: Self = Self(128);
    /// What it sends when the flood sensor's contact closes: text; without it the contact raises no alert.
    pub const FLOOD_TEXT: Self = Self(129);
    /// What it sends of a temperature, which is added to it: text; without it there is no such alert.
    pub const TEMPERATURE_TEXT: Self = Self(130);
    /// The temperature from which on it does: a number, in thousandths of a degree Celsius.
    pub const TEMPERATURE_LIMIT: Self = Self(131);
    /// The number 1 if it may send to a private address over plain HTTP, for a test.
    pub const PLAIN_HTTP_TEST: Self = Self(132);
}

/// Settings as they are stored: of each a number (1 byte), a length (2 bytes, little-endian), the value.
#[derive(Clone, Copy)]
pub struct Settings<'a> {
    bytes: &'a [u8],
}

impl<'a> Settings<'a> {
    /// Takes a record's value, or returns `None` if a length in it leads beyond its end.
    pub fn decode(value: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(value);
        while !reader.rest().is_empty() {
            next(&mut reader)?;
        }
        Some(Self { bytes: value })
    }

    /// Returns all of them in the order in which they are stored, those that this program doesn't know too.
    pub fn iter(&self) -> impl Iterator<Item = (Setting, &'a [u8])> + use<'a> {
        let mut reader = Reader::new(self.bytes);
        core::iter::from_fn(move || next(&mut reader))
    }

    /// Returns the first of this name.
    pub fn get(&self, setting: Setting) -> Option<&'a [u8]> {
        self.iter()
            .find(|(name, _)| *name == setting)
            .map(|(_, value)| value)
    }

    /// Returns the first of this name if it is UTF-8.
    pub fn text(&self, setting: Setting) -> Option<&'a str> {
        core::str::from_utf8(self.get(setting)?).ok()
    }

    /// Returns the first of this name if it is 8 bytes, as a little-endian number.
    pub fn number(&self, setting: Setting) -> Option<u64> {
        Some(u64::from_le_bytes(self.get(setting)?.try_into().ok()?))
    }
}

fn next<'a>(reader: &mut Reader<'a>) -> Option<(Setting, &'a [u8])> {
    let setting = Setting(reader.byte()?);
    let len = u16::from_le_bytes(reader.array()?);
    Some((setting, reader.take(usize::from(len))?))
}

/// Writes settings, whose values may be secret, to the front of `out` and returns them, or `None` if it is too small.
///
/// ```
/// use secure_store::{Setting, Settings, encode_settings};
///
/// let mut out = [0; 64];
/// let stored = encode_settings(
///     [(Setting::NAME, &b"pump-7"[..]), (Setting::INBOX_ID, &42u64.to_le_bytes())],
///     &mut out,
/// )
/// .unwrap();
/// let settings = Settings::decode(stored).unwrap();
/// assert_eq!(settings.text(Setting::NAME), Some("pump-7"));
/// assert_eq!(settings.number(Setting::INBOX_ID), Some(42));
/// ```
pub fn encode_settings<'v, 'o>(
    settings: impl IntoIterator<Item = (Setting, &'v [u8])>,
    out: &'o mut [u8],
) -> Option<&'o [u8]> {
    let mut writer = Writer::new(out);
    for (Setting(number), value) in settings {
        let [low, high] = u16::try_from(value.len()).ok()?.to_le_bytes();
        writer.put(&[number, low, high])?;
        writer.put(value)?;
    }
    writer.finish()
}
