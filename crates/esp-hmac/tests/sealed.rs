//! A store that a desktop has sealed for a chip opens on the chip, where only the peripheral has the device key.

mod support;

use std::cell::RefCell;

use esp_hmac::{BlockKey, Hmac, KeyBlock};
use jwt_core::HmacKey;
use secure_store::{Image, Key, Region, Sealed, Store, StoreError};
use support::{Bus, Peripheral};

const REGION: Region = Region {
    start: 0,
    len: 16 * 1024,
};

type ImageStore<'a> = Store<Image<'a>, Sealed, 4>;

#[test]
fn only_the_chip_with_the_device_key_opens_it() {
    let device_key = [0x3c; 32];
    let mut flash = vec![0xff; REGION.len as usize];
    let sealed = Sealed::new(HmacKey::new(&device_key).unwrap()).unwrap();
    let mut store = ImageStore::format(Image::new(&mut flash), REGION, sealed).unwrap();
    store.put(Key::DEVICE, 1, b"whom to alert").unwrap();
    drop(store);

    for (burnt, opens) in [(device_key, true), ([0x3d; 32], false)] {
        let hmac = RefCell::new(Hmac::new(Bus::new(Peripheral::with_key(1, &burnt))));
        let key = BlockKey::new(&hmac, KeyBlock::new(1).unwrap());
        let sealed = Sealed::new(key).unwrap();
        let mut out = [0; 64];
        let store = ImageStore::open(Image::new(&mut flash), REGION, sealed);
        let read = store.and_then(|mut store| {
            let record = store.get(Key::DEVICE, &mut out)?;
            Ok(record.map(|record| record.value.to_vec()))
        });
        match opens {
            true => assert_eq!(read, Ok(Some(b"whom to alert".to_vec()))),
            false => assert!(matches!(read, Err(StoreError::Forged)), "{read:?}"),
        }
    }
}
