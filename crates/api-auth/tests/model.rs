//! Random answers against a model that decides from the whole history, and a device in a hostile world.

use api_auth::{
    Action, Answer, Api, Authorizer, Check, Clock, Credential, ErrorKind, Facts, Policy, Reading,
    Rejection, Session, Slot, SlotState, Slots, Source,
};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use jwt_core::HmacKey;
use proptest::prelude::*;
use serde_json::Value;

const NOW: u64 = 1_713_225_600;
const DAY: u64 = 86_400;
const IDS: [&str; 2] = [
    "74f80a77-9b3f-44ac-b3ad-ab68cfb548fa",
    "0b0e1a9c-2f2f-4c8e-9a51-6f5f0c9f7d11",
];
const KEYS: [&str; 2] = [
    "cPQku7lnSLbnK88UFOBg1a6Q3t1w1RgK",
    "x2Kq0vT6sM9bR4nY8wZ1cD5fG7hJ3kLp",
];

type Device = Session<'static, HmacKey, 192>;

fn authorizer(n: usize) -> Authorizer<HmacKey, 192> {
    let credential =
        Credential::new(&Api::HEYMARKET, Some(IDS[n]), KEYS[n], Policy::FIELD).unwrap();
    Authorizer::new(&credential).unwrap()
}

/// A device with one or two good credentials and a clock that says `unix_secs`.
fn device(credentials: usize, unix_secs: u64) -> Device {
    let mut slots = Slots::EMPTY.deployed(Slot::A).unwrap().accepted(Slot::A);
    if credentials == 2 {
        slots = slots.deployed(Slot::B).unwrap().accepted(Slot::B);
    }
    let mut clock = Clock::new(NOW - 30 * DAY, 0);
    clock
        .set(
            Reading {
                unix_secs,
                source: Source::Sntp,
                age_secs: 0,
            },
            0,
        )
        .unwrap();
    let second = (credentials == 2).then(|| authorizer(1));
    Session::new(&Api::HEYMARKET, clock, slots, Some(authorizer(0)), second)
}

/// One request of the history: when, with which slot, and how it was judged.
#[derive(Clone, Copy, PartialEq)]
enum Judged {
    Accepted,
    Refused,
    Corrected,
    Other,
}

/// The model: no state but the history and the slot in use, every question answered by searching it.
struct Model {
    credentials: usize,
    active: usize,
    history: Vec<(u64, usize, Judged)>,
    /// How far the clock was corrected, in seconds ahead of what it was set to.
    ahead: i64,
    /// When it was set or corrected, and by how many seconds it could be wrong then.
    set: (u64, i64),
}

impl Model {
    /// When the slot may be asked again.
    fn rested(&self, slot: usize) -> u64 {
        let of_slot = self
            .history
            .iter()
            .rev()
            .filter(|(_, used, _)| *used == slot);
        let refusals: Vec<u64> = of_slot
            .take_while(|(_, _, judged)| *judged != Judged::Accepted)
            .filter(|(_, _, judged)| *judged == Judged::Refused)
            .map(|(ms, ..)| *ms)
            .collect();
        let minutes = [0, 5, 10, 20, 40, 60];
        refusals
            .first()
            .map_or(0, |last| last + minutes[refusals.len().min(5)] * 60_000)
    }

    fn corrected_just_now(&self, ms: u64) -> bool {
        let since = self
            .history
            .iter()
            .rev()
            .take_while(|(_, _, judged)| *judged != Judged::Accepted);
        since
            .into_iter()
            .any(|(then, _, judged)| *judged == Judged::Corrected && ms - then < 300_000)
    }

    /// The seconds of skew that don't blame the clock: a second more every 10,000, up to 10.
    fn admitted(&self, ms: u64) -> i64 {
        let (set_ms, error) = self.set;
        (error + ((ms - set_ms) / 10_000_000) as i64).min(10)
    }

    fn expect(&mut self, ms: u64, facts: &Facts, offset: Option<i64>) -> Action {
        let (action, judged) = self.judge(ms, facts, offset);
        self.history.push((ms, self.active, judged));
        if judged != Judged::Refused {
            return action;
        }
        let (own, other) = (self.rested(self.active), self.rested(1 - self.active));
        let wait = |until: u64| ((until - ms) / 1000) as u32;
        let too_far = matches!(action, Action::ClockWrong { .. });
        let refused = |after_secs| match too_far {
            true => Action::ClockWrong { after_secs },
            false => Action::Refused { after_secs },
        };
        if self.credentials == 1 {
            return refused(wait(own));
        }
        if other <= own {
            self.active = 1 - self.active;
        }
        match other <= ms {
            true => Action::SwitchSecret {
                to: [Slot::A, Slot::B][self.active],
            },
            false => refused(wait(own.min(other))),
        }
    }

    fn judge(&mut self, ms: u64, facts: &Facts, offset: Option<i64>) -> (Action, Judged) {
        let refused = Action::Refused { after_secs: 0 };
        let status = match facts.answer {
            Answer::Status(status) => status,
            Answer::NotSent => return (Action::Retry { after_secs: 0 }, Judged::Other),
            Answer::Lost | Answer::Malformed => return (Action::MaybeSent, Judged::Other),
        };
        match status {
            200 => (Action::Accepted { pause_secs: 0 }, Judged::Accepted),
            400 => (Action::Rejected(Rejection::Invalid), Judged::Other),
            403 => (Action::Rejected(Rejection::Forbidden), Judged::Other),
            429 | 500 => {
                let after_secs = facts.retry_after_secs.unwrap_or(0);
                (Action::Retry { after_secs }, Judged::Other)
            }
            401 => match offset.filter(|_| facts.secure) {
                Some(offset) if (offset - self.ahead).abs() <= self.admitted(ms) => {
                    (refused, Judged::Refused)
                }
                Some(offset) if offset.unsigned_abs() > DAY => {
                    (Action::ClockWrong { after_secs: 0 }, Judged::Refused)
                }
                Some(offset) if !self.corrected_just_now(ms) => {
                    (self.ahead, self.set) = (offset, (ms, 2));
                    let server_secs = facts.date.unwrap();
                    (Action::CorrectClock { server_secs }, Judged::Corrected)
                }
                _ => (refused, Judged::Refused),
            },
            other => unreachable!("{other} is not generated"),
        }
    }
}

fn answers() -> impl Strategy<Value = Answer> {
    prop_oneof![
        6 => Just(Answer::Status(401)),
        5 => prop::sample::select(vec![200, 400, 403, 429, 500]).prop_map(Answer::Status),
        1 => prop::sample::select(vec![Answer::NotSent, Answer::Lost, Answer::Malformed]),
    ]
}

/// The server's time, in seconds ahead of what the clock was set to.
fn offsets() -> impl Strategy<Value = Option<i64>> {
    let day = DAY as i64;
    prop::option::of(prop_oneof![
        -30..30i64,
        -day - 5..-day + 5,
        day - 5..day + 5,
        -3000..3000i64
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn decisions_are_those_of_the_model(
        credentials in 1..=2usize,
        steps in prop::collection::vec(
            (
                answers(),
                offsets(),
                prop::bool::weighted(0.8),
                prop::bool::weighted(0.05),
                prop::option::of(0..3600u32),
                prop_oneof![Just(0), 0..400u64, 0..4000u64],
            ),
            1..60,
        ),
    ) {
        let mut device = device(credentials, NOW);
        let mut model = Model { credentials, active: 0, history: Vec::new(), ahead: 0, set: (0, 1) };
        let mut ms = 0;
        for (answer, offset, secure, permission, retry_after_secs, wait_secs) in steps {
            // Whole seconds, so that the model needs no fractions of a correction.
            ms += wait_secs * 1000;
            let date = offset.map(|offset| (NOW + ms / 1000).saturating_add_signed(offset));
            let error = if permission { ErrorKind::Permission } else { ErrorKind::Other };
            let facts = Facts { date, secure, retry_after_secs, error, ..Facts::new(answer) };
            let expected = model.expect(ms, &facts, offset);
            prop_assert_eq!(device.answered(&facts, ms), expected, "{:?} at {}", facts, ms);
            let active = [Slot::A, Slot::B][model.active];
            prop_assert_eq!(device.slots().active(), active);
        }
    }
}

/// A server with the true time that refuses tokens from the future, and one on the way to it.
#[derive(Clone, Debug)]
struct World {
    ms: u64,
    valid: [bool; 2],
    mood: Mood,
    /// What somebody on the way makes of the server's date, if the connection is not TLS.
    forged: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Mood {
    Well,
    Answers(u16),
    Silent,
}

#[derive(Clone, Debug)]
enum Event {
    Requests(usize),
    Wait(u64),
    Valid([bool; 2]),
    Mood(Mood),
    /// A reading wrong by so many seconds.
    Sntp(i64),
    Forge(Option<i64>),
}

impl World {
    fn secs(&self) -> u64 {
        NOW + self.ms / 1000
    }

    /// Which credential signed, by another implementation, and when.
    fn read(value: &str) -> (usize, u64) {
        let mut rules = Validation::new(Algorithm::HS256);
        rules.required_spec_claims.clear();
        let token = value.strip_prefix("Bearer ").unwrap();
        let signed_by = |n: usize| {
            let secret = format!("{}||{}", IDS[n], KEYS[n]);
            let key = DecodingKey::from_secret(secret.as_bytes());
            let claims = jsonwebtoken::decode::<Value>(token, &key, &rules)
                .ok()?
                .claims;
            assert_eq!(claims["iss"], IDS[n]);
            Some((n, claims["iat"].as_u64().unwrap()))
        };
        signed_by(0)
            .or_else(|| signed_by(1))
            .expect("a token of neither credential")
    }

    fn answer(&self, value: &str) -> Facts {
        let (used, iat) = Self::read(value);
        let answer = match self.mood {
            Mood::Answers(status) => Answer::Status(status),
            Mood::Silent => Answer::Lost,
            Mood::Well => {
                let timely = iat <= self.secs() && self.secs() < iat + 300;
                Answer::Status(if timely && self.valid[used] { 200 } else { 401 })
            }
        };
        let offset = self.forged.unwrap_or(0);
        Facts {
            secure: self.forged.is_none(),
            date: Some(self.secs().saturating_add_signed(offset)),
            ..Facts::new(answer)
        }
    }

    /// Sends one alert as a driver does, until it is accepted or has to wait, and returns the wait.
    fn request(&self, device: &mut Device) -> Result<Option<u32>, TestCaseError> {
        for at_once in 0.. {
            prop_assert!(at_once <= 2, "a third request at once");
            let trusted = device.clock().now(self.ms).ok();
            let Ok(value) = device.authorize(self.ms).map(|v| v.value().to_owned()) else {
                prop_assert!(
                    trusted.is_none(),
                    "the time is known, and nothing is signed"
                );
                return Ok(Some(60));
            };
            prop_assert!(trusted.is_some(), "a token without a time");
            let before = device.slots().active();
            let facts = self.answer(&value);
            let action = device.answered(&facts, self.ms);
            let switched = device.slots().active() != before;
            if facts.answer != Answer::Status(401) {
                prop_assert!(!switched, "{:?} switched", facts.answer);
            }
            if self.forged.is_some() {
                let corrected = matches!(action, Action::CorrectClock { .. });
                prop_assert!(!corrected, "a forged date was believed");
            }
            match action {
                Action::Accepted { .. } => return Ok(None),
                Action::CorrectClock { .. } | Action::SwitchSecret { .. } => continue,
                Action::Retry { after_secs }
                | Action::ClockWrong { after_secs }
                | Action::Refused { after_secs } => return Ok(Some(after_secs.max(10))),
                Action::MaybeSent | Action::Rejected(_) => return Ok(Some(10)),
            }
        }
        unreachable!()
    }
}

fn events() -> impl Strategy<Value = Event> {
    let status = prop::sample::select(vec![400, 401, 403, 404, 429, 500, 502, 503]);
    prop_oneof![
        4 => (1..10usize).prop_map(Event::Requests),
        2 => (0..4_000_000u64).prop_map(Event::Wait),
        2 => any::<[bool; 2]>().prop_map(Event::Valid),
        1 => Just(Event::Mood(Mood::Well)),
        1 => Just(Event::Mood(Mood::Silent)),
        1 => status.prop_map(|status| Event::Mood(Mood::Answers(status))),
        1 => prop_oneof![-40_000..40_000i64, -15..15i64].prop_map(Event::Sntp),
        1 => prop::option::of(-100_000..100_000i64).prop_map(Event::Forge),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever happened: at most three requests at once, no switch but by a 401, no forged date
    /// believed; and once one credential works again and the clock is less than a day off, an alert
    /// gets through within two hours of the waits that were asked for.
    #[test]
    fn a_device_gets_through_once_the_world_is_well_again(
        start in prop_oneof![-40_000..40_000i64, -15..15i64],
        events in prop::collection::vec(events(), 0..40),
        survivor in 0..2usize,
    ) {
        let mut device = device(2, NOW.saturating_add_signed(start));
        let mut world = World { ms: 0, valid: [true; 2], mood: Mood::Well, forged: None };
        for event in events {
            match event {
                Event::Requests(count) => {
                    for _ in 0..count {
                        // A driver that doesn't wait as long as it is asked to.
                        if let Some(secs) = world.request(&mut device)? {
                            world.ms += u64::from(secs.min(30)) * 1000;
                        }
                    }
                }
                Event::Wait(ms) => world.ms += ms,
                Event::Valid(valid) => world.valid = valid,
                Event::Mood(mood) => world.mood = mood,
                Event::Sntp(offset) => {
                    let unix_secs = world.secs().saturating_add_signed(offset);
                    let reading = Reading { unix_secs, source: Source::Sntp, age_secs: 0 };
                    let _ = device.clock_mut().set(reading, world.ms);
                }
                Event::Forge(offset) => world.forged = offset,
            }
            // Persisting and reading back loses nothing.
            prop_assert_eq!(Slots::from_bytes(&device.slots().to_bytes()), Ok(device.slots()));
        }

        world.mood = Mood::Well;
        world.forged = None;
        world.valid[survivor] = true;
        let (well_ms, mut requests) = (world.ms, 0);
        while let Some(secs) = world.request(&mut device)? {
            requests += 1;
            world.ms += u64::from(secs) * 1000;
            prop_assert!(requests <= 10 && world.ms - well_ms <= 7_200_000, "stuck: {:?}", device);
        }
    }
}

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
    assert_eq!(World::read(&value).0, 1);
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
        World::read(device.authorize_standby(0).unwrap().value()).1,
        NOW + 598
    );

    assert_eq!(device.standby_answered(&status(200), 0), Check::Works);
    assert_eq!(device.slots().state(Slot::B), SlotState::Verified);
    device.promote().unwrap();
    assert_eq!(World::read(device.authorize(0).unwrap().value()).0, 1);
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
        assert_eq!(World::read(device.authorize(0).unwrap().value()).1, NOW - 1);
        device.answered(&facts, 0);
        assert_eq!(
            World::read(device.authorize(10_000).unwrap().value()).1,
            iat
        );
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
