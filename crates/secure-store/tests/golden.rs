//! Images that `golden/make.py`, an implementation of `docs/store-format.md` of its own, has made.

use jwt_core::{HmacKey, MacEngine};
use secure_store::{
    CLOCK_VERSION, CREDENTIAL_VERSION, ClockRecord, Credential, CredentialKey, Custody, Image, Key,
    MAX_CREDENTIAL_LEN, Plain, Protection, Region, SETTINGS_VERSION, Sealed, Setting, Settings,
    Store, StoreError, encode_settings,
};

const PLAIN: &[u8] = include_bytes!("golden/plain.bin");
const SEALED: &[u8] = include_bytes!("golden/sealed.bin");
const REGION: Region = Region {
    start: 0,
    len: 8192,
};

const ID: &str = "74f80a77-9b3f-44ac-b3ad-ab68cfb548fa";
const KEY: &str = "cPQku7lnSLbnK88UFOBg1a6Q3t1w1RgK";

fn seal() -> Sealed {
    let device_key: [u8; 32] = core::array::from_fn(|n| n as u8);
    Sealed::new(&HmacKey::new(&device_key).unwrap()).unwrap()
}

fn api_key() -> HmacKey {
    HmacKey::from_parts(&[ID.as_bytes(), b"||", KEY.as_bytes()]).unwrap()
}

fn check_contents<P: Protection>(image: &[u8], protection: P) {
    let mut bytes = image.to_vec();
    let mut store = Store::<_, _, 8>::open(Image::new(&mut bytes), REGION, protection).unwrap();
    assert!(
        store
            .health()
            .iter()
            .all(|copy| copy.sound && copy.erases == 1)
    );
    let seqs: Vec<_> = store
        .records()
        .map(|record| (record.key, record.seq))
        .collect();
    assert_eq!(
        seqs,
        [
            (Key::credential(0), 2),
            (Key::credential(1), 3),
            (Key::ROTATION, 4),
            (Key::CLOCK, 6),
            (Key::DEVICE, 7),
        ]
    );
    assert!(
        store
            .records()
            .all(|record| record.custody == Some(P::CUSTODY))
    );

    let mut buffer = [0; MAX_CREDENTIAL_LEN];
    let record = store.get(Key::credential(0), &mut buffer).unwrap().unwrap();
    let credential = Credential::decode(record.value).unwrap();
    assert_eq!((credential.api, credential.id), ("heymarket", ID));
    assert_eq!(credential.custody(P::CUSTODY), P::CUSTODY);
    let CredentialKey::Prepared(mut prepared) = credential.key else {
        panic!("{credential:?}");
    };
    assert_eq!(prepared.mac(b"message"), api_key().mac(b"message"));

    let record = store.get(Key::credential(1), &mut buffer).unwrap().unwrap();
    let credential = Credential::decode(record.value).unwrap();
    assert!(matches!(credential.key, CredentialKey::Hardware(4)));
    assert_eq!(credential.custody(P::CUSTODY), Custody::Hardware);

    let record = store.get(Key::ROTATION, &mut buffer).unwrap().unwrap();
    assert_eq!(record.value, [1, 0, 3, 0]);
    let record = store.get(Key::CLOCK, &mut buffer).unwrap().unwrap();
    let clock = ClockRecord {
        floor_secs: 1_713_225_600,
        rtc_set_secs: Some(1_713_000_000),
    };
    assert_eq!(ClockRecord::decode(record.value), Some(clock));
    let record = store.get(Key::DEVICE, &mut buffer).unwrap().unwrap();
    let settings = Settings::decode(record.value).unwrap();
    assert_eq!(settings.text(Setting::NAME), Some("pump-7"));
    assert_eq!(settings.number(Setting::INBOX_ID), Some(1234));
    assert_eq!(settings.get(Setting(200)), Some(&b"new"[..]));
    assert_eq!(store.get(Key::outbox(7), &mut buffer), Ok(None));
}

/// Does what the script says was done, and compares every byte.
fn check_same_bytes<P: Protection>(image: &[u8], protection: P) {
    let mut bytes = vec![0xff; 8192];
    let mut store = Store::<_, _, 8>::format(Image::new(&mut bytes), REGION, protection).unwrap();
    let mut value = [0; 512];
    let mut put = |key: Key, version, value: &[u8]| store.put(key, version, value).unwrap();

    let mut credential = Credential {
        api: "heymarket",
        id: ID,
        key: CredentialKey::Prepared(api_key()),
    };
    put(
        Key::credential(0),
        CREDENTIAL_VERSION,
        credential.encode(&mut value).unwrap(),
    );
    credential.key = CredentialKey::Hardware(4);
    put(
        Key::credential(1),
        CREDENTIAL_VERSION,
        credential.encode(&mut value).unwrap(),
    );
    put(Key::ROTATION, 1, &[1, 0, 3, 0]);
    put(Key::outbox(7), 1, b"an alert that is delivered");
    let clock = ClockRecord {
        floor_secs: 1_713_225_600,
        rtc_set_secs: Some(1_713_000_000),
    };
    put(Key::CLOCK, CLOCK_VERSION, &clock.encode());
    let settings = [
        (Setting::NAME, &b"pump-7"[..]),
        (Setting::INBOX_ID, &1234u64.to_le_bytes()),
        (Setting(200), b"new"),
    ];
    put(
        Key::DEVICE,
        SETTINGS_VERSION,
        encode_settings(settings, &mut value).unwrap(),
    );
    store.remove(Key::outbox(7)).unwrap();
    assert!(bytes == image);
}

#[test]
fn plain_image_reads_as_it_was_made() {
    check_contents(PLAIN, Plain);
}

#[test]
fn sealed_image_reads_as_it_was_made() {
    check_contents(SEALED, seal());
}

#[test]
fn the_same_writes_make_the_same_plain_image() {
    check_same_bytes(PLAIN, Plain);
}

#[test]
fn the_same_writes_make_the_same_sealed_image() {
    check_same_bytes(SEALED, seal());
}

#[test]
fn who_lacks_the_right_key_is_told_so() {
    fn read<P: Protection>(
        image: &[u8],
        protection: P,
    ) -> Result<bool, StoreError<secure_store::ImageError>> {
        let mut bytes = image.to_vec();
        let mut store = Store::<_, _, 8>::open(Image::new(&mut bytes), REGION, protection)?;
        let mut value = [0; 512];
        Ok(store.get(Key::CLOCK, &mut value)?.is_some())
    }
    let other = Sealed::new(&HmacKey::new(&[1; 32]).unwrap()).unwrap();
    assert_eq!(read(SEALED, Plain), Err(StoreError::Sealed));
    assert_eq!(read(SEALED, other), Err(StoreError::Forged));
    assert_eq!(read(PLAIN, seal()), Err(StoreError::NotSealed));
    assert_eq!(read(PLAIN, Plain), Ok(true));
}
