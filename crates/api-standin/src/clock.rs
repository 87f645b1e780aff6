//! The server's clock, which a test may set, and the three ways the APIs write a time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A clock that follows the system or stands still where a test set it.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    fixed: Option<i64>,
}

impl Clock {
    /// Unix seconds.
    pub(crate) fn now(&self) -> i64 {
        self.fixed.unwrap_or_else(system_seconds)
    }

    /// Stands still at `unix_secs`, or follows the system again.
    pub(crate) fn set(&mut self, unix_secs: Option<i64>) {
        self.fixed = unix_secs;
    }
}

fn system_seconds() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs().cast_signed())
}

/// `2024-02-22T03:54:51Z`.
pub(crate) fn rfc3339(unix_secs: i64) -> String {
    OffsetDateTime::from_unix_timestamp(unix_secs)
        .ok()
        .and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_else(|| "9999-12-31T23:59:59Z".into())
}

/// The `Date` header of RFC 9110 section 5.6.7: `Thu, 22 Feb 2024 03:54:51 GMT`. Its range is the years 1970 to 9999.
pub(crate) fn http_date(unix_secs: i64) -> String {
    let secs = unix_secs.clamp(0, 253_402_300_799).unsigned_abs();
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(secs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documented_instant() {
        assert_eq!(rfc3339(1_708_574_091), "2024-02-22T03:54:51Z");
        assert_eq!(http_date(1_708_574_091), "Thu, 22 Feb 2024 03:54:51 GMT");
    }

    #[test]
    fn far_times_do_not_panic() {
        assert_eq!(http_date(-5), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(http_date(i64::MAX), "Fri, 31 Dec 9999 23:59:59 GMT");
        assert_eq!(rfc3339(i64::MAX), "9999-12-31T23:59:59Z");
    }
}
