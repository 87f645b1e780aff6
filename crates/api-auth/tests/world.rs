//! A device in a hostile world: it gets through once the world is well again.

mod support;

use api_auth::{Action, Answer, Facts, Reading, Slots, Source};
use proptest::prelude::*;
use support::{Device, NOW, device, read};

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

    fn answer(&self, value: &str) -> Facts {
        let (used, iat) = read(value);
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
