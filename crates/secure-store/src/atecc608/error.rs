//! What a secure element says instead of an answer.

use core::fmt::{self, Debug};

/// A status that is not success (data sheet, section 4.3 "Status/Error Codes").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// 0x00: done.
    Success,
    /// 0x01: a comparison has failed.
    Miscompare,
    /// 0x03: the command is none, whatever the device's state.
    Parse,
    /// 0x05: a computation on the curve went wrong.
    Ecc,
    /// 0x07: the self-test has failed.
    SelfTest,
    /// 0x08: the random number generator's health test has failed.
    HealthTest,
    /// 0x0F: the device's state or configuration doesn't allow the command.
    Execution,
    /// 0x11: the device has woken up and had no command yet.
    Awake,
    /// 0xEE: the watchdog is about to put the device to sleep.
    Watchdog,
    /// 0xFF: the command came in damaged.
    Communication,
    /// A status that the data sheet doesn't list.
    Other(u8),
}

impl Status {
    pub(super) const fn from_byte(byte: u8) -> Self {
        match byte {
            0x00 => Self::Success,
            0x01 => Self::Miscompare,
            0x03 => Self::Parse,
            0x05 => Self::Ecc,
            0x07 => Self::SelfTest,
            0x08 => Self::HealthTest,
            0x0f => Self::Execution,
            0x11 => Self::Awake,
            0xee => Self::Watchdog,
            0xff => Self::Communication,
            other => Self::Other(other),
        }
    }
}

/// Says why a secure element has not done what was asked; `E` is the bus's error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AteccError<E> {
    /// The bus failed, or nobody answered at the address.
    Bus(E),
    /// The device doesn't wake up.
    Asleep,
    /// The device doesn't finish in the longest time that a command takes.
    Timeout,
    /// The device's responses come in damaged.
    Garbled,
    /// The device has refused the command.
    Refused(Status),
    /// The device's configuration is not locked, so that it makes no random numbers.
    Unlocked,
    /// A slot is 0 to 15, a counter 0 or 1.
    NoSuchSlot,
}

impl<E: Debug> fmt::Display for AteccError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bus(error) => write!(
                f,
                "the secure element is not on the bus: check its wiring ({error:?})"
            ),
            Self::Asleep => f.write_str(
                "the secure element doesn't wake up: run the bus at 100 kHz, check its wiring",
            ),
            Self::Timeout => f.write_str("the secure element doesn't finish: reset it"),
            Self::Garbled => {
                f.write_str("the secure element's responses are damaged: check the bus's pull-ups")
            }
            Self::Refused(Status::Execution) => f.write_str(
                "the secure element's configuration doesn't allow this: check the slot and the locks",
            ),
            Self::Refused(status @ (Status::Ecc | Status::SelfTest | Status::HealthTest)) => {
                write!(f, "the secure element is broken: replace it ({status:?})")
            }
            Self::Refused(status) => write!(
                f,
                "the secure element has refused: check that it is an ATECC608, then try again ({status:?})"
            ),
            Self::Unlocked => f.write_str("lock the secure element's configuration first"),
            Self::NoSuchSlot => f.write_str("slots are 0 to 15, counters 0 and 1"),
        }
    }
}

impl<E: Debug> core::error::Error for AteccError<E> {}
