//! Power cuts at every flash operation of long random sequences, against a map.
//!
//! `SECURE_STORE_SEQUENCES=n` sets the number of sequences, 300 of which take some ten minutes with `--release`.

mod support;

use std::collections::BTreeMap;

use jwt_core::HmacKey;
use secure_store::{Key, Plain, Protection, Region, Sealed, Store, StoreError};
use support::flash::{DriverFailed, MockFlash};
use support::nonces::Nonces;
use support::random::Random;

const RECORDS: usize = 12;
const OPS: usize = 40;

type Model = BTreeMap<Key, Vec<u8>>;

#[derive(Clone, Debug)]
enum Step {
    Put(Key, Vec<u8>),
    Remove(Key),
    Purge,
}

/// What was tried, for the reader of the test's output.
#[derive(Default, Debug)]
struct Tally {
    steps: u64,
    flash_operations: u64,
    cuts: u64,
    cuts_in_repairs: u64,
    as_before: u64,
    as_after: u64,
}

/// A device: its flash region, and what protects its records.
struct Device<F> {
    region: Region,
    protection: F,
}

type Opened<'f, P> = Store<&'f mut MockFlash, P, RECORDS>;

impl<P: Protection, F: Fn() -> P> Device<F> {
    fn open<'f>(&self, flash: &'f mut MockFlash) -> Opened<'f, P> {
        Store::open(flash, self.region, (self.protection)()).expect("a store after a power cut")
    }

    fn contents(&self, flash: &mut MockFlash) -> Model {
        read_all(&mut self.open(flash))
    }
}

fn read_all<P: Protection>(store: &mut Opened<P>) -> Model {
    let keys: Vec<Key> = store.records().map(|record| record.key).collect();
    let mut value = [0; 1024];
    keys.into_iter()
        .map(|key| {
            (
                key,
                store.get(key, &mut value).unwrap().unwrap().value.to_vec(),
            )
        })
        .collect()
}

fn any_step(random: &mut Random) -> Step {
    let key = match random.below(4) {
        0 => Key::credential(random.below(2) as u16),
        1 => Key::CLOCK,
        _ => Key::outbox(random.below(8) as u16),
    };
    match random.below(20) {
        0 => Step::Purge,
        1..=4 => Step::Remove(key),
        _ => {
            let len = match random.below(6) {
                0 => random.below(1025),
                _ => random.below(120),
            };
            Step::Put(key, random.bytes(len))
        }
    }
}

/// Carries a step out, and on the model too if the store did.
fn take<P: Protection>(store: &mut Opened<P>, step: &Step, model: &mut Model) {
    let done = match step {
        Step::Put(key, value) => store.put(*key, 1, value),
        Step::Remove(key) => store.remove(*key),
        Step::Purge => store.purge(),
    };
    match done {
        Ok(()) => apply(step, model),
        Err(StoreError::Full { .. } | StoreError::TooManyRecords) => {}
        Err(error) => panic!("{error}"),
    }
}

/// Starts a device whose power was cut: what it reads is what was, or what was to be, and it stays so.
fn check_after_cut<P: Protection>(
    device: &Device<impl Fn() -> P>,
    mut flash: MockFlash,
    (before, after): (&Model, &Model),
    random: &mut Random,
    (tally, nonces): (&mut Tally, &mut Nonces),
) {
    flash.start(random);
    flash.journal.clear();
    let cut = flash.clone();
    let mut store = device.open(&mut flash);
    let seen = read_all(&mut store);
    match () {
        _ if seen == *before => tally.as_before += 1,
        _ if seen == *after => tally.as_after += 1,
        _ => panic!("{seen:?} was neither {before:?} nor {after:?}"),
    }
    store.repair().unwrap();
    assert_eq!(read_all(&mut store), seen);
    drop(store);

    // The power goes once more while the store is being repaired.
    let repairs = std::mem::take(&mut flash.journal);
    let mut second = cut;
    for (at, op) in repairs.iter().enumerate() {
        // The second cut is anywhere; a few of the places do for each of the first.
        if random.below(repairs.len()) > 2 && at != 0 {
            second.apply(op);
            continue;
        }
        let mut torn = second.clone();
        torn.interrupt(op, random);
        torn.start(random);
        let mut store = device.open(&mut torn);
        let again = read_all(&mut store);
        assert!(again == *before || again == *after);
        store.repair().unwrap();
        assert_eq!(read_all(&mut store), again);
        second.apply(op);
        tally.cuts_in_repairs += 1;
    }

    // What was repaired no longer depends on any unsteady bit, and can be written to.
    flash.start(random);
    assert_eq!(device.contents(&mut flash), seen);
    let mut store = device.open(&mut flash);
    let value = random.bytes(4);
    store.put(Key::ROTATION, 1, &value).unwrap();
    drop(store);
    nonces.collect(&flash.journal);
    let mut next = seen;
    next.insert(Key::ROTATION, value);
    flash.start(random);
    assert_eq!(device.contents(&mut flash), next);
}

fn run_sequence<P: Protection>(
    seed: u64,
    protection: impl Fn() -> P,
    tally: &mut Tally,
    nonces: &mut Nonces,
) {
    let mut random = Random(seed);
    let sectors = 1 + random.below(2);
    let start = random.below(2) * 4096;
    let region = Region {
        start: start as u32,
        len: (2 * sectors * 4096) as u32,
    };
    let mut flash = MockFlash::new(start + 2 * sectors * 4096 + 4096);
    let device = Device { region, protection };
    Store::<_, _, RECORDS>::format(&mut flash, region, (device.protection)()).unwrap();
    let mut model = Model::new();
    let mut step = Step::Purge;
    for _ in 0..OPS {
        flash.journal.clear();
        let mut earlier = flash.clone();
        let before = model.clone();
        if random.below(4) != 0 {
            step = any_step(&mut random);
        }
        take(&mut device.open(&mut flash), &step, &mut model);
        assert_eq!(device.contents(&mut flash), model);
        let health = device.open(&mut flash).health();
        assert!(health.iter().all(|copy| copy.sound), "{health:?}");
        nonces.collect(&flash.journal);
        tally.steps += 1;

        for op in std::mem::take(&mut flash.journal) {
            tally.flash_operations += 1;
            let mut check = |flash: MockFlash, tally: &mut Tally| {
                tally.cuts += 1;
                let models = (&before, &model);
                check_after_cut(&device, flash, models, &mut random, (tally, nonces));
            };
            check(earlier.clone(), tally);
            for chance in 0..3 {
                let mut torn = earlier.clone();
                torn.interrupt(&op, &mut Random(seed ^ (tally.cuts << 2) ^ chance));
                check(torn, tally);
            }
            earlier.apply(&op);
        }
        assert_eq!(earlier.bytes, flash.bytes);
    }
}

/// One flash through many sessions, each of which ends with a cut anywhere, in a repair too.
fn run_sessions(seed: u64, sessions: u64) {
    let mut random = Random(seed);
    let region = Region {
        start: 0,
        len: if seed.is_multiple_of(4) { 16384 } else { 8192 },
    };
    let device = Device {
        region,
        protection: || Plain,
    };
    let mut flash = MockFlash::new(region.len as usize);
    Store::<_, _, RECORDS>::format(&mut flash, region, Plain).unwrap();
    // What the last session left: what had returned, and what had not, which may be either.
    let mut model = Model::new();
    let mut pending = model.clone();
    for session in 0..sessions {
        flash.journal.clear();
        flash.start(&mut random);
        flash.fails_after = None;
        let soon = if random.below(2) == 0 { 6 } else { 60 };
        flash.cut_after = Some((random.below(soon) as u64, random.clone()));
        let mut store = device.open(&mut flash);
        let seen = read_all(&mut store);
        assert!(
            seen == model || seen == pending,
            "seed {seed}, session {session}"
        );
        if store.repair().is_err() {
            // What was seen may turn out not to have been, until a repair is done.
            continue;
        }
        assert_eq!(read_all(&mut store), seen);
        (model, pending) = (seen.clone(), seen);
        loop {
            let step = any_step(&mut random);
            apply(&step, &mut pending);
            let done = match &step {
                Step::Put(key, value) => store.put(*key, 1, value),
                Step::Remove(key) => store.remove(*key),
                Step::Purge => store.purge(),
            };
            match done {
                Ok(()) => model = pending.clone(),
                Err(StoreError::Flash(DriverFailed)) => break,
                Err(StoreError::Full { .. } | StoreError::TooManyRecords) => {
                    pending = model.clone();
                }
                Err(error) => panic!("{error}"),
            }
            assert_eq!(read_all(&mut store), model);
            // The other copy's failure shows in the next step only; the power is gone all the same.
            if store.health().iter().any(|copy| !copy.sound) {
                break;
            }
        }
    }
}

/// Formats a store that is in use: a cut leaves all of it, nothing of it, or nothing that opens.
#[test]
fn a_format_that_is_cut_short_leaves_no_part_of_a_store() {
    let mut random = Random(8);
    let (mut as_before, mut empty) = (0, 0);
    for length in (0..60).step_by(3) {
        let device = Device {
            region: Region {
                start: 0,
                len: 8192,
            },
            protection: || Plain,
        };
        let mut flash = MockFlash::new(8192);
        Store::<_, _, RECORDS>::format(&mut flash, device.region, Plain).unwrap();
        let mut model = Model::new();
        for _ in 0..length {
            take(
                &mut device.open(&mut flash),
                &any_step(&mut random),
                &mut model,
            );
        }
        flash.journal.clear();
        let mut earlier = flash.clone();
        drop(Store::<_, _, RECORDS>::format(&mut flash, device.region, Plain).unwrap());
        for op in &flash.journal {
            for _ in 0..8 {
                let mut torn = earlier.clone();
                torn.interrupt(op, &mut random);
                torn.start(&mut random);
                match device.contents(&mut torn) {
                    seen if seen.is_empty() => empty += 1,
                    seen => {
                        assert_eq!(seen, model);
                        as_before += 1;
                    }
                }
            }
            earlier.apply(op);
        }
    }
    assert!(as_before > 50 && empty > 50);
}

fn apply(step: &Step, model: &mut Model) {
    match step {
        Step::Put(key, value) => drop(model.insert(*key, value.clone())),
        Step::Remove(key) => drop(model.remove(key)),
        Step::Purge => {}
    }
}

#[test]
fn nothing_committed_is_lost_through_many_cuts_of_one_flash() {
    let flashes = sequences(3);
    for seed in 0..flashes {
        run_sessions(seed, 100);
    }
    println!("{flashes} flashes with 100 sessions each, every one cut short: nothing lost");
}

fn sequences(default: u64) -> u64 {
    std::env::var("SECURE_STORE_SEQUENCES").map_or(default, |text| text.parse().expect("a number"))
}

#[test]
fn nothing_committed_is_lost_at_any_cut() {
    let sequences = sequences(2);
    let (mut tally, mut nonces) = (Tally::default(), Nonces::default());
    for seed in 0..sequences {
        run_sequence(seed, || Plain, &mut tally, &mut nonces);
    }
    assert!(tally.as_before > 0 && tally.as_after > 0);
    assert_eq!(nonces.len(), 0);
    println!("plain, {sequences} sequences, nothing lost: {tally:?}");
}

/// All of them are one device with one key, put back to every state it has been in and used anew from
/// there: no nonce is ever programmed with two texts, torn entries and abandoned numbers included.
#[test]
fn nothing_sealed_is_lost_and_no_nonce_comes_twice() {
    let sequences = sequences(1);
    let (mut tally, mut nonces) = (Tally::default(), Nonces::default());
    let seal = || Sealed::new(&HmacKey::new(&[7; 32]).unwrap()).unwrap();
    for seed in 0..sequences {
        run_sequence(seed, seal, &mut tally, &mut nonces);
    }
    assert!(tally.as_before > 0 && tally.as_after > 0);
    assert!(nonces.len() as u64 > tally.steps / 2);
    println!(
        "sealed, {sequences} sequences, nothing lost, {} nonces, each with one text: {tally:?}",
        nonces.len()
    );
}
