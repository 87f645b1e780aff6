//! The DS3231 real-time clock (Analog Devices 19-5170, revision 10), by its registers (figure 1).
//!
//! The chip's calendar is kept in UTC, from 2000 to 2099. All registers are read at once, so that the time is of one
//! moment and the flags are of the same.

use core::fmt::{self, Debug};

use embedded_hal::i2c::I2c;

use crate::rtc::Rtc;

/// The one address that there is, of 7 bits.
const ADDRESS: u8 = 0x68;

/// The register of the seconds, behind which minutes, hours, weekday, day, month and year follow.
const TIME: u8 = 0x00;
const CONTROL: u8 = 0x0e;
const STATUS: u8 = 0x0f;

/// In the hours: it counts to twelve.
const TWELVE_HOURS: u8 = 0x40;

/// In the months: 2100 has begun, which the chip takes for a leap year and which is none.
const CENTURY: u8 = 0x80;

/// In the control register: the oscillator stops when the supply goes, with a battery too.
const EOSC: u8 = 0x80;

/// The control register as it is after power-on: no square wave, no alarm.
const CONTROL_AT_START: u8 = 0x1c;

/// In the status register: the oscillator has stopped; it can only be cleared.
const OSF: u8 = 0x80;

/// The status register without [`OSF`]: the 32 kHz output as it is after power-on, the alarms' flags left alone.
const STATUS_RUNNING: u8 = 0x0b;

/// 2000-01-01, where the chip's calendar begins, in Unix seconds.
const FIRST_SECS: u64 = 946_684_800;

/// The years that it has.
const YEARS: u8 = 100;

const DAY_SECS: u32 = 86_400;

/// A DS3231 on a bus, kept in UTC.
pub struct Ds3231<I> {
    i2c: I,
}

impl<I: I2c> Ds3231<I> {
    /// Takes the bus that the chip is on, at its one address, 0x68.
    pub const fn new(i2c: I) -> Self {
        Self { i2c }
    }

    /// Gives the bus back.
    pub fn release(self) -> I {
        self.i2c
    }

    fn write(&mut self, register: u8, value: u8) -> Result<(), Ds3231Error<I::Error>> {
        let written = self.i2c.write(ADDRESS, &[register, value]);
        written.map_err(Ds3231Error::Bus)
    }
}

impl<I: I2c> Rtc for Ds3231<I> {
    type Error = Ds3231Error<I::Error>;

    /// Returns the Unix seconds, or `None` if the oscillator-stop flag is set, since the chip was without power and battery, or if
    /// [`set`](Rtc::set) was not completed.
    ///
    /// `None` too if it counts twelve hours, which `set` never makes it do, or has come to 2100.
    fn read(&mut self) -> Result<Option<u64>, Self::Error> {
        let mut registers = [0; 16];
        self.i2c
            .write_read(ADDRESS, &[TIME], &mut registers)
            .map_err(Ds3231Error::Bus)?;
        let [
            seconds,
            minutes,
            hours,
            _,
            day,
            month,
            year,
            ..,
            control,
            status,
        ] = registers;
        let untold = (status & OSF) | (control & EOSC) | (hours & TWELVE_HOURS) | (month & CENTURY);
        if untold != 0 {
            return Ok(None);
        }
        let clock = [seconds, minutes, hours];
        let secs = unix_secs(clock, [day, month, year]).ok_or(Ds3231Error::NoDate)?;
        Ok(Some(secs))
    }

    /// Sets the date and time, starts the oscillator and clears the oscillator-stop flag, which comes last.
    ///
    /// While it does, the chip is told to stop if the supply goes: half a date is never read as one.
    fn set(&mut self, unix_secs: u64) -> Result<(), Self::Error> {
        let [seconds, minutes, hours, weekday, day, month, year] =
            registers(unix_secs).ok_or(Ds3231Error::OutOfRange)?;
        self.write(CONTROL, CONTROL_AT_START | EOSC)?;
        let time = [TIME, seconds, minutes, hours, weekday, day, month, year];
        self.i2c.write(ADDRESS, &time).map_err(Ds3231Error::Bus)?;
        self.write(CONTROL, CONTROL_AT_START)?;
        self.write(STATUS, STATUS_RUNNING)
    }
}

/// Returns the Unix seconds of seconds, minutes and hours, and of day, month and year, all in BCD.
fn unix_secs(clock: [u8; 3], date: [u8; 3]) -> Option<u64> {
    let [Some(seconds), Some(minutes), Some(hours)] = clock.map(from_bcd) else {
        return None;
    };
    let [Some(day), Some(month), Some(year)] = date.map(from_bcd) else {
        return None;
    };
    let is_time = seconds < 60 && minutes < 60 && hours < 24;
    let is_date = (1..=12).contains(&month) && (1..=month_len(year, month)).contains(&day);
    if !is_time || !is_date {
        return None;
    }
    let years = (0..year).map(year_len);
    let months = (1..month).map(|month| u32::from(month_len(year, month)));
    let days_before = u32::from(day).saturating_sub(1);
    let days = years.chain(months).fold(days_before, u32::saturating_add);
    let parts = [
        u64::from(days).saturating_mul(DAY_SECS.into()),
        u64::from(hours).saturating_mul(3600),
        u64::from(minutes).saturating_mul(60),
        u64::from(seconds),
    ];
    Some(parts.into_iter().fold(FIRST_SECS, u64::saturating_add))
}

/// Returns the seven registers of a time, or `None` if the chip's calendar doesn't have it.
fn registers(unix_secs: u64) -> Option<[u8; 7]> {
    let secs = u32::try_from(unix_secs.checked_sub(FIRST_SECS)?).ok()?;
    let (mut days, secs) = (secs / DAY_SECS, secs % DAY_SECS);
    // 2000-01-01 was a Saturday, the seventh day.
    let weekday = days.saturating_add(6) % 7;
    let year = (0..YEARS).find(|year| is_within(&mut days, year_len(*year)))?;
    let month = (1..=12).find(|month| is_within(&mut days, month_len(year, *month).into()))?;
    Some([
        to_bcd(secs % 60),
        to_bcd(secs / 60 % 60),
        to_bcd(secs / 3600),
        to_bcd(weekday.saturating_add(1)),
        to_bcd(days.saturating_add(1)),
        to_bcd(month.into()),
        to_bcd(year.into()),
    ])
}

/// Whether a day is one of the first `len`; if not they are taken off it.
fn is_within(days: &mut u32, len: u32) -> bool {
    match days.checked_sub(len) {
        Some(rest) => {
            *days = rest;
            false
        }
        None => true,
    }
}

/// Returns the days of a year from 2000 on; 2000 was a leap year.
const fn year_len(year: u8) -> u32 {
    if year.is_multiple_of(4) { 366 } else { 365 }
}

/// Returns the days of a month, 1 to 12.
const fn month_len(year: u8, month: u8) -> u8 {
    match month {
        2 if year.is_multiple_of(4) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn from_bcd(byte: u8) -> Option<u8> {
    let (tens, ones) = (byte >> 4, byte & 0xf);
    (tens < 10 && ones < 10).then(|| tens.saturating_mul(10).saturating_add(ones))
}

/// Returns a number below 100 in BCD.
const fn to_bcd(number: u32) -> u8 {
    ((number / 10) << 4 | (number % 10)) as u8
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
