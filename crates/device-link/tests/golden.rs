//! Sessions that `golden/make.py`, an implementation of `docs/serial-protocol.md` of its own, has made.

mod support;

use device_link::{
    Authority, DesktopLink, DeviceLink, Event, Received, Refusal, Reply, Request, Upload,
};
use jwt_core::HmacKey;
use secure_store::Key;
use support::Fake;

const KEYED: &str = include_str!("golden/keyed.txt");
const WINDOW: &str = include_str!("golden/window.txt");

fn device_key() -> HmacKey {
    let key: [u8; 32] = core::array::from_fn(|n| n as u8);
    HmacKey::new(&key).unwrap()
}

/// The desktop's frames and the device's answers.
fn session(text: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let lines: Vec<&str> = text.lines().collect();
    let bytes = |line: &str, sign: &str| {
        let digits = line.strip_prefix(sign).unwrap().as_bytes();
        let byte =
            |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        digits.chunks(2).map(byte).collect()
    };
    let pairs = lines.chunks(2);
    pairs
        .map(|pair| (bytes(pair[0], "> "), bytes(pair[1], "< ")))
        .collect()
}

/// The record that both sessions write: a name, and two settings that no firmware knows.
fn value() -> Vec<u8> {
    let all: Vec<u8> = (0..=255).collect();
    let mut value = Vec::new();
    for (number, bytes) in [(1, &b"pump-7"[..]), (200, &all), (201, &[0xee; 40])] {
        value.push(number);
        value.extend((bytes.len() as u16).to_le_bytes());
        value.extend(bytes);
    }
    value
}

fn check_device(text: &str, mut device: Fake) {
    device.fixed_nonce = Some(core::array::from_fn(|n| 0xa0 + n as u8));
    let mut link = DeviceLink::new();
    for (at, (request, expected)) in session(text).into_iter().enumerate() {
        let mut answer: Vec<u8> = Vec::new();
        for byte in request {
            match link.receive(byte, 1_000, &mut device) {
                Received::Reply(reply) | Received::Reboot(reply) => answer.extend(reply),
                other => assert_eq!(other, Received::Nothing),
            }
        }
        assert_eq!(answer, expected, "exchange {at}");
    }
    assert_eq!(device.value(Key::DEVICE), Some(value()));
    assert_eq!(device.clock, Some(1_713_225_600));
}

#[test]
fn the_device_answers_as_documented() {
    check_device(KEYED, Fake::new(Some(device_key())));
    let mut device = Fake::new(None);
    device.window_secs = 100;
    check_device(WINDOW, device);
}

fn check_desktop(text: &str, authority: Authority, with_status: bool) {
    let mut link = DesktopLink::new(authority, HmacKey::new(&[0x55; 32]).unwrap());
    let mut session = session(text).into_iter();
    let value = value();
    let upload = Upload::new(Key::DEVICE, 1, &value).unwrap();
    let foreign = Upload::new(Key::CLOCK, 1, &value).unwrap();
    let requests = [
        upload.next().unwrap(),
        Request::Data {
            offset: 0,
            bytes: &value[..256],
        },
        Request::Data {
            offset: 256,
            bytes: &value[256..],
        },
        Request::Commit,
        Request::SetClock {
            unix_secs: 1_713_225_600,
        },
        foreign.next().unwrap(),
        Request::Reboot,
    ];
    let length = value.len() as u16;
    let replies = [
        Ok(Reply::Received(0)),
        Ok(Reply::Received(256)),
        Ok(Reply::Received(length)),
        Ok(Reply::Stored { unchanged: false }),
        Ok(Reply::Done),
        Err(Refusal::NotWritable),
        Ok(Reply::Done),
    ];
    let status = with_status.then_some((Request::Status, None));
    let others = requests.into_iter().zip(replies.map(Some));
    let (hello, welcome) = session.next().unwrap();
    for (at, (request, expected)) in status.into_iter().chain(others).enumerate() {
        let first = link.send(&request, 1_000).unwrap().to_vec();
        let mut sent = first;
        if at == 0 {
            assert_eq!(sent, hello);
            sent = welcome
                .iter()
                .fold(Vec::new(), |sent, byte| match link.receive(*byte, 1_000) {
                    Event::Transmit(bytes) => bytes.to_vec(),
                    other => {
                        assert_eq!(other, Event::Nothing);
                        sent
                    }
                });
        }
        let (frame, answer) = session.next().unwrap();
        assert_eq!(sent, frame, "request {at}");
        let (last, rest) = answer.split_last().unwrap();
        for byte in rest {
            assert_eq!(link.receive(*byte, 1_000), Event::Nothing);
        }
        match (link.receive(*last, 1_000), expected) {
            (Event::Reply(Ok(Reply::Status(status))), None) => {
                assert_eq!((status.firmware, status.name), ("fake 1.0", "pump-7"));
                assert_eq!(status.credentials[1].unwrap().id, "74f80a77");
                assert_eq!(status.outbox.delivered, 70_000);
            }
            (event, expected) => assert_eq!(event, Event::Reply(expected.unwrap())),
        }
    }
    assert!(session.next().is_none());
}

#[test]
fn the_desktop_asks_as_documented() {
    check_desktop(KEYED, Authority::Key(device_key()), false);
    check_desktop(WINDOW, Authority::Window, true);
}
