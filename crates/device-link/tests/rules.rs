//! Who may write what, and in which order.

mod support;

use api_auth::{Slot, SlotState};
use device_link::{
    Authority, CERTIFICATES_VERSION, DesktopLink, DeviceLink, LinkError, Received, Refusal,
    Request, Upload,
};
use jwt_core::HmacKey;
use proptest::test_runner::{RngAlgorithm, TestRng};
use secure_store::{CREDENTIAL_VERSION, Credential, CredentialKey, Key, SETTINGS_VERSION};
use support::{Answer, Bench, Failed, Fake, Faults};

fn key(byte: u8) -> HmacKey {
    HmacKey::new(&[byte; 32]).unwrap()
}

fn bench(authority: Authority, device: Fake) -> Bench {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[1; 32]);
    Bench::new(DesktopLink::new(authority, key(0x33)), device, rng)
}

fn keyed() -> Bench {
    bench(Authority::Key(key(7)), Fake::new(Some(key(7))))
}

fn credential(secret: u8) -> Vec<u8> {
    let credential = Credential {
        api: "heymarket",
        id: "74f80a77-9b3f-44ac-b3ad-ab68cfb548fa",
        key: CredentialKey::Prepared(key(secret)),
    };
    let mut out = [0; 256];
    credential.encode(&mut out).unwrap().to_vec()
}

fn put(bench: &mut Bench, key: Key, version: u8, value: &[u8]) -> Result<bool, Failed> {
    bench.upload(&mut Upload::new(key, version, value).unwrap())
}

fn put_credential(bench: &mut Bench, slot: u16, secret: u8) -> Result<bool, Failed> {
    put(
        bench,
        Key::credential(slot),
        CREDENTIAL_VERSION,
        &credential(secret),
    )
}

fn refused(refusal: Refusal) -> Result<bool, Failed> {
    Err(Failed::Refused(refusal))
}

#[test]
fn a_credential_goes_into_an_empty_slot_and_the_rotation_follows() {
    let mut bench = keyed();
    assert_eq!(put_credential(&mut bench, 0, 1), Ok(false));
    assert_eq!(bench.device.slots().state(Slot::A), SlotState::Trial);
    let written: Vec<Key> = bench.device.written.iter().map(|(key, ..)| *key).collect();
    assert_eq!(written, [Key::credential(0), Key::ROTATION]);

    assert_eq!(put_credential(&mut bench, 0, 1), Ok(true));
    assert_eq!(put_credential(&mut bench, 0, 2), refused(Refusal::Occupied));
    assert_eq!(bench.device.written.len(), 2);
    assert_eq!(bench.device.value(Key::credential(0)), Some(credential(1)));

    // What a power cut between the two writes leaves is completed.
    let mut cut = keyed();
    let stored = credential(1);
    cut.device
        .store
        .put(Key::credential(0), CREDENTIAL_VERSION, &stored)
        .unwrap();
    assert_eq!(put_credential(&mut cut, 0, 1), Ok(true));
    assert_eq!(cut.device.slots().state(Slot::A), SlotState::Trial);
}

#[test]
fn a_rotation_takes_its_steps_in_order_and_each_of_them_once() {
    let mut bench = keyed();
    put_credential(&mut bench, 0, 1).unwrap();
    let not_now = Ok(Err(Refusal::NotNow));
    assert_eq!(bench.ask(&Request::Verified(Slot::B)), not_now);
    assert_eq!(bench.ask(&Request::Promote(Slot::B)), not_now);
    assert_eq!(
        bench.ask(&Request::Promote(Slot::A)),
        not_now,
        "still on trial"
    );
    assert_eq!(bench.ask(&Request::Retire(Slot::A)), not_now, "in use");
    bench.ask(&Request::Verified(Slot::A)).unwrap().unwrap();

    put_credential(&mut bench, 1, 2).unwrap();
    assert_eq!(
        bench.ask(&Request::Promote(Slot::B)),
        not_now,
        "not verified"
    );
    for request in [
        Request::Verified(Slot::B),
        Request::Promote(Slot::B),
        Request::Retire(Slot::A),
    ] {
        let first = bench.ask(&request);
        let Ok(Ok(Answer::Slots(slots))) = first else {
            panic!("{first:?}");
        };
        assert_eq!(slots, bench.device.slots());
        let writes = bench.device.written.len();
        assert_eq!(bench.ask(&request), first, "repeated");
        assert_eq!(bench.device.written.len(), writes);
    }
    let slots = bench.device.slots();
    assert_eq!(
        (slots.active(), slots.state(Slot::A)),
        (Slot::B, SlotState::Empty)
    );
    assert_eq!(bench.device.value(Key::credential(0)), None);
}

#[test]
fn what_is_not_of_its_form_or_the_devices_own_is_refused() {
    let mut bench = keyed();
    for key in [
        Key::ROTATION,
        Key::CLOCK,
        Key::ANCHOR,
        Key::outbox(0),
        Key::outbox(5),
        Key::credential(2),
        Key::certificates(Key::CERTIFICATES_ASIDE),
        Key::certificates(u16::MAX),
        Key { kind: 200, slot: 0 },
    ] {
        assert_eq!(
            put(&mut bench, key, 1, b"x"),
            refused(Refusal::NotWritable),
            "{key:?}"
        );
    }
    let credential = credential(1);
    for (key, version, value, refusal) in [
        (
            Key::credential(0),
            CREDENTIAL_VERSION,
            &credential[..20],
            Refusal::Malformed,
        ),
        (
            Key::credential(0),
            CREDENTIAL_VERSION + 1,
            &credential,
            Refusal::NewerRecord,
        ),
        // No version is called so.
        (Key::credential(0), 0, &credential, Refusal::Malformed),
        (Key::DEVICE, 0, b"", Refusal::Malformed),
        (
            Key::DEVICE,
            SETTINGS_VERSION,
            b"\x01\xff\xffshort",
            Refusal::Malformed,
        ),
        (
            Key::NETWORK,
            SETTINGS_VERSION + 1,
            b"",
            Refusal::NewerRecord,
        ),
        (
            Key::certificates(0),
            CERTIFICATES_VERSION + 1,
            b"x",
            Refusal::NewerRecord,
        ),
    ] {
        assert_eq!(
            put(&mut bench, key, version, value),
            refused(refusal),
            "{key:?}"
        );
    }
    assert!(bench.device.written.is_empty());
    assert_eq!(
        put(
            &mut bench,
            Key::certificates(3),
            CERTIFICATES_VERSION,
            &[7; 1024]
        ),
        Ok(false)
    );
    assert!(Upload::new(Key::DEVICE, 1, &[0; 1025]).is_none());
}

#[test]
fn without_the_key_only_the_status_is_to_be_had() {
    for authority in [Authority::None, Authority::Window] {
        let mut device = Fake::new(Some(key(7)));
        device.window_secs = 100;
        let asks_in_vain = matches!(authority, Authority::Window);
        let mut bench = bench(authority, device);
        let answer = bench.ask(&Request::Reboot);
        match asks_in_vain {
            // The desktop sees that the device wants a key, before it sends anything.
            true => assert_eq!(answer, Err(LinkError::Refused(Refusal::KeyRequired))),
            false => {
                assert_eq!(answer, Err(LinkError::NoAuthority));
                assert!(matches!(
                    bench.ask(&Request::Status),
                    Ok(Ok(Answer::Status(_)))
                ));
            }
        }
        assert_eq!(bench.reboots, 0);
    }
}

#[test]
fn a_window_that_closes_ends_a_transfer() {
    let mut device = Fake::new(None);
    device.window_secs = 1;
    let mut bench = bench(Authority::Window, device);
    let record = credential(1);
    let mut upload = Upload::new(Key::credential(0), CREDENTIAL_VERSION, &record).unwrap();
    let begin = bench.ask(&upload.next().unwrap()).unwrap().unwrap();
    upload.answered(Ok(begin.reply())).unwrap();
    bench.device.window_secs = 0;
    assert_eq!(bench.upload(&mut upload), refused(Refusal::WindowClosed));
    assert_eq!(
        bench.ask(&Request::SetClock {
            unix_secs: 1_800_000_000
        }),
        Ok(Err(Refusal::WindowClosed))
    );
    assert!(bench.device.written.is_empty());
    assert_eq!(bench.device.clock, None);
}

#[test]
fn a_device_with_another_key_or_none_is_told_by_its_proof() {
    let mut other = bench(Authority::Key(key(8)), Fake::new(Some(key(7))));
    assert_eq!(
        put_credential(&mut other, 0, 1),
        Err(Failed::Link(LinkError::WrongKey))
    );
    let mut none = bench(Authority::Key(key(8)), Fake::new(None));
    none.device.window_secs = 100;
    assert_eq!(
        put_credential(&mut none, 0, 1),
        Err(Failed::Link(LinkError::NoDeviceKey))
    );
    let record = credential(1);
    for bench in [other, none] {
        assert!(!bench.wire.windows(8).any(|bytes| bytes == &record[..8]));
        assert!(bench.device.written.is_empty());
    }
}

/// Everything that went over the line, played to the device once more.
#[test]
fn a_recorded_session_is_worth_nothing() {
    let mut bench = keyed();
    bench
        .ask(&Request::SetClock {
            unix_secs: 1_800_000_000,
        })
        .unwrap()
        .unwrap();
    put(&mut bench, Key::DEVICE, SETTINGS_VERSION, b"\x01\x01\x00a").unwrap();
    let recorded = bench.wire.clone();
    bench.device.clock = None;
    bench.device.written.clear();
    for fresh in [false, true] {
        if fresh {
            bench.link = DeviceLink::new();
        }
        for byte in &recorded {
            bench.link.receive(*byte, bench.now_ms, &mut bench.device);
        }
    }
    assert_eq!(bench.device.clock, None);
    assert!(bench.device.written.is_empty());
}

/// A change of any one byte of a sealed request, with the CRC made right again by whoever changed it.
#[test]
fn a_changed_request_is_not_carried_out() {
    let mut device = Fake::new(Some(key(7)));
    let mut desktop = DesktopLink::new(Authority::Key(key(7)), key(0x33));
    let mut link = DeviceLink::new();
    let mut sealed = Vec::new();
    let hello = desktop
        .send(
            &Request::SetClock {
                unix_secs: 1_800_000_000,
            },
            0,
        )
        .unwrap()
        .to_vec();
    for byte in hello {
        let Received::Reply(welcome) = link.receive(byte, 0, &mut device) else {
            continue;
        };
        for byte in welcome.iter().copied() {
            if let device_link::Event::Transmit(request) = desktop.receive(byte, 0) {
                sealed = request.to_vec();
            }
        }
    }
    let content = cobs::decode_vec(&sealed[1..sealed.len() - 1]).unwrap();
    let covered = &content[..content.len() - 4];
    // Another kind makes it a request in the clear or a hello, which anybody can send: it may end the session.
    const KIND: usize = 1;
    for at in (0..covered.len()).filter(|at| *at != KIND) {
        for bit in 0..8 {
            let mut changed = covered.to_vec();
            changed[at] ^= 1 << bit;
            changed.extend(crc32fast::hash(&changed).to_le_bytes());
            let mut frame = vec![2];
            frame.extend(cobs::encode_vec(&changed));
            frame.push(0);
            for byte in frame {
                link.receive(byte, 0, &mut device);
            }
            assert_eq!(device.clock, None, "byte {at}, bit {bit}");
        }
    }
    for byte in sealed {
        link.receive(byte, 0, &mut device);
    }
    assert_eq!(device.clock, Some(1_800_000_000));
}

#[test]
fn nobody_slips_a_request_in_the_clear_into_a_sealed_session() {
    let mut bench = keyed();
    bench.ask(&Request::Status).unwrap().unwrap();
    // The next request in its place, but in the clear: it would take the number of the desktop's next one.
    let sealed = bench.desktop.send(&Request::Status, bench.now_ms).unwrap();
    let mut content = cobs::decode_vec(&sealed[1..sealed.len() - 1]).unwrap();
    content.truncate(10);
    content[1] = 2;
    content.extend([1, 0, 1]);
    content.extend(crc32fast::hash(&content).to_le_bytes());
    let frame = [&[2][..], &cobs::encode_vec(&content), &[0]].concat();
    for byte in frame {
        let heard = bench.link.receive(byte, bench.now_ms, &mut bench.device);
        assert_eq!(heard, Received::Nothing);
    }
    // The number is still the sealed request's, in the session that was there.
    let nonces = bench.device.nonces;
    let mut replied = false;
    for byte in sealed {
        let heard = bench.link.receive(*byte, bench.now_ms, &mut bench.device);
        replied |= matches!(heard, Received::Reply(_));
    }
    assert!(replied, "the clear request has used up the number");
    assert_eq!(bench.device.nonces, nonces, "no other session was needed");
}

#[test]
fn a_transfer_goes_on_where_the_cable_was_pulled() {
    let mut bench = keyed();
    let value = [0x5a; 1000];
    let part = Key::certificates(0);
    let mut upload = Upload::new(part, CERTIFICATES_VERSION, &value).unwrap();
    for _ in 0..3 {
        let answer = bench.ask(&upload.next().unwrap()).unwrap().unwrap();
        upload.answered(Ok(answer.reply())).unwrap();
    }
    assert_eq!(upload.received(), 512);

    // Another program takes over: the device has the first two pieces.
    bench.desktop = DesktopLink::new(Authority::Key(key(7)), key(0x44));
    let mut upload = Upload::new(part, CERTIFICATES_VERSION, &value).unwrap();
    let answer = bench.ask(&upload.next().unwrap()).unwrap().unwrap();
    assert_eq!(answer, Answer::Received(512));
    assert_eq!(bench.upload(&mut upload), Ok(false));
    assert_eq!(bench.device.value(part), Some(value.to_vec()));

    // After two minutes it has forgotten what came.
    let mut upload = Upload::new(part, CERTIFICATES_VERSION, &[1; 1000]).unwrap();
    for _ in 0..2 {
        let answer = bench.ask(&upload.next().unwrap()).unwrap().unwrap();
        upload.answered(Ok(answer.reply())).unwrap();
    }
    bench.now_ms += 121_000;
    let answer = bench.ask(
        &Upload::new(part, CERTIFICATES_VERSION, &[1; 1000])
            .unwrap()
            .next()
            .unwrap(),
    );
    assert_eq!(answer, Ok(Ok(Answer::Received(0))));
}

#[test]
fn a_reply_that_was_lost_is_said_again_and_nothing_is_done_twice() {
    let mut bench = keyed();
    bench.ask(&Request::Status).unwrap().unwrap();
    let unix_secs = 1_800_000_000;
    let request = bench
        .desktop
        .send(&Request::SetClock { unix_secs }, 0)
        .unwrap()
        .to_vec();
    let nonces = bench.device.nonces;
    let mut replies = Vec::new();
    for _ in 0..3 {
        for byte in &request {
            let heard = bench.link.receive(*byte, bench.now_ms, &mut bench.device);
            if let Received::Reply(reply) = heard {
                replies.push(reply.to_vec());
                assert!(bench.device.clock.take().is_some() == (replies.len() == 1));
            }
        }
    }
    assert_eq!(replies.len(), 3);
    assert!(replies.iter().all(|reply| *reply == replies[0]));
    assert_eq!(bench.device.nonces, nonces, "no other session");
}

#[test]
fn a_broken_line_is_given_up_and_a_mended_one_used() {
    let mut bench = keyed();
    bench.faults = Faults {
        lose: u16::MAX,
        ..Faults::default()
    };
    let start_ms = bench.now_ms;
    assert_eq!(bench.ask(&Request::Status), Err(LinkError::NoAnswer));
    assert!(bench.now_ms - start_ms < 10_000);
    bench.faults = Faults::default();
    assert!(matches!(
        bench.ask(&Request::Status),
        Ok(Ok(Answer::Status(_)))
    ));
}

#[test]
fn half_a_frame_does_not_silence_the_console_for_long() {
    let mut device = Fake::new(None);
    let mut link = DeviceLink::new();
    for byte in [2, 5, 1, 2] {
        assert_eq!(link.receive(byte, 0, &mut device), Received::Nothing);
    }
    assert_eq!(link.receive(b's', 1_001, &mut device), Received::Text(b's'));
}
