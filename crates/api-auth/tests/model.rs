//! Random answers against a model that decides from the whole history.

mod support;

use api_auth::{Action, Answer, ErrorKind, Facts, Rejection, Slot};
use proptest::prelude::*;
use support::{DAY, NOW, device};

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
