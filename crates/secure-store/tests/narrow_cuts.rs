//! Cuts that chance seldom finds: each of them once cost a record, or would without one line of the crate.

mod support;

use secure_store::{Key, Plain, Region, Store};
use support::flash::{DriverFailed, MockFlash, Op};
use support::random::Random;

const REGION: Region = Region {
    start: 0,
    len: 8192,
};
const COPY: usize = 4096;
const RECORDS: usize = 12;

fn open(flash: &mut MockFlash) -> Store<&mut MockFlash, Plain, RECORDS> {
    Store::open(flash, REGION, Plain).expect("a store after a power cut")
}

/// A store of ten records, both copies just filled.
fn filled() -> MockFlash {
    let mut flash = MockFlash::new(8192);
    let mut store = Store::<_, _, RECORDS>::format(&mut flash, REGION, Plain).unwrap();
    for n in 0..10 {
        store.put(Key::outbox(n), 1, &[n as u8; 40]).unwrap();
    }
    store.purge().unwrap();
    drop(store);
    flash.journal.clear();
    flash
}

fn assert_all_there(flash: &mut MockFlash) {
    let mut store = open(flash);
    let mut value = [0; 64];
    assert_eq!(store.records().count(), 10);
    for n in 0..10 {
        let record = store.get(Key::outbox(n), &mut value).unwrap().unwrap();
        assert_eq!(record.value, [n as u8; 40]);
    }
}

/// A copy that was just filled is erased again, from its end: what is left looks whole, and isn't.
#[test]
fn a_header_before_fewer_entries_than_it_counts_is_not_believed() {
    let before = filled();
    let mut flash = before.clone();
    open(&mut flash).purge().unwrap();
    let erases: Vec<usize> = flash
        .journal
        .iter()
        .filter_map(|op| match op {
            Op::Erase { sector } => Some(sector * COPY),
            Op::Program { .. } => None,
        })
        .collect();
    assert_eq!(erases, [0, COPY]);
    for start in erases {
        for left in (0..COPY).step_by(16) {
            let mut torn = before.clone();
            torn.bytes[start + left..start + COPY].fill(0xff);
            assert_all_there(&mut torn);
            open(&mut torn).repair().unwrap();
            assert_all_there(&mut torn);
        }
    }
}

/// An erase of one copy was cut short and left it reading as before, for now; then the other is erased.
#[test]
fn a_copy_that_reads_well_by_chance_is_not_relied_upon() {
    let mut random = Random(9);
    let used = 32 + 10 * (16 + 48);
    for (unsteady, erased) in [(COPY, 0), (0, COPY)] {
        for offset in 0..used {
            let mut flash = filled();
            flash.unsettle(unsteady + offset);
            let before = flash.clone();
            let mut store = open(&mut flash);
            // A purge erases A first; a rotten A makes a repair that erases A, a rotten B one that erases B.
            if erased == COPY {
                drop(store);
                flash.bytes[COPY + 100] ^= 1;
                store = open(&mut flash);
                store.repair().unwrap();
            } else {
                store.purge().unwrap();
            }
            drop(store);
            let mut earlier = before;
            if erased == COPY {
                earlier.bytes[COPY + 100] ^= 1;
            }
            for op in std::mem::take(&mut flash.journal) {
                if matches!(op, Op::Erase { sector } if sector * COPY == erased) {
                    let mut torn = earlier.clone();
                    torn.bytes[erased..erased + COPY].fill(0x5a);
                    for _ in 0..4 {
                        torn.start(&mut random);
                        assert_all_there(&mut torn);
                    }
                }
                earlier.apply(&op);
            }
        }
    }
}

/// Every operation fails at once, again and again, in every session: nothing moves, nothing is lost.
#[test]
fn a_device_that_never_gets_further_loses_nothing() {
    let mut flash = filled();
    let mut random = Random(10);
    for session in 0..200 {
        flash.start(&mut random);
        flash.fails_after = None;
        flash.cut_after = Some((session % 3, Random(session)));
        let mut store = open(&mut flash);
        let ended = store
            .repair()
            .and_then(|()| store.purge())
            .and_then(|()| store.put(Key::outbox(3), 1, &[3; 40]));
        assert_eq!(ended, Err(secure_store::StoreError::Flash(DriverFailed)));
        drop(store);
    }
    flash.fails_after = None;
    flash.cut_after = None;
    flash.start(&mut random);
    assert_all_there(&mut flash);
    open(&mut flash).repair().unwrap();
    assert_all_there(&mut flash);
}
