//! Whatever the line does: nothing crashes, nothing wrong is written, and the transfer ends when the line is well.

mod support;

use device_link::{Authority, DesktopLink, LinkError, Request, Upload};
use jwt_core::HmacKey;
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng};
use secure_store::Key;
use support::{Bench, Failed, Fake, Faults};

fn key(byte: u8) -> HmacKey {
    HmacKey::new(&[byte; 32]).unwrap()
}

fn bench(keyed: bool, seed: u64) -> Bench {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut device = Fake::new(keyed.then(|| key(7)));
    device.window_secs = 100;
    let authority = match keyed {
        true => Authority::Key(key(7)),
        false => Authority::Window,
    };
    let desktop = DesktopLink::new(authority, HmacKey::new(&bytes).unwrap());
    Bench::new(desktop, device, rng)
}

fn faults() -> impl Strategy<Value = Faults> {
    (
        0..600u16,
        0..600u16,
        0..600u16,
        0..20_000u16,
        0..20_000u16,
        0..4_000u16,
    )
        .prop_map(|(lose, damage, insert, repeat, swap, restart)| Faults {
            lose,
            damage,
            insert,
            repeat,
            swap,
            restart,
        })
}

/// Settings of any length: entries of a number, a length, a value.
fn settings() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(
        (any::<u8>(), prop::collection::vec(any::<u8>(), 0..120)),
        0..8,
    )
    .prop_map(|settings| {
        let mut record = Vec::new();
        for (number, value) in settings {
            record.push(number);
            record.extend((value.len() as u16).to_le_bytes());
            record.extend(value);
        }
        record
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn records_arrive_as_they_are_or_not_at_all(
        keyed: bool,
        seed: u64,
        faults in faults(),
        records in prop::collection::vec((any::<bool>(), settings()), 1..4),
    ) {
        let mut bench = bench(keyed, seed);
        let records: Vec<(Key, Vec<u8>)> = records
            .into_iter()
            .map(|(network, value)| (if network { Key::NETWORK } else { Key::DEVICE }, value))
            .collect();
        for (key, value) in &records {
            let mut upload = Upload::new(*key, 1, value).unwrap();
            bench.faults = faults;
            // The operator tries a few times, then has the cable changed.
            let mut result = bench.upload(&mut upload);
            for attempt in 0..3 {
                match result {
                    Ok(_) => break,
                    Err(Failed::Link(LinkError::NoAnswer)) => {}
                    Err(failed) => panic!("{failed:?}"),
                }
                if attempt == 2 {
                    bench.faults = Faults::default();
                }
                result = bench.upload(&mut upload);
            }
            prop_assert!(result.is_ok(), "{:?}", result);
            let stored = bench.device.value(*key);
            prop_assert_eq!(stored.as_ref(), Some(value));
        }
        for (key, version, value) in &bench.device.written {
            prop_assert_eq!(*version, 1);
            prop_assert!(records.contains(&(*key, value.clone())), "{:?} was never sent", key);
        }
    }

    #[test]
    fn noise_alone_changes_nothing(keyed: bool, noise in prop::collection::vec(any::<u8>(), 0..4000)) {
        let mut bench = bench(keyed, 1);
        for (at, byte) in noise.iter().enumerate() {
            let _ = bench.link.receive(*byte, at as u64, &mut bench.device);
            let _ = bench.desktop.receive(*byte, at as u64);
        }
        prop_assert!(bench.device.written.is_empty());
        prop_assert_eq!(bench.device.clock, None);
        bench.now_ms += 10_000;
        let answer = bench.ask(&Request::Status);
        prop_assert!(matches!(answer, Ok(Ok(_))), "{:?}", answer);
    }

    #[test]
    fn frames_are_found_between_lines_of_text(
        text in "[ -~\r\n]{0,200}",
        requests in 1..4usize,
    ) {
        let mut bench = bench(true, 2);
        for _ in 0..requests {
            for byte in text.bytes() {
                let heard = bench.link.receive(byte, bench.now_ms, &mut bench.device);
                prop_assert_eq!(heard, device_link::Received::Text(byte));
                let heard = bench.desktop.receive(byte, bench.now_ms);
                prop_assert_eq!(heard, device_link::Event::Text(byte));
            }
            prop_assert!(matches!(bench.ask(&Request::Status), Ok(Ok(_))));
        }
        // What frames consist of reaches no console.
        prop_assert!(bench.typed.is_empty() && bench.console.is_empty());
    }
}
