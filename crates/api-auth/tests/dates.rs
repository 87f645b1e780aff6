//! Dates against `httpdate` and `time`, which share no code with this crate.

use std::time::{Duration, UNIX_EPOCH};

use api_auth::{http_date, rfc3339};
use proptest::prelude::*;
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

/// 1 January 10000, the first second that neither form can write.
const END: u64 = 253_402_300_800;

fn reference(text: &str) -> Option<u64> {
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(UNIX_EPOCH).ok()?.as_secs())
}

fn date_parts(secs: u64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(secs as i64).unwrap()
}

proptest! {
    #[test]
    fn every_second_reads_back_from_imf_fixdate(secs in 0..END) {
        let text = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(secs));
        prop_assert_eq!(http_date(&text), Some(secs));
    }

    #[test]
    fn every_second_reads_back_from_asctime(secs in 0..END) {
        let d = date_parts(secs);
        let (day, month) = (d.weekday().to_string(), d.month().to_string());
        let text = format!(
            "{} {} {:2} {:02}:{:02}:{:02} {:04}",
            &day[..3], &month[..3], d.day(), d.hour(), d.minute(), d.second(), d.year()
        );
        prop_assert_eq!(http_date(&text), Some(secs), "{}", text);
        prop_assert_eq!(reference(&text), Some(secs));
    }

    /// 1970 to 2069, as far as two digits reach.
    #[test]
    fn every_second_reads_back_from_rfc850(secs in 0..3_155_760_000u64) {
        let d = date_parts(secs);
        let month = d.month().to_string();
        let text = format!(
            "{}, {:02}-{}-{:02} {:02}:{:02}:{:02} GMT",
            d.weekday(), d.day(), &month[..3], d.year() % 100, d.hour(), d.minute(), d.second()
        );
        prop_assert_eq!(http_date(&text), Some(secs), "{}", text);
        prop_assert_eq!(reference(&text), Some(secs));
    }

    #[test]
    fn every_second_reads_back_from_rfc3339(
        secs in 86_400..END - 86_400,
        nanos in 0..1_000_000_000u32,
        offset_minutes in -1439..1440i32,
    ) {
        let offset = UtcOffset::from_whole_seconds(offset_minutes * 60).unwrap();
        let date = date_parts(secs).replace_nanosecond(nanos).unwrap().to_offset(offset);
        let text = date.format(&Rfc3339).unwrap();
        prop_assert_eq!(rfc3339(&text), Some(secs), "{}", text);
    }

    /// Whatever characters of a good date are changed. The reference is laxer about separators.
    #[test]
    fn damaged_dates_are_refused_or_read_as_the_reference_does(
        secs in 0..END,
        form in 0..3usize,
        changes in prop::collection::vec((0..33usize, "[ -~]"), 0..3),
    ) {
        let d = date_parts(secs);
        let (day, month) = (d.weekday().to_string(), d.month().to_string());
        let clock = format!("{:02}:{:02}:{:02}", d.hour(), d.minute(), d.second());
        let mut text = match form {
            0 => format!("{}, {:02} {} {:04} {clock} GMT", &day[..3], d.day(), &month[..3], d.year()),
            1 => format!("{day}, {:02}-{}-{:02} {clock} GMT", d.day(), &month[..3], d.year() % 100),
            _ => format!("{} {} {:2} {clock} {:04}", &day[..3], &month[..3], d.day(), d.year()),
        };
        for (at, change) in changes {
            let at = at % text.len();
            text.replace_range(at..=at, &change);
        }
        match (http_date(&text), reference(&text)) {
            (Some(ours), Some(theirs)) => prop_assert_eq!(ours, theirs, "{}", text),
            // Of what only this crate takes, the reference refuses the day's name or a leap second.
            (Some(ours), None) => {
                let canonical = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(ours));
                let wrong_day = !canonical.starts_with(&text[..3]);
                prop_assert!(wrong_day || text.contains(":60"), "{:?} is taken", text);
            }
            (None, _) => {}
        }
    }

    #[test]
    fn damaged_timestamps_are_refused_or_read_as_the_reference_does(
        secs in 86_400..END - 86_400,
        changes in prop::collection::vec((0..25usize, "[ -~]"), 0..3),
    ) {
        let date = date_parts(secs).to_offset(UtcOffset::from_hms(2, 30, 0).unwrap());
        let mut text = date.format(&Rfc3339).unwrap();
        for (at, change) in changes {
            let at = at % text.len();
            text.replace_range(at..=at, &change);
        }
        let theirs = OffsetDateTime::parse(&text, &Rfc3339).ok().map(|d| d.unix_timestamp());
        match (rfc3339(&text), theirs) {
            // The reference turns a leap second into the last of its minute.
            (Some(ours), Some(theirs)) if text.contains(":60") => {
                prop_assert!(ours as i64 - theirs <= 1, "{}", text);
            }
            (Some(ours), Some(theirs)) => prop_assert_eq!(ours as i64, theirs, "{}", text),
            // The reference takes any character for the `T`.
            (None, Some(theirs)) => {
                let separated = matches!(text.as_bytes()[10], b'T' | b't' | b' ');
                prop_assert!(theirs < 0 || !separated, "{:?} is refused", text);
            }
            // RFC 3339 §5.6 lets a space stand for the `T`; a leap second may be in any month's end.
            (Some(_), None) => {
                let tolerated = text.as_bytes()[10] == b' ' || text.contains(":60");
                prop_assert!(tolerated, "{:?} is taken", text);
            }
            (None, None) => {}
        }
    }

    #[test]
    fn any_text_is_survived(text in ".*") {
        let _ = (http_date(&text), rfc3339(&text));
    }
}

#[test]
fn the_days_around_wraps_and_leap_days_are_right() {
    // Second counts by GNU `date -u -d … +%s`.
    for (text, secs) in [
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Tue, 29 Feb 2000 23:59:59 GMT", 951_868_799),
        ("Sat, 31 Dec 2016 23:59:60 GMT", 1_483_228_800),
        ("Tue, 19 Jan 2038 03:14:08 GMT", 2_147_483_648),
        ("Sun, 28 Feb 2100 23:59:59 GMT", 4_107_542_399),
        ("Mon, 01 Mar 2100 00:00:00 GMT", 4_107_542_400),
        ("Sun, 07 Feb 2106 06:28:16 GMT", 4_294_967_296),
        ("Fri, 31 Dec 9999 23:59:59 GMT", END - 1),
    ] {
        assert_eq!(http_date(text), Some(secs), "{text}");
    }
    for text in [
        "",
        "Mon, 29 Feb 2100 00:00:00 GMT",
        "Wed, 31 Dec 1969 23:59:59 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 GMT, again",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT",
        "1713225600",
    ] {
        assert_eq!(http_date(text), None, "{text}");
    }
}
