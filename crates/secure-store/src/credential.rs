//! The credential record: which API, which ID, and the key in the form in which a device needs it.
//!
//! A token's HMAC key is stored *prepared*: the two SHA-256 states that every MAC under it starts from. The
//! secret that the API issued can't be computed from them, so a thief can't log in with it, look it up or
//! say whose it is; but they sign whatever the secret signs, so they are guarded as the secret is. A key
//! that is sent as it is has to be stored as it is.

use core::fmt;

use jwt_core::{HmacKey, PREPARED_LEN};

use crate::bytes::{Reader, Writer};
use crate::protection::Custody;

/// Version of the record's form.
pub const CREDENTIAL_VERSION: u8 = 1;

/// Most bytes of an API's name and of an ID.
const MAX_TEXT_LEN: usize = 64;

/// Most bytes of a key that is sent as it is.
const MAX_KEY_LEN: usize = 256;

/// Bytes of the longest credential record.
pub const MAX_CREDENTIAL_LEN: usize = 1 + MAX_TEXT_LEN + 1 + MAX_TEXT_LEN + 1 + MAX_KEY_LEN;

const PREPARED: u8 = 1;
const HARDWARE: u8 = 2;
const SENT: u8 = 3;

/// What a slot holds; `Debug` shows neither ID nor key.
#[derive(Clone)]
pub struct Credential<'a> {
    /// The API's name, in lower case, at most 64 bytes.
    pub api: &'a str,
    /// The ID that goes into the token, empty if there is none, at most 64 bytes.
    pub id: &'a str,
    /// The key.
    pub key: CredentialKey<'a>,
}

/// A key in the form in which a device needs it.
#[derive(Clone)]
pub enum CredentialKey<'a> {
    /// An HMAC key, prepared.
    Prepared(HmacKey),
    /// The HMAC key is in this key block or slot of the chip.
    Hardware(u8),
    /// A key that is sent as it is, at most 256 bytes.
    Sent(&'a str),
}

impl<'a> Credential<'a> {
    /// Writes the record to the front of `out` and returns it, or `None` if it is too long for `out` or the form; no
    /// byte of the key is in `out` then.
    pub fn encode<'o>(&self, out: &'o mut [u8]) -> Option<&'o [u8]> {
        let sent_len = match self.key {
            CredentialKey::Sent(key) => key.len(),
            CredentialKey::Prepared(_) | CredentialKey::Hardware(_) => 0,
        };
        let longest_text = self.api.len().max(self.id.len());
        if longest_text > MAX_TEXT_LEN || sent_len > MAX_KEY_LEN {
            return None;
        }
        let mut writer = Writer::new(out);
        writer.short(self.api.as_bytes())?;
        writer.short(self.id.as_bytes())?;
        match &self.key {
            CredentialKey::Prepared(key) => {
                writer.put(&[PREPARED])?;
                writer.put(&*key.to_prepared())?;
            }
            CredentialKey::Hardware(slot) => writer.put(&[HARDWARE, *slot])?,
            CredentialKey::Sent(key) => {
                writer.put(&[SENT])?;
                writer.put(key.as_bytes())?;
            }
        }
        writer.finish()
    }

    /// Reads a record of this version's form, or returns `None` if it isn't one.
    pub fn decode(value: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(value);
        let api = core::str::from_utf8(reader.short()?).ok()?;
        let id = core::str::from_utf8(reader.short()?).ok()?;
        let key = match (reader.byte()?, reader.rest()) {
            (PREPARED, bytes) => {
                let states: &[u8; PREPARED_LEN] = bytes.try_into().ok()?;
                CredentialKey::Prepared(HmacKey::from_prepared(states))
            }
            (HARDWARE, &[slot]) => CredentialKey::Hardware(slot),
            (SENT, bytes) if bytes.len() <= MAX_KEY_LEN => {
                CredentialKey::Sent(core::str::from_utf8(bytes).ok()?)
            }
            _ => return None,
        };
        let fits = api.len() <= MAX_TEXT_LEN && id.len() <= MAX_TEXT_LEN;
        fits.then_some(Self { api, id, key })
    }

    /// Returns the custody of the key, if its record is stored with custody `stored`.
    pub fn custody(&self, stored: Custody) -> Custody {
        match self.key {
            CredentialKey::Hardware(_) => Custody::Hardware,
            CredentialKey::Prepared(_) | CredentialKey::Sent(_) => stored,
        }
    }
}

impl fmt::Debug for Credential<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let form = match self.key {
            CredentialKey::Prepared(_) => "prepared",
            CredentialKey::Hardware(_) => "in hardware",
            CredentialKey::Sent(_) => "sent",
        };
        write!(f, "Credential({}, key {form})", self.api)
    }
}
