//! A device with a real store, and a line to it that loses, damages, repeats, delays and swaps what it carries.
#![allow(dead_code, reason = "each test file uses a part")]

use std::collections::VecDeque;

use api_auth::Slots;
use device_link::{
    Access, ClockQuality, ClockStatus, CopyStatus, CredentialStatus, DesktopLink, Device,
    DeviceLink, Event, LinkError, NONCE_LEN, OutboxStatus, Received, Refusal, Reply, Request,
    Status, Upload,
};
use jwt_core::{HmacKey, MacEngine};
use proptest::prelude::Rng;
use proptest::test_runner::TestRng;
use secure_store::{Custody, Image, Key, Plain, Region, Store};

pub const REGION: Region = Region {
    start: 0,
    len: 16_384,
};

pub type FakeStore = Store<Image<'static>, Plain, 32>;

/// A device whose store is real.
pub struct Fake {
    pub key: Option<HmacKey>,
    pub window_secs: u16,
    pub store: FakeStore,
    pub nonces: u64,
    pub fixed_nonce: Option<[u8; NONCE_LEN]>,
    pub clock: Option<u64>,
    /// Everything that was ever written.
    pub written: Vec<(Key, u8, Vec<u8>)>,
}

impl Fake {
    pub fn new(key: Option<HmacKey>) -> Self {
        let flash = Box::leak(vec![0xff; REGION.len as usize].into_boxed_slice());
        Self {
            key,
            window_secs: 0,
            store: Store::format(Image::new(flash), REGION, Plain).unwrap(),
            nonces: 0,
            fixed_nonce: None,
            clock: None,
            written: Vec::new(),
        }
    }

    pub fn value(&mut self, key: Key) -> Option<Vec<u8>> {
        let mut out = [0; 1024];
        let record = self.store.get(key, &mut out).unwrap()?;
        Some(record.value.to_vec())
    }

    pub fn slots(&mut self) -> Slots {
        match self.value(Key::ROTATION) {
            Some(record) => Slots::from_bytes(&record).unwrap(),
            None => Slots::EMPTY,
        }
    }
}

impl Device for Fake {
    fn device_key(&mut self) -> Option<impl MacEngine> {
        self.key.as_ref()
    }

    fn nonce(&mut self) -> Option<[u8; NONCE_LEN]> {
        self.nonces += 1;
        let mut nonce = [0x5a; NONCE_LEN];
        nonce[..8].copy_from_slice(
            &self
                .nonces
                .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                .to_le_bytes(),
        );
        Some(self.fixed_nonce.unwrap_or(nonce))
    }

    fn window_secs_left(&mut self) -> u16 {
        self.window_secs
    }

    fn status(&mut self) -> Status<'_> {
        let slots = self.slots();
        Status {
            firmware: "fake 1.0",
            name: "pump-7",
            uptime_secs: 77,
            custody: Custody::Plain,
            access: Access::Closed,
            clock: ClockStatus {
                quality: match self.clock {
                    None => ClockQuality::Unset,
                    Some(_) => ClockQuality::Desktop,
                },
                unix_secs: self.clock.unwrap_or(0),
                error_secs: 2,
            },
            slots,
            credentials: [
                None,
                Some(CredentialStatus {
                    api: "heymarket",
                    id: "74f80a77-9b3f-44ac-b3ad-ab68cfb548fa",
                    custody: Custody::Plain,
                }),
            ],
            outbox: OutboxStatus {
                queued: 3,
                maybe_sent: 1,
                rejected: 0,
                delivered: 70_000,
            },
            copies: self.store.health().map(|copy| CopyStatus {
                sound: copy.sound,
                erases: copy.erases,
            }),
        }
    }

    fn set_clock(&mut self, unix_secs: u64) -> Result<(), Refusal> {
        if unix_secs < 1_700_000_000 {
            return Err(Refusal::Implausible);
        }
        self.clock = Some(unix_secs);
        Ok(())
    }

    fn get(&mut self, key: Key, out: &mut [u8]) -> Result<Option<(u8, usize)>, Refusal> {
        let record = self.store.get(key, out)?;
        Ok(record.map(|record| (record.version, record.value.len())))
    }

    fn put(&mut self, key: Key, version: u8, value: &[u8]) -> Result<(), Refusal> {
        self.written.push((key, version, value.to_vec()));
        Ok(self.store.put(key, version, value)?)
    }

    fn remove(&mut self, key: Key) -> Result<(), Refusal> {
        Ok(self.store.remove(key)?)
    }
}

/// How likely each fault is, per byte, in 65536ths.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    pub lose: u16,
    pub damage: u16,
    pub insert: u16,
    /// Whole transmissions: repeated later, or swapped with the next.
    pub repeat: u16,
    pub swap: u16,
    /// The device loses its power before a transmission reaches it.
    pub restart: u16,
}

/// A desktop and a device with a line between them, and everything that went over it.
pub struct Bench {
    pub desktop: DesktopLink,
    pub link: DeviceLink,
    pub device: Fake,
    pub faults: Faults,
    pub rng: TestRng,
    pub now_ms: u64,
    /// All bytes that the desktop or the device sent.
    pub wire: Vec<u8>,
    /// Text that came out at the two ends.
    pub console: Vec<u8>,
    pub typed: Vec<u8>,
    pub reboots: usize,
    kept: Vec<Vec<u8>>,
}

/// An owned answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Done,
    Status(String),
    Received(u16),
    Stored { unchanged: bool },
    Slots(Slots),
}

impl Answer {
    fn of(reply: Reply<'_>) -> Self {
        match reply {
            Reply::Done => Self::Done,
            Reply::Status(status) => Self::Status(format!("{status:?}")),
            Reply::Received(len) => Self::Received(len),
            Reply::Stored { unchanged } => Self::Stored { unchanged },
            Reply::Slots(slots) => Self::Slots(slots),
            _ => unreachable!(),
        }
    }

    pub fn reply(&self) -> Reply<'_> {
        match self {
            Self::Done => Reply::Done,
            Self::Status(_) => unreachable!(),
            Self::Received(len) => Reply::Received(*len),
            Self::Stored { unchanged } => Reply::Stored {
                unchanged: *unchanged,
            },
            Self::Slots(slots) => Reply::Slots(*slots),
        }
    }
}

impl Bench {
    pub fn new(desktop: DesktopLink, device: Fake, rng: TestRng) -> Self {
        Self {
            desktop,
            link: DeviceLink::new(),
            device,
            faults: Faults::default(),
            rng,
            now_ms: 10_000,
            wire: Vec::new(),
            console: Vec::new(),
            typed: Vec::new(),
            reboots: 0,
            kept: Vec::new(),
        }
    }

    fn happens(&mut self, chance: u16) -> bool {
        (self.rng.next_u32() as u16) < chance
    }

    /// What comes out of the line when `bytes` go in, one transmission after the other.
    fn carry(&mut self, bytes: Vec<u8>) -> VecDeque<Vec<u8>> {
        self.wire.extend(&bytes);
        let mut sent = VecDeque::from([bytes]);
        if self.happens(self.faults.repeat) {
            self.kept.push(sent[0].clone());
        }
        if !self.kept.is_empty() && self.happens(self.faults.repeat) {
            let at = self.rng.next_u32() as usize % self.kept.len();
            sent.push_front(self.kept.swap_remove(at));
        }
        if self.happens(self.faults.swap) {
            sent.push_back(sent[0].clone());
            sent.rotate_left(1);
        }
        for bytes in &mut sent {
            let mut arrived = Vec::new();
            for byte in std::mem::take(bytes) {
                if self.happens(self.faults.insert) {
                    arrived.push(self.rng.next_u32() as u8);
                }
                if self.happens(self.faults.lose) {
                    continue;
                }
                let flipped = match self.happens(self.faults.damage) {
                    true => 1 << (self.rng.next_u32() % 8),
                    false => 0,
                };
                arrived.push(byte ^ flipped);
            }
            *bytes = arrived;
        }
        sent
    }

    /// Gives bytes to the device and returns what it sends.
    fn give(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        if self.happens(self.faults.restart) {
            self.link = DeviceLink::new();
        }
        let mut replies = Vec::new();
        for byte in bytes {
            match self.link.receive(*byte, self.now_ms, &mut self.device) {
                Received::Nothing => {}
                Received::Text(byte) => self.typed.push(byte),
                Received::Reply(reply) => replies.push(reply.to_vec()),
                Received::Reboot(reply) => {
                    replies.push(reply.to_vec());
                    self.reboots += 1;
                }
            }
        }
        replies
    }

    /// Asks until there is an answer or the desktop gives up.
    pub fn ask(&mut self, request: &Request<'_>) -> Result<Result<Answer, Refusal>, LinkError> {
        let first = self.desktop.send(request, self.now_ms)?.to_vec();
        let mut to_device = vec![first];
        for _ in 0..100_000 {
            self.now_ms += 50;
            let mut to_desktop = Vec::new();
            for bytes in std::mem::take(&mut to_device) {
                for arrived in self.carry(bytes) {
                    for reply in self.give(&arrived) {
                        to_desktop.extend(self.carry(reply));
                    }
                }
            }
            for byte in to_desktop.into_iter().flatten() {
                match self.desktop.receive(byte, self.now_ms) {
                    Event::Nothing => {}
                    Event::Text(byte) => self.console.push(byte),
                    Event::Transmit(bytes) => to_device.push(bytes.to_vec()),
                    Event::Reply(reply) => return Ok(reply.map(Answer::of)),
                    Event::Failed(error) => return Err(error),
                }
            }
            match self.desktop.tick(self.now_ms) {
                Event::Nothing => {}
                Event::Transmit(bytes) => to_device.push(bytes.to_vec()),
                Event::Failed(error) => return Err(error),
                other => panic!("{other:?}"),
            }
        }
        panic!("no end");
    }

    /// Sends a record and returns whether it was there before.
    pub fn upload(&mut self, upload: &mut Upload<'_>) -> Result<bool, Failed> {
        for _ in 0..1000 {
            let Some(request) = upload.next() else {
                return Ok(upload.unchanged().unwrap());
            };
            let answer = self.ask(&request).map_err(Failed::Link)?;
            upload
                .answered(
                    answer
                        .as_ref()
                        .map(Answer::reply)
                        .map_err(|refusal| *refusal),
                )
                .map_err(Failed::Refused)?;
        }
        panic!("no end");
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failed {
    Link(LinkError),
    Refused(Refusal),
}
