//! Certificates change as a whole: power cuts at every flash operation of their change.

mod support;

use jwt_core::HmacKey;
use secure_store::{
    CERTIFICATES_VERSION, Certificates, Key, MAX_VALUE_LEN, Plain, Protection, Region,
    SETTINGS_VERSION, Sealed, Setting, Store, StoreError, encode_settings,
};
use support::flash::{MockFlash, Op};
use support::random::Random;

const RECORDS: usize = 24;
/// Room for two sets, but not for the change from one to the other without an erase.
const REGION: Region = Region {
    start: 0,
    len: 6 * 4096,
};

type Opened<'f, P> = Store<&'f mut MockFlash, P, RECORDS>;

/// Certificates of some lengths, each a SEQUENCE filled with its number.
fn certificates(lens: &[usize], fill: u8) -> Vec<u8> {
    let mut der = Vec::new();
    for (number, len) in (fill..).zip(lens) {
        der.extend([0x30, 0x82, (len >> 8) as u8, *len as u8]);
        der.resize(der.len() + len, number);
    }
    der
}

/// What a desktop writes, in its order: the parts, then the settings that sum them up.
fn records(der: &[u8]) -> Vec<(Key, u8, Vec<u8>)> {
    let certificates = Certificates::new(der).unwrap();
    let mut records: Vec<_> = (0..)
        .zip(certificates.parts())
        .map(|(part, bytes)| (Key::certificates(part), CERTIFICATES_VERSION, bytes.into()))
        .collect();
    let mut out = [0; MAX_VALUE_LEN];
    let sum = certificates.sum();
    let settings = [
        (Setting::WIFI_SSID, &b"plant-2"[..]),
        (Setting::CERTIFICATES, &sum[..]),
    ];
    let settings = encode_settings(settings, &mut out).unwrap();
    records.push((Key::NETWORK, SETTINGS_VERSION, settings.into()));
    records
}

fn open<P: Protection>(flash: &mut MockFlash, protection: P) -> Opened<'_, P> {
    let mut store = Store::open(flash, REGION, protection).unwrap();
    store.repair().unwrap();
    store
}

fn provision<P: Protection>(store: &mut Opened<'_, P>, der: &[u8]) {
    let mut held = [0; MAX_VALUE_LEN];
    for (key, version, value) in records(der) {
        // As the line does: what is there already isn't written again.
        let there = store.get(key, &mut held).unwrap();
        if there.is_none_or(|record| record.value != value) {
            store.put(key, version, &value).unwrap();
        }
    }
}

fn trusted<P: Protection>(store: &mut Opened<'_, P>) -> Vec<u8> {
    let mut out = [0; 4096];
    let all = store.certificates(&mut out).expect("certificates");
    all.expect("certificates")
        .iter()
        .collect::<Vec<_>>()
        .concat()
}

/// The slots of all parts that are there.
fn parts<P: Protection>(store: &Opened<'_, P>) -> Vec<u16> {
    let kind = Key::certificates(0).kind;
    let keys = store.records().map(|record| record.key);
    let mut slots: Vec<u16> = keys
        .filter(|key| key.kind == kind)
        .map(|key| key.slot)
        .collect();
    slots.sort_unstable();
    slots
}

fn sets() -> [Vec<u8>; 4] {
    [
        certificates(&[500, 1900], 1),
        // Its first part is the same.
        certificates(&[500, 1900, 700], 1),
        certificates(&[1200], 8),
        certificates(&[1000, 1000, 1000, 1000], 20),
    ]
}

fn changes_as_a_whole<P: Protection>(protection: impl Fn() -> P) {
    let mut random = Random(3);
    let (mut as_before, mut as_after) = (0, 0);
    for (old, new) in [(0, 1), (1, 0), (1, 2), (2, 3), (3, 1)] {
        let [old, new] = [old, new].map(|set: usize| sets()[set].clone());
        let mut flash = MockFlash::new(REGION.len as usize);
        drop(Store::<_, _, RECORDS>::format(&mut flash, REGION, protection()).unwrap());
        provision(&mut open(&mut flash, protection()), &old);
        flash.journal.clear();
        let mut earlier = flash.clone();
        provision(&mut open(&mut flash, protection()), &new);
        for op in std::mem::take(&mut flash.journal) {
            let mut torn = earlier.clone();
            torn.interrupt(&op, &mut random);
            for mut cut in [earlier.clone(), torn] {
                cut.start(&mut random);
                let mut store = open(&mut cut, protection());
                match trusted(&mut store) {
                    seen if seen == old => as_before += 1,
                    seen => {
                        assert!(seen == new, "neither the old ones nor the new");
                        as_after += 1;
                    }
                }
                // The desktop does it again, and it is done.
                provision(&mut store, &new);
                assert_eq!(trusted(&mut store), new);
                assert!(parts(&store).iter().all(|slot| *slot < 4), "left aside");
            }
            earlier.apply(&op);
        }
    }
    assert!(as_before > 100 && as_after > 20, "{as_before} {as_after}");
}

#[test]
fn a_cut_leaves_the_old_certificates_or_the_new() {
    changes_as_a_whole(|| Plain);
}

#[test]
fn a_cut_leaves_the_old_certificates_or_the_new_in_a_sealed_store() {
    let key = HmacKey::new(&[7; 32]).unwrap();
    changes_as_a_whole(|| Sealed::new(&key).unwrap());
}

/// Change after change, many of which are cut short and given up for another.
#[test]
fn changes_that_were_given_up_leave_trust_as_it_was() {
    let mut random = Random(4);
    for _ in 0..4 {
        let mut flash = MockFlash::new(REGION.len as usize);
        drop(Store::<_, _, RECORDS>::format(&mut flash, REGION, Plain).unwrap());
        let mut now = sets()[0].clone();
        provision(&mut open(&mut flash, Plain), &now);
        for _ in 0..30 {
            let new = sets()[random.below(4)].clone();
            flash.journal.clear();
            let mut earlier = flash.clone();
            provision(&mut open(&mut flash, Plain), &new);
            let journal: Vec<Op> = std::mem::take(&mut flash.journal);
            let cut = random.below(journal.len() * 5 / 4 + 1);
            if let Some(op) = journal.get(cut) {
                journal[..cut].iter().for_each(|op| earlier.apply(op));
                earlier.interrupt(op, &mut random);
                earlier.start(&mut random);
                flash = earlier;
            }
            let seen = trusted(&mut open(&mut flash, Plain));
            assert!(seen == now || seen == new);
            assert!(cut < journal.len() || seen == new);
            now = seen;
        }
    }
}

#[test]
fn nothing_is_left_aside_once_others_are_in_force() {
    let mut flash = MockFlash::new(REGION.len as usize);
    let mut store = Store::format(&mut flash, REGION, Plain).unwrap();
    for set in sets() {
        provision(&mut store, &set);
        assert!(parts(&store).iter().all(|slot| *slot < 4));
    }
    // Settings that sum up the old ones again keep them, wherever they are.
    let [old, _, _, new] = sets();
    provision(&mut store, &old);
    let (key, version, value) = records(&new).remove(0);
    store.put(key, version, &value).unwrap();
    assert!(parts(&store).iter().any(|slot| *slot >= 4));
    let (key, version, value) = records(&old).pop().unwrap();
    store.put(key, version, &value).unwrap();
    assert_eq!(trusted(&mut store), old);
}

/// The power goes behind the settings, and again at each operation of the start that tidies up after that.
#[test]
fn a_start_removes_what_is_aside_and_may_be_cut_too() {
    let mut random = Random(5);
    let mut flash = MockFlash::new(REGION.len as usize);
    drop(Store::<_, _, RECORDS>::format(&mut flash, REGION, Plain).unwrap());
    let [.., old, new] = sets();
    provision(&mut open(&mut flash, Plain), &old);
    flash.journal.clear();
    let mut before = flash.clone();
    provision(&mut open(&mut flash, Plain), &new);
    // The first state that the new ones are in force in, with the old ones still aside.
    for op in std::mem::take(&mut flash.journal) {
        before.apply(&op);
        if trusted(&mut Store::open(&mut before.clone(), REGION, Plain).unwrap()) == new {
            break;
        }
    }
    let mut tidied = before.clone();
    let store = Store::open(&mut tidied, REGION, Plain).unwrap();
    assert!(parts(&store).iter().any(|slot| *slot >= 4));
    drop(store);
    drop(open(&mut tidied, Plain));
    assert!(tidied.journal.len() > 2, "nothing was removed");
    for op in std::mem::take(&mut tidied.journal) {
        let mut torn = before.clone();
        torn.interrupt(&op, &mut random);
        torn.start(&mut random);
        let mut store = open(&mut torn, Plain);
        assert_eq!(trusted(&mut store), new);
        assert!(parts(&store).iter().all(|slot| *slot < 4));
        before.apply(&op);
    }
}

/// Settings that can't be read hinder no start, and those aside may be theirs.
#[test]
fn a_start_leaves_what_is_aside_if_the_settings_are_of_another_form() {
    let mut flash = MockFlash::new(REGION.len as usize);
    let mut store = Store::format(&mut flash, REGION, Plain).unwrap();
    let [old, _, _, new] = sets();
    provision(&mut store, &old);
    let (key, version, value) = records(&new).remove(0);
    store.put(key, version, &value).unwrap();
    let there = parts(&store);
    store
        .put(Key::NETWORK, SETTINGS_VERSION + 1, b"later")
        .unwrap();
    store.repair().unwrap();
    assert_eq!(parts(&store), there);
}

/// A part that is the same in both sets leaves the old ones in force where they were.
#[test]
fn what_is_aside_already_is_not_copied_again() {
    let mut flash = MockFlash::new(REGION.len as usize);
    let mut store = Store::format(&mut flash, REGION, Plain).unwrap();
    let [old, new, ..] = sets();
    provision(&mut store, &old);
    let aside = |store: &Opened<'_, Plain>| -> Vec<u32> {
        let records = store.records().filter(|record| {
            record.key == Key::certificates(record.key.slot)
                && record.key.slot >= Key::CERTIFICATES_ASIDE
        });
        records.map(|record| record.seq).collect()
    };
    let mut written = records(&new).into_iter();
    let (key, version, value) = written.next().unwrap();
    store.put(key, version, &value).unwrap();
    let copied = aside(&store);
    assert_eq!(copied.len(), 3);
    for (key, version, value) in written.by_ref().take(3) {
        store.put(key, version, &value).unwrap();
        assert_eq!(aside(&store), copied);
    }
    assert_eq!(trusted(&mut store), old);
    let (key, version, value) = written.next().unwrap();
    store.put(key, version, &value).unwrap();
    assert_eq!(trusted(&mut store), new);
    assert!(aside(&store).is_empty());
}

/// Better certificates that a cut may take the trust from than none that can be written.
#[test]
fn where_there_is_no_room_for_both_the_new_ones_are_written_all_the_same() {
    let region = Region {
        start: 0,
        len: 8192,
    };
    let mut flash = MockFlash::new(8192);
    let mut store: Opened<'_, Plain> = Store::format(&mut flash, region, Plain).unwrap();
    for fill in [1, 2] {
        let set = certificates(&[2500], fill);
        provision(&mut store, &set);
        assert_eq!(trusted(&mut store), set);
        assert_eq!(parts(&store), [0, 1, 2]);
    }
}

/// The copies fit, but then not all of what they are kept for.
#[test]
fn copies_give_way_to_what_they_were_kept_for() {
    let region = Region {
        start: 0,
        len: 8192,
    };
    // The settings don't fit, then the last part, then the first.
    for (old, new) in [(900, 2972), (1000, 3000), (1900, 3500)] {
        let mut flash = MockFlash::new(8192);
        let mut store: Opened<'_, Plain> = Store::format(&mut flash, region, Plain).unwrap();
        for (len, fill) in [(old, 1), (new, 2)] {
            let set = certificates(&[len], fill);
            provision(&mut store, &set);
            assert_eq!(trusted(&mut store), set);
        }
        assert!(parts(&store).iter().all(|slot| *slot < 4));
    }
}

/// The same with bytes to spare, but no more records than these.
#[test]
fn copies_give_way_where_there_are_no_more_records() {
    let mut flash = MockFlash::new(REGION.len as usize);
    let mut store = Store::<_, _, 4>::format(&mut flash, REGION, Plain).unwrap();
    for set in [certificates(&[1000], 1), certificates(&[3000], 2)] {
        for (key, version, value) in records(&set) {
            store.put(key, version, &value).unwrap();
        }
        let mut out = [0; 4096];
        assert_eq!(
            store.certificates(&mut out).unwrap(),
            Certificates::new(&set)
        );
    }
}

/// What doesn't fit without the copies either costs no trust.
#[test]
fn copies_stay_if_their_room_is_not_enough() {
    let region = Region {
        start: 0,
        len: 8192,
    };
    let mut flash = MockFlash::new(8192);
    let mut store: Opened<'_, Plain> = Store::format(&mut flash, region, Plain).unwrap();
    let old = certificates(&[300], 1);
    provision(&mut store, &old);
    store.put(Key::outbox(1), 1, &[7; 1000]).unwrap();
    let mut new = records(&certificates(&[3000], 2)).into_iter();
    for (key, version, value) in new.by_ref().take(2) {
        store.put(key, version, &value).unwrap();
    }
    let (key, version, value) = new.next().unwrap();
    for _ in 0..2 {
        let refused = store.put(key, version, &value);
        assert!(matches!(refused, Err(StoreError::Full { .. })));
        assert_eq!(trusted(&mut store), old);
    }
}

/// Other settings with the old certificates are no reason to give these up.
#[test]
fn copies_that_the_settings_rely_on_stay() {
    let region = Region {
        start: 0,
        len: 8192,
    };
    let mut flash = MockFlash::new(8192);
    let mut store: Opened<'_, Plain> = Store::format(&mut flash, region, Plain).unwrap();
    let old = certificates(&[1000], 1);
    provision(&mut store, &old);
    for (key, version, value) in records(&certificates(&[3000], 2)).into_iter().take(2) {
        store.put(key, version, &value).unwrap();
    }
    let sum = Certificates::new(&old).unwrap().sum();
    let settings = [
        (Setting::WIFI_SSID, &[b'x'; 900][..]),
        (Setting::CERTIFICATES, &sum),
    ];
    let mut out = [0; MAX_VALUE_LEN];
    let settings = encode_settings(settings, &mut out).unwrap();
    let refused = store.put(Key::NETWORK, SETTINGS_VERSION, settings);
    assert!(matches!(refused, Err(StoreError::Full { .. })));
    assert_eq!(trusted(&mut store), old);
}
