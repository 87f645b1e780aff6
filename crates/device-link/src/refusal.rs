//! Why a device doesn't do what it was asked.

use core::fmt::{self, Debug};

use secure_store::StoreError;

/// What a device answers instead of doing what it was asked; nothing has changed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[repr(u8)]
pub enum Refusal {
    /// There is no such session, for the device has started since or serves another desktop.
    NoSession = 1,
    /// The device has a key, and takes this only from somebody who has it too.
    KeyRequired = 2,
    /// The device has no key, and nobody has opened its provisioning window.
    WindowClosed = 3,
    /// The request can't be read, or is unknown to this firmware.
    Unknown = 4,
    /// This kind of record is the device's own.
    NotWritable = 5,
    /// The record is not of its version's form.
    Malformed = 6,
    /// The record is of a later version than the firmware or its store.
    NewerRecord = 7,
    /// There is no transfer to go on with, or the bytes are not the next ones.
    NoTransfer = 8,
    /// The bytes that arrived are not the ones that were announced.
    Corrupt = 9,
    /// The slot holds a credential.
    Occupied = 10,
    /// The rotation is not that far.
    NotNow = 11,
    /// The time is one that the device can't believe.
    Implausible = 12,
    /// There is no room for the record.
    Full = 13,
    /// The device's own hardware failed.
    Hardware = 14,
}

const ALL: [Refusal; 14] = [
    Refusal::NoSession,
    Refusal::KeyRequired,
    Refusal::WindowClosed,
    Refusal::Unknown,
    Refusal::NotWritable,
    Refusal::Malformed,
    Refusal::NewerRecord,
    Refusal::NoTransfer,
    Refusal::Corrupt,
    Refusal::Occupied,
    Refusal::NotNow,
    Refusal::Implausible,
    Refusal::Full,
    Refusal::Hardware,
];

impl Refusal {
    /// Returns what a number on the line means; one that is not known is [`Refusal::Unknown`].
    pub(crate) fn of(code: u8) -> Self {
        let known = ALL.iter().find(|refusal| **refusal as u8 == code);
        known.copied().unwrap_or(Self::Unknown)
    }
}

impl<E> From<StoreError<E>> for Refusal {
    fn from(error: StoreError<E>) -> Self {
        match error {
            StoreError::Full { .. } | StoreError::TooManyRecords => Self::Full,
            StoreError::TooLong { .. } | StoreError::Malformed => Self::Malformed,
            StoreError::NewerRecord { .. } => Self::NewerRecord,
            StoreError::Reserved => Self::NotWritable,
            _ => Self::Hardware,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSession => "the device has started anew: try again",
            Self::KeyRequired => {
                "the device accepts this only from whoever has its device key: give the key"
            }
            Self::WindowClosed => {
                "the device's provisioning window is closed: press its button and try again"
            }
            Self::Unknown => "the device's firmware doesn't know this request: update it",
            Self::NotWritable => "the device keeps this record itself",
            Self::Malformed => "the device can't read the record: make it with this program",
            Self::NewerRecord => {
                "the record is of a later version than the device's firmware: update the firmware"
            }
            Self::NoTransfer => "the device has forgotten what arrived so far: start again",
            Self::Corrupt => "the record was damaged on its way: start again",
            Self::Occupied => "the slot holds another credential: rotate, or retire it first",
            Self::NotNow => {
                "the rotation is not that far: ask for the status to see what comes next"
            }
            Self::Implausible => {
                "the device doesn't believe that time: check this machine's clock, and the firmware's age"
            }
            Self::Full => "the device's store is full: remove records, or let it send its alerts",
            Self::Hardware => "the device's store, key or clock failed: see its console",
        })
    }
}

impl core::error::Error for Refusal {}
