//! The DS3231 real-time clock (Analog Devices 19-5170), through the `ds323x` crate.

use core::fmt::{self, Debug};

use chrono::DateTime;
use ds323x::ic::DS3231;
use ds323x::interface::I2cInterface;
use ds323x::{DateTimeAccess, Ds323x, Hours, Rtcc};
use embedded_hal::i2c::I2c;

use crate::rtc::Rtc;

/// 2000-01-01, where the chip's calendar begins.
const MIN_SECS: i64 = 946_684_800;

/// 2100-01-01: the chip takes that year for a leap year, which it is not.
const MAX_SECS: i64 = 4_102_444_800;

/// A DS3231 on a bus, kept in UTC.
pub struct Ds3231<I> {
    chip: Ds323x<I2cInterface<I>, DS3231>,
}

impl<I: I2c> Ds3231<I> {
    /// Takes the bus that the chip is on, at its one address, 0x68.
    pub fn new(i2c: I) -> Self {
        let chip = Ds323x::new_ds3231(i2c);
        Self { chip }
    }

    /// Gives the bus back.
    pub fn release(self) -> I {
        self.chip.destroy_ds3231()
    }
}

impl<I: I2c> Rtc for Ds3231<I> {
    type Error = Ds3231Error<I::Error>;

    /// Returns the Unix seconds, or `None` if the oscillator-stop flag is set: the chip was without power and battery.
    ///
    /// `None` too if it counts twelve hours, which [`set`](Rtc::set) never makes it do.
    fn read(&mut self) -> Result<Option<u64>, Self::Error> {
        if self.chip.has_been_stopped()? || !matches!(self.chip.hours()?, Hours::H24(_)) {
            return Ok(None);
        }
        let secs = self.chip.datetime()?.and_utc().timestamp();
        Ok(u64::try_from(secs).ok().filter(|_| secs < MAX_SECS))
    }

    /// Sets the date and time, starts the oscillator and clears the oscillator-stop flag, which comes last.
    fn set(&mut self, unix_secs: u64) -> Result<(), Self::Error> {
        let time = i64::try_from(unix_secs)
            .ok()
            .filter(|secs| (MIN_SECS..MAX_SECS).contains(secs))
            .and_then(|secs| DateTime::from_timestamp(secs, 0))
            .ok_or(Ds3231Error::OutOfRange)?;
        self.chip.set_datetime(&time.naive_utc())?;
        self.chip.enable()?;
        self.chip.clear_has_been_stopped_flag()?;
        Ok(())
    }
}

impl<I> Debug for Ds3231<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ds3231")
    }
}

/// Says why the chip can't be read or set; `E` is the bus's error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ds3231Error<E> {
    /// The bus failed.
    Bus(E),
    /// The chip holds no date.
    NoDate,
    /// The time is before 2000 or after 2099.
    OutOfRange,
}

impl<E> From<ds323x::Error<E>> for Ds3231Error<E> {
    fn from(error: ds323x::Error<E>) -> Self {
        match error {
            ds323x::Error::Comm(error) => Self::Bus(error),
            ds323x::Error::InvalidDeviceState => Self::NoDate,
            ds323x::Error::InvalidInputData => Self::OutOfRange,
        }
    }
}

impl<E: Debug> fmt::Display for Ds3231Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bus(error) => {
                write!(f, "the DS3231 doesn't answer: check its wiring ({error:?})")
            }
            Self::NoDate => f.write_str("the DS3231 holds no date: set it"),
            Self::OutOfRange => f.write_str("the DS3231 counts from 2000 to 2099: check the time"),
        }
    }
}

impl<E: Debug> core::error::Error for Ds3231Error<E> {}
