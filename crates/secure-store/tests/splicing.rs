//! Somebody who can write the flash puts a sealed store together from entries that the device has made.
//!
//! Whatever he takes, leaves out and puts back: the sealed records of what opens are a state that the store has had, all of
//! it. What he adds unsealed may open beside them, under names that are free in that state, and is refused when it is read.

use std::collections::BTreeMap;

use jwt_core::HmacKey;
use proptest::prelude::*;
use secure_store::{Image, ImageError, Key, Plain, Region, Sealed, Store, StoreError};

const COPY: usize = 4096;
const REGION: Region = Region {
    start: 0,
    len: 2 * COPY as u32,
};

type State = BTreeMap<Key, Vec<u8>>;

fn seal() -> Sealed {
    Sealed::new(&HmacKey::new(&[0x42; 32]).unwrap()).unwrap()
}

fn read(bytes: &mut [u8]) -> Result<State, StoreError<ImageError>> {
    let (state, refused) = read_all(bytes)?;
    refused.map_or(Ok(state), Err)
}

/// Returns what can be read, and why the rest can't.
fn read_all(
    bytes: &mut [u8],
) -> Result<(State, Option<StoreError<ImageError>>), StoreError<ImageError>> {
    let mut store = Store::<_, _, 16>::open(Image::new(bytes), REGION, seal())?;
    let keys: Vec<Key> = store.records().map(|record| record.key).collect();
    let mut value = [0; 64];
    let (mut state, mut refused) = (State::new(), None);
    for key in keys {
        match store.get(key, &mut value) {
            Ok(record) => drop(state.insert(key, record.unwrap().value.to_vec())),
            Err(error) => refused = Some(error),
        }
    }
    Ok((state, refused))
}

/// The entries of copy A, as `docs/store-format.md` describes them.
fn entries(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = &bytes[32..COPY];
    let mut entries = Vec::new();
    while rest[..16] != [0xff; 16] {
        let len = usize::from(u16::from_le_bytes([rest[6], rest[7]]));
        let (entry, after) = rest.split_at(16 + len.next_multiple_of(16));
        entries.push(entry.to_vec());
        rest = after;
    }
    entries
}

/// Two equal copies with these entries, and a header that vouches for nothing but them.
fn image(entries: &[&[u8]]) -> Vec<u8> {
    let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);
    let words = [COPY as u32, 1, 0, entries.len() as u32];
    let mut copy = b"SECSTORE\x01\0\0\0".to_vec();
    copy.extend(words.into_iter().flat_map(u32::to_le_bytes));
    copy.extend(crc.checksum(&copy).to_le_bytes());
    copy.extend(entries.concat());
    copy.resize(COPY, 0xff);
    copy.repeat(2)
}

/// An entry that anybody can make: its checksum is no secret.
fn foreign(key: Key, form: u8, seq: u32, len: u16) -> Vec<u8> {
    let mut entry = vec![key.kind, 1, form, 0];
    entry.extend(key.slot.to_le_bytes());
    entry.extend(len.to_le_bytes());
    entry.extend(seq.to_le_bytes());
    let value = vec![0x5a; usize::from(len)];
    let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);
    entry.extend(crc.checksum(&[&entry[..], &value].concat()).to_le_bytes());
    entry.extend(value);
    entry.resize(entry.len().next_multiple_of(16), 0xff);
    entry
}

#[derive(Clone, Debug)]
enum Step {
    Put(u16, Vec<u8>),
    Remove(u16),
    Purge,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0u16..3, proptest::collection::vec(any::<u8>(), 0..20))
            .prop_map(|(slot, value)| Step::Put(slot, value)),
        2 => (0u16..3).prop_map(Step::Remove),
        1 => Just(Step::Purge),
    ];
    proptest::collection::vec(step, 1..9)
}

/// Carries steps out on a store; returns every entry and every state that there was.
fn live(steps: &[Step]) -> (Vec<Vec<u8>>, Vec<State>) {
    let mut bytes = vec![0xff; 2 * COPY];
    drop(Store::<_, _, 16>::format(Image::new(&mut bytes), REGION, seal()).unwrap());
    let (mut all, mut states) = (Vec::new(), vec![State::new()]);
    for step in steps {
        let mut store = Store::<_, _, 16>::open(Image::new(&mut bytes), REGION, seal()).unwrap();
        match step {
            Step::Put(slot, value) => store.put(Key::outbox(*slot), 1, value).unwrap(),
            Step::Remove(slot) => store.remove(Key::outbox(*slot)).unwrap(),
            Step::Purge => store.purge().unwrap(),
        }
        drop(store);
        for entry in entries(&bytes) {
            if !all.contains(&entry) {
                all.push(entry);
            }
        }
        states.push(read(&mut bytes).unwrap());
    }
    (all, states)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_choice_of_entries_is_a_state_that_there_was_or_no_store(steps in steps()) {
        let (all, states) = live(&steps);
        for chosen in 0u32..1 << all.len() {
            let entries: Vec<&[u8]> = (0..all.len())
                .filter(|at| chosen >> at & 1 == 1)
                .map(|at| all[at].as_slice())
                .collect();
            match read(&mut image(&entries)) {
                Ok(state) => prop_assert!(states.contains(&state), "{:?}", state),
                Err(error) => prop_assert!(
                    matches!(error, StoreError::Spliced | StoreError::Forged),
                    "{}",
                    error
                ),
            }
        }
    }

    /// An entry without a seal, put behind any choice of entries, hides no record of a state and is not believed.
    #[test]
    fn what_is_added_unsealed_is_refused(
        steps in steps(),
        slot in 0u16..4,
        form in prop_oneof![Just(1u8), 4..=255u8],
        len in 0u16..40,
    ) {
        let (all, states) = live(&steps);
        let added = foreign(Key::outbox(slot), form, 1000, len);
        for chosen in 0u32..1 << all.len() {
            let mut entries: Vec<&[u8]> = (0..all.len())
                .filter(|at| chosen >> at & 1 == 1)
                .map(|at| all[at].as_slice())
                .collect();
            entries.push(&added);
            match read_all(&mut image(&entries)) {
                Ok((state, refused)) => {
                    prop_assert!(states.contains(&state), "{:?}", state);
                    prop_assert!(!state.contains_key(&Key::outbox(slot)));
                    prop_assert_eq!(refused, Some(match form {
                        1 => StoreError::NotSealed,
                        _ => StoreError::NewerRecord { version: 1 },
                    }));
                }
                Err(error) => prop_assert!(
                    matches!(error, StoreError::Spliced | StoreError::Forged),
                    "{}",
                    error
                ),
            }
        }
    }

    /// Two lives that part after an image was put back have entries with the same names and numbers.
    #[test]
    fn two_lives_are_not_mixed(first in steps(), second in steps()) {
        let (one, states) = live(&first);
        let (other, more) = live(&second);
        let states = [states, more].concat();
        let len = one.len().min(other.len());
        for chosen in 0u32..1 << len {
            let entries: Vec<&[u8]> = (0..len)
                .map(|at| if chosen >> at & 1 == 1 { one[at].as_slice() } else { &other[at] })
                .collect();
            if let Ok(state) = read(&mut image(&entries)) {
                prop_assert!(states.contains(&state), "{:?}", state);
            }
        }
    }
}

/// A removal that no device key vouches for, as a plain store writes it, takes nothing out of a sealed one.
#[test]
fn nobody_without_the_key_removes_or_replaces_a_record() {
    let mut bytes = vec![0xff; 2 * COPY];
    let mut store = Store::<_, _, 16>::format(Image::new(&mut bytes), REGION, seal()).unwrap();
    store.put(Key::CLOCK, 1, b"floor").unwrap();
    store.put(Key::ROTATION, 1, b"slots").unwrap();
    drop(store);
    let plain = |change: &dyn Fn(&mut Store<Image<'_>, Plain, 16>)| {
        let mut bytes = bytes.clone();
        let mut store = Store::open(Image::new(&mut bytes), REGION, Plain).unwrap();
        change(&mut store);
        drop(store);
        read(&mut bytes)
    };
    let spliced = Err(StoreError::Spliced);
    assert_eq!(plain(&|store| store.remove(Key::CLOCK).unwrap()), spliced);
    // Without the last write it is the state before that.
    let before = State::from([(Key::CLOCK, b"floor".to_vec())]);
    assert_eq!(
        plain(&|store| store.remove(Key::ROTATION).unwrap()),
        Ok(before)
    );
    assert_eq!(
        plain(&|store| store.put(Key::CLOCK, 1, b"1970").unwrap()),
        spliced
    );
    // What is added takes nothing away, and is refused when it is read.
    assert_eq!(
        plain(&|store| store.put(Key::DEVICE, 1, b"mine").unwrap()),
        Err(StoreError::NotSealed)
    );
}

/// A store that somebody has filled to the last byte has no place for a removal, and none is made in the other copy.
#[test]
fn a_removal_without_room_leaves_both_copies_alone() {
    let mut bytes = vec![0xff; 2 * COPY];
    let mut store = Store::<_, _, 16>::format(Image::new(&mut bytes), REGION, seal()).unwrap();
    store.put(Key::CLOCK, 1, b"floor").unwrap();
    drop(store);
    for form in [1, 9] {
        let mut all = entries(&bytes);
        let mut room = COPY - 32 - all[0].len();
        while room > 0 {
            let len = room.min(1024) as u16 - 16;
            let seq = all.len() as u32 + 10;
            all.push(foreign(Key::outbox(seq as u16), form, seq, len));
            room -= usize::from(len) + 16;
        }
        let all: Vec<&[u8]> = all.iter().map(Vec::as_slice).collect();
        let mut full = image(&all);
        assert_eq!(full.len(), 2 * COPY);
        let other = full[COPY..].to_vec();
        let mut store = Store::<_, _, 16>::open(Image::new(&mut full), REGION, seal()).unwrap();
        let refused = Err(StoreError::Full { free: 0 });
        assert_eq!(store.remove(Key::CLOCK), refused);
        assert_eq!(store.remove(Key::outbox(11)), refused);
        let mut value = [0; 8];
        let floor = store.get(Key::CLOCK, &mut value).unwrap().unwrap();
        assert_eq!(floor.value, b"floor");
        drop(store);
        assert!(full[COPY..] == other, "copy B was written to");
    }
}
