//! What the flash goes through for an alert, measured, and whether the store counts it right.

mod support;

use secure_store::{Key, Plain, Region, Sealed, Store};
use support::flash::{MockFlash, Op, SECTOR};

/// NOR flash is specified for this many erases of a sector.
const CYCLES: u64 = 100_000;

/// An outbox's writes for an alert of 160 characters: queued, about to be sent, delivered.
const ALERT_LEN: usize = 200;

/// Sends alerts and returns how many one erase of a copy is good for.
fn alerts_per_erase(sectors: u32, sealed: bool) -> u64 {
    const ALERTS: u64 = 2_000;
    let region = Region {
        start: 0,
        len: 2 * sectors * 4096,
    };
    let mut flash = MockFlash::new(region.len as usize);
    match sealed {
        false => run(
            Store::<_, _, 24>::format(&mut flash, region, Plain).unwrap(),
            ALERTS,
        ),
        true => {
            let seal = Sealed::new(&jwt_core::HmacKey::new(&[1; 32]).unwrap()).unwrap();
            run(
                Store::<_, _, 24>::format(&mut flash, region, seal).unwrap(),
                ALERTS,
            );
        }
    }
    let worst = *flash.erases.iter().max().unwrap();
    // All sectors of a copy age alike, the copies nearly so, and the store knows by how much. Copy A is filled with a
    // removal that the new entry replaces at once, which in the smallest sealed store costs it an alert now and then.
    for copy in flash.erases.chunks(sectors as usize) {
        assert!(copy.iter().all(|erases| *erases == copy[0]));
    }
    let least = *flash.erases.iter().min().unwrap();
    assert!(worst - least <= 1 + worst / 10, "{worst} and {least}");
    let store = Store::<_, _, 24>::open(&mut flash, region, Plain).unwrap();
    let counted = store.health().map(|copy| u64::from(copy.erases));
    drop(store);
    assert_eq!(counted, [flash.erases[0], flash.erases[sectors as usize]]);
    ALERTS / worst
}

fn run<P: secure_store::Protection>(mut store: Store<&mut MockFlash, P, 24>, alerts: u64) {
    // What is always there: credentials, settings, clock, rotation.
    for (key, len) in [
        (Key::credential(0), 113),
        (Key::credential(1), 113),
        (Key::ROTATION, 4),
        (Key::CLOCK, 16),
        (Key::DEVICE, 100),
        (Key::NETWORK, 150),
    ] {
        store.put(key, 1, &[0; 150][..len]).unwrap();
    }
    for n in 0..alerts {
        let slot = Key::outbox(1 + n as u16 % 16);
        store.put(slot, 1, &[1; ALERT_LEN]).unwrap();
        store.put(slot, 1, &[2; ALERT_LEN]).unwrap();
        store.remove(slot).unwrap();
    }
}

/// The figures of `docs/store-format.md`, section "Wear".
#[test]
fn alerts_for_an_erase_are_as_documented() {
    for (sectors, plain, sealed) in [(1, 6, 5), (2, 16, 11), (8, 68, 54)] {
        assert_eq!(alerts_per_erase(sectors, false), plain, "{sectors} sectors");
        assert_eq!(alerts_per_erase(sectors, true), sealed, "{sectors} sectors");
        let years = plain * CYCLES / (100 * 365);
        println!("{sectors} sectors a copy: {plain} alerts an erase, {years} years of 100 a day");
    }
}

/// A header that is lost takes its count with it; the other copy's is a good guess.
#[test]
fn erases_are_counted_on_when_a_header_is_lost() {
    let region = Region {
        start: 0,
        len: 8192,
    };
    let mut flash = MockFlash::new(8192);
    let mut store = Store::<_, _, 4>::format(&mut flash, region, Plain).unwrap();
    for _ in 0..49 {
        store.purge().unwrap();
    }
    drop(store);
    for side in [0, 4096] {
        flash.bytes[side] = 0;
        Store::<_, _, 4>::open(&mut flash, region, Plain)
            .unwrap()
            .repair()
            .unwrap();
        let store = Store::<_, _, 4>::open(&mut flash, region, Plain).unwrap();
        assert!(
            store
                .health()
                .iter()
                .all(|copy| (50..=51).contains(&copy.erases))
        );
    }
    assert_eq!(flash.erases, [51, 51]);
}

/// Interrupts are off during a call that erases, so each is of one sector; the header goes with the first.
#[test]
fn a_copy_is_erased_sector_by_sector_from_its_header_on() {
    let region = Region {
        start: 0,
        len: 6 * SECTOR as u32,
    };
    let mut flash = MockFlash::new(6 * SECTOR);
    let mut store = Store::<_, _, 4>::format(&mut flash, region, Plain).unwrap();
    store.purge().unwrap();
    drop(store);
    assert_eq!(flash.longest_erase, SECTOR);
    let erased: Vec<usize> = flash
        .journal
        .iter()
        .filter_map(|op| match op {
            Op::Erase { sector } => Some(*sector),
            Op::Program { .. } => None,
        })
        .collect();
    assert_eq!(erased, [0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5]);
}
