//! The outbox beside a model of it in std, through random operations, restarts and power cuts.

mod support;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use sms_alert::{
    AlertId, DeviceName, MaybeSentPolicy, Next, Outbox, OutboxError, Priority, Rules, State,
    WhenFull,
};
use support::{Cut, Flash, PowerCut, SLOTS, alert};

type Box3 = Outbox<Flash, SLOTS>;

#[derive(Clone, Debug)]
enum Op {
    Push(Priority),
    /// Takes what is next and settles it like this, after `begin` or not.
    Attempt {
        begin: bool,
        settle: Settle,
    },
    /// Of the alerts there are, the one at this index.
    Resend(usize),
    Discard(usize),
    /// With the other policy on doubts, or the same.
    Restart {
        switch: bool,
    },
    /// The power goes before or after the next write, which the next operation may make.
    Cut {
        after: bool,
    },
}

#[derive(Clone, Copy, Debug)]
enum Settle {
    Delivered,
    Postpone,
    Doubt,
    Reject,
    Abandon,
}

fn op() -> impl Strategy<Value = Op> {
    use proptest::sample::select;
    let priority = select(vec![Priority::Low, Priority::Normal, Priority::High]);
    let settle = select(vec![
        Settle::Delivered,
        Settle::Postpone,
        Settle::Doubt,
        Settle::Reject,
        Settle::Abandon,
    ]);
    prop_oneof![
        4 => priority.prop_map(Op::Push),
        5 => (any::<bool>(), settle).prop_map(|(begin, settle)| Op::Attempt { begin, settle }),
        1 => (0..SLOTS).prop_map(Op::Resend),
        1 => (0..SLOTS).prop_map(Op::Discard),
        1 => any::<bool>().prop_map(|switch| Op::Restart { switch }),
        1 => any::<bool>().prop_map(|after| Op::Cut { after }),
    ]
}

/// What a restart makes of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kept {
    Queued,
    Sending,
    Rejected,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    priority: Priority,
    state: State,
    kept: Kept,
    /// Whether a request since the alert was pushed or released left a doubt, and whether the store counts it.
    doubted: bool,
    doubt_kept: bool,
}

const PUSHED: Known = Known {
    priority: Priority::Normal,
    state: State::Queued,
    kept: Kept::Queued,
    doubted: false,
    doubt_kept: false,
};

type Model = BTreeMap<AlertId, Known>;

fn open(flash: &Flash, rules: Rules) -> Result<Box3, OutboxError<PowerCut>> {
    Outbox::open(flash.clone(), DeviceName::new("gw").unwrap(), rules, 0)
}

fn restarted(model: &Model, rules: Rules) -> Model {
    let doubted = |known: &Known| known.kept == Kept::Sending || known.doubt_kept;
    let state = |known: &Known| match (known.kept, rules.maybe_sent) {
        (Kept::Rejected, _) => State::Rejected(400),
        (_, MaybeSentPolicy::Hold) if doubted(known) => State::MaybeSent,
        _ => State::Queued,
    };
    let entries = model.iter();
    entries
        .map(|(id, known)| {
            (
                *id,
                Known {
                    state: state(known),
                    doubted: doubted(known),
                    ..*known
                },
            )
        })
        .collect()
}

fn states(model: &Model) -> BTreeMap<AlertId, State> {
    model.iter().map(|(id, known)| (*id, known.state)).collect()
}

fn actual(outbox: &Box3) -> BTreeMap<AlertId, State> {
    outbox
        .entries()
        .map(|entry| (entry.id, entry.state))
        .collect()
}

/// The alert that gives way to one of this priority in a full outbox.
fn victim(model: &Model, priority: Priority) -> Option<AlertId> {
    let settled = |known: &Known| matches!(known.state, State::MaybeSent | State::Rejected(_));
    let mut settled_first: Vec<_> = model
        .iter()
        .filter(|(_, known)| match settled(known) {
            true => known.priority <= priority,
            false => known.priority < priority,
        })
        .map(|(id, known)| (!settled(known), known.priority, *id))
        .collect();
    settled_first.sort();
    settled_first.first().map(|(_, _, id)| *id)
}

/// Carries out an operation on both. `Err` is a power cut in the middle of it: the model is then as it
/// was before the write, and the second value as it is after it.
fn apply(outbox: &mut Box3, model: &mut Model, op: &Op, rules: Rules) -> Result<(), Model> {
    let mut after = model.clone();
    let settled = match op {
        Op::Push(priority) => {
            let full = model.len() == SLOTS;
            let gone = match rules.when_full {
                WhenFull::DropLower if full => victim(model, *priority),
                _ => None,
            };
            let mut alert = alert("x");
            alert.priority = *priority;
            match outbox.push(&alert) {
                Err(OutboxError::Full) => {
                    assert!(full && gone.is_none());
                    return Ok(());
                }
                Err(OutboxError::Store(PowerCut)) => {
                    // Nobody was told a number: after the cut there may be an alert that nobody knows.
                    gone.map(|id| after.remove(&id));
                    return Err(after);
                }
                pushed => {
                    let pushed = pushed.unwrap();
                    assert!(!full || gone.is_some());
                    assert_eq!(pushed.dropped.map(|entry| entry.id), gone);
                    gone.map(|id| after.remove(&id));
                    let known = Known {
                        priority: *priority,
                        ..PUSHED
                    };
                    assert!(
                        after.insert(pushed.id, known).is_none(),
                        "a number used twice"
                    );
                }
            }
            Ok(())
        }
        Op::Attempt { begin, settle } => {
            let queued = model
                .iter()
                .filter(|(_, known)| known.state == State::Queued);
            let expected = queued.min_by_key(|(id, known)| (Reverse(known.priority), **id));
            let id = match (outbox.next(u64::MAX), expected) {
                (Next::Send(id), Some((expected, _))) if id == *expected => id,
                (Next::Nothing, None) => return Ok(()),
                other => panic!("{other:?}"),
            };
            outbox.take(id).unwrap();
            assert_eq!(
                outbox.take(id),
                Err(OutboxError::Unknown),
                "it is handed out once"
            );
            // Only a request that has begun leaves a doubt.
            let begin = *begin || matches!(settle, Settle::Doubt);
            if begin {
                let known = after.get_mut(&id).unwrap();
                (known.kept, known.doubt_kept) = (Kept::Sending, known.doubted);
                if outbox.begin(id).is_err() {
                    return Err(after);
                }
                *model = after.clone();
            }
            let known = after.get_mut(&id).unwrap();
            let doubtful = match rules.maybe_sent {
                MaybeSentPolicy::Hold => State::MaybeSent,
                MaybeSentPolicy::Resend => State::Queued,
            };
            match settle {
                Settle::Delivered => {
                    after.remove(&id);
                    outbox.delivered(id)
                }
                Settle::Postpone => {
                    (known.state, known.kept) = (State::Queued, Kept::Queued);
                    known.doubt_kept = known.doubted;
                    outbox.postpone(id, 0)
                }
                Settle::Doubt => {
                    (known.state, known.doubted) = (doubtful, true);
                    outbox.doubt(id, 0)
                }
                Settle::Reject => {
                    (known.state, known.kept) = (State::Rejected(400), Kept::Rejected);
                    known.doubt_kept = known.doubted;
                    outbox.reject(id, 400)
                }
                Settle::Abandon => {
                    if begin {
                        (known.state, known.doubted) = (doubtful, true);
                    }
                    outbox.abandon(id);
                    Ok(())
                }
            }
        }
        Op::Resend(index) | Op::Discard(index) => {
            let Some(id) = model.keys().nth(*index).copied() else {
                return Ok(());
            };
            match op {
                Op::Discard(_) => {
                    after.remove(&id);
                    outbox.discard(id)
                }
                _ if model[&id].state == State::Queued => {
                    assert_eq!(outbox.resend(id), Err(OutboxError::Unknown));
                    Ok(())
                }
                _ => {
                    let known = after.get_mut(&id).unwrap();
                    let priority = known.priority;
                    *known = Known { priority, ..PUSHED };
                    outbox.resend(id)
                }
            }
        }
        Op::Restart { .. } | Op::Cut { .. } => unreachable!("the caller's"),
    };
    match settled {
        Ok(()) => {
            *model = after;
            Ok(())
        }
        Err(error) => {
            assert_eq!(error, OutboxError::Store(PowerCut));
            Err(after)
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn does_what_the_model_does(
        ops in prop::collection::vec(op(), 1..60),
        resend in any::<bool>(),
        drop_lower in any::<bool>(),
    ) {
        let mut rules = Rules {
            maybe_sent: if resend { MaybeSentPolicy::Resend } else { MaybeSentPolicy::Hold },
            when_full: if drop_lower { WhenFull::DropLower } else { WhenFull::Refuse },
        };
        let flash = Flash::default();
        let mut outbox = open(&flash, rules).unwrap();
        let mut model = Model::new();
        let mut seen = BTreeSet::new();
        for op in &ops {
            match op {
                Op::Cut { after } => {
                    let next = flash.writes.get();
                    flash.cut.set(Some(if *after { Cut::After(next) } else { Cut::Before(next) }));
                    continue;
                }
                Op::Restart { switch } => {
                    rules.maybe_sent = match (rules.maybe_sent, *switch) {
                        (MaybeSentPolicy::Hold, true) => MaybeSentPolicy::Resend,
                        (MaybeSentPolicy::Resend, true) => MaybeSentPolicy::Hold,
                        (same, false) => same,
                    };
                    match open(&flash, rules) {
                        Ok(opened) => {
                            outbox = opened;
                            model = restarted(&model, rules);
                        }
                        Err(error) => assert_eq!(error, OutboxError::Store(PowerCut)),
                    }
                }
                op => {
                    let known: BTreeSet<_> = model.keys().copied().collect();
                    if let Err(after) = apply(&mut outbox, &mut model, op, rules) {
                        let was_written = matches!(flash.cut.get(), Some(Cut::After(_)));
                        flash.restore();
                        outbox = open(&flash, rules).unwrap();
                        model = restarted(if was_written { &after } else { &model }, rules);
                        // The alert of a push that was cut is there, and its number is new.
                        if let (Op::Push(priority), true) = (op, was_written) {
                            let mut new = outbox.entries().filter(|entry| !model.contains_key(&entry.id));
                            let entry = *new.next().expect("the alert that was pushed");
                            prop_assert!(new.next().is_none());
                            model.insert(entry.id, Known { priority: *priority, ..PUSHED });
                        }
                    }
                    for id in model.keys().filter(|id| !known.contains(id)) {
                        prop_assert!(seen.insert(*id), "a number used twice");
                    }
                }
            }
            if flash.is_off.get() {
                flash.restore();
                outbox = open(&flash, rules).unwrap();
                model = restarted(&model, rules);
            }
            prop_assert_eq!(actual(&outbox), states(&model));
            for entry in outbox.entries() {
                prop_assert_eq!(entry.doubts > 0, model[&entry.id].doubted);
            }
        }
    }

    #[test]
    fn any_record_is_survived(
        records in prop::collection::btree_map(0..6_u16, prop::collection::vec(any::<u8>(), 0..40), 0..6),
        format in any::<bool>(),
    ) {
        let flash = Flash::default();
        let with_format = |mut record: Vec<u8>| {
            if let (true, Some(first)) = (format, record.first_mut()) {
                *first = 1;
            }
            record
        };
        let expected = records.keys().filter(|index| (1..=SLOTS as u16).contains(*index)).count();
        *flash.records.borrow_mut() =
            records.into_iter().map(|(index, record)| (index, with_format(record))).collect();
        let mut outbox = open(&flash, Rules::default()).unwrap();
        prop_assert_eq!(outbox.entries().count(), expected);
        let ids: Vec<_> = outbox.entries().map(|entry| entry.id).collect();
        for id in ids {
            let _ = outbox.alert(id);
            outbox.discard(id).unwrap();
        }
        prop_assert_eq!(outbox.entries().count(), 0);
        outbox.push(&alert("x")).unwrap();
    }
}

/// The count of openings is damaged while an old alert is left: numbers that were used after that alert
/// must not come back.
#[test]
fn a_lost_count_of_openings_repeats_no_number() {
    for damage in [None, Some(vec![]), Some(vec![1, 0]), Some(vec![9; 5])] {
        let flash = Flash::default();
        let mut used = BTreeSet::new();
        for _ in 0..20 {
            let mut outbox = open(&flash, Rules::default()).unwrap();
            if outbox.entries().count() < SLOTS {
                outbox.push(&alert("kept")).unwrap();
            }
            used.extend(outbox.entries().map(|entry| entry.id));
            let last = *used.last().unwrap();
            if outbox.entries().count() == SLOTS {
                outbox.discard(last).unwrap();
            }
        }
        match damage {
            Some(bytes) => flash.records.borrow_mut().insert(0, bytes),
            None => flash.records.borrow_mut().remove(&0),
        };
        let device = DeviceName::new("gw").unwrap();
        let mut outbox = Outbox::<_, SLOTS>::open(flash, device, Rules::default(), 0x5eed).unwrap();
        let id = outbox.push(&alert("new")).unwrap().id;
        assert!(!used.contains(&id), "{id} was used before");
    }
}
