//! Uses a store as a device does whose power may go at any moment, or opens what somebody has put into the flash.
//!
//! What was committed is there after every cut, as a map has it. An image that isn't of the store's making may be
//! refused or read, and nothing else.
#![no_main]

#[path = "../../crates/secure-store/tests/support/flash.rs"]
#[allow(dead_code)]
mod flash;
#[path = "../../crates/secure-store/tests/support/random.rs"]
#[allow(dead_code)]
mod random;

use std::collections::BTreeMap;

use arbitrary::Arbitrary;
use flash::{DriverFailed, MockFlash};
use jwt_core::HmacKey;
use libfuzzer_sys::fuzz_target;
use random::Random;
use secure_store::{Key, Plain, Protection, Region, Sealed, Store, StoreError};

const REGION: Region = Region {
    start: 4096,
    len: 8192,
};
const RECORDS: usize = 8;

#[derive(Arbitrary, Debug)]
struct Input {
    seed: u64,
    sealed: bool,
    /// Bytes of both copies, with a header that is in order if they have one; or a store of its own.
    image: Option<(Vec<u8>, Vec<u8>)>,
    sessions: Vec<Session>,
}

#[derive(Arbitrary, Debug)]
struct Session {
    /// Flash operations until the power goes inside one.
    lasts: u8,
    steps: Vec<Step>,
}

#[derive(Arbitrary, Debug)]
enum Step {
    Put { slot: u8, version: u8, len: u16 },
    Remove { slot: u8 },
    Purge,
}

type Model = BTreeMap<Key, Vec<u8>>;

fuzz_target!(|input: Input| {
    let seal = || Sealed::new(&HmacKey::new(&[7; 32]).unwrap()).unwrap();
    match (&input.image, input.sealed) {
        (Some(_), true) => read_image(&input, seal()),
        (Some(_), false) => read_image(&input, Plain),
        (None, true) => live(&input, seal),
        (None, false) => live(&input, || Plain),
    }
});

/// Opens foreign bytes: no panic, and a store that opens can be written to or says why not.
fn read_image(input: &Input, protection: impl Protection) {
    let mut flash = MockFlash::new(16384);
    let (a, b) = input.image.as_ref().unwrap();
    for (copy, start) in [(a, 4096), (b, 8192)] {
        let image = &mut flash.bytes[start..start + 4096];
        let len = copy.len().min(image.len());
        image[..len].copy_from_slice(&copy[..len]);
        mend(image);
    }
    let before = flash.bytes.clone();
    let opened = Store::<_, _, RECORDS>::open(&mut flash, REGION, protection);
    let Ok(mut store) = opened else {
        assert!(flash.bytes == before);
        return;
    };
    let keys: Vec<Key> = store.records().map(|record| record.key).collect();
    assert!(keys.len() <= RECORDS);
    let mut value = [0; 1024];
    for key in keys {
        let _ = store.get(key, &mut value);
    }
    if store.put(Key::CLOCK, 255, b"new").is_ok() {
        let record = store.get(Key::CLOCK, &mut value).unwrap().unwrap();
        assert_eq!(record.value, b"new");
    }
    drop(store);
    assert!(flash.bytes[..4096] == before[..4096] && flash.bytes[12288..] == before[12288..]);
}

/// Gives the header and the entries checksums that fit, so that more than those are looked at.
fn mend(image: &mut [u8]) {
    let crc = |parts: &[&[u8]]| crc32fast::hash(&parts.concat()).to_le_bytes();
    if image[0] & 1 == 1 {
        image[..8].copy_from_slice(b"SECSTORE");
        image[8] &= 1;
        image[12..16].copy_from_slice(&4096u32.to_le_bytes());
    }
    let sum = crc(&[&image[..28]]);
    image[28..32].copy_from_slice(&sum);
    let mut at = 32;
    while at + 16 <= image.len() && image[at..at + 16] != [0xff; 16] {
        let len = usize::from(u16::from_le_bytes([image[at + 6], image[at + 7]]) % 64);
        let end = (at + 16 + len).next_multiple_of(16);
        if end > image.len() {
            break;
        }
        image[at + 7] = 0;
        image[at + 6] = len as u8;
        let sum = crc(&[&image[at..at + 12], &image[at + 16..at + 16 + len]]);
        image[at + 12..at + 16].copy_from_slice(&sum);
        at = end;
    }
}

/// Lives through sessions that each end with a cut.
fn live<P: Protection>(input: &Input, protect: impl Fn() -> P) {
    let mut random = Random(input.seed);
    let mut flash = MockFlash::new(16384);
    drop(Store::<_, _, RECORDS>::format(&mut flash, REGION, protect()).unwrap());
    let mut model = Model::new();
    let mut pending = model.clone();
    for session in &input.sessions {
        flash.start(&mut random);
        flash.fails_after = None;
        flash.cut_after = Some((u64::from(session.lasts), random.clone()));
        random.next();
        let mut store = Store::<_, _, RECORDS>::open(&mut flash, REGION, protect()).unwrap();
        let seen = read_all(&mut store);
        assert!(seen == model || seen == pending);
        if store.repair().is_err() {
            continue;
        }
        (model, pending) = (seen.clone(), seen);
        for step in &session.steps {
            pending = model.clone();
            let done = match *step {
                Step::Put { slot, version, len } => {
                    let key = Key::outbox(u16::from(slot % 10));
                    let value = random.bytes(usize::from(len % 1100));
                    let done = store.put(key, version % 2, &value);
                    pending.insert(key, value);
                    done
                }
                Step::Remove { slot } => {
                    let key = Key::outbox(u16::from(slot % 10));
                    pending.remove(&key);
                    store.remove(key)
                }
                Step::Purge => store.purge(),
            };
            match done {
                Ok(()) => model = pending.clone(),
                Err(StoreError::Flash(DriverFailed)) => break,
                Err(
                    StoreError::Full { .. }
                    | StoreError::TooLong { .. }
                    | StoreError::TooManyRecords
                    | StoreError::NewerRecord { .. },
                ) => pending = model.clone(),
                Err(error) => panic!("{error}"),
            }
            assert_eq!(read_all(&mut store), model);
            // The cut was in the second copy, which shows in the next step only; the power is gone all the same.
            if store.health().iter().any(|copy| !copy.sound) {
                break;
            }
        }
    }
}

fn read_all<P: Protection>(store: &mut Store<&mut MockFlash, P, RECORDS>) -> Model {
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
