//! How a device is, without anything secret.

use api_auth::{Slot, Slots};
use secure_store::Custody;

use crate::bytes::{Payload, Reader, put_text};

/// Most bytes of a firmware's version and of a device's name; a longer one is cut.
pub const MAX_NAME_LEN: usize = 32;

/// Most bytes of an API's name.
const MAX_API_LEN: usize = 64;

/// Most bytes that are told of an ID: enough to tell two apart, for vendors ask to keep IDs to oneself.
pub const SHOWN_ID_LEN: usize = 8;

/// What a device tells about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status<'a> {
    /// The name and the version of the firmware.
    pub firmware: &'a str,
    /// The device's name, empty if it has none.
    pub name: &'a str,
    /// The seconds since the start.
    pub uptime_secs: u32,
    /// The custody of what the store writes.
    pub custody: Custody,
    /// Who may write.
    pub access: Access,
    /// The clock.
    pub clock: ClockStatus,
    /// How far a rotation of credentials has come.
    pub slots: Slots,
    /// What is in slot A and in slot B, if anything.
    pub credentials: [Option<CredentialStatus<'a>>; 2],
    /// The alerts that are not settled.
    pub outbox: OutboxStatus,
    /// The store's copies.
    pub copies: [CopyStatus; 2],
}

/// Who may write records, set the clock and have the device start again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Whoever has the device key.
    Key,
    /// Nobody, until the provisioning window is opened at the device.
    Closed,
    /// Whoever holds the cable.
    Window {
        /// The seconds until the window closes.
        secs_left: u16,
    },
}

/// What the device knows of the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockStatus {
    /// Where the time comes from.
    pub quality: ClockQuality,
    /// The Unix seconds, 0 if the clock is unset.
    pub unix_secs: u64,
    /// By how many seconds it may be wrong, either way.
    pub error_secs: u32,
}

/// Where a device's time comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[repr(u8)]
pub enum ClockQuality {
    /// Nobody has set it: no token is signed.
    Unset = 0,
    /// A battery-backed clock.
    Rtc = 1,
    /// A time server whose answers are not authenticated.
    Sntp = 2,
    /// The API itself, over TLS.
    Server = 3,
    /// Whoever provisioned the device.
    Desktop = 4,
    /// Something that this program doesn't know.
    Other = 5,
}

/// A slot's credential, without its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CredentialStatus<'a> {
    /// The API that it is for.
    pub api: &'a str,
    /// The ID that goes into the token, empty if there is none; its first [`SHOWN_ID_LEN`] bytes are told.
    pub id: &'a str,
    /// The custody of its key.
    pub custody: Custody,
}

/// The counts of an outbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutboxStatus {
    /// The alerts that wait.
    pub queued: u16,
    /// The alerts that may have been sent.
    pub maybe_sent: u16,
    /// The alerts that the server has refused for good.
    pub rejected: u16,
    /// The alerts that were delivered since the start.
    pub delivered: u32,
}

/// A copy of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopyStatus {
    /// Whether it is whole and up to date.
    pub sound: bool,
    /// How often it was erased.
    pub erases: u32,
}

impl<'a> Status<'a> {
    /// Returns what is in a slot.
    pub const fn credential(&self, slot: Slot) -> Option<CredentialStatus<'a>> {
        let [a, b] = self.credentials;
        match slot {
            Slot::A => a,
            Slot::B => b,
        }
    }

    pub(crate) fn encode(&self, out: &mut Payload) -> Option<()> {
        let (access, secs_left) = match self.access {
            Access::Key => (0, 0),
            Access::Closed => (1, 0),
            Access::Window { secs_left } => (2, secs_left),
        };
        out.push(custody_byte(self.custody)).ok()?;
        out.push(access).ok()?;
        put(out, &secs_left.to_le_bytes())?;
        put(out, &self.uptime_secs.to_le_bytes())?;
        out.push(self.clock.quality as u8).ok()?;
        put(out, &self.clock.unix_secs.to_le_bytes())?;
        put(out, &self.clock.error_secs.to_le_bytes())?;
        put(out, &self.slots.to_bytes())?;
        put(out, &self.outbox.queued.to_le_bytes())?;
        put(out, &self.outbox.maybe_sent.to_le_bytes())?;
        put(out, &self.outbox.rejected.to_le_bytes())?;
        put(out, &self.outbox.delivered.to_le_bytes())?;
        for copy in self.copies {
            out.push(copy.sound.into()).ok()?;
            put(out, &copy.erases.to_le_bytes())?;
        }
        put_text(out, self.firmware, MAX_NAME_LEN)?;
        put_text(out, self.name, MAX_NAME_LEN)?;
        for credential in self.credentials {
            match credential {
                None => out.push(0).ok()?,
                Some(credential) => {
                    out.push(custody_byte(credential.custody).saturating_add(1))
                        .ok()?;
                    put_text(out, credential.api, MAX_API_LEN)?;
                    put_text(out, credential.id, SHOWN_ID_LEN)?;
                }
            }
        }
        Some(())
    }

    /// Reads a status; what a later version adds behind it is left out.
    pub(crate) fn decode(reader: &mut Reader<'a>) -> Option<Self> {
        let custody = custody_of(reader.u8()?)?;
        let access = match (reader.u8()?, reader.u16()?) {
            (0, _) => Access::Key,
            (1, _) => Access::Closed,
            (2, secs_left) => Access::Window { secs_left },
            _ => return None,
        };
        let uptime_secs = reader.u32()?;
        let clock = ClockStatus {
            quality: quality_of(reader.u8()?),
            unix_secs: reader.u64()?,
            error_secs: reader.u32()?,
        };
        let slots = Slots::from_bytes(reader.take(Slots::RECORD_LEN)?).ok()?;
        let outbox = OutboxStatus {
            queued: reader.u16()?,
            maybe_sent: reader.u16()?,
            rejected: reader.u16()?,
            delivered: reader.u32()?,
        };
        let mut copy = || {
            Some(CopyStatus {
                sound: reader.u8()? == 1,
                erases: reader.u32()?,
            })
        };
        let copies = [copy()?, copy()?];
        let (firmware, name) = (reader.text()?, reader.text()?);
        let mut credential = || match reader.u8()?.checked_sub(1) {
            None => Some(None),
            Some(custody) => Some(Some(CredentialStatus {
                custody: custody_of(custody)?,
                api: reader.text()?,
                id: reader.text()?,
            })),
        };
        let credentials = [credential()?, credential()?];
        Some(Self {
            firmware,
            name,
            uptime_secs,
            custody,
            access,
            clock,
            slots,
            credentials,
            outbox,
            copies,
        })
    }
}

fn put(out: &mut Payload, bytes: &[u8]) -> Option<()> {
    out.extend_from_slice(bytes).ok()
}

const fn custody_byte(custody: Custody) -> u8 {
    match custody {
        Custody::Plain => 0,
        Custody::Sealed => 1,
        Custody::Hardware => 2,
    }
}

const fn custody_of(byte: u8) -> Option<Custody> {
    Some(match byte {
        0 => Custody::Plain,
        1 => Custody::Sealed,
        2 => Custody::Hardware,
        _ => return None,
    })
}

const fn quality_of(byte: u8) -> ClockQuality {
    match byte {
        0 => ClockQuality::Unset,
        1 => ClockQuality::Rtc,
        2 => ClockQuality::Sntp,
        3 => ClockQuality::Server,
        4 => ClockQuality::Desktop,
        _ => ClockQuality::Other,
    }
}
