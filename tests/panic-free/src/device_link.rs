//! Everything `device-link` exports.

use core::hint::black_box;

use crate::display;
use ::api_auth::{Slot, Slots};
use ::device_link::{
    Access, Announced, Authority, CERTIFICATES_VERSION, ClockQuality, ClockStatus, CopyStatus,
    CredentialStatus, DesktopLink, Device, DeviceLink, Event, LinkError, MAX_CHUNK_LEN,
    MAX_FRAME_LEN, MAX_NAME_LEN, MAX_PAYLOAD_LEN, NONCE_LEN, OutboxStatus, ROTATION_VERSION,
    Received, Refusal, Reply, Request, SHOWN_ID_LEN, Status, Upload, VERSION, WINDOW_SECS,
};
use ::jwt_core::{HmacKey, MacEngine};
use ::secure_store::{Custody, ImageError, Key, StoreError};

pub fn use_all() {
    black_box((VERSION, WINDOW_SECS, CERTIFICATES_VERSION, ROTATION_VERSION));
    black_box((MAX_CHUNK_LEN, MAX_FRAME_LEN, MAX_NAME_LEN, MAX_PAYLOAD_LEN));
    black_box((NONCE_LEN, SHOWN_ID_LEN));
    device();
    desktop();
    upload();
    display(&black_box(Refusal::Full));
    display(&black_box(LinkError::NoAnswer));
    black_box(Refusal::from(black_box(StoreError::<ImageError>::Full {
        free: 1,
    })));
}

/// A device of which nothing is known.
struct Unknown {
    key: Option<HmacKey>,
}

impl Device for Unknown {
    fn device_key(&mut self) -> Option<impl MacEngine> {
        black_box(&self.key).as_ref()
    }

    fn nonce(&mut self) -> Option<[u8; NONCE_LEN]> {
        black_box(Some([1; NONCE_LEN]))
    }

    fn window_secs_left(&mut self) -> u16 {
        black_box(1)
    }

    fn status(&mut self) -> Status<'_> {
        let credential = CredentialStatus {
            api: black_box("heymarket"),
            id: black_box("id"),
            custody: Custody::Sealed,
        };
        Status {
            firmware: black_box("firmware"),
            name: black_box("name"),
            uptime_secs: black_box(1),
            custody: black_box(Custody::Plain),
            access: Access::Closed,
            clock: ClockStatus {
                quality: black_box(ClockQuality::Rtc),
                unix_secs: black_box(1),
                error_secs: black_box(1),
            },
            slots: black_box(Slots::EMPTY),
            credentials: black_box([Some(credential), None]),
            outbox: black_box(OutboxStatus::default()),
            copies: black_box(
                [CopyStatus {
                    sound: true,
                    erases: 1,
                }; 2],
            ),
        }
    }

    fn set_clock(&mut self, unix_secs: u64) -> Result<(), Refusal> {
        black_box(unix_secs);
        black_box(Ok(()))
    }

    fn get(&mut self, key: Key, out: &mut [u8]) -> Result<Option<(u8, usize)>, Refusal> {
        black_box((key, out));
        black_box(Ok(Some((1, 2))))
    }

    fn put(&mut self, key: Key, version: u8, value: &[u8]) -> Result<(), Refusal> {
        black_box((key, version, value));
        black_box(Ok(()))
    }

    fn remove(&mut self, key: Key) -> Result<(), Refusal> {
        black_box(key);
        black_box(Ok(()))
    }
}

#[inline(never)]
fn device() {
    let mut device = Unknown {
        key: HmacKey::new(black_box(&[1; 32])).ok(),
    };
    // Whatever has come before: nothing is known of its state.
    let mut link = DeviceLink::new();
    let link = black_box(&mut link);
    link.tick(black_box(1));
    match link.receive(black_box(1), black_box(2), &mut device) {
        Received::Reply(bytes) | Received::Reboot(bytes) => {
            black_box(bytes);
        }
        Received::Text(byte) => {
            black_box(byte);
        }
        Received::Nothing => {}
    }
}

#[inline(never)]
fn desktop() {
    let Ok(seed) = HmacKey::new(black_box(&[2; 32])) else {
        return;
    };
    for authority in [
        Authority::None,
        Authority::Window,
        Authority::Key(seed.clone()),
    ] {
        let mut link = DesktopLink::new(authority, seed.clone());
        let link = black_box(&mut link);
        for request in [
            Request::Status,
            Request::SetClock { unix_secs: 1 },
            Request::Promote(Slot::A),
        ] {
            let _ = black_box(link.send(&black_box(request), black_box(1)).is_ok());
        }
        event(link.receive(black_box(1), black_box(2)));
        event(link.tick(black_box(3)));
    }
}

fn event(event: Event<'_>) {
    match event {
        Event::Nothing => {}
        Event::Text(byte) => {
            black_box(byte);
        }
        Event::Transmit(bytes) => {
            black_box(bytes);
        }
        Event::Reply(Ok(Reply::Status(status))) => {
            black_box(status.credential(black_box(Slot::B)));
        }
        Event::Reply(reply) => {
            black_box(reply.is_ok());
        }
        Event::Failed(error) => {
            black_box(error);
        }
    }
}

#[inline(never)]
fn upload() {
    let value = black_box(&[3; 700]).as_slice();
    let Some(mut upload) = Upload::new(black_box(Key::DEVICE), black_box(1), value) else {
        return;
    };
    if let Some(Request::Begin(announced)) = upload.next() {
        let announced: Announced = announced;
        black_box(announced);
    }
    let answered = upload.answered(black_box(Ok(Reply::Received(1))));
    black_box((answered.is_ok(), upload.received(), upload.unchanged()));
    black_box(upload.next().is_some());
}
