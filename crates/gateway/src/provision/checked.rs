//! Settings as the firmware will take them: each value checked as it will be there.

use std::fmt;
use std::net::Ipv4Addr;
use std::path::Path;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use secrecy::{ExposeSecret, SecretString};
use secure_store::MAX_CERTIFICATES_LEN;
use sms_alert::{DeviceName, Host, MAX_PHONES, PhoneNumber};

use crate::credentials::CredentialArgs;
use crate::exit::Failure;
use crate::provision::settings::{Alerts, Network, Settings};

/// The name of the Wi-Fi passphrase in the environment and in a credentials file.
pub const PASSPHRASE: &str = "WIFI_PASSPHRASE";

/// Most bytes of an alert's text, which firmware keeps: one SMS.
const MAX_TEXT_LEN: usize = 160;

/// Settings in order, with the values that the firmware takes.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// The name.
    pub name: Option<DeviceName>,
    /// The inbox and the member.
    pub account: Option<(u64, u64)>,
    /// The phones.
    pub recipients: Vec<PhoneNumber>,
    /// The texts for door and flood sensor.
    pub contacts: [Option<String>; 2],
    /// The text for the temperature, and the limit in thousandths of a degree.
    pub temperature: Option<(String, u64)>,
    /// The network's name, and its passphrase unless it is open.
    pub wifi: Option<(String, Option<SecretString>)>,
    /// The address and the length of its prefix.
    pub address: Option<(Ipv4Addr, u8)>,
    /// The router's address.
    pub router: Option<Ipv4Addr>,
    /// The name server's address.
    pub name_server: Option<Ipv4Addr>,
    /// The API's host.
    pub host: Option<String>,
    /// The API's port.
    pub port: Option<u16>,
    /// The host to ask for the time.
    pub time_host: Option<String>,
    /// The certificates in DER, one behind the other.
    pub certificates: Option<Vec<u8>>,
    /// Whether plain HTTP is allowed for a test.
    pub test_plain_http: bool,
}

impl Checked {
    /// Says what a device can't alert anybody without.
    pub fn missing(&self) -> Vec<&'static str> {
        let missing = [
            (
                self.name.is_none(),
                "device.name is not set: the device needs a name to send alerts",
            ),
            (
                self.account.is_none(),
                "device.inbox and creator are not set: Heymarket needs them to send",
            ),
            (
                self.recipients.is_empty(),
                "device.recipients is not set: nobody will be alerted",
            ),
        ];
        missing
            .into_iter()
            .filter(|(is, _)| *is)
            .map(|(_, what)| what)
            .collect()
    }
}

/// Says which setting is wrong, and why.
pub struct SettingError {
    /// The setting as it is written, `network.address`.
    pub name: &'static str,
    /// What is wrong with it, as the rest of a sentence.
    pub what: String,
}

impl Settings {
    /// Checks the values as the firmware will, and fetches the Wi-Fi passphrase and the certificates.
    ///
    /// # Errors
    /// The first setting that the firmware would refuse, by name.
    pub fn check(&self, credentials: &CredentialArgs) -> Result<Checked, Checking> {
        let (device, alerts, network) = (&self.device, &self.alerts, &self.network);
        Ok(Checked {
            name: checked("device.name", device.name.as_deref(), |name| {
                DeviceName::new(name).map_err(|error| error.to_string())
            })?,
            account: match (device.inbox, device.creator) {
                (Some(inbox), Some(creator)) => Some((inbox, creator)),
                (None, None) => None,
                (None, Some(_)) => return Err(wrong("device.inbox", "be there beside creator")),
                (Some(_), None) => return Err(wrong("device.creator", "be there beside inbox")),
            },
            recipients: recipients(&device.recipients)?,
            contacts: [
                text("alerts.door", alerts.door.as_deref())?,
                text("alerts.flood", alerts.flood.as_deref())?,
            ],
            temperature: temperature(alerts)?,
            wifi: wifi(network, credentials)?,
            address: checked("network.address", network.address.as_deref(), address)?,
            router: router(network)?,
            name_server: beside_address("network.name_server", network.name_server, network)?,
            host: checked("network.host", network.host.as_deref(), host)?,
            port: match (network.port, &network.host) {
                (Some(0), _) => return Err(wrong("network.port", "be 1 to 65535")),
                (Some(_), None) => return Err(wrong("network.port", "stand beside host")),
                (port, _) => port,
            },
            time_host: checked("network.time_host", network.time_host.as_deref(), host)?,
            certificates: match &network.certificates {
                None => None,
                Some(path) => Some(certificates(path)?),
            },
            test_plain_http: match (network.test_plain_http, &network.host) {
                (true, Some(host)) if is_near(host) => true,
                (true, _) => {
                    return Err(wrong(
                        "network.test_plain_http",
                        "stand beside a host that is an address of a private network",
                    ));
                }
                (false, _) => false,
            },
        })
    }
}

/// Why settings are refused: a value, or something that belongs to one.
pub enum Checking {
    /// A value in the file.
    Setting(SettingError),
    /// A file that is named, or the passphrase.
    Other(Failure),
}

impl Checking {
    /// Says it of settings from a source, such as a file's name or a row.
    pub fn of(self, source: &str) -> Failure {
        match self {
            Self::Setting(error) => {
                Failure::usage(format_args!("{source}: {} {}", error.name, error.what))
            }
            Self::Other(failure) => failure,
        }
    }
}

fn wrong(name: &'static str, should: impl fmt::Display) -> Checking {
    let what = format!("should {should}");
    Checking::Setting(SettingError { name, what })
}

/// Checks a value that is there; what is wrong with it is said by the check.
fn checked<T>(
    name: &'static str,
    value: Option<&str>,
    check: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<T>, Checking> {
    let value = value.map(check).transpose();
    value.map_err(|why| {
        let what = format!("can't be used: {why}");
        Checking::Setting(SettingError { name, what })
    })
}

fn recipients(numbers: &[String]) -> Result<Vec<PhoneNumber>, Checking> {
    const NAME: &str = "device.recipients";
    if numbers.len() > MAX_PHONES {
        return Err(wrong(
            NAME,
            format_args!("have {MAX_PHONES} numbers at most"),
        ));
    }
    let number = |text: &String| {
        // As people write them: +1 (555) 123-4567.
        let digits = text.replace([' ', '-', '(', ')', '+'], "");
        PhoneNumber::new(&digits).map_err(|error| {
            wrong(
                NAME,
                format_args!("have another number than {text:?}: {error}"),
            )
        })
    };
    let numbers: Vec<PhoneNumber> = numbers.iter().map(number).collect::<Result<_, _>>()?;
    for (at, number) in numbers.iter().enumerate() {
        if numbers[..at].contains(number) {
            return Err(wrong(NAME, format_args!("have {number} once")));
        }
    }
    Ok(numbers)
}

fn text(name: &'static str, text: Option<&str>) -> Result<Option<String>, Checking> {
    checked(name, text, |text| match text {
        "" => Err("it is empty".into()),
        _ if text.len() > MAX_TEXT_LEN => Err(format!(
            "it has {} bytes, at most {MAX_TEXT_LEN} fit",
            text.len()
        )),
        _ if text.contains(char::is_control) => Err("it has a control character".into()),
        _ => Ok(text.to_owned()),
    })
}

fn temperature(alerts: &Alerts) -> Result<Option<(String, u64)>, Checking> {
    const LIMIT: &str = "alerts.temperature_limit";
    let text = text("alerts.temperature", alerts.temperature.as_deref())?;
    match (text, alerts.temperature_limit) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(wrong("alerts.temperature", "be there beside its limit")),
        (Some(_), None) => Err(wrong(LIMIT, "be there beside its text")),
        (Some(text), Some(degrees)) if (0.0..=150.0).contains(&degrees) => {
            Ok(Some((text, (degrees * 1000.0).round() as u64)))
        }
        (Some(_), Some(_)) => Err(wrong(LIMIT, "be 0 to 150 degrees Celsius")),
    }
}

fn wifi(
    network: &Network,
    credentials: &CredentialArgs,
) -> Result<Option<(String, Option<SecretString>)>, Checking> {
    let Some(name) = &network.wifi else {
        return match network.wifi_open {
            true => Err(wrong("network.wifi", "be there beside wifi_open")),
            false => Ok(None),
        };
    };
    if !(1..=32).contains(&name.len()) {
        return Err(wrong("network.wifi", "have 1 to 32 bytes"));
    }
    if network.wifi_open {
        return Ok(Some((name.clone(), None)));
    }
    let found = credentials.find(&[PASSPHRASE], "the wireless network");
    let passphrase = found.map_err(Checking::Other)?.pop().unwrap_or_default();
    let text = passphrase.expose_secret();
    // IEEE 802.11 annex J.4: 8 to 63 printable ASCII characters, or 64 hexadecimal digits.
    let printable = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    let valid = match text.len() {
        8..=63 => printable,
        64 => text.bytes().all(|byte| byte.is_ascii_hexdigit()),
        _ => false,
    };
    match valid {
        true => Ok(Some((name.clone(), Some(passphrase)))),
        false => Err(Checking::Other(Failure::usage(format_args!(
            "{PASSPHRASE} should have 8 to 63 printable characters, or 64 hexadecimal digits; a network without one takes wifi_open = true"
        )))),
    }
}

fn address(text: &str) -> Result<(Ipv4Addr, u8), String> {
    let example = || "it should look like 192.168.1.20/24".to_owned();
    let (address, prefix) = text.split_once('/').ok_or_else(example)?;
    let address: Ipv4Addr = address.parse().map_err(|_| example())?;
    let prefix: u8 = prefix.parse().map_err(|_| example())?;
    let usable = !address.is_unspecified() && !address.is_multicast() && !address.is_loopback();
    if !usable || !(1..=31).contains(&prefix) {
        return Err("no device can have it".into());
    }
    // A network's first address is its own name and its last one everybody's, but where there are only two.
    let host_bits = u32::MAX >> prefix;
    let host = address.to_bits() & host_bits;
    match prefix < 31 && (host == 0 || host == host_bits) {
        true => Err("it is the whole network's, not a device's".into()),
        false => Ok((address, prefix)),
    }
}

fn router(network: &Network) -> Result<Option<Ipv4Addr>, Checking> {
    const NAME: &str = "network.router";
    let router = beside_address(NAME, network.router, network)?;
    let own = checked("network.address", network.address.as_deref(), address)?;
    if let (Some(router), Some((own, prefix))) = (router, own) {
        let differs = router.to_bits() ^ own.to_bits();
        if differs == 0 {
            return Err(wrong(NAME, "be another than the device's own address"));
        }
        if differs > u32::MAX >> prefix {
            return Err(wrong(
                NAME,
                format_args!("be in the network of {own}/{prefix}"),
            ));
        }
    }
    Ok(router)
}

fn beside_address(
    name: &'static str,
    value: Option<Ipv4Addr>,
    network: &Network,
) -> Result<Option<Ipv4Addr>, Checking> {
    match (value, &network.address) {
        (Some(_), None) => Err(wrong(name, "stand beside address: DHCP gives it otherwise")),
        (value, _) => Ok(value),
    }
}

fn host(text: &str) -> Result<String, String> {
    match Host::new(text) {
        Ok(host) if host.name() == text => Ok(text.to_owned()),
        _ => Err("it should look like api.heymarket.com or 192.168.1.5, the port is a setting of its own".into()),
    }
}

/// Whether a host is the address of a private network: what firmware sends to over plain HTTP at most.
fn is_near(host: &str) -> bool {
    let address: Result<Ipv4Addr, _> = host.parse();
    address.is_ok_and(|address| address.is_private() || address.is_loopback())
}

fn certificates(path: &Path) -> Result<Vec<u8>, Checking> {
    let name = path.display();
    let refused = |why: String| {
        Checking::Other(Failure::usage(format_args!(
            "no certificates can be taken from {name}: {why}"
        )))
    };
    let mut all = Vec::new();
    let found = CertificateDer::pem_file_iter(path).map_err(|error| refused(error.to_string()))?;
    for certificate in found {
        let certificate = certificate.map_err(|error| refused(error.to_string()))?;
        rustls::RootCertStore::empty()
            .add(certificate.clone())
            .map_err(|error| refused(error.to_string()))?;
        all.extend_from_slice(&certificate);
    }
    match all.len() {
        0 => Err(refused("it holds none".into())),
        1..=MAX_CERTIFICATES_LEN => Ok(all),
        len => Err(refused(format!(
            "they have {len} bytes, a device keeps {MAX_CERTIFICATES_LEN}"
        ))),
    }
}
