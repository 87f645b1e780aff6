//! Images are searched for secrets, in every form in which somebody would look for them.

use std::cell::RefCell;
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use jwt_core::HmacKey;
use secure_store::{
    CREDENTIAL_VERSION, Credential, CredentialKey, Image, Key, MAX_CREDENTIAL_LEN, Plain,
    Protection, Region, SETTINGS_VERSION, SealError, Sealed, Setting, Store, StoreError,
    encode_settings,
};
use sha2::{Digest, Sha256};

const REGION: Region = Region {
    start: 0,
    len: 16384,
};
const ID: &str = "74f80a77-9b3f-44ac-b3ad-ab68cfb548fa";
const KEY: &str = "cPQku7lnSLbnK88UFOBg1a6Q3t1w1RgK";
const SENT: &str = "hey_5f0c2be9d1a7438c";
const PASSPHRASE: &str = "correct horse battery staple";

fn seal() -> Sealed {
    Sealed::new(&HmacKey::new(&[0x42; 32]).unwrap()).unwrap()
}

fn api_key() -> HmacKey {
    HmacKey::from_parts(&[ID.as_bytes(), b"||", KEY.as_bytes()]).unwrap()
}

/// Raw, hexadecimal in both cases, and base64 in both alphabets at each of its three alignments.
fn forms(secret: &[u8]) -> Vec<Vec<u8>> {
    let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut forms = vec![
        secret.to_vec(),
        hex.to_uppercase().into_bytes(),
        hex.into_bytes(),
    ];
    for skipped in 0..3 {
        let whole = &secret[skipped..];
        let whole = &whole[..whole.len() / 3 * 3];
        forms.push(STANDARD.encode(whole).into_bytes());
        forms.push(URL_SAFE.encode(whole).into_bytes());
    }
    forms
}

fn holds(image: &[u8], secret: &[u8]) -> bool {
    // Half a secret is one too.
    let half = secret.len() / 2;
    [&secret[..half], &secret[half..]]
        .into_iter()
        .flat_map(forms)
        .any(|form| image.windows(form.len()).any(|window| window == form))
}

fn fill<P: Protection>(bytes: &mut [u8], protection: P) {
    let mut store = Store::<_, _, 16>::format(Image::new(bytes), REGION, protection).unwrap();
    let mut value = [0; 512];
    let mut credential = Credential {
        api: "heymarket",
        id: ID,
        key: CredentialKey::Prepared(api_key()),
    };
    let record = credential.encode(&mut value).unwrap();
    store
        .put(Key::credential(0), CREDENTIAL_VERSION, record)
        .unwrap();
    (credential.api, credential.id, credential.key) = ("heyoo", "", CredentialKey::Sent(SENT));
    let record = credential.encode(&mut value).unwrap();
    store
        .put(Key::credential(1), CREDENTIAL_VERSION, record)
        .unwrap();
    let settings = [(Setting::WIFI_PASSPHRASE, PASSPHRASE.as_bytes())];
    let record = encode_settings(settings, &mut value).unwrap();
    store.put(Key::NETWORK, SETTINGS_VERSION, record).unwrap();
}

/// What only a device may know: the states, the digest they come from, and what is sent.
fn signing_equivalents() -> Vec<Vec<u8>> {
    vec![
        api_key().to_prepared().to_vec(),
        Sha256::digest(format!("{ID}||{KEY}")).to_vec(),
        SENT.as_bytes().to_vec(),
        PASSPHRASE.as_bytes().to_vec(),
    ]
}

#[test]
fn a_sealed_image_holds_no_secret() {
    let mut bytes = vec![0xff; 16384];
    fill(&mut bytes, seal());
    for secret in signing_equivalents() {
        assert!(!holds(&bytes, &secret));
    }
    for secret in [KEY.as_bytes(), ID.as_bytes(), &[0x42; 32]] {
        assert!(!holds(&bytes, secret));
    }
}

#[test]
fn a_plain_image_holds_the_prepared_key_but_not_the_secret() {
    let mut bytes = vec![0xff; 16384];
    fill(&mut bytes, Plain);
    assert!(!holds(&bytes, KEY.as_bytes()));
    // The search finds what is there.
    assert!(holds(&bytes, &*api_key().to_prepared()));
    assert!(holds(&bytes, SENT.as_bytes()) && holds(&bytes, PASSPHRASE.as_bytes()));
    let hidden = [
        &[0u8; 100][..],
        STANDARD.encode(format!("xx{KEY}")).as_bytes(),
    ]
    .concat();
    assert!(holds(&hidden, KEY.as_bytes()));
}

#[test]
fn a_sealed_store_believes_nothing_plain() {
    let mut bytes = vec![0xff; 16384];
    fill(&mut bytes, Plain);
    let mut value = [0; MAX_CREDENTIAL_LEN];
    let mut store = Store::<_, _, 16>::open(Image::new(&mut bytes), REGION, seal()).unwrap();
    assert_eq!(
        store.get(Key::credential(0), &mut value),
        Err(StoreError::NotSealed)
    );
}

#[test]
fn a_purge_leaves_nothing_of_what_was_removed() {
    let mut bytes = vec![0xff; 16384];
    fill(&mut bytes, Plain);
    let mut store = Store::<_, _, 16>::open(Image::new(&mut bytes), REGION, Plain).unwrap();
    store.remove(Key::credential(1)).unwrap();
    store.put(Key::NETWORK, SETTINGS_VERSION, b"").unwrap();
    drop(store);
    assert!(holds(&bytes, SENT.as_bytes()));
    let mut store = Store::<_, _, 16>::open(Image::new(&mut bytes), REGION, Plain).unwrap();
    store.purge().unwrap();
    drop(store);
    assert!(!holds(&bytes, SENT.as_bytes()) && !holds(&bytes, PASSPHRASE.as_bytes()));
}

#[test]
fn nothing_secret_is_printed() {
    let credential = Credential {
        api: "heyoo",
        id: ID,
        key: CredentialKey::Sent(SENT),
    };
    let mut bytes = vec![0xff; 16384];
    fill(&mut bytes, Plain);
    let mut store = Store::<_, _, 16>::open(Image::new(&mut bytes), REGION, Plain).unwrap();
    let mut value = [0; 512];
    let record = store.get(Key::NETWORK, &mut value).unwrap().unwrap();
    let printed = format!("{credential:?} {record:?} {:?} {store:?}", seal());
    for secret in [SENT, ID, PASSPHRASE] {
        assert!(!printed.contains(secret), "{printed}");
    }
    assert!(printed.contains("heyoo"));
}

/// An entry belongs to its kind, slot, version and number: moved or changed, it is refused.
#[test]
fn a_sealed_entry_fits_nowhere_else() {
    let mut bytes = vec![0xff; 16384];
    fill(&mut bytes, seal());
    let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);
    let len = usize::from(u16::from_le_bytes([bytes[38], bytes[39]]));
    // Kind, version, slot, number, and each byte of what is stored but the link, which only the newest is asked for.
    let fields = [32, 33, 36, 37, 40].into_iter().chain(48..48 + len - 16);
    for at in fields {
        let mut changed = bytes.clone();
        for side in [0, 8192] {
            changed[side + at] ^= if at == 40 { 3 } else { 64 };
            if at == 40 {
                // The number must stay below the next one's: 2 becomes 1.
                assert_eq!(changed[side + 40], 1);
            }
            let mut checked = changed[side + 32..side + 44].to_vec();
            checked.extend_from_slice(&changed[side + 48..side + 48 + len]);
            let crc = crc.checksum(&checked).to_le_bytes();
            changed[side + 44..side + 48].copy_from_slice(&crc);
        }
        let mut value = [0; 512];
        let opened = Store::<_, _, 16>::open(Image::new(&mut changed), REGION, seal());
        if at < 48 + 12 {
            // Header and nonce are in the chain that the newest entry ends.
            assert_eq!(opened.err(), Some(StoreError::Spliced), "byte {at}");
            continue;
        }
        let mut store = opened.unwrap();
        let first = store.records().next().unwrap().key;
        assert_eq!(
            store.get(first, &mut value),
            Err(StoreError::Forged),
            "byte {at}"
        );
        assert_eq!(value, [0; 512]);
    }
}

/// A device key that can't be used gives no store.
#[test]
fn a_device_key_that_fails_is_told() {
    #[derive(Debug, PartialEq)]
    struct Broken;
    impl core::fmt::Display for Broken {
        fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
            f.write_str("no key block")
        }
    }
    impl core::error::Error for Broken {}
    struct Engine(Rc<RefCell<Vec<Vec<u8>>>>);
    impl jwt_core::MacEngine for Engine {
        type Error = Broken;
        type Midstate = ();
        fn absorb(&mut self, _: &[[u8; 64]]) -> Result<(), Broken> {
            Ok(())
        }
        fn finish(&mut self, _: &(), message: &[u8]) -> Result<[u8; 32], Broken> {
            self.0.borrow_mut().push(message.to_vec());
            Err(Broken)
        }
    }
    let messages = Rc::default();
    let error = Sealed::new(Engine(Rc::clone(&messages))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the device key can't be used: no key block"
    );
    assert!(matches!(error, SealError::Engine(Broken)));
    assert_eq!(*messages.borrow(), [b"\0secure-store seal 1".to_vec()]);
}

#[test]
fn a_credential_that_is_too_long_leaves_no_key_behind() {
    let long = "x".repeat(65);
    let sent = "k".repeat(257);
    for (api, id, key) in [
        (&*long, ID, CredentialKey::Prepared(api_key())),
        ("heymarket", &*long, CredentialKey::Prepared(api_key())),
        ("heyoo", "", CredentialKey::Sent(&sent)),
    ] {
        let mut out = [0; 512];
        assert!(Credential { api, id, key }.encode(&mut out).is_none());
        assert!(out == [0; 512]);
    }
}
