//! Rotations with the power cut at every write, and every state that slots can get into.

use std::collections::{HashSet, VecDeque};

use api_auth::{Slot, SlotError, SlotState, Slots, Step};
use proptest::prelude::*;

/// What flash holds of a slot's credential; a write or an erase that the power cut into leaves `Torn`.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Stored {
    Nothing,
    Torn,
    Secret(u32),
}

/// Flash with a power supply that fails after a number of writes; half of a write may have happened.
struct Flash {
    record: [u8; Slots::RECORD_LEN],
    credentials: [Stored; 2],
    writes_left: usize,
}

struct PowerCut;

impl Flash {
    /// The store that keeps the record writes all of it or nothing.
    fn write_record(&mut self, slots: Slots) -> Result<(), PowerCut> {
        self.spend()?;
        self.record = slots.to_bytes();
        Ok(())
    }

    fn write_credential(&mut self, slot: Slot, credential: Stored) -> Result<(), PowerCut> {
        let place = &mut self.credentials[slot as usize];
        *place = Stored::Torn;
        self.spend()?;
        self.credentials[slot as usize] = credential;
        Ok(())
    }

    fn spend(&mut self) -> Result<(), PowerCut> {
        self.writes_left = self.writes_left.checked_sub(1).ok_or(PowerCut)?;
        Ok(())
    }

    fn slots(&self) -> Slots {
        Slots::from_bytes(&self.record).expect("the record is always whole")
    }
}

/// The server, which has at most two secrets at once, as Heymarket has.
#[derive(Default)]
struct Server {
    valid: Vec<u32>,
    created: u32,
}

impl Server {
    fn create(&mut self) -> u32 {
        assert!(self.valid.len() < 2, "a third secret");
        self.created += 1;
        self.valid.push(self.created);
        self.created
    }

    fn accepts(&self, stored: &Stored) -> bool {
        matches!(stored, Stored::Secret(secret) if self.valid.contains(secret))
    }
}

/// Rotates once, as firmware does after each start: erase what is not recorded, then step by step.
fn rotate(flash: &mut Flash, server: &mut Server, new: u32) -> Result<(), PowerCut> {
    for slot in [Slot::A, Slot::B] {
        let empty = flash.slots().state(slot) == SlotState::Empty;
        if empty && flash.credentials[slot as usize] != Stored::Nothing {
            flash.write_credential(slot, Stored::Nothing)?;
        }
    }
    loop {
        let slots = flash.slots();
        let active = &flash.credentials[slots.active() as usize];
        if *active == Stored::Secret(new) && slots.next() == Step::Rest {
            return Ok(());
        }
        if slots.state(slots.active()) != SlotState::Empty {
            assert!(
                server.accepts(active),
                "an alert could not be sent in {slots:?}"
            );
        }
        match slots.next() {
            Step::Deploy(slot) => {
                flash.write_credential(slot, Stored::Secret(new))?;
                flash.write_record(slots.deployed(slot).unwrap())?;
            }
            Step::Check(slot) => {
                assert!(server.accepts(&flash.credentials[slot as usize]));
                flash.write_record(slots.accepted(slot))?;
            }
            Step::Promote => flash.write_record(slots.promoted().unwrap())?,
            Step::Revoke(slot) => {
                let Stored::Secret(old) = flash.credentials[slot as usize] else {
                    panic!("a retiring slot without a credential");
                };
                server.valid.retain(|secret| *secret != old);
                flash.write_record(slots.retired())?;
                flash.write_credential(slot, Stored::Nothing)?;
            }
            Step::Rest => {
                let slot = slots.standby();
                flash.write_credential(slot, Stored::Secret(new))?;
                flash.write_record(slots.deployed(slot).unwrap())?;
            }
        }
    }
}

#[test]
fn a_power_cut_at_any_write_of_three_rotations_is_survived() {
    let mut cuts = 0;
    for first_cut in 0..40 {
        for second_cut in 0..8 {
            let mut flash = Flash {
                record: Slots::EMPTY.to_bytes(),
                credentials: [Stored::Nothing, Stored::Nothing],
                writes_left: first_cut,
            };
            let mut server = Server::default();
            let mut supplies = VecDeque::from([second_cut]);
            for _rotation in 0..4 {
                let new = server.create();
                while rotate(&mut flash, &mut server, new).is_err() {
                    cuts += 1;
                    flash.writes_left = supplies.pop_front().unwrap_or(usize::MAX);
                }
                assert_eq!(server.valid, [new], "the old secret is revoked");
                let slots = flash.slots();
                let (active, standby) = (slots.active(), slots.standby());
                assert_eq!(flash.credentials[active as usize], Stored::Secret(new));
                assert_eq!(flash.credentials[standby as usize], Stored::Nothing);
                assert_eq!(slots.state(active), SlotState::Good);
                assert_eq!(slots.state(standby), SlotState::Empty);
            }
        }
    }
    assert!(cuts > 300, "only {cuts} cuts");
}

#[derive(Clone, Copy, Debug)]
enum Op {
    Deploy(Slot),
    Accept(Slot),
    Promote,
    Retire,
    FailOver,
}

const OPS: [Op; 7] = [
    Op::Deploy(Slot::A),
    Op::Deploy(Slot::B),
    Op::Accept(Slot::A),
    Op::Accept(Slot::B),
    Op::Promote,
    Op::Retire,
    Op::FailOver,
];

fn apply(slots: Slots, op: Op) -> Result<Slots, SlotError> {
    match op {
        Op::Deploy(slot) => slots.deployed(slot),
        Op::Accept(slot) => Ok(slots.accepted(slot)),
        Op::Promote => slots.promoted(),
        Op::Retire => Ok(slots.retired()),
        Op::FailOver => Ok(slots.failed_over()),
    }
}

#[test]
fn every_reachable_state_is_a_record_and_none_strands_the_device() {
    let mut seen = HashSet::from([Slots::EMPTY.to_bytes()]);
    let mut queue = VecDeque::from([Slots::EMPTY]);
    while let Some(slots) = queue.pop_front() {
        assert_eq!(Slots::from_bytes(&slots.to_bytes()), Ok(slots));
        let (active, standby) = (slots.state(slots.active()), slots.state(slots.standby()));
        assert!(
            !matches!(active, SlotState::Retiring | SlotState::Verified),
            "{slots:?}"
        );
        let empty = active == SlotState::Empty;
        assert!(
            !empty || standby == SlotState::Empty,
            "{slots:?} has one and doesn't use it"
        );
        for op in OPS {
            if let Ok(next) = apply(slots, op) {
                let lost = next.state(next.active()) == SlotState::Empty;
                assert!(
                    !lost || empty,
                    "{op:?} takes the active credential of {slots:?}"
                );
                if seen.insert(next.to_bytes()) {
                    queue.push_back(next);
                }
            }
        }
    }
    // Either slot active, in trial or good, with each state of the other but one: while a credential is
    // on trial in use, none has been replaced by it. And the empty device.
    assert_eq!(seen.len(), 2 * (2 * 5 - 1) + 1);
}

#[test]
fn steps_out_of_order_are_refused() {
    let provisioned = Slots::EMPTY.deployed(Slot::A).unwrap().accepted(Slot::A);
    assert_eq!(provisioned.deployed(Slot::A), Err(SlotError::Occupied));
    assert_eq!(provisioned.promoted(), Err(SlotError::NotVerified));
    let trial = provisioned.deployed(Slot::B).unwrap();
    assert_eq!(trial.promoted(), Err(SlotError::NotVerified));
    assert_eq!(trial.deployed(Slot::B), Err(SlotError::Occupied));
    assert_eq!(trial.retired(), provisioned);
    assert_eq!(provisioned.failed_over(), provisioned);
}

#[test]
fn the_first_credential_is_the_active_one_wherever_it_is_put() {
    for slot in [Slot::A, Slot::B] {
        let slots = Slots::EMPTY.deployed(slot).unwrap();
        assert_eq!((slots.active(), slots.next()), (slot, Step::Check(slot)));
    }
}

#[test]
fn a_rotation_that_fails_over_goes_back_to_what_works() {
    // The new secret is promoted, then refused: the old one is in use again, and not to be revoked.
    let slots = Slots::EMPTY.deployed(Slot::A).unwrap().accepted(Slot::A);
    let slots = slots
        .deployed(Slot::B)
        .unwrap()
        .accepted(Slot::B)
        .promoted()
        .unwrap();
    assert_eq!(slots.next(), Step::Revoke(Slot::A));
    let slots = slots.failed_over();
    assert_eq!((slots.active(), slots.next()), (Slot::A, Step::Rest));
}

#[test]
fn what_is_no_record_is_refused() {
    for bytes in [
        &[][..],
        &[1, 0, 3],
        &[1, 0, 3, 0, 0],
        &[0, 0, 3, 0],
        &[2, 0, 3, 0],
        &[1, 2, 3, 0],
        &[1, 0, 5, 0],
        &[1, 0, 3, 5],
        // Active: retiring, only verified, or empty beside one that is not.
        &[1, 0, 4, 3],
        &[1, 1, 3, 2],
        &[1, 0, 0, 3],
        &[255; 4],
    ] {
        assert_eq!(
            Slots::from_bytes(bytes),
            Err(SlotError::Record),
            "{bytes:?}"
        );
    }
    assert_eq!(
        Slots::from_bytes(&[1, 0, 0, 0]),
        Ok(Slots::EMPTY),
        "the layout is fixed"
    );
}

proptest! {
    #[test]
    fn any_record_that_is_read_writes_back(bytes in prop::array::uniform4(0..6u8)) {
        if let Ok(slots) = Slots::from_bytes(&bytes) {
            prop_assert_eq!(slots.to_bytes(), bytes);
        }
    }
}
