//! The fault campaign: real sockets, a server that verifies every token and breaks on request, and a
//! device whose power goes at every write.
//!
//! Whatever happens, after it holds for each alert that the outbox has taken in:
//! - it is in the outbox, or the server has its message;
//! - what was reported as delivered is at the server, under the identifier that was reported;
//! - the server has it once, or once more for each time that a doubt was reported and the policy is
//!   [`MaybeSentPolicy::Resend`];
//! - once the server recovers, it is delivered, unless it is held or was rejected.

mod scenarios;
#[path = "../support/mod.rs"]
mod support;
mod world;

use std::cell::RefCell;
use std::rc::Rc;

use api_standin::{Fault, Kind};
use scenarios::{alike, scenarios};
use sms_alert::{Rules, Verdict};
use support::Cut;
use world::{Counts, HOLD, RESEND, SHORT, World, print};

/// Breaks a connection at 0, 1, 2, … bytes until an attempt passes unharmed, and returns how often.
fn at_every_byte(
    rules: Rules,
    counts: &mut Counts,
    kind: impl Fn(usize) -> Kind,
    from: usize,
) -> usize {
    for bytes in from.. {
        let mut world = World::new(rules, &[Fault::next(1, kind(bytes))]);
        let verdicts = world.live(&["Door open", "Door shut"], 100);
        let unharmed = matches!(verdicts.first(), Some(Verdict::Delivered { .. }));
        assert!(
            unharmed
                || matches!(
                    verdicts.first(),
                    Some(Verdict::MaybeSent | Verdict::RetryAt(_))
                )
        );
        world.finish(counts);
        if unharmed {
            return bytes - from;
        }
    }
    unreachable!("no end")
}

#[test]
fn a_break_at_every_byte_of_the_request() {
    let mut counts = Counts::default();
    for rules in [HOLD, RESEND] {
        let dropped = at_every_byte(rules, &mut counts, Kind::DropAfterRequestBytes, 1);
        let reset = at_every_byte(rules, &mut counts, Kind::ResetAfterRequestBytes, 1);
        // The head alone has more.
        assert!(dropped > 300 && reset == dropped, "{dropped} {reset}");
    }
    assert_eq!(counts.duplicates, 0, "the server never had a whole request");
    print("request", &counts);
}

#[test]
fn a_break_at_every_byte_of_the_response() {
    let mut counts = Counts::default();
    for rules in [HOLD, RESEND] {
        at_every_byte(rules, &mut counts, Kind::DropAfterResponseBytes, 0);
        at_every_byte(rules, &mut counts, Kind::ResetAfterResponseBytes, 0);
    }
    assert!(counts.cases > 600, "{counts:?}");
    assert!(counts.held > 0 && counts.duplicates > 0, "{counts:?}");
    print("response", &counts);
}

/// In the head, which has more bytes than these; what follows the message's identifier is not needed.
#[test]
fn a_stall_in_the_response() {
    let mut counts = Counts::default();
    for rules in [HOLD, RESEND] {
        for bytes in (0..160).step_by(8) {
            let stall = Fault::next(1, Kind::StallAfterResponseBytes(bytes));
            let mut world = World::new(rules, &[stall]);
            world.patience = SHORT;
            let verdicts = world.live(&["Door open"], 1);
            assert_eq!(verdicts, [Verdict::MaybeSent], "{bytes}");
            world.finish(&mut counts);
        }
    }
    // Whether the first request was carried out by now is not known, and not told to the device either.
    assert_eq!((counts.held, counts.delivered), (20, 20));
    print("stalls", &counts);
}

#[test]
fn every_answer() {
    let mut counts = Counts::default();
    for rules in [HOLD, RESEND] {
        for (name, faults, change, expected) in scenarios() {
            let mut world = World::new(rules, &faults);
            change(&mut world);
            let verdicts = world.live(&["Door open", "Door shut"], 12);
            assert!(alike(&verdicts[0], &expected), "{name}: {verdicts:?}");
            world.finish(&mut counts);
        }
    }
    print("answers", &counts);
}

#[test]
fn a_power_cut_at_every_write() {
    let mut counts = Counts::default();
    let writes = Rc::new(RefCell::new(0));
    for rules in [HOLD, RESEND] {
        for (name, faults, change, _) in scenarios() {
            if name == "timeout" {
                continue;
            }
            for number in 0.. {
                let mut was_cut = false;
                for cut in [Cut::Before(number), Cut::After(number)] {
                    let mut world = World::new(rules, &faults);
                    change(&mut world);
                    world.flash.cut.set(Some(cut));
                    world.live(&["Door open", "Door shut"], 12);
                    world.check();
                    world.live(&[], 12);
                    was_cut |= world.power_cuts > 0;
                    world.finish(&mut counts);
                }
                if !was_cut {
                    *writes.borrow_mut() += number;
                    break;
                }
            }
        }
    }
    assert_eq!(counts.power_cuts, 2 * *writes.borrow() as usize);
    print("power cuts", &counts);
}

#[test]
fn two_power_cuts_at_every_pair_of_writes() {
    let mut counts = Counts::default();
    let faults = [
        Fault::next(1, Kind::DropAfterResponseBytes(30)),
        Fault::next(1, Kind::Status(500)),
    ];
    for rules in [HOLD, RESEND] {
        for (first, second) in (0..12).flat_map(|first| (0..12).map(move |second| (first, second)))
        {
            let mut world = World::new(rules, &faults);
            world.flash.cut.set(Some(Cut::After(first)));
            world.live(&["Door open", "Door shut"], 12);
            world.check();
            world
                .flash
                .cut
                .set(Some(Cut::Before(world.flash.writes.get() + second)));
            world.live(&["Door jammed"], 12);
            world.check();
            world.finish(&mut counts);
        }
    }
    print("pairs of power cuts", &counts);
}
