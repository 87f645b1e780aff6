//! Speaks to a device as somebody without its key: any bytes, and frames that are in order but for what they say.
//!
//! A device with a key, or with its window closed, must write nothing and believe no time. With the window open
//! it may write what is of its form, and nothing that is its own.
#![no_main]

use api_auth::Slots;
use arbitrary::Arbitrary;
use device_link::{
    Access, ClockQuality, ClockStatus, CopyStatus, Device, DeviceLink, NONCE_LEN, OutboxStatus,
    Received, Refusal, Status,
};
use jwt_core::{HmacKey, MacEngine};
use libfuzzer_sys::fuzz_target;
use secure_store::{Credential, Custody, Key, Settings};
use std::collections::HashMap;

#[derive(Arbitrary, Debug)]
struct Input {
    keyed: bool,
    window: bool,
    events: Vec<Event>,
}

#[derive(Arbitrary, Debug)]
enum Event {
    Bytes(Vec<u8>),
    Hello {
        lowest: u8,
        highest: u8,
    },
    /// A frame of this session and the next number, or others.
    Frame {
        kind: u8,
        foreign: bool,
        skip: u8,
        payload: Vec<u8>,
    },
    Record {
        kind: u8,
        slot: u8,
        version: u8,
        value: Vec<u8>,
        split: u8,
    },
    Wait {
        secs: u8,
    },
    PowerCut,
}

struct Memory {
    key: Option<HmacKey>,
    window: bool,
    records: HashMap<Key, (u8, Vec<u8>)>,
    nonces: u64,
    changes: usize,
}

impl Device for Memory {
    fn device_key(&mut self) -> Option<impl MacEngine> {
        self.key.as_ref()
    }

    fn nonce(&mut self) -> Option<[u8; NONCE_LEN]> {
        self.nonces += 1;
        let mut nonce = [7; NONCE_LEN];
        nonce[..8].copy_from_slice(&self.nonces.to_le_bytes());
        Some(nonce)
    }

    fn window_secs_left(&mut self) -> u16 {
        self.window.into()
    }

    fn status(&mut self) -> Status<'_> {
        Status {
            firmware: "fuzz",
            name: "",
            uptime_secs: 0,
            custody: Custody::Plain,
            access: Access::Closed,
            clock: ClockStatus {
                quality: ClockQuality::Unset,
                unix_secs: 0,
                error_secs: 0,
            },
            slots: Slots::EMPTY,
            credentials: [None, None],
            outbox: OutboxStatus::default(),
            copies: [CopyStatus {
                sound: true,
                erases: 0,
            }; 2],
        }
    }

    fn set_clock(&mut self, _: u64) -> Result<(), Refusal> {
        self.changes += 1;
        Ok(())
    }

    fn get(&mut self, key: Key, out: &mut [u8]) -> Result<Option<(u8, usize)>, Refusal> {
        let Some((version, value)) = self.records.get(&key) else {
            return Ok(None);
        };
        out[..value.len()].copy_from_slice(value);
        Ok(Some((*version, value.len())))
    }

    fn put(&mut self, key: Key, version: u8, value: &[u8]) -> Result<(), Refusal> {
        self.changes += 1;
        match key {
            Key::ROTATION => assert!(Slots::from_bytes(value).is_ok()),
            Key::DEVICE | Key::NETWORK => assert!(Settings::decode(value).is_some()),
            Key {
                kind: 1,
                slot: 0 | 1,
            } => assert!(Credential::decode(value).is_some()),
            Key { kind: 8, .. } => {}
            other => panic!("{other:?} is the device's own"),
        }
        self.records.insert(key, (version, value.to_vec()));
        Ok(())
    }

    fn remove(&mut self, key: Key) -> Result<(), Refusal> {
        self.changes += 1;
        self.records.remove(&key);
        Ok(())
    }
}

/// The desktop, made from the protocol's page alone.
struct Desktop {
    session: [u8; 4],
    number: u32,
}

impl Desktop {
    fn frame(&self, kind: u8, session: [u8; 4], number: u32, payload: &[u8]) -> Vec<u8> {
        let mut content = vec![1, kind];
        content.extend(session);
        content.extend(number.to_le_bytes());
        content.extend((payload.len() as u16).to_le_bytes());
        content.extend(payload);
        content.extend(crc32fast::hash(&content).to_le_bytes());
        let mut frame = vec![2];
        frame.extend(cobs::encode_vec(&content));
        frame.push(0);
        frame
    }

    /// Takes the session out of a welcome.
    fn heard(&mut self, reply: &[u8]) {
        let content = reply
            .strip_prefix(&[2])
            .and_then(|rest| rest.strip_suffix(&[0]));
        let content = cobs::decode_vec(content.expect("delimited")).expect("encoded");
        let (covered, crc) = content.split_last_chunk::<4>().expect("a checksum");
        assert_eq!(u32::from_le_bytes(*crc), crc32fast::hash(covered));
        if covered[1] == 0x81 && covered.len() > 12 + 19 {
            self.session.copy_from_slice(&covered[15..19]);
            self.number = 0;
        }
    }
}

fuzz_target!(|input: Input| {
    let mut device = Memory {
        key: input
            .keyed
            .then(|| HmacKey::new(&[9; 32]).expect("long enough")),
        window: input.window,
        records: HashMap::new(),
        nonces: 0,
        changes: 0,
    };
    let mut link = DeviceLink::new();
    let mut desktop = Desktop {
        session: [0; 4],
        number: 0,
    };
    let mut now_ms = 0;
    for event in input.events {
        let mut frames = Vec::new();
        match event {
            Event::Bytes(bytes) => frames.push(bytes),
            Event::Wait { secs } => {
                now_ms += u64::from(secs) * 1000;
                link.tick(now_ms);
            }
            Event::PowerCut => link = DeviceLink::new(),
            Event::Hello { lowest, highest } => {
                let mut payload = vec![lowest % 3, highest % 3];
                payload.extend([3; 16]);
                frames.push(desktop.frame(1, [0; 4], 77, &payload));
            }
            Event::Frame {
                kind,
                foreign,
                skip,
                mut payload,
            } => {
                payload.truncate(400);
                let session = match foreign {
                    true => [1; 4],
                    false => desktop.session,
                };
                desktop.number = desktop.number.wrapping_add(u32::from(skip % 3));
                frames.push(desktop.frame(kind % 4, session, desktop.number, &payload));
            }
            Event::Record {
                kind,
                slot,
                version,
                mut value,
                split,
            } => {
                value.truncate(500);
                let mut begin = vec![3, kind % 10, slot % 3, 0, version % 3];
                begin.extend((value.len() as u16).to_le_bytes());
                begin.extend(crc32fast::hash(&value).to_le_bytes());
                let mut requests = vec![begin];
                let mut offset = 0;
                for piece in value.chunks(usize::from(split).max(1)) {
                    let mut data = vec![4];
                    data.extend((offset as u16).to_le_bytes());
                    data.extend(piece);
                    requests.push(data);
                    offset += piece.len();
                }
                requests.push(vec![5]);
                for request in requests {
                    desktop.number = desktop.number.wrapping_add(1);
                    frames.push(desktop.frame(2, desktop.session, desktop.number, &request));
                }
            }
        }
        for byte in frames.into_iter().flatten() {
            if let Received::Reply(reply) | Received::Reboot(reply) =
                link.receive(byte, now_ms, &mut device)
            {
                desktop.heard(reply);
            }
        }
    }
    if input.keyed || !input.window {
        assert_eq!(device.changes, 0, "written by somebody without the key");
    }
});
