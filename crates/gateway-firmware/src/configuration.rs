//! What the device was told when it was provisioned: its name, whom to alert of what, and through whom.

use core::cell::RefCell;
use core::fmt;

use embedded_storage::nor_flash::MultiwriteNorFlash;
use heapless::{String, Vec};
use secure_store::{Key, MAX_VALUE_LEN, SETTINGS_VERSION, Setting, Settings, StoreError};
use sms_alert::{Account, DeviceName, Host, MAX_PHONES, PhoneNumber, Recipient};
use zeroize::{Zeroize, Zeroizing};

use crate::store::BoardStore;

/// Most bytes of a provisioned text: one SMS.
pub const MAX_TEXT_LEN: usize = 160;

/// Most bytes of a host with its port.
const MAX_HOST_LEN: usize = 128;

/// A provisioned text.
pub type Text = String<MAX_TEXT_LEN>;

/// What the device was told.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// The device's name.
    pub name: DeviceName,
    /// Whom to alert.
    pub to: Recipient,
    /// The inbox that alerts are sent from.
    pub inbox_id: u64,
    /// The member that sends them.
    pub creator_id: u64,
    /// The API's host, with a port if it is not the scheme's; `None` for the API's own.
    pub host: Option<String<MAX_HOST_LEN>>,
    /// Whether a test server is sent to over plain HTTP.
    pub plain_http_test: bool,
    /// The wireless network, if there is one.
    pub wifi: Option<Wifi>,
    /// The device's address, if DHCP is not asked for one.
    pub address: Option<StaticAddress>,
    /// Who is asked for the time by SNTP.
    pub time_host: Option<String<MAX_HOST_LEN>>,
    /// The text for the door.
    pub door: Option<Text>,
    /// The text for the flood sensor.
    pub flood: Option<Text>,
    /// The text for the temperature, and the limit in thousandths of a degree Celsius.
    pub temperature: Option<(Text, i32)>,
}

/// A wireless network; `Debug` doesn't show the passphrase.
#[derive(Clone)]
pub struct Wifi {
    /// The network's name.
    pub name: String<32>,
    /// The passphrase, or 64 hexadecimal digits of the key; `None` if the network is open.
    pub passphrase: Option<String<64>>,
}

impl fmt::Debug for Wifi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wifi({})", self.name)
    }
}

impl Drop for Wifi {
    fn drop(&mut self) {
        if let Some(passphrase) = &mut self.passphrase {
            passphrase.zeroize();
        }
    }
}

/// An IPv4 address that doesn't come by DHCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StaticAddress {
    /// The device's address.
    pub address: [u8; 4],
    /// The length of its prefix in bits.
    pub prefix_len: u8,
    /// The router's address.
    pub router: Option<[u8; 4]>,
    /// The name server's address.
    pub name_server: Option<[u8; 4]>,
}

impl Configuration {
    /// Reads the settings of device and network.
    ///
    /// # Errors
    /// What is missing or not understood, or the store's trouble.
    #[inline(never)]
    pub fn load<F: MultiwriteNorFlash>(
        store: &RefCell<BoardStore<F>>,
    ) -> Result<Self, ConfigurationError<F::Error>> {
        let vacancy = match store.try_borrow() {
            Ok(store) => store.vacancy(),
            Err(_) => return Err(ConfigurationError::Busy),
        };
        if let Some(why) = vacancy {
            return Err(ConfigurationError::Store(why));
        }
        let mut device = [0; MAX_VALUE_LEN];
        let mut network = Zeroizing::new([0; MAX_VALUE_LEN]);
        let device = read(store, Key::DEVICE, &mut device)?;
        let network = read(store, Key::NETWORK, &mut *network)?;
        Self::of(&device, &network).map_err(ConfigurationError::Setting)
    }

    /// Takes the settings of device and network, or names the one that is missing or not understood.
    fn of(device: &Settings<'_>, network: &Settings<'_>) -> Result<Self, Setting> {
        let name = device.text(Setting::NAME).ok_or(Setting::NAME)?;
        let texts = |setting| text::<MAX_TEXT_LEN>(device, setting);
        let temperature = match texts(Setting::TEMPERATURE_TEXT)? {
            None => None,
            Some(text) => {
                let limit = device.number(Setting::TEMPERATURE_LIMIT);
                let limit = limit.and_then(|limit| i32::try_from(limit).ok());
                Some((text, limit.ok_or(Setting::TEMPERATURE_LIMIT)?))
            }
        };
        Ok(Self {
            name: DeviceName::new(name).map_err(|_| Setting::NAME)?,
            to: recipient(device)?,
            inbox_id: device.number(Setting::INBOX_ID).ok_or(Setting::INBOX_ID)?,
            creator_id: device
                .number(Setting::CREATOR_ID)
                .ok_or(Setting::CREATOR_ID)?,
            host: host(network)?,
            plain_http_test: network.number(Setting::PLAIN_HTTP_TEST) == Some(1),
            wifi: match text(network, Setting::WIFI_SSID)? {
                None => None,
                Some(name) => Some(Wifi {
                    name,
                    passphrase: text(network, Setting::WIFI_PASSPHRASE)?,
                }),
            },
            address: address(network)?,
            time_host: text(network, Setting::TIME_HOST)?,
            door: texts(Setting::DOOR_TEXT)?,
            flood: texts(Setting::FLOOD_TEXT)?,
            temperature,
        })
    }

    /// Returns the account that alerts are sent from.
    pub const fn account(&self) -> Account<'static> {
        Account::Heymarket {
            inbox_id: self.inbox_id,
            creator_id: self.creator_id,
        }
    }
}

fn read<'v, F: MultiwriteNorFlash>(
    store: &RefCell<BoardStore<F>>,
    key: Key,
    out: &'v mut [u8],
) -> Result<Settings<'v>, ConfigurationError<F::Error>> {
    let mut store = store
        .try_borrow_mut()
        .map_err(|_| ConfigurationError::Busy)?;
    let record = store.get(key, out).map_err(ConfigurationError::Store)?;
    let Some(record) = record else {
        return Settings::decode(&[]).ok_or(ConfigurationError::Record(key));
    };
    if record.version != SETTINGS_VERSION {
        return Err(ConfigurationError::Record(key));
    }
    Settings::decode(record.value).ok_or(ConfigurationError::Record(key))
}

/// Returns a text, or names its setting if it is there but too long or no text.
fn text<const N: usize>(
    settings: &Settings<'_>,
    setting: Setting,
) -> Result<Option<String<N>>, Setting> {
    if settings.get(setting).is_none() {
        return Ok(None);
    }
    let text = settings.text(setting).filter(|text| !text.is_empty());
    let text = text.and_then(|text| String::try_from(text).ok());
    text.map(Some).ok_or(setting)
}

fn recipient(device: &Settings<'_>) -> Result<Recipient, Setting> {
    let mut phones = Vec::<PhoneNumber, MAX_PHONES>::new();
    for (_, value) in device
        .iter()
        .filter(|(name, _)| *name == Setting::RECIPIENT)
    {
        let number = core::str::from_utf8(value).ok();
        let number = number.and_then(|text| PhoneNumber::new(text.trim_start_matches('+')).ok());
        let number = number.ok_or(Setting::RECIPIENT)?;
        phones.push(number).map_err(|_| Setting::RECIPIENT)?;
    }
    match phones.as_slice() {
        [] => Err(Setting::RECIPIENT),
        [phone] => Ok(Recipient::Phone(*phone)),
        _ => Ok(Recipient::Phones(phones)),
    }
}

fn host(network: &Settings<'_>) -> Result<Option<String<MAX_HOST_LEN>>, Setting> {
    let Some(mut host) = text::<MAX_HOST_LEN>(network, Setting::API_HOST)? else {
        return Ok(None);
    };
    if network.get(Setting::API_PORT).is_some() {
        let port = network.number(Setting::API_PORT);
        let port = port.and_then(|port| u16::try_from(port).ok());
        let port = port.ok_or(Setting::API_PORT)?;
        fmt::Write::write_fmt(&mut host, format_args!(":{port}")).map_err(|_| Setting::API_HOST)?;
    }
    match Host::new(&host) {
        Ok(_) => Ok(Some(host)),
        Err(_) => Err(Setting::API_HOST),
    }
}

fn address(network: &Settings<'_>) -> Result<Option<StaticAddress>, Setting> {
    let four = |setting| match network.get(setting) {
        None => Ok(None),
        Some(bytes) => <[u8; 4]>::try_from(bytes).map(Some).map_err(|_| setting),
    };
    match network.get(Setting::ADDRESS) {
        None => Ok(None),
        Some(&[a, b, c, d, prefix_len @ 0..=32]) => Ok(Some(StaticAddress {
            address: [a, b, c, d],
            prefix_len,
            router: four(Setting::ROUTER)?,
            name_server: four(Setting::NAME_SERVER)?,
        })),
        Some(_) => Err(Setting::ADDRESS),
    }
}

/// Says which setting has to be provisioned, or why none can be read; `E` is the flash driver's error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigurationError<E> {
    /// This setting is missing or not understood.
    Setting(Setting),
    /// This record is not one of settings, or newer than this program.
    Record(Key),
    /// The store is borrowed elsewhere.
    Busy,
    /// The store has failed.
    Store(StoreError<E>),
}

impl<E: fmt::Debug> fmt::Display for ConfigurationError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setting(Setting(number)) => write!(
                f,
                "setting {number} is missing or not understood: provision the device"
            ),
            Self::Record(Key { kind, .. }) => write!(
                f,
                "the settings in record {kind} can't be read: provision the device, or update the program"
            ),
            Self::Busy => f.write_str("the store is in use: try again"),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl<E: fmt::Debug> core::error::Error for ConfigurationError<E> {}
