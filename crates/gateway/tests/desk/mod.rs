//! A desk at which devices are provisioned: its files, and a reader of images.
#![allow(dead_code, reason = "each test file uses a part")]

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use jwt_core::HmacKey;
use secure_store::{Image, Key, Protection, Region, Sealed, Store};
use tempfile::TempDir;

use crate::common::*;

pub const DEVICE_KEY: [u8; 32] = *b"0123456789abcdef0123456789ABCDEF";
pub const PASSPHRASE: &str = "correct horse battery staple";

/// The RP2040's and the ESP32's store: 64 KiB at the end of 2 and 4 MiB.
pub const STORE_LEN: usize = 0x1_0000;

pub const SETTINGS: &str = r#"
[device]
name = "pump-7"
inbox = 42
creator = 7
recipients = ["+1 (555) 010-0111", "15550100112"]

[alerts]
door = "Pump 7: the door is open"
flood = "Pump 7: water in the pit"
temperature = "Pump 7: too hot"
temperature_limit = 60.5

[network]
wifi = "plant-2"
address = "192.168.1.20/24"
router = "192.168.1.1"
name_server = "192.168.1.2"
host = "10.1.2.3"
port = 8080
time_host = "pool.ntp.org"
test_plain_http = true
"#;

pub struct Files(TempDir);

impl Files {
    pub fn new() -> Self {
        let files = Self(TempDir::new().unwrap());
        files.secret("device.key", &DEVICE_KEY);
        files.secret("settings.toml", SETTINGS.as_bytes());
        files
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn secret(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).unwrap();
        owner_only(&self.path(name));
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// `gateway provision`, where `@` begins the name of a file here.
    pub fn provision(&self, args: &[&str]) -> Gateway {
        let args = args.iter().map(|arg| match arg.strip_prefix('@') {
            Some(file) => self.path(file).display().to_string(),
            None => (*arg).to_owned(),
        });
        gateway([String::from("provision")].into_iter().chain(args))
            .env("WIFI_PASSPHRASE", PASSPHRASE)
    }

    pub fn image(&self, args: &[&str]) -> Gateway {
        let all = [
            &[
                "image",
                "--api",
                "heymarket",
                "--settings",
                "@settings.toml",
            ],
            args,
        ]
        .concat();
        self.provision(&all).heymarket()
    }
}

pub fn owner_only(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

pub fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

pub fn sealed() -> Sealed {
    Sealed::new(&HmacKey::new(&DEVICE_KEY).unwrap()).unwrap()
}

pub fn record<P: Protection>(image: &[u8], protection: P, key: Key) -> Option<Vec<u8>> {
    let mut bytes = image.to_vec();
    let region = Region {
        start: 0,
        len: bytes.len() as u32,
    };
    let mut store = Store::<_, _, 64>::open(Image::new(&mut bytes), region, protection).unwrap();
    let mut out = [0; 1024];
    Some(store.get(key, &mut out).unwrap()?.value.to_vec())
}

pub fn prepared() -> HmacKey {
    HmacKey::from_parts(&[SECRET_ID.as_bytes(), b"||", SECRET_KEY.as_bytes()]).unwrap()
}

/// Returns a part of a secret raw, in hexadecimal in both cases, and in both alphabets of base64 at any alignment.
pub fn forms(part: &[u8]) -> Vec<Vec<u8>> {
    let hex: String = part.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut forms = vec![part.to_vec(), hex.to_uppercase().into(), hex.into()];
    for skipped in 0..3 {
        let whole = &part[skipped..];
        let whole = &whole[..whole.len() / 3 * 3];
        forms.extend([STANDARD.encode(whole).into(), URL_SAFE.encode(whole).into()]);
    }
    forms
}

/// Whether `bytes` hold a secret, or half of it, in any of these forms.
pub fn holds(bytes: &[u8], secret: &[u8]) -> bool {
    let (first, second) = secret.split_at(secret.len() / 2);
    let mut all = forms(first).into_iter().chain(forms(second));
    all.any(|form: Vec<u8>| bytes.windows(form.len()).any(|window| window == form))
}
