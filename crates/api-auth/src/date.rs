//! Dates that servers send, as Unix seconds: HTTP-date (RFC 9110 §5.6.7) and RFC 3339.
//!
//! Both count as POSIX does, without leap seconds: second 60 is the first of the next minute. Years
//! before 1970 have no such number and are refused, like any date that doesn't exist.

const MONTHS: [&[u8; 3]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];

const DAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

/// Returns the Unix seconds of an HTTP-date in any of its three forms, all of them in UTC.
///
/// The day's name has to be one, but is not compared with the date. Two-digit years are 1970 to 2069.
///
/// ```
/// use api_auth::http_date;
///
/// // The three examples of RFC 9110 §5.6.7.
/// assert_eq!(http_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
/// assert_eq!(http_date("Sunday, 06-Nov-94 08:49:37 GMT"), Some(784_111_777));
/// assert_eq!(http_date("Sun Nov  6 08:49:37 1994"), Some(784_111_777));
/// assert_eq!(http_date("Sun, 31 Feb 2027 08:49:37 GMT"), None);
/// ```
pub fn http_date(text: &str) -> Option<u64> {
    let (day_name, rest) = text.trim_ascii().split_once(' ')?;
    let mut rest = Scan(rest.as_bytes());
    let date = if let Some(name) = day_name.strip_suffix(',') {
        let short = name.len() == 3;
        is_day(name, short)?;
        let separator = if short { b' ' } else { b'-' };
        let day = rest.digits(2)?;
        rest.byte(separator)?;
        let month = rest.month()?;
        rest.byte(separator)?;
        let year = if short {
            rest.digits(4)?
        } else {
            match rest.digits(2)? {
                year @ 70.. => 1900 + year,
                year => 2000 + year,
            }
        };
        rest.byte(b' ')?;
        let date = Date { year, month, day };
        let seconds = date.unix_secs()?.checked_add(rest.time_of_day()?)?;
        rest.exactly(b" GMT")?;
        seconds
    } else {
        is_day(day_name, true)?;
        let month = rest.month()?;
        rest.byte(b' ')?;
        let day = if rest.byte(b' ').is_some() {
            rest.digits(1)?
        } else {
            rest.digits(2)?
        };
        rest.byte(b' ')?;
        let time_of_day = rest.time_of_day()?;
        rest.byte(b' ')?;
        let year = rest.digits(4)?;
        Date { year, month, day }
            .unix_secs()?
            .checked_add(time_of_day)?
    };
    rest.end()?;
    Some(date)
}

/// Returns the Unix seconds of an RFC 3339 timestamp, its fraction of a second cut off.
///
/// ```
/// use api_auth::rfc3339;
///
/// assert_eq!(rfc3339("2024-02-22T03:54:51Z"), Some(1_708_574_091));
/// assert_eq!(rfc3339("2024-02-22T05:54:51.250+02:00"), Some(1_708_574_091));
/// assert_eq!(rfc3339("2024-02-22 03:54"), None);
/// ```
pub fn rfc3339(text: &str) -> Option<u64> {
    let mut rest = Scan(text.trim_ascii().as_bytes());
    let year = rest.digits(4)?;
    rest.byte(b'-')?;
    let month = rest.digits(2)?;
    rest.byte(b'-')?;
    let day = rest.digits(2)?;
    rest.byte(b'T')
        .or_else(|| rest.byte(b't'))
        .or_else(|| rest.byte(b' '))?;
    let time_of_day = rest.time_of_day()?;
    if rest.byte(b'.').is_some() {
        rest.digits(1)?;
        while rest.digits(1).is_some() {}
    }
    let local = Date { year, month, day }
        .unix_secs()?
        .checked_add(time_of_day)?;
    let utc = if rest.byte(b'Z').or_else(|| rest.byte(b'z')).is_some() {
        local
    } else if rest.byte(b'+').is_some() {
        local.checked_sub(rest.offset()?)?
    } else {
        rest.byte(b'-')?;
        local.checked_add(rest.offset()?)?
    };
    rest.end()?;
    Some(utc)
}

/// A day of the Gregorian calendar; month and day count from 1.
struct Date {
    year: u64,
    month: u64,
    day: u64,
}

impl Date {
    /// Returns the Unix seconds of its midnight, `None` before 1970 or if the day doesn't exist.
    fn unix_secs(&self) -> Option<u64> {
        let &Self { year, month, day } = self;
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days_in_month = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => return None,
        };
        if !(1..=days_in_month).contains(&day) {
            return None;
        }
        // Years that begin in March put the leap day last; 719,468 days lie between 1 March 0000 and
        // 1 January 1970.
        let (march_year, from_march) = if month > 2 {
            (year, month - 3)
        } else {
            (year.checked_sub(1)?, month + 9)
        };
        let leap_days = march_year / 4 - march_year / 100 + march_year / 400;
        let day_of_year = (153 * from_march + 2) / 5 + day - 1;
        let days = (march_year * 365 + leap_days + day_of_year).checked_sub(719_468)?;
        Some(days * 86_400)
    }
}

fn is_day(name: &str, short: bool) -> Option<()> {
    let mut days = DAYS.iter();
    let known = days.any(|day| {
        if short {
            day.get(..3) == Some(name)
        } else {
            *day == name
        }
    });
    known.then_some(())
}

/// The bytes that are still to be read; a failed read leaves them as they are.
struct Scan<'a>(&'a [u8]);

impl Scan<'_> {
    fn byte(&mut self, expected: u8) -> Option<()> {
        let (first, rest) = self.0.split_first()?;
        (*first == expected).then(|| self.0 = rest)
    }

    fn exactly(&mut self, expected: &[u8]) -> Option<()> {
        self.0.strip_prefix(expected).map(|rest| self.0 = rest)
    }

    /// Reads a number of at most four digits, as many as told.
    fn digits(&mut self, count: usize) -> Option<u64> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        let mut number = 0u64;
        for digit in digits {
            if !digit.is_ascii_digit() {
                return None;
            }
            number = number
                .wrapping_mul(10)
                .wrapping_add(u64::from(digit - b'0'));
        }
        self.0 = rest;
        Some(number)
    }

    fn month(&mut self) -> Option<u64> {
        let (name, rest) = self.0.split_first_chunk::<3>()?;
        let month = (1..).zip(MONTHS).find(|(_, month)| *month == name)?.0;
        self.0 = rest;
        Some(month)
    }

    /// Reads `hh:mm:ss` as seconds since midnight; second 60 is a leap second.
    fn time_of_day(&mut self) -> Option<u64> {
        let minutes = self.hours_minutes()?;
        self.byte(b':')?;
        let seconds = self.digits(2).filter(|seconds| *seconds <= 60)?;
        Some(minutes * 60 + seconds)
    }

    /// Reads `hh:mm` behind the sign of an offset from UTC as seconds.
    fn offset(&mut self) -> Option<u64> {
        Some(self.hours_minutes()? * 60)
    }

    fn hours_minutes(&mut self) -> Option<u64> {
        let hours = self.digits(2).filter(|hours| *hours < 24)?;
        self.byte(b':')?;
        let minutes = self.digits(2).filter(|minutes| *minutes < 60)?;
        Some(hours * 60 + minutes)
    }

    fn end(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}
