//! Reads dates and slot records from any bytes: dates as two independent libraries read them, records as
//! the rotation's rules allow.
#![no_main]

use std::time::{Duration, UNIX_EPOCH};

use api_auth::{Slot, SlotState, Slots, http_date, rfc3339};
use libfuzzer_sys::fuzz_target;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        http(text.trim_ascii());
        timestamp(text.trim_ascii());
    }
    if let Ok(slots) = Slots::from_bytes(bytes) {
        assert_eq!(slots.to_bytes(), bytes);
        record(slots);
    }
});

/// The reference knows the day of the week and no leap seconds, and takes other separators than those of the RFC.
fn http(text: &str) {
    let Some(ours) = http_date(text) else { return };
    let canonical = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(ours));
    match httpdate::parse_http_date(text) {
        Ok(theirs) => assert_eq!(theirs, UNIX_EPOCH + Duration::from_secs(ours)),
        Err(_) => assert!(!canonical.starts_with(&text[..3]) || text.contains(":60")),
    }
    assert_eq!(http_date(&canonical), Some(ours));
}

/// The reference makes of a leap second the last of its minute.
fn timestamp(text: &str) {
    let Some(ours) = rfc3339(text) else { return };
    match OffsetDateTime::parse(text, &Rfc3339) {
        Ok(theirs) => assert!((0..=1).contains(&(ours as i64 - theirs.unix_timestamp()))),
        Err(_) => assert!(
            text.as_bytes()[10] == b' ' || text.contains(":60"),
            "{text}"
        ),
    }
}

/// Every step from a record that is one leads to another.
fn record(slots: Slots) {
    let sound = |slots: Slots| {
        assert_eq!(Slots::from_bytes(&slots.to_bytes()), Ok(slots));
        let is_empty = |slot| slots.state(slot) == SlotState::Empty;
        assert!(!is_empty(slots.active()) || is_empty(slots.standby()));
    };
    sound(slots);
    for slot in [Slot::A, Slot::B] {
        sound(slots.accepted(slot));
        if let Ok(slots) = slots.deployed(slot) {
            sound(slots);
        }
    }
    if let Ok(promoted) = slots.promoted() {
        sound(promoted);
        assert_ne!(promoted.active(), slots.active());
    }
    sound(slots.retired());
    sound(slots.failed_over());
}
