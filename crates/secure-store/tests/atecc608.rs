//! The driver against recorded packets, and against a simulated device that computes real HMACs.

mod support;

use embedded_hal_mock::eh1::delay::NoopDelay;
use embedded_hal_mock::eh1::i2c::{Mock, Transaction};
use hmac::{Hmac, KeyInit, Mac};
use jwt_core::MacEngine;
use secure_store::atecc608::{Atecc608, AteccError, DEFAULT_ADDRESS, Locks, Status};
use secure_store::{
    Freshness, Image, Key, MonotonicCounter, Plain, Region, Sealed, Store, anchor, check_freshness,
};
use sha2::Sha256;
use support::atecc::{Fault, Sim};

const KEY: [u8; 32] = *b"the 32 bytes of key in a slot...";

fn sim() -> (Sim, Atecc608<Sim, Sim>) {
    let sim = Sim::new();
    sim.0.borrow_mut().slots[3] = Some(KEY);
    let device = Atecc608::new(sim.clone(), sim.clone(), DEFAULT_ADDRESS);
    (sim, device)
}

fn expected(message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(&KEY).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// Wake pulse and its answer, which are the same for every command.
fn woken() -> Vec<Transaction> {
    vec![
        Transaction::write(0x00, vec![0x00]),
        Transaction::read(0x60, vec![0x04, 0x11, 0x33, 0x43]),
    ]
}

/// Commands and error responses whose CRCs are known from Microchip's library, byte by byte.
#[test]
fn packets_are_those_of_microchips_library() {
    let mut transactions = woken();
    transactions.extend([
        Transaction::write(0x60, vec![0x03, 0x07, 0x30, 0x00, 0x00, 0x00, 0x03, 0x5d]),
        Transaction::read(0x60, vec![0x07, 0x00, 0x00, 0x60, 0x02, 0x80, 0x38]),
        Transaction::write(0x60, vec![0x01]),
    ]);
    transactions.extend(woken());
    transactions.extend([
        Transaction::write(0x60, vec![0x03, 0x07, 0x1b, 0x00, 0x00, 0x00, 0x24, 0xcd]),
        Transaction::read(0x60, [&[0x04, 0x0f, 0x23, 0x42][..], &[0xff; 31]].concat()),
        Transaction::write(0x60, vec![0x01]),
    ]);
    let mut device = Atecc608::new(Mock::new(&transactions), NoopDelay, DEFAULT_ADDRESS);
    assert_eq!(device.revision(), Ok([0x00, 0x00, 0x60, 0x02]));
    assert_eq!(device.random(), Err(AteccError::Refused(Status::Execution)));
    device.release().0.done();
}

#[test]
fn macs_of_all_lengths_are_the_hmac_crates() {
    let (sim, device) = sim();
    let mut key = device.into_key(3).unwrap();
    let message: Vec<u8> = (0..1100u32).map(|n| (n * 7) as u8).collect();
    for len in (0..200).chain([255, 256, 257, 640, 1024, 1100]) {
        assert_eq!(
            key.mac(&message[..len]),
            Ok(expected(&message[..len])),
            "{len} bytes"
        );
        assert!(sim.is_asleep());
    }
}

/// The watchdog ends what takes too long; half a computation is no MAC.
#[test]
fn a_message_that_takes_too_long_is_refused() {
    let (_, device) = sim();
    let mut key = device.into_key(3).unwrap();
    let message = [0x5a; 8 * 1024];
    assert!(key.mac(&message).is_err());
    assert_eq!(key.mac(&message[..512]), Ok(expected(&message[..512])));
}

#[test]
fn a_token_is_signed_by_a_slot() {
    let (_, device) = sim();
    let mut line = [0; 256];
    let header = jwt_core::Header::new();
    let claims = jwt_core::Claims {
        iss: Some("74f80a77-9b3f-44ac-b3ad-ab68cfb548fa"),
        ..jwt_core::Claims::NONE
    };
    let times = jwt_core::Times::iat(1_713_225_600);
    let key = device.into_key(3).unwrap();
    let token = jwt_core::sign(key, &header, &claims, &times, &mut line).unwrap();
    let mut other = [0; 256];
    let software = jwt_core::HmacKey::new(&KEY).unwrap();
    assert_eq!(
        token,
        jwt_core::sign(&software, &header, &claims, &times, &mut other).unwrap()
    );
}

#[test]
fn the_other_commands_answer() {
    let (sim, mut device) = sim();
    assert_eq!(device.revision(), Ok([0, 0, 0x60, 2]));
    assert_eq!(device.serial_number(), Ok([0, 1, 2, 3, 8, 9, 10, 11, 12]));
    let locks = |config| Locks { config, data: true };
    assert_eq!(device.locks(), Ok(locks(true)));
    assert_ne!(device.random().unwrap(), device.random().unwrap());
    sim.0.borrow_mut().config_locked = false;
    assert_eq!(device.locks(), Ok(locks(false)));
    assert_eq!(device.random(), Err(AteccError::Unlocked));

    let refused = AteccError::Refused(Status::Execution);
    assert_eq!(device.hmac(4, b"an empty slot"), Err(refused));
    assert_eq!(device.hmac(16, b"no slot"), Err(AteccError::NoSuchSlot));
    assert!(sim.is_asleep());
}

#[test]
fn a_device_that_is_missing_or_stuck_is_told() {
    let sim = Sim::new();
    let mut elsewhere = Atecc608::new(sim.clone(), sim.clone(), 0x61);
    assert_eq!(elsewhere.revision(), Err(AteccError::Asleep));
    let (sim, mut device) = self::sim();
    sim.0.borrow_mut().never_finishes = true;
    assert_eq!(device.hmac(3, b""), Err(AteccError::Asleep));
}

/// One fault at every transfer is made good, so that no token is refused for it.
#[test]
fn no_fault_on_the_bus_spoils_a_mac() {
    let message = [0x5a; 200];
    let mut faults = 0;
    for n in 1..=9 {
        let flips = |bit| [Fault::FlippedWrite(n, bit), Fault::FlippedRead(n, bit)];
        for fault in (0..8 * 40).flat_map(flips).chain([Fault::NoAck(n)]) {
            let (sim, mut device) = sim();
            sim.0.borrow_mut().fault = Some(fault);
            assert_eq!(
                device.hmac(3, &message),
                Ok(expected(&message)),
                "{fault:?}"
            );
            assert_eq!(
                device.hmac(3, &message),
                Ok(expected(&message)),
                "after {fault:?}"
            );
            faults += 1;
        }
    }
    println!("{faults} faults were made good");
}

/// An increment is carried out once, whatever happens to its response.
#[test]
fn no_fault_on_the_bus_counts_twice() {
    for n in 1..=4 {
        for bit in 0..80 {
            for fault in [
                Fault::FlippedWrite(n, bit),
                Fault::FlippedRead(n, bit),
                Fault::NoAck(n),
            ] {
                let (sim, device) = sim();
                sim.0.borrow_mut().fault = Some(fault);
                let counted = device.into_counter(0).unwrap().increment();
                let count = sim.0.borrow().counters[0];
                match counted {
                    Ok(new) => assert_eq!((new, count), (1, 1), "{fault:?}"),
                    Err(_) => assert!(count <= 1, "{fault:?}"),
                }
            }
        }
    }
}

#[test]
fn an_old_image_is_told_by_the_counter() {
    const REGION: Region = Region {
        start: 0,
        len: 8192,
    };
    let (sim, device) = sim();
    let seal = || {
        Sealed::new(
            Atecc608::new(sim.clone(), sim.clone(), 0x60)
                .into_key(3)
                .unwrap(),
        )
    };
    let mut counter = device.into_counter(1).unwrap();
    let mut flash = vec![0xff; 8192];
    let mut freshness = |flash: &mut Vec<u8>| {
        let mut store = Store::<_, _, 8>::open(Image::new(flash), REGION, seal().unwrap()).unwrap();
        check_freshness(&mut store, &mut counter).unwrap()
    };
    let store = Store::<_, _, 8>::format(Image::new(&mut flash), REGION, seal().unwrap());
    drop(store.unwrap());
    assert_eq!(freshness(&mut flash), Freshness::Unanchored);
    let blank = flash.clone();

    let raise = |flash: &mut Vec<u8>| {
        let device = Atecc608::new(sim.clone(), sim.clone(), 0x60);
        let mut store = Store::<_, _, 8>::open(Image::new(flash), REGION, seal().unwrap()).unwrap();
        store.put(Key::ROTATION, 1, b"new").unwrap();
        anchor(&mut store, &mut device.into_counter(1).unwrap()).unwrap();
    };
    raise(&mut flash);
    assert_eq!(freshness(&mut flash), Freshness::Fresh);
    let mut old = flash.clone();
    raise(&mut flash);
    raise(&mut flash);
    assert_eq!(freshness(&mut flash), Freshness::Fresh);
    assert_eq!(freshness(&mut old), Freshness::RolledBack { by: 2 });
    assert_eq!(
        freshness(&mut blank.clone()),
        Freshness::RolledBack { by: 3 }
    );

    assert_eq!(sim.0.borrow().counters[1], 3);
    sim.0.borrow_mut().counters[1] = 0;
    assert_eq!(freshness(&mut flash), Freshness::CounterReplaced);
    let plain = Store::<_, _, 8>::open(Image::new(&mut flash), REGION, Plain).unwrap();
    assert_eq!(plain.records().count(), 2);
}
