//! The present, and times as people read them.

use std::time::{SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Returns the present in Unix seconds.
pub fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// Returns `2024-04-16T00:00:00Z`, or the bare seconds beyond the year 9999.
pub fn utc(unix_secs: u64) -> String {
    i64::try_from(unix_secs)
        .ok()
        .and_then(|secs| OffsetDateTime::from_unix_timestamp(secs).ok())
        .and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_else(|| unix_secs.to_string())
}

/// Returns a length of time in its two largest units: `45 s`, `4 min 50 s`, `3 h 12 min`, `2 d 5 h`.
pub fn span(secs: u64) -> String {
    let (minutes, hours, days) = (secs / 60, secs / 3_600, secs / 86_400);
    let (large, small) = match secs {
        0..60 => return format!("{secs} s"),
        60..3_600 => ((minutes, "min"), (secs % 60, "s")),
        3_600..86_400 => ((hours, "h"), (minutes % 60, "min")),
        _ => ((days, "d"), (hours % 24, "h")),
    };
    match small.0 {
        0 => format!("{} {}", large.0, large.1),
        _ => format!("{} {} {} {}", large.0, large.1, small.0, small.1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_well() {
        assert_eq!(utc(1_713_225_600), "2024-04-16T00:00:00Z");
        assert_eq!(utc(u64::MAX), u64::MAX.to_string());
        for (secs, text) in [
            (0, "0 s"),
            (59, "59 s"),
            (300, "5 min"),
            (290, "4 min 50 s"),
            (11_520, "3 h 12 min"),
            (190_800, "2 d 5 h"),
        ] {
            assert_eq!(span(secs), text);
        }
    }
}
