//! The time by which certificates are judged: told by the gateway, and going on from there.

use core::cell::Cell;

use critical_section::Mutex;
use embassy_time::Instant;
use mbedtls_rs::sys::hook::timer::{MbedtlsTimer, hook_timer};
use mbedtls_rs::sys::hook::wall_clock::{MbedtlsWallClock, hook_wall_clock};
use mbedtls_rs::sys::{mbedtls_ms_time_t, tm};

/// Unix seconds, and when they were told.
static TOLD: Mutex<Cell<Option<(u64, Instant)>>> = Mutex::new(Cell::new(None));

/// Sets the time, or that there is none.
pub(crate) fn tell(unix_secs: Option<u64>) {
    let told = unix_secs.map(|secs| (secs, Instant::now()));
    critical_section::with(|cs| TOLD.borrow(cs).set(told));
}

/// Returns Unix seconds, or `None` if no time was told.
pub(crate) fn now() -> Option<u64> {
    let (secs, told) = critical_section::with(|cs| TOLD.borrow(cs).get())?;
    secs.checked_add(told.elapsed().as_secs())
}

/// Has Mbed TLS ask here.
pub(crate) fn install() {
    // SAFETY: called before the first session, and both are static.
    unsafe {
        hook_timer(Some(&Clock));
        hook_wall_clock(Some(&Clock));
    }
}

struct Clock;

impl MbedtlsTimer for Clock {
    fn now(&self) -> mbedtls_ms_time_t {
        Instant::now().as_millis() as mbedtls_ms_time_t
    }
}

impl MbedtlsWallClock for Clock {
    fn instant(&self) -> Option<tm> {
        broken_down(now()?)
    }
}

/// Returns the date and time of day in UTC, without the days of week and year, which X.509 doesn't ask for.
///
/// The date is Howard Hinnant's `civil_from_days`: years begin in March, so that the leap day is their last.
fn broken_down(unix_secs: u64) -> Option<tm> {
    let (days, secs) = (unix_secs / 86_400, (unix_secs % 86_400) as i32);
    // From 1 March of the year 0.
    let days = days.checked_add(719_468)?;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let january = month >= 10;
    let year = i32::try_from(year_of_era + 400 * era).ok()? + i32::from(january);
    Some(tm {
        tm_sec: secs % 60,
        tm_min: secs / 60 % 60,
        tm_hour: secs / 3_600,
        tm_mday: day as i32,
        tm_mon: (month + 2) as i32 % 12,
        tm_year: year.checked_sub(1_900)?,
        tm_wday: 0,
        tm_yday: 0,
        tm_isdst: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::broken_down;

    /// Days around leap days and the turn of years and centuries, as GNU `date -u -d @SECS` has them.
    #[test]
    fn dates_are_those_of_gnu_date() {
        for (unix_secs, expected) in [
            (0, [1970, 1, 1, 0, 0, 0]),
            (951_782_400, [2000, 2, 29, 0, 0, 0]),
            (1_709_251_199, [2024, 2, 29, 23, 59, 59]),
            (1_709_251_200, [2024, 3, 1, 0, 0, 0]),
            (1_767_225_599, [2025, 12, 31, 23, 59, 59]),
            (1_767_225_600, [2026, 1, 1, 0, 0, 0]),
            (4_107_542_400, [2100, 3, 1, 0, 0, 0]),
        ] {
            let tm = broken_down(unix_secs).unwrap();
            let got = [
                tm.tm_year + 1900,
                tm.tm_mon + 1,
                tm.tm_mday,
                tm.tm_hour,
                tm.tm_min,
                tm.tm_sec,
            ];
            assert_eq!(got, expected, "{unix_secs}");
        }
    }
}
