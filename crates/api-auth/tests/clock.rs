//! Readings good and bad, corrections by a server, and attempts to abuse them.

use api_auth::{Clock, ClockError, MAX_AGE_SECS, Reading, Skew, Source, Uptime};
use proptest::prelude::*;

const BUILT: u64 = 1_713_000_000;
const NOW: u64 = 1_713_225_600;
const DAY: u64 = 86_400;
const DAY_MS: u64 = DAY * 1000;

fn reading(unix_secs: u64, source: Source) -> Reading {
    Reading {
        unix_secs,
        source,
        age_secs: 0,
    }
}

fn set(source: Source) -> Clock {
    let mut clock = Clock::new(BUILT, 0);
    clock.set(reading(NOW, source), 0).unwrap();
    clock
}

fn secs(clock: &Clock, uptime_ms: u64) -> u64 {
    clock.now(uptime_ms).unwrap().unix_secs()
}

#[test]
fn implausible_readings_are_refused_by_name_and_change_nothing() {
    let mut clock = Clock::new(BUILT, BUILT + 100);
    for (unix_secs, source, error) in [
        (BUILT, Source::Build, ClockError::Unset),
        (NOW, Source::Build, ClockError::Unset),
        (0, Source::Rtc, ClockError::BeforeBuild { unix_secs: 0 }),
        (
            BUILT - 1,
            Source::Sntp,
            ClockError::BeforeBuild {
                unix_secs: BUILT - 1,
            },
        ),
        (
            BUILT + 99,
            Source::Rtc,
            ClockError::BehindFloor {
                unix_secs: BUILT + 99,
            },
        ),
        (
            BUILT + MAX_AGE_SECS + 1,
            Source::Rtc,
            ClockError::TooFarAhead {
                unix_secs: BUILT + MAX_AGE_SECS + 1,
            },
        ),
        (
            u64::MAX,
            Source::HttpDate,
            ClockError::TooFarAhead {
                unix_secs: u64::MAX,
            },
        ),
    ] {
        assert_eq!(clock.set(reading(unix_secs, source), 0), Err(error));
        assert_eq!(clock.now(0), Err(ClockError::Unset));
    }
    for unix_secs in [BUILT + 100, BUILT + MAX_AGE_SECS] {
        clock.set(reading(unix_secs, Source::Rtc), 0).unwrap();
        assert_eq!(secs(&clock, 0), unix_secs);
    }
}

#[test]
fn time_advances_with_uptime_and_gets_less_certain() {
    let clock = set(Source::Sntp);
    assert_eq!(secs(&clock, 999), NOW);
    assert_eq!(secs(&clock, 1000), NOW + 1);
    assert_eq!(clock.now(0).unwrap().error_secs(), 1);
    // 100 millionths of a day are 8.64 seconds.
    assert_eq!(clock.now(DAY_MS).unwrap().error_secs(), 1 + 8);
    // An uptime of centuries is a fault, not a date.
    assert!(matches!(
        clock.now(u64::MAX),
        Err(ClockError::TooFarAhead { .. })
    ));
}

#[test]
fn the_reading_that_is_less_wrong_is_kept() {
    let mut clock = set(Source::Sntp);
    let old_rtc = Reading {
        unix_secs: NOW + 300,
        source: Source::Rtc,
        age_secs: 30 * 86_400,
    };
    clock.set(old_rtc, 0).unwrap();
    assert_eq!(
        secs(&clock, 0),
        NOW,
        "SNTP knows better than a month of drift"
    );
    // After a year, 100 millionths of the uptime are 3155 s, 25 of the RTC's age 66 s.
    let year_ms = 365 * DAY_MS;
    clock
        .set(
            Reading {
                unix_secs: NOW + 1,
                ..old_rtc
            },
            year_ms,
        )
        .unwrap();
    assert_eq!(secs(&clock, year_ms), NOW + 1);
    // The same source is believed whatever it said before.
    clock
        .set(
            Reading {
                unix_secs: NOW + 9,
                age_secs: u32::MAX,
                ..old_rtc
            },
            year_ms,
        )
        .unwrap();
    assert_eq!(secs(&clock, year_ms), NOW + 9);
}

#[test]
fn a_correction_outlives_the_source_that_was_wrong_for_a_day() {
    for source in [Source::Host, Source::Sntp, Source::Rtc] {
        let mut clock = set(source);
        clock.learn(NOW + 900, 0).unwrap();
        assert_eq!(secs(&clock, 60_000), NOW + 960);
        clock.set(reading(NOW + 60, source), 60_000).unwrap();
        assert_eq!(
            secs(&clock, 60_000),
            NOW + 960,
            "{source:?} undid the correction"
        );
        // Once it agrees, it is taken again; and after a day it has its chance anyway.
        clock.set(reading(NOW + 1021, source), 120_000).unwrap();
        let agrees = secs(&clock, 120_000);
        assert!(agrees == NOW + 1021 || source == Source::Rtc && agrees == NOW + 1020);
        clock.learn(NOW + 900, 0).unwrap();
        clock.set(reading(NOW + DAY, source), DAY_MS).unwrap();
        assert_eq!(secs(&clock, DAY_MS), NOW + DAY);
    }
}

#[test]
fn skew_is_told_apart() {
    let clock = set(Source::Sntp);
    for (server_secs, skew) in [
        (NOW, Skew::None),
        (NOW + 1, Skew::None),
        (NOW - 1, Skew::None),
        (NOW + 2, Skew::Correctable),
        (NOW - 2, Skew::Correctable),
        (NOW + DAY, Skew::Correctable),
        (NOW - DAY, Skew::Correctable),
        (NOW + DAY + 1, Skew::Beyond),
        (NOW - DAY - 1, Skew::Beyond),
        (BUILT - 1, Skew::Implausible),
        (0, Skew::Implausible),
        (u64::MAX, Skew::Implausible),
    ] {
        assert_eq!(clock.skew(server_secs, 0), skew, "{server_secs}");
    }
    // A clock that admits more is not blamed for it, up to what tells a wrong clock from a slow link.
    let old = Reading {
        unix_secs: NOW,
        source: Source::Rtc,
        age_secs: 120_000,
    };
    let older = Reading {
        age_secs: u32::MAX,
        ..old
    };
    for (reading, agreement) in [(old, 5), (older, 10)] {
        let mut clock = Clock::new(BUILT, 0);
        clock.set(reading, 0).unwrap();
        assert_eq!(clock.skew(NOW + agreement, 0), Skew::None);
        assert_eq!(clock.skew(NOW + agreement + 1, 0), Skew::Correctable);
    }
    // An unset clock can learn any plausible time, and only that.
    let unset = Clock::new(BUILT, 0);
    assert_eq!(unset.skew(NOW, 0), Skew::Correctable);
    assert_eq!(unset.skew(BUILT - 1, 0), Skew::Implausible);
}

#[test]
fn a_correction_that_is_too_large_changes_nothing() {
    let mut clock = set(Source::Rtc);
    let unix_secs = NOW + DAY + 1;
    let refused = Err(ClockError::CorrectionTooLarge { unix_secs });
    assert_eq!(clock.learn(unix_secs, 0), refused);
    assert_eq!(clock.set(reading(unix_secs, Source::HttpDate), 0), refused);
    assert_eq!(clock.set(reading(unix_secs, Source::KeyIdTime), 0), refused);
    assert_eq!(secs(&clock, 0), NOW);
}

#[test]
fn corrections_don_t_add_up() {
    for first in [Source::Rtc, Source::HttpDate] {
        let mut clock = set(first);
        clock.learn(NOW + DAY, 0).unwrap();
        clock.learn(NOW + DAY, 0).unwrap();
        assert!(clock.learn(NOW + DAY + 1, 0).is_err(), "after {first:?}");
        assert!(clock.learn(NOW - DAY, 0).is_ok());
    }
}

#[test]
fn the_floor_rises_only_by_what_both_clocks_say() {
    let mut clock = set(Source::Sntp);
    clock.confirm(NOW + 11, 0);
    clock.confirm(NOW - 11, 0);
    clock.confirm(u64::MAX, 0);
    assert_eq!(clock.floor_secs(), 0);
    clock.confirm(NOW + 2, 0);
    assert_eq!(clock.floor_secs(), NOW + 2 - 3 * DAY);
    clock.confirm(NOW - 2, 0);
    assert_eq!(clock.floor_secs(), NOW + 2 - 3 * DAY, "it never falls");

    let mut later = Clock::new(BUILT - 10 * DAY, clock.floor_secs());
    let unix_secs = NOW + 1 - 3 * DAY;
    let behind = later.set(reading(unix_secs, Source::Rtc), 0);
    assert_eq!(behind, Err(ClockError::BehindFloor { unix_secs }));

    let mut unset = Clock::new(BUILT, 0);
    unset.confirm(NOW, 0);
    assert_eq!(unset.floor_secs(), 0);
}

#[test]
fn sntp_from_the_future_doesn_t_lock_out_the_present() {
    let mut clock = set(Source::Rtc);
    clock
        .set(reading(NOW + 20 * 365 * DAY, Source::Sntp), 0)
        .unwrap();
    // A server that accepts all the same doesn't confirm it, and the truth is taken when it comes.
    clock.confirm(NOW, 1000);
    assert_eq!(clock.floor_secs(), 0);
    clock.set(reading(NOW + 2, Source::Sntp), 2000).unwrap();
    assert_eq!(secs(&clock, 2000), NOW + 2);
}

#[test]
fn errors_say_what_to_do() {
    for error in [
        ClockError::Unset,
        ClockError::BeforeBuild { unix_secs: 0 },
        ClockError::BehindFloor { unix_secs: 0 },
        ClockError::TooFarAhead { unix_secs: 0 },
        ClockError::CorrectionTooLarge { unix_secs: 0 },
        ClockError::UptimeBackwards,
    ] {
        assert!(error.to_string().contains("set "), "{error}");
    }
}

/// What a hostile server says: anything, or a little more or less than it made the clock believe.
#[derive(Clone, Copy, Debug)]
enum Date {
    At(u64),
    Beside(i64),
}

proptest! {
    /// However many dates a server sends, over however long: the clock stays within a day of what the
    /// only independent source said, drift aside, and never leaves the plausible years.
    #[test]
    fn a_hostile_server_can_t_walk_the_clock_away(
        dates in prop::collection::vec(
            (
                prop_oneof![
                    (NOW - 2 * DAY..NOW + 60 * DAY).prop_map(Date::At),
                    any::<u64>().prop_map(Date::At),
                    (-20..20i64).prop_map(Date::Beside),
                ],
                prop_oneof![Just(0), 0..2 * DAY_MS],
                any::<bool>(),
            ),
            1..100,
        ),
    ) {
        let mut clock = set(Source::Rtc);
        clock.learn(NOW + DAY - 5, 0).unwrap();
        let mut uptime_ms = 0;
        for (date, wait_ms, as_reading) in dates {
            uptime_ms += wait_ms;
            let date = match date {
                Date::At(secs) => secs,
                Date::Beside(secs) => self::secs(&clock, uptime_ms).saturating_add_signed(secs),
            };
            let _ = match as_reading {
                true => clock.set(reading(date, Source::HttpDate), uptime_ms),
                false => clock.learn(date, uptime_ms),
            };
            clock.confirm(date, uptime_ms);
            let honest = NOW + uptime_ms / 1000;
            prop_assert!(secs(&clock, uptime_ms).abs_diff(honest) <= DAY + 1);
            prop_assert!(clock.floor_secs() <= honest);
        }
    }

    /// A tick of any board, asked at least every 49.7 days, gives the uptime.
    #[test]
    fn widened_ticks_are_the_uptime(waits in prop::collection::vec(0..=u64::from(u32::MAX), 1..50)) {
        let (mut uptime, mut true_ms) = (Uptime::new(), 0u64);
        for wait_ms in waits {
            true_ms += wait_ms;
            prop_assert_eq!(uptime.at(true_ms as u32), true_ms);
        }
    }
}
