//! What a device is told beside its credential: a small TOML file.

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::exit::Failure;

/// A settings file with every setting, as `gateway provision settings --example` prints it.
pub const EXAMPLE: &str = include_str!("settings.example.toml");

/// The file's form.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// `[device]`.
    #[serde(default)]
    pub device: Device,
    /// `[alerts]`.
    #[serde(default)]
    pub alerts: Alerts,
    /// `[network]`.
    #[serde(default)]
    pub network: Network,
}

/// Who the device is, and whom it alerts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// The name, unique in the fleet.
    pub name: Option<String>,
    /// The inbox that alerts are sent from.
    pub inbox: Option<u64>,
    /// The member that sends them.
    pub creator: Option<u64>,
    /// The phones that are alerted.
    #[serde(default)]
    pub recipients: Vec<String>,
}

/// What is sent when.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alerts {
    /// The text for the door's contact.
    pub door: Option<String>,
    /// The text for the flood sensor's contact.
    pub flood: Option<String>,
    /// The text for the temperature.
    pub temperature: Option<String>,
    /// The temperature in degrees Celsius that raises that alert.
    pub temperature_limit: Option<f64>,
}

/// How the device reaches the API.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// The name of the wireless network.
    pub wifi: Option<String>,
    /// Whether that network has no passphrase.
    #[serde(default)]
    pub wifi_open: bool,
    /// The address and the length of its prefix; DHCP gives one if there is none.
    pub address: Option<String>,
    /// The router's address.
    pub router: Option<Ipv4Addr>,
    /// The name server's address.
    pub name_server: Option<Ipv4Addr>,
    /// The host of the API, if it is not its own.
    pub host: Option<String>,
    /// The port of the API, if it is not 443.
    pub port: Option<u16>,
    /// The host to ask for the time.
    pub time_host: Option<String>,
    /// A PEM file with the certificates that TLS trusts.
    pub certificates: Option<PathBuf>,
    /// Whether the device may send to a test server over plain HTTP.
    #[serde(default)]
    pub test_plain_http: bool,
}

impl Settings {
    /// Reads a file; whether its values make sense, [`check`](Self::check) tells.
    ///
    /// # Errors
    /// The file can't be read or is not of this form.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let name = path.display();
        let text = fs::read_to_string(path).map_err(|error| {
            Failure::usage(format_args!("can't read the settings in {name}: {error}"))
        })?;
        let mut settings: Self = toml::from_str(&text).map_err(|error| {
            let line = error
                .span()
                .map(|span| text[..span.start].lines().count().max(1));
            let line = line.map_or(String::new(), |line| format!("line {line}: "));
            Failure::usage(format_args!("{name}: {line}{}", error.message()))
        })?;
        if let Some(file) = &mut settings.network.certificates
            && let Some(directory) = path.parent()
        {
            *file = directory.join(&*file);
        }
        Ok(settings)
    }
}
