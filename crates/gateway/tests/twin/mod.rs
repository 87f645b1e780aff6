//! A device in this process: the device's side of the line and a real store, behind a pseudo-terminal.
#![allow(dead_code, reason = "each test file uses a part")]

use std::io::{ErrorKind, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use api_auth::Slots;
use device_link::{
    Access, ClockQuality, ClockStatus, CopyStatus, CredentialStatus, Device, DeviceLink, NONCE_LEN,
    OutboxStatus, Received, Refusal, Status,
};
use jwt_core::{HmacKey, MacEngine};
use secure_store::{
    Credential, CredentialKey, Custody, Image, Key, Protection, Region, Store, StoreError,
};
use serialport::{SerialPort, TTYPort};
use zeroize::Zeroizing;

const REGION: Region = Region {
    start: 0,
    len: 64 * 1024,
};

/// What the device is made of.
pub struct Parts<P: Protection> {
    pub store: Store<Image<'static>, P, 64>,
    pub key: Option<HmacKey>,
    pub window_secs: u16,
    pub clock: Option<u64>,
    pub reboots: usize,
    pub writes: usize,
    /// Everything that came over the line and went over it.
    pub wire: Vec<u8>,
    /// What was typed at the console.
    pub typed: Vec<u8>,
    /// Said before the next reply.
    pub say: Vec<u8>,
    /// Frames until the device loses its power once, and with it what it has in memory.
    pub power_cut_in: Option<usize>,
    /// Whether the device hears and says nothing.
    pub deaf: bool,
    /// Of how many bytes one is lost on the way to the device.
    pub lossy: Option<u32>,
    names: Vec<String>,
}

impl<P: Protection> Parts<P> {
    pub fn new(protection: P, key: Option<HmacKey>) -> Self {
        let flash = Box::leak(vec![0xff; REGION.len as usize].into_boxed_slice());
        Self {
            store: Store::format(Image::new(flash), REGION, protection).unwrap(),
            key,
            window_secs: 0,
            clock: None,
            reboots: 0,
            writes: 0,
            wire: Vec::new(),
            typed: Vec::new(),
            say: Vec::new(),
            power_cut_in: None,
            deaf: false,
            lossy: None,
            names: vec![String::new(); 4],
        }
    }

    pub fn value(&mut self, key: Key) -> Option<Zeroizing<Vec<u8>>> {
        let mut out = Zeroizing::new([0; 1024]);
        let record = self.store.get(key, &mut *out).unwrap()?;
        Some(Zeroizing::new(record.value.to_vec()))
    }

    pub fn slots(&mut self) -> Slots {
        self.value(Key::ROTATION)
            .map_or(Slots::EMPTY, |record| Slots::from_bytes(&record).unwrap())
    }

    /// The API, the ID and the custody of a slot's credential.
    fn credential(&mut self, slot: u16) -> Option<Custody> {
        let value = self.value(Key::credential(slot))?;
        let credential = Credential::decode(&value).unwrap();
        let at = usize::from(slot) * 2;
        self.names[at] = credential.api.into();
        self.names[at + 1] = credential.id.into();
        Some(credential.custody(P::CUSTODY))
    }
}

/// Returns whether a credential's prepared key signs as `key` does.
pub fn signs_as(value: &[u8], mut key: &HmacKey) -> bool {
    match Credential::decode(value).unwrap().key {
        CredentialKey::Prepared(mut stored) => stored.mac(b"message") == key.mac(b"message"),
        _ => false,
    }
}

fn refusal(error: StoreError<secure_store::ImageError>) -> Refusal {
    Refusal::from(error)
}

impl<P: Protection> Device for Parts<P> {
    fn device_key(&mut self) -> Option<impl MacEngine> {
        self.key.as_ref()
    }

    fn nonce(&mut self) -> Option<[u8; NONCE_LEN]> {
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).ok()?;
        Some(nonce)
    }

    fn window_secs_left(&mut self) -> u16 {
        self.window_secs
    }

    fn status(&mut self) -> Status<'_> {
        let slots = self.slots();
        let custodies = [self.credential(0), self.credential(1)];
        let copies = self.store.health().map(|copy| CopyStatus {
            sound: copy.sound,
            erases: copy.erases,
        });
        let credential = |slot: usize| {
            custodies[slot].map(|custody| CredentialStatus {
                api: &self.names[slot * 2],
                id: &self.names[slot * 2 + 1],
                custody,
            })
        };
        Status {
            firmware: "twin 0.1",
            name: "pump-7",
            uptime_secs: 3_700,
            custody: P::CUSTODY,
            access: Access::Closed,
            clock: ClockStatus {
                quality: match self.clock {
                    Some(_) => ClockQuality::Desktop,
                    None => ClockQuality::Unset,
                },
                unix_secs: self.clock.unwrap_or_default(),
                error_secs: 2,
            },
            slots,
            credentials: [credential(0), credential(1)],
            outbox: OutboxStatus {
                queued: 2,
                ..OutboxStatus::default()
            },
            copies,
        }
    }

    fn set_clock(&mut self, unix_secs: u64) -> Result<(), Refusal> {
        self.clock = Some(unix_secs);
        Ok(())
    }

    fn get(&mut self, key: Key, out: &mut [u8]) -> Result<Option<(u8, usize)>, Refusal> {
        let record = self.store.get(key, out).map_err(refusal)?;
        Ok(record.map(|record| (record.version, record.value.len())))
    }

    fn put(&mut self, key: Key, version: u8, value: &[u8]) -> Result<(), Refusal> {
        self.writes += 1;
        self.store.put(key, version, value).map_err(refusal)
    }

    fn remove(&mut self, key: Key) -> Result<(), Refusal> {
        self.store.remove(key).map_err(refusal)?;
        self.store.purge().map_err(refusal)
    }
}

/// The device behind a pseudo-terminal.
pub struct Twin<P: Protection> {
    pub path: String,
    parts: Arc<Mutex<Parts<P>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl<P: Protection + Send + 'static> Twin<P> {
    pub fn start(parts: Parts<P>) -> Self {
        // The other end is the program's alone, which locks it; until it is opened reading fails here.
        let (master, slave) = TTYPort::pair().unwrap();
        let path = slave.name().unwrap();
        drop(slave);
        let parts = Arc::new(Mutex::new(parts));
        let stop = Arc::new(AtomicBool::new(false));
        let thread = {
            let (parts, stop) = (Arc::clone(&parts), Arc::clone(&stop));
            thread::spawn(move || serve(master, &parts, &stop))
        };
        Self {
            path,
            parts,
            stop,
            thread: Some(thread),
        }
    }

    pub fn parts(&self) -> MutexGuard<'_, Parts<P>> {
        self.parts.lock().unwrap()
    }

    /// Pulls the cable.
    pub fn unplug(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl<P: Protection> Drop for Twin<P> {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// What firmware does with a byte.
fn serve<P: Protection>(mut line: TTYPort, parts: &Mutex<Parts<P>>, stop: &AtomicBool) {
    line.set_timeout(Duration::from_millis(20)).unwrap();
    let start = Instant::now();
    let mut link = DeviceLink::new();
    let mut chance = 0x2545_f491_u32;
    while !stop.load(Ordering::Relaxed) {
        let mut bytes = [0; 256];
        let count = match line.read(&mut bytes) {
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::TimedOut => 0,
            Err(_) => {
                thread::sleep(Duration::from_millis(5));
                0
            }
        };
        let now_ms = start.elapsed().as_millis() as u64;
        link.tick(now_ms);
        let mut parts = parts.lock().unwrap();
        if parts.deaf {
            continue;
        }
        for byte in &bytes[..count] {
            parts.wire.push(*byte);
            chance = chance.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if parts
                .lossy
                .is_some_and(|one_in| (chance >> 8).is_multiple_of(one_in))
            {
                continue;
            }
            let parts = &mut *parts;
            let out = match link.receive(*byte, now_ms, parts) {
                Received::Nothing => continue,
                Received::Text(byte) => {
                    parts.typed.push(byte);
                    continue;
                }
                Received::Reply(reply) => reply.to_vec(),
                Received::Reboot(reply) => {
                    parts.reboots += 1;
                    reply.to_vec()
                }
            };
            if parts.power_cut_in == Some(0) {
                parts.power_cut_in = None;
                link = DeviceLink::new();
                continue;
            }
            parts.power_cut_in = parts.power_cut_in.map(|left| left - 1);
            let said = std::mem::take(&mut parts.say);
            parts.wire.extend(&out);
            // The program may have gone away.
            let _ = line.write_all(&said).and_then(|()| line.write_all(&out));
        }
    }
}
