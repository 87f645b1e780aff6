//! The identity of an alert, which the API is told as `local_id` and which never changes: the device's
//! name and a number that the device uses once.
//!
//! The number's upper half counts the openings of the outbox and is persisted before the first
//! number of an opening is handed out; the lower half counts the alerts since. So a number costs no
//! write of its own, and a power cut can't bring one back.

use core::fmt::{self, Write};

use heapless::String;

/// Bytes of the longest device name.
pub const MAX_DEVICE_LEN: usize = 32;

/// A `local_id` as text: the device, `-` and 16 hexadecimal digits.
pub type LocalIdText = String<{ MAX_DEVICE_LEN + 1 + 16 }>;

/// The name of a device, unique in its fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceName(String<MAX_DEVICE_LEN>);

impl DeviceName {
    /// Checks a name.
    ///
    /// # Errors
    /// [`DeviceNameError`] when it is not 1 to 32 letters, digits, `-`, `.` or `_`.
    pub fn new(name: &str) -> Result<Self, DeviceNameError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        if name.is_empty() || !name.bytes().all(allowed) {
            return Err(DeviceNameError);
        }
        String::try_from(name)
            .map(Self)
            .map_err(|_| DeviceNameError)
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the identity of the alert with this number.
    pub(crate) fn local_id(&self, id: AlertId) -> LocalIdText {
        let mut text = LocalIdText::new();
        // Always fits: the type has room for the longest name and for 16 digits.
        let _ = write!(text, "{}-{:016x}", self.0, id.0);
        text
    }
}

/// The number of an alert on its device; a later alert has a higher one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlertId(pub(crate) u64);

impl AlertId {
    pub(crate) const fn first(opening: u32) -> Self {
        Self((opening as u64) << 32)
    }

    pub(crate) const fn opening(self) -> u32 {
        (self.0 >> 32) as u32
    }

    pub(crate) const fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}

impl fmt::Display for AlertId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Says what a device name should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceNameError;

impl fmt::Display for DeviceNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a device name should be 1 to {MAX_DEVICE_LEN} letters, digits, - . or _"
        )
    }
}

impl core::error::Error for DeviceNameError {}
