//! Frames made by hand, from `docs/serial-protocol.md`: what no desktop of this crate would send.

mod support;

use device_link::{DeviceLink, Received};
use jwt_core::HmacKey;
use secure_store::Key;
use support::Fake;

const WELCOME: u8 = 0x81;
const REPLY: u8 = 0x82;

const STATUS: &[u8] = &[1];
/// 1,800,000,000 Unix seconds.
const SET_CLOCK: &[u8] = &[2, 0x00, 0xd2, 0x49, 0x6b, 0, 0, 0, 0];
const COMMIT: &[u8] = &[5];
const REBOOT: &[u8] = &[8];

/// A device, and what is known of its session.
struct Raw {
    device: Fake,
    link: DeviceLink,
    tag: [u8; 4],
}

fn frame(kind: u8, tag: [u8; 4], number: u32, payload: &[u8]) -> Vec<u8> {
    let mut content = vec![1, kind];
    content.extend(tag);
    content.extend(number.to_le_bytes());
    content.extend((payload.len() as u16).to_le_bytes());
    content.extend(payload);
    content.extend(crc32fast::hash(&content).to_le_bytes());
    let mut frame = vec![2];
    frame.extend(cobs::encode_vec(&content));
    frame.push(0);
    frame
}

impl Raw {
    fn new(device: Fake) -> Self {
        let mut raw = Self {
            device,
            link: DeviceLink::new(),
            tag: [0; 4],
        };
        raw.hello(1, 7);
        raw
    }

    /// Sends a frame; returns the kind and the payload of what comes back.
    fn send(&mut self, bytes: &[u8]) -> Option<(u8, Vec<u8>)> {
        let mut answer = None;
        for byte in bytes {
            match self.link.receive(*byte, 1_000, &mut self.device) {
                Received::Reply(reply) | Received::Reboot(reply) => {
                    let content = cobs::decode_vec(&reply[1..reply.len() - 1]).unwrap();
                    let payload = content[12..content.len() - 4].to_vec();
                    answer = Some((content[1], payload));
                }
                other => assert_eq!(other, Received::Nothing),
            }
        }
        answer
    }

    fn hello(&mut self, number: u32, nonce: u8) -> Vec<u8> {
        let hello = [&[1, 1][..], &[nonce; 16]].concat();
        let (kind, welcome) = self.send(&frame(1, [0; 4], number, &hello)).unwrap();
        assert_eq!(kind, WELCOME);
        self.tag.copy_from_slice(&welcome[3..7]);
        welcome
    }

    /// Sends a request in the clear; returns the first byte of the reply, if there is one.
    fn ask(&mut self, number: u32, payload: &[u8]) -> Option<u8> {
        let (kind, reply) = self.send(&frame(2, self.tag, number, payload))?;
        assert_eq!(kind, REPLY);
        Some(reply[0])
    }
}

fn open() -> Raw {
    let mut device = Fake::new(None);
    device.window_secs = 100;
    Raw::new(device)
}

fn keyed() -> Raw {
    let mut device = Fake::new(Some(HmacKey::new(&[7; 32]).unwrap()));
    device.window_secs = 100;
    Raw::new(device)
}

#[test]
fn a_device_with_a_key_takes_nothing_in_the_clear_window_or_not() {
    let mut raw = keyed();
    let mut begin = vec![3, 5, 0, 0, 1, 0, 0];
    begin.extend(crc32fast::hash(b"").to_le_bytes());
    for (number, request) in
        (1..).zip([SET_CLOCK, &begin, COMMIT, REBOOT, &[6, 0], &[7, 1], &[9, 0]])
    {
        assert_eq!(raw.ask(number, request), Some(2), "{request:?}");
    }
    assert_eq!(raw.ask(8, STATUS), Some(0));
    assert_eq!(raw.device.clock, None);
    assert!(raw.device.written.is_empty());
}

#[test]
fn a_request_is_carried_out_once_and_in_its_turn() {
    let mut raw = open();
    assert_eq!(raw.ask(2, SET_CLOCK), None, "before the first");
    assert_eq!(raw.ask(1, SET_CLOCK), Some(0));
    assert!(raw.device.clock.take().is_some());
    assert_eq!(raw.ask(2, STATUS), Some(0));
    for number in [0, 1, 4, u32::MAX] {
        assert_eq!(raw.ask(number, SET_CLOCK), None, "number {number}");
    }
    assert_eq!(raw.device.clock, None);
}

#[test]
fn a_request_of_an_earlier_session_is_not_carried_out() {
    let mut raw = open();
    let old = frame(2, raw.tag, 1, SET_CLOCK);
    raw.hello(2, 8);
    assert_eq!(raw.send(&old), None);
    assert_eq!(raw.device.clock, None);
}

#[test]
fn a_hello_gets_the_same_welcome_until_the_first_request() {
    let mut raw = keyed();
    let welcome = raw.hello(1, 7);
    assert_eq!(raw.hello(1, 7), welcome);
    assert_ne!(raw.hello(1, 8), welcome, "another nonce");
    let welcome = raw.hello(1, 7);
    assert_eq!(raw.ask(1, STATUS), Some(0));
    assert_ne!(raw.hello(1, 7), welcome, "the session was used");
}

#[test]
fn other_versions_are_told_which_there_are() {
    let mut raw = open();
    for versions in [[0, 0], [2, 9], [3, 1]] {
        let hello = [&versions[..], &[1; 16]].concat();
        let answer = raw.send(&frame(1, [0; 4], 5, &hello));
        assert_eq!(answer, Some((WELCOME, vec![0, 1, 1])), "{versions:?}");
    }
    // More versions than one, and something behind them: from a later desktop.
    let hello = [&[1, 9][..], &[1; 16], b"later"].concat();
    let (_, welcome) = raw.send(&frame(1, [0; 4], 6, &hello)).unwrap();
    assert_eq!(welcome[0], 1);
}

/// The answer to such a hello stands where the last reply was: neither that nor a welcome comes in its place.
#[test]
fn a_hello_of_another_version_ends_the_session() {
    let strange = [&[2, 9][..], &[5; 16]].concat();
    let strange = frame(1, [0; 4], 77, &strange);
    let mut raw = open();
    assert_eq!(raw.ask(1, SET_CLOCK), Some(0));
    assert!(raw.device.clock.take().is_some());
    raw.send(&strange).unwrap();
    assert_eq!(raw.ask(1, SET_CLOCK), Some(1), "no session");
    assert_eq!(raw.device.clock, None);

    let mut raw = open();
    raw.send(&strange).unwrap();
    let again = raw.hello(1, 7);
    assert_eq!(again[0], 1, "the version that both speak");
    assert_eq!(raw.ask(1, SET_CLOCK), Some(0));
}

#[test]
fn a_record_that_is_not_as_announced_is_not_written() {
    let mut raw = open();
    let value = b"\x01\x01\x00a";
    let mut begin = vec![3, 5, 0, 0, 1, 4, 0];
    begin.extend((crc32fast::hash(value) ^ 1).to_le_bytes());
    assert_eq!(raw.ask(1, &begin), Some(0));
    assert_eq!(raw.ask(2, COMMIT), Some(8), "nothing has arrived");
    assert_eq!(
        raw.ask(3, &[&[4, 0, 0][..], value, b"more"].concat()),
        Some(8),
        "too much"
    );
    assert_eq!(raw.ask(4, &[&[4, 0, 0][..], value].concat()), Some(0));
    assert_eq!(raw.ask(5, COMMIT), Some(9), "another checksum");
    assert_eq!(raw.ask(6, COMMIT), Some(8), "forgotten");
    assert!(raw.device.written.is_empty());
    assert_eq!(raw.device.value(Key::DEVICE), None);
}

#[test]
fn unknown_and_malformed_requests_are_refused() {
    let mut raw = open();
    for (number, request) in (1..).zip([
        &[][..],
        &[0],
        &[77],
        &[2, 1],
        &[5, 0],
        &[6],
        &[6, 2],
        &[3, 5],
    ]) {
        assert_eq!(raw.ask(number, request), Some(4), "{request:?}");
    }
    assert!(raw.device.written.is_empty());
}

#[test]
fn frames_of_other_formats_kinds_and_lengths_are_dropped() {
    let mut raw = open();
    let good = frame(2, raw.tag, 1, STATUS);
    let content = cobs::decode_vec(&good[1..good.len() - 1]).unwrap();
    let with = |at: usize, byte: u8| {
        let mut changed = content[..content.len() - 4].to_vec();
        changed[at] = byte;
        changed.extend(crc32fast::hash(&changed).to_le_bytes());
        [&[2][..], &cobs::encode_vec(&changed), &[0]].concat()
    };
    for (at, byte) in [
        (0, 2),
        (1, 0),
        (1, 4),
        (1, REPLY),
        (1, WELCOME),
        (10, 0),
        (10, 2),
        (11, 1),
    ] {
        assert_eq!(raw.send(&with(at, byte)), None, "byte {at} is {byte}");
    }
    assert_eq!(raw.send(&frame(2, raw.tag, 1, &[1; 417])), None, "too long");
    assert!(raw.send(&good).is_some());
}

#[test]
fn a_device_that_has_started_anew_says_so_at_once() {
    let mut raw = open();
    raw.link = DeviceLink::new();
    assert_eq!(raw.ask(5, SET_CLOCK), Some(1));
    assert_eq!(raw.device.clock, None);
}

/// What firmware has to keep for a line, in bytes, and what the crate says of it.
#[test]
fn a_link_takes_less_than_3_kb() {
    let size = size_of::<DeviceLink>();
    println!("{size} bytes");
    assert!((2_000..3_000).contains(&size), "{size} bytes");
}
