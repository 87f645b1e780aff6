//! Why a request got no reply.

use core::fmt;

use crate::hello::VERSION;
use crate::refusal::Refusal;

/// Says why a request got no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkError {
    /// Nothing has answered.
    NoAnswer,
    /// The device has another device key.
    WrongKey,
    /// The device has no device key.
    NoDeviceKey,
    /// Neither a key nor an opened window is given.
    NoAuthority,
    /// The device speaks other versions of the protocol.
    Version {
        /// The lowest.
        lowest: u8,
        /// The highest.
        highest: u8,
    },
    /// The device refuses to open a session.
    Refused(Refusal),
    /// The request is too long for a frame.
    TooLong,
    /// What answers can't be understood.
    Strange,
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAnswer => {
                f.write_str("no device answers: check the port, the cable and that the device runs")
            }
            Self::WrongKey => f.write_str(
                "the device has another device key, so nothing was sent to it: check which device this is, and which key file",
            ),
            Self::NoDeviceKey => f.write_str(
                "the device has no device key, so nothing was sent to it: check which device this is, or use its window",
            ),
            Self::NoAuthority => {
                f.write_str("a device takes this only with its key, or in its window: name one of them")
            }
            Self::Version { lowest, highest } => write!(
                f,
                "the device speaks versions {lowest} to {highest} of the protocol, this program {VERSION}: update the older one"
            ),
            Self::Refused(refusal) => write!(f, "{refusal}"),
            Self::TooLong => f.write_str("the request is too long for a frame: send it in pieces"),
            Self::Strange => {
                f.write_str("the answer can't be understood: update this program or the firmware")
            }
        }
    }
}

impl core::error::Error for LinkError {}
