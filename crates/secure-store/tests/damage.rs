//! What is not a power cut: rot, foreign and newer images, failing drivers, worn flash.

mod support;

use std::collections::BTreeMap;

use crc::{CRC_32_ISO_HDLC, Crc};
use jwt_core::HmacKey;
use secure_store::{Image, Key, MAX_VALUE_LEN, Plain, Region, Sealed, Store, StoreError};
use support::flash::{MockFlash, Shared};
use support::random::Random;

const REGION: Region = Region {
    start: 0,
    len: 8192,
};
const COPY: usize = 4096;

type Model = BTreeMap<Key, Vec<u8>>;

fn open(
    bytes: &mut [u8],
) -> Result<Store<Image<'_>, Plain, 12>, StoreError<secure_store::ImageError>> {
    Store::open(Image::new(bytes), REGION, Plain)
}

/// A store after some puts and a removal, and what is in it.
fn sample() -> (Vec<u8>, Model) {
    let mut bytes = vec![0xff; 8192];
    let mut model = Model::new();
    let mut random = Random(4);
    let mut store = Store::<_, _, 12>::format(Image::new(&mut bytes), REGION, Plain).unwrap();
    for n in 0..40 {
        let key = Key::outbox(n % 5);
        let value = random.bytes(10 + usize::from(n));
        store.put(key, 1, &value).unwrap();
        model.insert(key, value);
    }
    store.remove(Key::outbox(3)).unwrap();
    model.remove(&Key::outbox(3));
    drop(store);
    (bytes, model)
}

fn read_all<F: embedded_storage::nor_flash::MultiwriteNorFlash>(
    store: &mut Store<F, Plain, 12>,
) -> Model {
    let keys: Vec<Key> = store.records().map(|record| record.key).collect();
    let mut value = [0; MAX_VALUE_LEN];
    keys.into_iter()
        .map(|key| {
            (
                key,
                store.get(key, &mut value).unwrap().unwrap().value.to_vec(),
            )
        })
        .collect()
}

#[test]
fn what_is_no_store_is_told_and_left_alone() {
    let (good, _) = sample();
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = good.clone();
        change(&mut bytes);
        bytes
    };
    let header = |at: usize, version: u8, copy_len: u32| {
        let mut header = good[..32].to_vec();
        header[8] = version;
        header[12..16].copy_from_slice(&copy_len.to_le_bytes());
        let crc = Crc::<u32>::new(&CRC_32_ISO_HDLC).checksum(&header[..28]);
        header[28..].copy_from_slice(&crc.to_le_bytes());
        move |bytes: &mut Vec<u8>| bytes[at..at + 32].copy_from_slice(&header)
    };
    let swapped = |bytes: &mut Vec<u8>, start: usize| {
        // The first two entries have 16 + 16 bytes each.
        let (first, second) = bytes[start + 32..start + 96].split_at_mut(32);
        first.swap_with_slice(second);
    };
    let cases: [(&str, Vec<u8>, StoreError<_>); 10] = [
        (
            "entries out of order",
            with(&|bytes| {
                swapped(bytes, 0);
                swapped(bytes, COPY);
            }),
            StoreError::Damaged,
        ),
        ("erased", vec![0xff; 8192], StoreError::Blank),
        ("zeros", vec![0; 8192], StoreError::Foreign),
        ("noise", Random(5).bytes(8192), StoreError::Foreign),
        (
            "a file system",
            b"\xeb\x3c\x90MSDOS5.0".repeat(1000)[..8192].to_vec(),
            StoreError::Foreign,
        ),
        (
            "newer",
            with(&header(0, 2, 4096)),
            StoreError::NewerFormat { version: 2 },
        ),
        (
            "newer B",
            with(&header(COPY, 9, 4096)),
            StoreError::NewerFormat { version: 9 },
        ),
        (
            "made for a larger region",
            with(&|bytes| {
                header(0, 1, 8192)(bytes);
                bytes[COPY..].fill(0xff);
            }),
            StoreError::Resized { copy_len: 8192 },
        ),
        (
            "torn in the first format",
            with(&|bytes| {
                bytes[20..4096].fill(0xff);
                bytes[COPY..].fill(0xff);
            }),
            StoreError::Foreign,
        ),
        (
            "both copies rotten",
            with(&|bytes| {
                bytes[100] ^= 1;
                bytes[COPY + 200] ^= 1;
            }),
            StoreError::Damaged,
        ),
    ];
    for (name, bytes, error) in cases {
        let mut after = bytes.clone();
        assert_eq!(open(&mut after).err(), Some(error), "{name}");
        assert!(after == bytes, "{name} was overwritten");
    }
}

#[test]
fn regions_that_dont_fit_are_refused() {
    for (start, len) in [
        (0, 8191),
        (0, 8193),
        (0, 4096),
        (4, 8192),
        (4096, 8192),
        (0, 0),
        (u32::MAX, 8192),
    ] {
        let region = Region { start, len };
        let mut bytes = vec![0xff; 8192];
        let opened = Store::<_, _, 1>::open(Image::new(&mut bytes), region, Plain);
        assert_eq!(opened.err(), Some(StoreError::Region));
    }
}

/// Any bit of a copy flips: every record is still read, nothing is written until it may be.
#[test]
fn one_copy_rots_and_the_other_is_read() {
    let (good, model) = sample();
    let used = 4096
        - good[..4096]
            .iter()
            .rev()
            .take_while(|byte| **byte == 0xff)
            .count();
    let mut random = Random(6);
    // Every byte of the header and of the first and last entries, and some of the others.
    let places = (0..used).filter(|at| *at < 80 || used - at < 80 || at % 7 == 0);
    for at in places.chain([4095]) {
        for side in [0, COPY] {
            let mut bytes = good.clone();
            bytes[side + at] ^= 1 << random.below(8);
            let rotten = bytes.clone();
            let mut store = open(&mut bytes).unwrap();
            assert_eq!(read_all(&mut store), model, "byte {at}");
            // Headers have no blanks behind them, which are all that no checksum covers.
            if at < 48 {
                assert!(!store.health()[side / COPY].sound, "byte {at}");
            }
            drop(store);
            assert!(bytes == rotten);
            let mut store = open(&mut bytes).unwrap();
            store.repair().unwrap();
            assert!(store.health().iter().all(|copy| copy.sound));
            assert_eq!(read_all(&mut store), model);
        }
    }
}

/// A copy rots while the store is in use: reads and writes go on from the other.
#[test]
fn rot_at_run_time_is_read_around_and_mended() {
    let value = |n: u8| vec![n; 300];
    for side in [0, COPY] {
        let flash = Shared::new(8192);
        let mut store = Store::<_, _, 12>::format(flash.clone(), REGION, Plain).unwrap();
        for n in 0..4 {
            store.put(Key::outbox(n), 1, &value(n as u8)).unwrap();
        }
        flash.0.borrow_mut().bytes[side + 500] ^= 4;
        let model: Model = (0..4).map(|n| (Key::outbox(n), value(n as u8))).collect();
        assert_eq!(read_all(&mut store), model);
        // Enough to fill both copies several times over.
        for n in 0..40 {
            match store.put(Key::outbox(9), 1, &value(n)) {
                Ok(()) | Err(StoreError::Damaged) => {}
                Err(error) => panic!("{error}"),
            }
        }
        store.put(Key::outbox(9), 1, &value(9)).unwrap();
        let mut model = model;
        model.insert(Key::outbox(9), value(9));
        assert_eq!(read_all(&mut store), model);
        drop(store);
        let mut store = Store::<_, _, 12>::open(flash, REGION, Plain).unwrap();
        assert!(store.health().iter().all(|copy| copy.sound));
        assert_eq!(read_all(&mut store), model);
    }
}

/// A copy has rotted unnoticed, and the other is about to be erased: it isn't.
#[test]
fn a_rotten_copy_is_found_before_its_spare_is_erased() {
    let flash = Shared::new(8192);
    let mut store = Store::<_, _, 12>::format(flash.clone(), REGION, Plain).unwrap();
    for n in 0..4 {
        store.put(Key::outbox(n), 1, &[n as u8; 300]).unwrap();
    }
    flash.0.borrow_mut().bytes[COPY + 500] ^= 4;
    assert_eq!(store.purge(), Err(StoreError::Damaged));
    assert_eq!(read_all(&mut store).len(), 4);
    store.purge().unwrap();
    assert_eq!(read_all(&mut store).len(), 4);
}

/// The driver fails for a moment at every operation of a sequence: every record is old or new, and stays so.
#[test]
fn a_failing_driver_loses_nothing() {
    let mut failures = 0;
    for fails_after in (0..600).step_by(5) {
        let mut random = Random(7);
        let flash = Shared::new(8192);
        let mut store = Store::<_, _, 12>::format(flash.clone(), REGION, Plain).unwrap();
        flash.0.borrow_mut().fails_after = Some(fails_after);
        let mut model = Model::new();
        for n in 0..60 {
            let key = Key::outbox(n % 3);
            let value = random.bytes(random.clone().below(1000));
            let mut new = model.clone();
            let done = match n % 8 {
                4 => {
                    new.remove(&key);
                    store.remove(key)
                }
                5 => store.purge(),
                _ => {
                    new.insert(key, value.clone());
                    store.put(key, 1, &value)
                }
            };
            match done {
                Ok(()) => model = new.clone(),
                Err(StoreError::Flash(_)) => failures += 1,
                Err(error) => panic!("{error}"),
            }
            // As long as the power stays the old value is in force after an error.
            assert_eq!(read_all(&mut store), model);
            let failed = flash.0.borrow().fails_after == Some(0);
            if failed {
                flash.0.borrow_mut().fails_after = None;
            }
            // A store that was just opened steadies a copy before it erases the other.
            if n % 3 == 0 && !(failed && n % 2 == 0) {
                drop(store);
                store = Store::open(flash.clone(), REGION, Plain).unwrap();
                let seen = read_all(&mut store);
                assert!(seen == model || (failed && seen == new));
                model = seen;
            }
        }
        drop(store);
        let mut store = Store::open(flash, REGION, Plain).unwrap();
        assert_eq!(read_all(&mut store), model, "failing after {fails_after}");
    }
    assert!(failures > 60);
}

/// The driver fails while copy B, which is full, is about to be made anew: B is behind, and is not taken for sound.
#[test]
fn a_copy_that_missed_a_write_is_made_anew() {
    for fails_after in 0..60 {
        let flash = Shared::new(8192);
        let mut store = Store::<_, _, 12>::format(flash.clone(), REGION, Plain).unwrap();
        // A has room for one more of these, B for none.
        for _ in 0..6 {
            store.put(Key::outbox(1), 1, &[1; 1000]).unwrap();
        }
        drop(store);
        let mut store = Store::<_, _, 12>::open(flash.clone(), REGION, Plain).unwrap();
        flash.0.borrow_mut().fails_after = Some(fails_after);
        let put = store.put(Key::outbox(2), 1, &[2; 1000]);
        flash.0.borrow_mut().fails_after = None;
        store.purge().unwrap();
        let mut model = Model::from([(Key::outbox(1), vec![1; 1000])]);
        if put.is_ok() {
            model.insert(Key::outbox(2), vec![2; 1000]);
        }
        assert_eq!(read_all(&mut store), model, "failing after {fails_after}");
    }
}

#[test]
fn worn_flash_is_told_before_the_value_is_trusted() {
    for worn in [40, 50, COPY + 40] {
        let flash = Shared::new(8192);
        let mut store = Store::<_, _, 12>::format(flash.clone(), REGION, Plain).unwrap();
        flash.0.borrow_mut().worn = Some(worn);
        let put = store.put(Key::CLOCK, 1, &[0; 16]);
        if worn < COPY {
            assert_eq!(put, Err(StoreError::Unreliable));
            assert!(read_all(&mut store).is_empty());
        } else {
            // Copy A has it; the next write finds that B can't be made whole any more.
            assert_eq!(put, Ok(()));
            assert!(!store.health()[1].sound);
            assert_eq!(
                store.put(Key::ROTATION, 1, &[0; 4]),
                Err(StoreError::Unreliable)
            );
            assert_eq!(read_all(&mut store).len(), 1);
        }
    }
}

/// An entry as a newer program would write it, by `docs/store-format.md`.
fn entry(kind: u8, version: u8, form: u8, slot: u16, seq: u32, value: &[u8]) -> Vec<u8> {
    let mut entry = vec![kind, version, form, 0];
    entry.extend(slot.to_le_bytes());
    entry.extend((value.len() as u16).to_le_bytes());
    entry.extend(seq.to_le_bytes());
    let crc = Crc::<u32>::new(&CRC_32_ISO_HDLC);
    let mut digest = crc.digest();
    digest.update(&entry);
    digest.update(value);
    entry.extend(digest.finalize().to_le_bytes());
    entry.extend(value);
    entry.resize(entry.len().next_multiple_of(16), 0xff);
    entry
}

#[test]
fn what_a_newer_program_wrote_is_kept_and_not_replaced() {
    let mut bytes = vec![0xff; 8192];
    drop(Store::<_, _, 12>::format(Image::new(&mut bytes), REGION, Plain).unwrap());
    let newer = [
        entry(200, 9, 1, 77, 2, b"of a kind unknown"),
        entry(3, 2, 1, 0, 3, b"a clock of a later version"),
        entry(6, 1, 4, 0, 4, b"stored in a form unknown"),
    ];
    for side in [0, COPY] {
        let all = newer.concat();
        bytes[side + 32..side + 32 + all.len()].copy_from_slice(&all);
    }
    let mut store = open(&mut bytes).unwrap();
    let mut value = [0; 64];
    for n in 0..100 {
        store.put(Key::outbox(1), 1, &[n; 200]).unwrap();
    }
    assert!(store.health().iter().all(|copy| copy.erases > 2));
    assert_eq!(
        store.put(Key::CLOCK, 1, &[0; 16]),
        Err(StoreError::NewerRecord { version: 2 })
    );
    assert_eq!(
        store.get(Key::NETWORK, &mut value),
        Err(StoreError::NewerRecord { version: 1 })
    );
    let unknown = Key {
        kind: 200,
        slot: 77,
    };
    assert_eq!(
        store.get(unknown, &mut value).unwrap().unwrap().value,
        b"of a kind unknown"
    );
    let custodies: Vec<_> = store
        .records()
        .map(|record| record.custody.is_some())
        .collect();
    assert_eq!(custodies, [true, true, false, true]);
    drop(store);
    for entry in &newer {
        for side in [&bytes[..COPY], &bytes[COPY..]] {
            assert!(side.windows(entry.len()).any(|window| window == entry));
        }
    }
    let mut store = open(&mut bytes).unwrap();
    store.remove(Key::CLOCK).unwrap();
    store.put(Key::CLOCK, 1, &[0; 16]).unwrap();
}

#[test]
fn limits_are_told_and_nothing_is_written() {
    let mut flash = MockFlash::new(8192);
    let mut store = Store::<_, _, 3>::format(&mut flash, REGION, Plain).unwrap();
    let too_long = [0; MAX_VALUE_LEN + 1];
    assert_eq!(
        store.put(Key::CLOCK, 1, &too_long),
        Err(StoreError::TooLong { len: 1025 })
    );
    for kind in [0, 255] {
        assert_eq!(
            store.put(Key { kind, slot: 0 }, 1, b""),
            Err(StoreError::Reserved)
        );
    }
    // 32 for the header, 32 for a removal, 3 x 1040: 912 bytes are left, 896 of them for a value.
    for n in 0..3 {
        store
            .put(Key::outbox(n), 1, &too_long[..MAX_VALUE_LEN])
            .unwrap();
    }
    assert_eq!(
        store.put(Key::outbox(3), 1, b""),
        Err(StoreError::TooManyRecords)
    );
    assert_eq!(store.free(), 896);
    let full = StoreError::Full { free: 896 };
    assert_eq!(store.put(Key::outbox(0), 1, &too_long[..897]), Err(full));
    assert_eq!(store.put(Key::outbox(0), 1, &too_long[..896]), Ok(()));

    let mut small = [7; 1023];
    let needed = StoreError::BufferTooSmall { needed: 1024 };
    assert_eq!(store.get(Key::outbox(1), &mut small), Err(needed));
    assert_eq!(small, [7; 1023]);
    // A full store can still be emptied.
    for n in 0..3 {
        store.remove(Key::outbox(n)).unwrap();
    }
    assert_eq!(store.records().count(), 0);
}

#[test]
fn a_full_sealed_store_tells_what_a_value_may_have() {
    let seal = Sealed::new(&HmacKey::new(&[7; 32]).unwrap()).unwrap();
    let mut flash = MockFlash::new(8192);
    let mut store = Store::<_, _, 4>::format(&mut flash, REGION, seal).unwrap();
    for n in 0..3 {
        store.put(Key::outbox(n), 1, &[0; MAX_VALUE_LEN]).unwrap();
    }
    // 32 for the header, 32 for a removal, 3 x 1088: 768 bytes are left, 16 for an entry's header and 44 for the seal.
    assert_eq!(store.free(), 708);
    let full = StoreError::Full { free: 708 };
    assert_eq!(store.put(Key::outbox(3), 1, &[0; 709]), Err(full));
    assert_eq!(store.put(Key::outbox(3), 1, &[0; 708]), Ok(()));
}

#[test]
fn too_many_records_for_a_program_are_told() {
    let mut bytes = vec![0xff; 8192];
    let mut store = Store::<_, _, 2>::format(Image::new(&mut bytes), REGION, Plain).unwrap();
    store.put(Key::CLOCK, 1, b"").unwrap();
    store.put(Key::DEVICE, 1, b"").unwrap();
    drop(store);
    let opened = Store::<_, _, 1>::open(Image::new(&mut bytes), REGION, Plain);
    assert_eq!(opened.err(), Some(StoreError::TooManyRecords));
}
