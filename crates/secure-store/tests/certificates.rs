//! Certificates in parts: what is read is what was provisioned, or nothing is trusted.

use proptest::prelude::*;
use secure_store::{
    CERTIFICATES_VERSION, Certificates, Image, Key, MAX_CERTIFICATES_LEN, MAX_VALUE_LEN, Plain,
    Region, SETTINGS_VERSION, Setting, Store, StoreError, encode_settings,
};

const LEN: usize = 0x1_0000;

type Memory<'a> = Store<Image<'a>, Plain, 16>;

fn format(bytes: &mut [u8]) -> Memory<'_> {
    let len = bytes.len() as u32;
    Store::format(Image::new(bytes), Region { start: 0, len }, Plain).unwrap()
}

/// A SEQUENCE of `len` bytes of content, as `openssl asn1parse -genconf` writes it.
fn sequence(len: usize, fill: u8) -> Vec<u8> {
    let mut der = match len {
        0..=0x7f => vec![0x30, len as u8],
        0x80..=0xff => vec![0x30, 0x81, len as u8],
        _ => vec![0x30, 0x82, (len >> 8) as u8, len as u8],
    };
    der.resize(der.len() + len, fill);
    der
}

/// Length and CRC-32, the latter as `zlib.crc32` computes it, bit by bit.
fn sum(der: &[u8]) -> Vec<u8> {
    let crc = der.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    });
    let mut sum = Vec::from((der.len() as u16).to_le_bytes());
    sum.extend((!crc).to_le_bytes());
    sum
}

fn put(store: &mut Memory<'_>, der: &[u8], cut: usize) {
    for (part, bytes) in (0..).zip(der.chunks(cut)) {
        let key = Key::certificates(part);
        store.put(key, CERTIFICATES_VERSION, bytes).unwrap();
    }
}

fn put_sum(store: &mut Memory<'_>, sum: &[u8]) {
    let mut out = [0; 64];
    let settings = [
        (Setting::WIFI_SSID, &b"plant-2"[..]),
        (Setting::CERTIFICATES, sum),
    ];
    let settings = encode_settings(settings, &mut out).unwrap();
    store.put(Key::NETWORK, SETTINGS_VERSION, settings).unwrap();
}

proptest! {
    #[test]
    fn what_was_provisioned_is_read_however_it_was_cut(
        lens in proptest::collection::vec(0usize..1300, 1..4),
        cut in 1000..=MAX_VALUE_LEN,
    ) {
        let each: Vec<Vec<u8>> = (1..).zip(&lens).map(|(fill, len)| sequence(*len, fill)).collect();
        let der = each.concat();
        let mut bytes = vec![0xff; LEN];
        let mut store = format(&mut bytes);
        // Left over from longer ones.
        put(&mut store, &[0x55; 4096], MAX_VALUE_LEN);
        put(&mut store, &der, cut);
        put_sum(&mut store, &sum(&der));
        let mut exact = vec![0; der.len()];
        let read = store.certificates(&mut exact).unwrap().unwrap();
        prop_assert_eq!(read.iter().collect::<Vec<_>>(), each);
        prop_assert_eq!(&read.sum()[..], sum(&der));
        prop_assert_eq!(read.parts().collect::<Vec<_>>().concat(), &*der);
        let needed = der.len();
        let small = store.certificates(&mut exact[1..]);
        prop_assert_eq!(small, Err(StoreError::BufferTooSmall { needed }));
    }

    #[test]
    fn a_changed_byte_is_trusted_no_more(at in 0usize..1600, bit in 0u8..8) {
        let mut der = [sequence(700, 1), sequence(900, 2)].concat();
        let mut bytes = vec![0xff; LEN];
        let mut store = format(&mut bytes);
        put_sum(&mut store, &sum(&der));
        der[at] ^= 1 << bit;
        put(&mut store, &der, MAX_VALUE_LEN);
        let mut out = [0; 4096];
        prop_assert_eq!(store.certificates(&mut out), Err(StoreError::Malformed));
    }

    #[test]
    fn whatever_is_taken_is_told_apart_without_a_rest(bytes in proptest::collection::vec(
        prop_oneof![Just(0x30), Just(0x81), Just(0x82), Just(0), Just(2), any::<u8>()], 0..600,
    )) {
        if let Some(all) = Certificates::new(&bytes) {
            prop_assert_eq!(all.iter().collect::<Vec<_>>().concat(), bytes);
        }
    }
}

#[test]
fn a_device_without_certificates_has_none() {
    let mut bytes = vec![0xff; LEN];
    let mut store = format(&mut bytes);
    assert_eq!(store.certificates(&mut [0; 4096]), Ok(None));
    put(&mut store, &sequence(200, 1), 1024);
    assert_eq!(store.certificates(&mut [0; 4096]), Ok(None));
    let mut out = [0; 64];
    let settings = encode_settings([(Setting::WIFI_SSID, &b"x"[..])], &mut out).unwrap();
    store.put(Key::NETWORK, 1, settings).unwrap();
    assert_eq!(store.certificates(&mut [0; 4096]), Ok(None));
}

#[test]
fn parts_that_are_missing_too_many_or_of_a_later_program_are_not_trusted() {
    let der = sequence(1500, 1);
    let malformed = Err(StoreError::Malformed);
    let mut bytes = vec![0xff; LEN];
    let mut store = format(&mut bytes);
    put_sum(&mut store, &sum(&der));
    assert_eq!(store.certificates(&mut [0; 4096]), malformed);
    put(&mut store, &der, 1024);
    assert!(store.certificates(&mut [0; 4096]).unwrap().is_some());

    // The second part is longer than what is left, or empty; others are in force no more.
    for part in [&[1; 481][..], &[]] {
        put_sum(&mut store, &[0; 6]);
        store.put(Key::certificates(1), 1, part).unwrap();
        put_sum(&mut store, &sum(&der));
        assert_eq!(store.certificates(&mut [0; 4096]), malformed);
    }
    for sum in [&[0; 6][..], &[0xff; 6], &[0; 5], &[]] {
        put_sum(&mut store, sum);
        assert_eq!(store.certificates(&mut [0; 4096]), malformed);
    }

    put_sum(&mut store, &sum(&der));
    store.put(Key::certificates(1), 2, &der[1024..]).unwrap();
    assert_eq!(
        store.certificates(&mut [0; 4096]),
        Err(StoreError::NewerRecord { version: 2 })
    );
}

#[test]
fn lengths_are_in_their_shortest_form_and_within_bounds() {
    assert!(Certificates::new(&[0x30, 0]).is_some());
    for wrong in [
        &[][..],
        &[0x30],
        &[0x31, 0],
        &[0x30, 0x80, 0, 0],
        &[0x30, 0x81, 0x01, 0],
        &[0x30, 0x82, 0, 0x80],
        &[0x30, 0x83, 0, 1, 0],
        &[0x30, 1],
        &[0x30, 0, 0x30],
    ] {
        assert_eq!(Certificates::new(wrong), None, "{wrong:02x?}");
    }
    let longest = sequence(MAX_CERTIFICATES_LEN - 4, 7);
    assert!(Certificates::new(&longest).is_some());
    assert!(Certificates::new(&sequence(MAX_CERTIFICATES_LEN - 3, 7)).is_none());
}
