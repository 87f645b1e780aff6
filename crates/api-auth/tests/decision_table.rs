//! The table of `decide`, row by row, over every status and every fact that should not matter.

use api_auth::{
    Action, Answer, Api, Clock, ErrorKind, Facts, MAX_HINT_SECS, Reading, Rejection, Slot, Slots,
    Source, State, decide,
};

const NOW: u64 = 1_713_225_600;
const DAY: u64 = 86_400;

/// What the outcome is before its numbers are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Row {
    Accepted,
    Retry,
    MaybeSent,
    Rejected(Rejection),
}

use Rejection as R;
use Row::{Accepted, MaybeSent, Rejected, Retry};

/// Every status but 401: first to last, for an alert.
const STATUSES: &[(u16, u16, Row)] = &[
    (0, 199, MaybeSent),
    (200, 299, Accepted),
    (300, 399, Rejected(R::Redirected)),
    (400, 400, Rejected(R::Invalid)),
    (402, 402, Rejected(R::Invalid)),
    (403, 403, Rejected(R::Forbidden)),
    (404, 404, Rejected(R::NotFound)),
    (405, 407, Rejected(R::Invalid)),
    (408, 408, Retry),
    (409, 409, Rejected(R::Conflict)),
    (410, 410, Rejected(R::NotFound)),
    (411, 424, Rejected(R::Invalid)),
    (425, 425, Retry),
    (426, 428, Rejected(R::Invalid)),
    (429, 429, Retry),
    (430, 499, Rejected(R::Invalid)),
    (500, 500, Retry),
    (501, 501, Rejected(R::Unsupported)),
    (502, 502, MaybeSent),
    (503, 503, Retry),
    (504, 504, MaybeSent),
    (505, 505, Rejected(R::Unsupported)),
    (506, 599, Retry),
    (600, u16::MAX, MaybeSent),
];

fn clock() -> Clock {
    let mut clock = Clock::new(NOW - 10 * DAY, 0);
    clock
        .set(
            Reading {
                unix_secs: NOW,
                source: Source::Sntp,
                age_secs: 0,
            },
            0,
        )
        .unwrap();
    clock
}

fn two_slots() -> State {
    let slots = Slots::EMPTY
        .deployed(Slot::A)
        .unwrap()
        .deployed(Slot::B)
        .unwrap();
    State::new(slots.accepted(Slot::A).accepted(Slot::B))
}

fn one_slot() -> State {
    State::new(Slots::EMPTY.deployed(Slot::A).unwrap().accepted(Slot::A))
}

/// Facts that differ in what must not change the kind of the outcome.
fn variants(answer: Answer) -> impl Iterator<Item = Facts> {
    let dates = [
        None,
        Some(NOW),
        Some(NOW + 3600),
        Some(NOW + 30 * DAY),
        Some(0),
    ];
    dates.into_iter().flat_map(move |date| {
        [true, false].into_iter().flat_map(move |secure| {
            [None, Some(0), Some(60), Some(u32::MAX)]
                .into_iter()
                .map(move |retry_after_secs| Facts {
                    date,
                    secure,
                    retry_after_secs,
                    ..Facts::new(answer)
                })
        })
    })
}

fn kind(action: Action) -> Row {
    match action {
        Action::Accepted { .. } => Accepted,
        Action::Retry { .. } => Retry,
        Action::MaybeSent => MaybeSent,
        Action::Rejected(reason) => Rejected(reason),
        other => panic!("{other:?} is for 401 alone"),
    }
}

#[test]
fn every_status_but_401_has_its_row() {
    let mut expected_next = 0u32;
    for &(first, last, row) in STATUSES {
        assert_eq!(u32::from(first), expected_next, "the table has a gap");
        expected_next = u32::from(last) + if last == 400 { 2 } else { 1 };
        for status in first..=last.min(first.saturating_add(200)) {
            for facts in variants(Answer::Status(status)) {
                for state in [one_slot(), two_slots()] {
                    let (action, after) = decide(&Api::HEYMARKET, &facts, &clock(), 0, &state);
                    assert_eq!(kind(action), row, "{facts:?}");
                    assert_eq!(after.slots(), state.slots(), "{facts:?} switched");
                    assert_eq!(after, state, "{facts:?} left a trace");

                    // What may be repeated is repeated instead of being in doubt.
                    let check = Facts {
                        repeatable: true,
                        ..facts
                    };
                    let (action, _) = decide(&Api::HEYMARKET, &check, &clock(), 0, &state);
                    let row = if row == MaybeSent { Retry } else { row };
                    assert_eq!(kind(action), row, "{check:?}");
                }
            }
        }
    }
    assert_eq!(expected_next, 65_536);
}

#[test]
fn answers_without_a_status_have_their_rows() {
    for (answer, alert, check) in [
        (Answer::NotSent, Retry, Retry),
        (Answer::Lost, MaybeSent, Retry),
        (Answer::Malformed, MaybeSent, Retry),
    ] {
        for facts in variants(answer) {
            let (action, after) = decide(&Api::HEYMARKET, &facts, &clock(), 0, &two_slots());
            assert_eq!((kind(action), after), (alert, two_slots()));
            let facts = Facts {
                repeatable: true,
                ..facts
            };
            let (action, after) = decide(&Api::HEYMARKET, &facts, &clock(), 0, &two_slots());
            assert_eq!((kind(action), after), (check, two_slots()));
        }
    }
}

#[test]
fn a_missing_kid_is_never_retried() {
    for status in 300..600 {
        for facts in variants(Answer::Status(status)) {
            let facts = Facts {
                error: ErrorKind::MissingKid,
                ..facts
            };
            let (action, after) = decide(&Api::KEY_ID, &facts, &clock(), 0, &two_slots());
            assert_eq!(action, Action::Rejected(R::MissingKid));
            assert_eq!(after, two_slots());
        }
    }
}

#[test]
fn a_missing_permission_never_switches_whatever_the_status() {
    for status in [401, 403] {
        for facts in variants(Answer::Status(status)) {
            let facts = Facts {
                error: ErrorKind::Permission,
                ..facts
            };
            let (action, after) = decide(&Api::HEYOO, &facts, &clock(), 0, &two_slots());
            assert_eq!(action, Action::Rejected(R::Forbidden));
            assert_eq!(after, two_slots());
        }
    }
}

/// Whatever words a 401 has: "no permission, the token has expired" is no reason to give an alert up.
#[test]
fn a_401_to_a_token_is_about_the_token() {
    for api in [Api::HEYMARKET, Api::KEY_ID] {
        for facts in variants(Answer::Status(401)) {
            let worded = Facts {
                error: ErrorKind::Permission,
                ..facts
            };
            assert_eq!(
                decide(&api, &worded, &clock(), 0, &two_slots()),
                decide(&api, &facts, &clock(), 0, &two_slots())
            );
        }
    }
}

/// 401 with a date, over TLS or not, with another slot or not.
#[test]
fn a_401_blames_the_clock_or_the_credential() {
    let correct = |server_secs| Action::CorrectClock { server_secs };
    let switch = Action::SwitchSecret { to: Slot::B };
    let refused = Action::Refused { after_secs: 300 };
    let wrong = Action::ClockWrong { after_secs: 300 };
    let late = NOW + 600;
    #[rustfmt::skip]
    let rows = [
        // api, date, TLS, action with two slots, action with one
        (Api::HEYMARKET, None, true, switch, refused),
        (Api::HEYMARKET, Some(NOW), true, switch, refused),
        (Api::HEYMARKET, Some(NOW + 1), true, switch, refused),
        (Api::HEYMARKET, Some(NOW + 2), true, correct(NOW + 2), correct(NOW + 2)),
        (Api::HEYMARKET, Some(NOW - 2), true, correct(NOW - 2), correct(NOW - 2)),
        (Api::HEYMARKET, Some(late), true, correct(late), correct(late)),
        (Api::HEYMARKET, Some(NOW + DAY), true, correct(NOW + DAY), correct(NOW + DAY)),
        (Api::HEYMARKET, Some(NOW + DAY + 1), true, switch, wrong),
        (Api::HEYMARKET, Some(NOW - DAY - 1), true, switch, wrong),
        (Api::HEYMARKET, Some(NOW - 11 * DAY), true, switch, refused), // before the build
        (Api::HEYMARKET, Some(late), false, switch, refused),
        (Api::HEYMARKET, Some(NOW + DAY + 1), false, switch, refused),
        (Api::KEY_ID, Some(late), true, correct(late), correct(late)),
        (Api::KEY_ID, Some(late), false, switch, refused),
        (Api::HOOKMESH, Some(late), true, switch, refused),
        (Api::HEYMARKET_BASIC, Some(late), true, switch, refused),
        (Api::KEY_ID_STATIC, Some(NOW + DAY + 1), true, switch, refused),
    ];
    for (api, date, secure, with_two, with_one) in rows {
        for repeatable in [true, false] {
            let facts = Facts {
                date,
                secure,
                repeatable,
                ..Facts::new(Answer::Status(401))
            };
            let (action, after) = decide(&api, &facts, &clock(), 0, &two_slots());
            assert_eq!(action, with_two, "{} {facts:?}", api.name);
            let switched = action == switch;
            assert_eq!(after.slots().active() == Slot::B, switched, "{facts:?}");
            let (action, after) = decide(&api, &facts, &clock(), 0, &one_slot());
            assert_eq!(action, with_one, "{} {facts:?}", api.name);
            assert_eq!(after.slots(), one_slot().slots());
        }
    }
}

#[test]
fn a_clock_is_corrected_once_then_the_credential_is_blamed() {
    let late = Facts {
        date: Some(NOW + 600),
        ..Facts::new(Answer::Status(401))
    };
    let (api, clock) = (Api::HEYMARKET, clock());
    let (first, state) = decide(&api, &late, &clock, 1000, &two_slots());
    assert_eq!(
        first,
        Action::CorrectClock {
            server_secs: NOW + 600
        }
    );
    let (second, after) = decide(&api, &late, &clock, 2000, &state);
    assert_eq!(second, Action::SwitchSecret { to: Slot::B });
    // Five minutes later, or after a success, the clock may be to blame again.
    let (again, _) = decide(&api, &late, &clock, 301_000, &state);
    assert!(matches!(again, Action::CorrectClock { .. }));
    let (_, state) = decide(&api, &Facts::new(Answer::Status(200)), &clock, 3000, &after);
    let (again, _) = decide(&api, &late, &clock, 4000, &state);
    assert!(matches!(again, Action::CorrectClock { .. }));
}

#[test]
fn two_revoked_secrets_don_t_take_turns() {
    let refused = Facts::new(Answer::Status(401));
    let (api, clock) = (Api::HEYMARKET, clock());
    let mut state = two_slots();
    let mut uptime_ms = 0;
    // Rests after each round: 5, 10, 20, 40 minutes, then an hour for good.
    for rest_secs in [300, 600, 1200, 2400, 3600, 3600, 3600] {
        let (first, next) = decide(&api, &refused, &clock, uptime_ms, &state);
        assert!(matches!(first, Action::SwitchSecret { .. }), "{first:?}");
        let (second, next) = decide(&api, &refused, &clock, uptime_ms, &next);
        assert_eq!(
            second,
            Action::Refused {
                after_secs: rest_secs
            }
        );
        state = next;
        uptime_ms += u64::from(rest_secs) * 1000;
    }
    // One that works again is used, and its refusals are forgotten.
    let (_, state) = decide(
        &api,
        &Facts::new(Answer::Status(200)),
        &clock,
        uptime_ms,
        &state,
    );
    let (first, state) = decide(&api, &refused, &clock, uptime_ms + 1, &state);
    assert!(matches!(first, Action::SwitchSecret { .. }));
    let (second, _) = decide(&api, &refused, &clock, uptime_ms + 1, &state);
    assert_eq!(second, Action::Refused { after_secs: 300 });
}

#[test]
fn a_secret_that_was_refused_just_now_is_not_returned_to() {
    let (api, clock) = (Api::HEYMARKET, clock());
    let refused = Facts::new(Answer::Status(401));
    let accepted = Facts::new(Answer::Status(200));
    let (_, state) = decide(&api, &refused, &clock, 0, &two_slots());
    let (_, state) = decide(&api, &accepted, &clock, 100_000, &state);
    let (action, state) = decide(&api, &refused, &clock, 200_000, &state);
    // A's rest of 300 s ends in 100 s, and A is asked then.
    assert_eq!(action, Action::Refused { after_secs: 100 });
    assert_eq!(state.slots().active(), Slot::A);
}

#[test]
fn a_new_credential_has_never_been_refused() {
    let (api, clock) = (Api::HEYMARKET, clock());
    let refused = Facts::new(Answer::Status(401));
    let (_, state) = decide(&api, &refused, &clock, 0, &two_slots());
    let (action, mut state) = decide(&api, &refused, &clock, 0, &state);
    assert_eq!(
        (action, state.slots().active()),
        (Action::Refused { after_secs: 300 }, Slot::A)
    );
    // B is replaced at once; A, refused again, has somewhere to go.
    state.set_slots(state.slots().retired().deployed(Slot::B).unwrap());
    let (action, _) = decide(&api, &refused, &clock, 1000, &state);
    assert_eq!(action, Action::SwitchSecret { to: Slot::B });
}

#[test]
fn a_rest_ends_when_uptime_begins_anew() {
    let (api, clock) = (Api::HEYMARKET, clock());
    let refused = Facts::new(Answer::Status(401));
    let (_, state) = decide(&api, &refused, &clock, 1_000_000, &two_slots());
    let (action, _) = decide(&api, &refused, &clock, 0, &state);
    assert_eq!(action, Action::SwitchSecret { to: Slot::A });
}

#[test]
fn hints_are_honoured_and_capped() {
    let api = Api::HOOKMESH;
    let limited = Facts::new(Answer::Status(429));
    let after = |facts: &Facts, clock: &Clock| match decide(&api, facts, clock, 0, &one_slot()).0 {
        Action::Retry { after_secs }
        | Action::Accepted {
            pause_secs: after_secs,
        } => after_secs,
        other => panic!("{other:?}"),
    };
    let unset = Clock::new(0, 0);
    #[rustfmt::skip]
    let rows = [
        (Facts { retry_after_secs: Some(60), ..limited }, 60),
        (Facts { retry_after_secs: Some(3601), ..limited }, MAX_HINT_SECS),
        (Facts { retry_after_secs: Some(60), rate_reset: Some(NOW + 5), ..limited }, 60),
        (Facts { rate_reset: Some(NOW + 42), ..limited }, 42),
        (Facts { rate_reset: Some(NOW), ..limited }, 0),
        (Facts { rate_reset: Some(NOW - 42), ..limited }, 0),
        (Facts { rate_reset: Some(u64::MAX), ..limited }, MAX_HINT_SECS),
        // The server's own clock counts, not ours, with or without TLS.
        (Facts { rate_reset: Some(NOW + 42), date: Some(NOW + 40), ..limited }, 2),
        (Facts { rate_reset: Some(NOW + 42), date: Some(NOW + 40), secure: false, ..limited }, 2),
        (limited, 0),
        (Facts { retry_after_secs: Some(7), ..Facts::new(Answer::Status(503)) }, 7),
        (Facts { retry_after_secs: Some(7), ..Facts::new(Answer::Status(500)) }, 7),
        // The last request of a window is followed by a pause, any other isn't.
        (Facts { rate_remaining: Some(0), rate_reset: Some(NOW + 9), ..Facts::new(Answer::Status(200)) }, 9),
        (Facts { rate_remaining: Some(1), rate_reset: Some(NOW + 9), ..Facts::new(Answer::Status(200)) }, 0),
        (Facts { rate_remaining: Some(0), ..Facts::new(Answer::Status(200)) }, 0),
    ];
    for (facts, secs) in rows {
        assert_eq!(after(&facts, &clock()), secs, "{facts:?}");
    }
    assert_eq!(
        after(
            &Facts {
                rate_reset: Some(NOW + 42),
                ..limited
            },
            &unset
        ),
        0
    );
}

#[test]
fn an_accepted_trial_is_a_good_one() {
    let state = State::new(Slots::EMPTY.deployed(Slot::A).unwrap());
    let accepted = Facts::new(Answer::Status(204));
    let (_, after) = decide(&Api::HEYMARKET, &accepted, &clock(), 0, &state);
    assert_eq!(after.slots(), state.slots().accepted(Slot::A));
    assert_ne!(after.slots(), state.slots());
}
