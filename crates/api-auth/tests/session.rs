//! A session's two slots and its clock, step by step.

mod support;

use api_auth::{Answer, Api, Check, Clock, ErrorKind, Facts, Slot, SlotState, Slots};
use support::{DAY, Device, NOW, authorizer, device, read};

#[test]
fn a_new_credential_is_checked_without_harm_to_the_old() {
    let date = Some(NOW);
    let status = |status| Facts {
        date,
        repeatable: true,
        ..Facts::new(Answer::Status(status))
    };
    let mut device = device(1, NOW);
    device.deploy(Slot::B, authorizer(1)).unwrap();
    let value = device.authorize_standby(0).unwrap().value().to_owned();
    assert_eq!(read(&value).0, 1);
    let before = device.slots();

    for (facts, check) in [
        (status(401), Check::Refused),
        (status(403), Check::Forbidden),
        (
            Facts {
                error: ErrorKind::Permission,
                ..status(401)
            },
            Check::Refused,
        ),
        (
            Facts {
                date: Some(NOW + DAY + 1),
                ..status(401)
            },
            Check::Unclear { after_secs: 0 },
        ),
        (status(404), Check::Unclear { after_secs: 0 }),
        (
            Facts {
                retry_after_secs: Some(9),
                ..status(429)
            },
            Check::Unclear { after_secs: 9 },
        ),
        (
            Facts {
                answer: Answer::Lost,
                ..status(0)
            },
            Check::Unclear { after_secs: 0 },
        ),
    ] {
        assert_eq!(device.standby_answered(&facts, 0), check, "{facts:?}");
        assert_eq!(device.slots(), before, "{facts:?}");
    }
    // The refusals above count against nobody: the active one still has the other to fail over to.
    let late = Facts {
        date: Some(NOW + 600),
        ..status(401)
    };
    assert_eq!(device.standby_answered(&late, 0), Check::ClockCorrected);
    assert_eq!(device.clock().now(0).unwrap().unix_secs(), NOW + 600);
    assert_eq!(
        read(device.authorize_standby(0).unwrap().value()).1,
        NOW + 598
    );

    assert_eq!(device.standby_answered(&status(200), 0), Check::Works);
    assert_eq!(device.slots().state(Slot::B), SlotState::Verified);
    device.promote().unwrap();
    assert_eq!(read(device.authorize(0).unwrap().value()).0, 1);
    device.retire();
    assert_eq!(device.slots().state(Slot::A), SlotState::Empty);
    assert!(device.authorize_standby(0).is_err());
}

#[test]
fn slots_follow_the_credentials_that_are_there() {
    let both = Slots::EMPTY
        .deployed(Slot::A)
        .unwrap()
        .accepted(Slot::A)
        .deployed(Slot::B)
        .unwrap();
    let clock = || Clock::new(NOW, 0);
    let start = |slots, a: bool, b: bool| {
        let (a, b) = (a.then(|| authorizer(0)), b.then(|| authorizer(1)));
        Device::new(&Api::HEYMARKET, clock(), slots, a, b)
    };
    assert_eq!(start(both, true, true).slots(), both);
    let lost_standby = start(both, true, false).slots();
    assert_eq!(lost_standby, both.retired());
    let lost_active = start(both, false, true).slots();
    assert_eq!(
        (lost_active.active(), lost_active.state(Slot::B)),
        (Slot::B, SlotState::Trial)
    );
    assert_eq!(lost_active.state(Slot::A), SlotState::Empty);
    assert_eq!(
        start(both, false, false).slots().state(Slot::A),
        SlotState::Empty
    );

    // A leftover in an empty slot is not used.
    let mut leftover = start(both.retired(), true, true);
    assert!(leftover.authorize_standby(0).is_err());
}

#[test]
fn a_refused_token_is_not_sent_again() {
    let refused = Facts::new(Answer::Status(401));
    let late = Facts {
        date: Some(NOW + 70),
        ..refused
    };
    for (facts, iat) in [(refused, NOW + 9), (late, NOW + 78)] {
        let mut device = device(1, NOW);
        assert_eq!(read(device.authorize(0).unwrap().value()).1, NOW - 1);
        device.answered(&facts, 0);
        assert_eq!(read(device.authorize(10_000).unwrap().value()).1, iat);
    }
}

#[test]
fn the_floor_rises_by_accepted_requests_over_tls() {
    let facts = |status, secure| Facts {
        date: Some(NOW),
        secure,
        ..Facts::new(Answer::Status(status))
    };
    let mut device = device(1, NOW);
    for (status, secure, floor_secs) in [
        (200, false, 0),
        (500, true, 0),
        (401, true, 0),
        (200, true, NOW - 3 * DAY),
    ] {
        device.answered(&facts(status, secure), 0);
        assert_eq!(device.clock().floor_secs(), floor_secs);
    }
}
