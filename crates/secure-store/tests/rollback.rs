//! The store and a counter that can't be set back, through power cuts in both.

use jwt_core::HmacKey;
use proptest::prelude::*;
use secure_store::{
    Freshness, Image, Key, MAX_COUNTER_JUMP, MonotonicCounter, Region, RollbackError, Sealed,
    Store, StoreError, anchor, announce, check_freshness, is_anchor_due,
};

const REGION: Region = Region {
    start: 0,
    len: 8192,
};

/// What an increment does when the power goes in it: the count goes up by so much, and nobody hears of it.
#[derive(Default)]
struct Counter {
    count: u32,
    cut: Option<u32>,
}

#[derive(Debug, PartialEq)]
struct Cut;

impl core::fmt::Display for Cut {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the power went")
    }
}

impl core::error::Error for Cut {}

impl MonotonicCounter for Counter {
    type Error = Cut;

    fn read(&mut self) -> Result<u32, Cut> {
        Ok(self.count)
    }

    fn increment(&mut self) -> Result<u32, Cut> {
        match self.cut.take() {
            Some(by) => {
                self.count += by;
                Err(Cut)
            }
            None => {
                self.count += 1;
                Ok(self.count)
            }
        }
    }
}

fn open(bytes: &mut [u8]) -> Store<Image<'_>, Sealed, 8> {
    let seal = Sealed::new(&HmacKey::new(&[7; 32]).unwrap()).unwrap();
    Store::open(Image::new(bytes), REGION, seal).unwrap()
}

fn formatted() -> Vec<u8> {
    let mut bytes = vec![0xff; 8192];
    let seal = Sealed::new(&HmacKey::new(&[7; 32]).unwrap()).unwrap();
    drop(Store::<_, _, 8>::format(Image::new(&mut bytes), REGION, seal).unwrap());
    bytes
}

fn freshness(bytes: &mut [u8], counter: &mut Counter) -> Freshness {
    check_freshness(&mut open(bytes), counter).unwrap()
}

proptest! {
    /// A counter of an ATECC608 may go up by more than one if the power goes while it counts (data sheet, section 5.1.1).
    #[test]
    fn no_cut_makes_a_store_old_and_no_old_store_is_new(
        cuts in proptest::collection::vec(proptest::option::of(0..=MAX_COUNTER_JUMP), 1..12),
    ) {
        let mut bytes = formatted();
        let mut counter = Counter::default();
        prop_assert_eq!(freshness(&mut bytes, &mut counter), Freshness::Unanchored);
        let mut settled: Vec<(Vec<u8>, u32)> = Vec::new();
        for cut in cuts {
            counter.cut = cut;
            let anchored = anchor(&mut open(&mut bytes), &mut counter);
            prop_assert_eq!(anchored.is_ok(), cut.is_none());
            prop_assert_eq!(freshness(&mut bytes, &mut counter), Freshness::Fresh);
            prop_assert_eq!(freshness(&mut bytes, &mut counter), Freshness::Fresh);
            for (mut old, at) in settled.iter().cloned() {
                let by = counter.count - at;
                prop_assert_eq!(freshness(&mut old, &mut counter), Freshness::RolledBack { by });
            }
            settled.push((bytes.clone(), counter.count));
        }
    }
}

/// The power goes once more while the start makes good what was left half done.
#[test]
fn a_cut_while_a_cut_is_made_good_is_one_too() {
    for first in [0, 1, 2] {
        for second in [0, 1, 2] {
            let mut bytes = formatted();
            let mut counter = Counter {
                cut: Some(first),
                ..Counter::default()
            };
            anchor(&mut open(&mut bytes), &mut counter).unwrap_err();
            counter.cut = Some(second);
            // Where the counter has counted already it isn't asked to again.
            let _ = check_freshness(&mut open(&mut bytes), &mut counter);
            counter.cut = None;
            assert_eq!(freshness(&mut bytes, &mut counter), Freshness::Fresh);
            let mut old = bytes.clone();
            anchor(&mut open(&mut bytes), &mut counter).unwrap();
            let told = freshness(&mut old, &mut counter);
            assert_eq!(told, Freshness::RolledBack { by: 1 });
        }
    }
}

/// An image that was taken in the middle of an anchor is good for a little longer than others, and no more.
#[test]
fn an_image_from_the_middle_of_an_anchor_ages_too() {
    let mut bytes = formatted();
    let mut counter = Counter {
        cut: Some(1),
        ..Counter::default()
    };
    anchor(&mut open(&mut bytes), &mut counter).unwrap_err();
    let middle = bytes.clone();
    for n in 0..=MAX_COUNTER_JUMP {
        let expected = match n {
            0..MAX_COUNTER_JUMP => Freshness::Fresh,
            _ => Freshness::RolledBack { by: n },
        };
        let mut old = middle.clone();
        assert_eq!(freshness(&mut old, &mut counter), expected, "{n}");
        counter.count += 1;
    }
}

/// Nothing but an anchor makes one that was announced forgotten, and an image with the announcement in it is as old as any.
#[test]
fn an_announced_anchor_is_due_until_it_is_made() {
    for cut in [None, Some(0), Some(1), Some(2)] {
        let mut bytes = formatted();
        let mut counter = Counter::default();
        anchor(&mut open(&mut bytes), &mut counter).unwrap();
        assert_eq!(is_anchor_due(&mut open(&mut bytes)), Ok(false));
        counter.cut = cut;
        // An anchor that was begun before doesn't count for what is announced now.
        let begun = cut.is_some();
        if begun {
            anchor(&mut open(&mut bytes), &mut counter).unwrap_err();
        }
        announce(&mut open(&mut bytes), &mut counter).unwrap();
        let (announced, count) = (bytes.clone(), counter.count);
        announce(&mut open(&mut bytes), &mut counter).unwrap();
        assert_eq!((&bytes, counter.count), (&announced, count));
        assert_eq!(freshness(&mut bytes, &mut counter), Freshness::Fresh);
        // Where the counter hadn't been raised yet, raising it now is for both.
        let due = cut != Some(0);
        assert_eq!(is_anchor_due(&mut open(&mut bytes)), Ok(due), "{cut:?}");
        if due {
            anchor(&mut open(&mut bytes), &mut counter).unwrap();
        }
        assert_eq!(counter.count, count + 1);
        assert_eq!(is_anchor_due(&mut open(&mut bytes)), Ok(false));
        let mut old = announced;
        let told = freshness(&mut old, &mut counter);
        assert_eq!(told == Freshness::RolledBack { by: 1 }, !begun, "{cut:?}");
    }
}

/// A store that was made anew beside a counter that has counted isn't taken for an old one.
#[test]
fn what_is_announced_in_a_new_store_is_for_the_counter_as_it_is() {
    let mut bytes = formatted();
    let mut counter = Counter {
        count: 5,
        cut: None,
    };
    announce(&mut open(&mut bytes), &mut counter).unwrap();
    assert_eq!(freshness(&mut bytes, &mut counter), Freshness::Fresh);
    assert_eq!(is_anchor_due(&mut open(&mut bytes)), Ok(true));
}

#[test]
fn another_counter_is_told() {
    let mut bytes = formatted();
    let mut counter = Counter {
        count: 5,
        cut: None,
    };
    anchor(&mut open(&mut bytes), &mut counter).unwrap();
    assert_eq!(freshness(&mut bytes, &mut counter), Freshness::Fresh);
    let mut other = Counter::default();
    assert_eq!(
        freshness(&mut bytes, &mut other),
        Freshness::CounterReplaced
    );
    let mut store = open(&mut bytes);
    store.put(Key::ANCHOR, 1, &[1, 2, 3]).unwrap();
    check_freshness(&mut store, &mut counter).unwrap_err();
}

/// It may mean anything, however much it looks like one of this program's.
#[test]
fn an_anchor_of_a_later_program_is_not_read() {
    for value in [&[0; 5][..], &[0; 9]] {
        let mut bytes = formatted();
        let mut store = open(&mut bytes);
        store.put(Key::ANCHOR, 2, value).unwrap();
        let newer = Err(RollbackError::Store(StoreError::NewerRecord { version: 2 }));
        let mut counter = Counter::default();
        assert_eq!(check_freshness(&mut store, &mut counter), newer);
        assert_eq!(
            anchor(&mut store, &mut counter).map(|()| Freshness::Fresh),
            newer
        );
        assert_eq!(counter.count, 0);
    }
}
