//! The board as `device-link` sees it: what a desktop may write to, and what it is told.

use core::cell::RefCell;

use api_auth::{Reading, Slots, Source};
use device_link::{
    Access, ClockQuality, ClockStatus, CopyStatus, CredentialStatus, Device, NONCE_LEN,
    OutboxStatus, Refusal, SHOWN_ID_LEN, Status,
};
use heapless::String;
use jwt_core::MacEngine;
use secure_store::{CREDENTIAL_VERSION, Credential, Custody, Key, MAX_CREDENTIAL_LEN};
use zeroize::Zeroizing;

use crate::board::{Board, ChipKeys};
use crate::common::{Change, Common, NAME_LEN};
use crate::shared::uptime_ms;

/// The name and version that a status tells.
const FIRMWARE: &str = concat!("gateway ", env!("CARGO_PKG_VERSION"));

/// The board, and the names that a status shows.
pub(crate) struct Provisioning<'a, B: Board> {
    common: &'a Common<'a, B>,
    name: String<NAME_LEN>,
    credentials: [Option<Named>; 2],
}

/// What is told of a credential.
struct Named {
    api: String<NAME_LEN>,
    id: String<SHOWN_ID_LEN>,
    custody: Custody,
}

impl Named {
    fn status(&self) -> CredentialStatus<'_> {
        CredentialStatus {
            api: &self.api,
            id: &self.id,
            custody: self.custody,
        }
    }
}

impl<'a, B: Board> Provisioning<'a, B> {
    pub const fn new(common: &'a Common<'a, B>) -> Self {
        Self {
            common,
            name: String::new(),
            credentials: [const { None }; 2],
        }
    }

    fn read_credential(&self, slot: u16) -> Option<Named> {
        let mut value = Zeroizing::new([0; MAX_CREDENTIAL_LEN]);
        let record = self
            .common
            .read(Key::credential(slot), &mut *value)
            .ok()??;
        if record.version != CREDENTIAL_VERSION {
            return None;
        }
        let credential = Credential::decode(record.value)?;
        let id = credential.id;
        Some(Named {
            api: credential.api.try_into().ok()?,
            id: id
                .get(..id.floor_char_boundary(SHOWN_ID_LEN))?
                .try_into()
                .ok()?,
            custody: credential.custody(self.custody()),
        })
    }

    fn read_slots(&self) -> Slots {
        let mut value = [0; Slots::RECORD_LEN];
        match self.common.read(Key::ROTATION, &mut value) {
            Ok(Some(record)) => Slots::from_bytes(record.value).unwrap_or(Slots::EMPTY),
            _ => Slots::EMPTY,
        }
    }

    fn custody(&self) -> Custody {
        let to_write = || Some(self.common.place.try_borrow().ok()?.custody());
        let custody = self.common.custody().or_else(to_write);
        custody.unwrap_or(Custody::Plain)
    }

    fn clock(&self) -> ClockStatus {
        let now = match self.common.clock.try_borrow() {
            Ok(clock) => clock.now(uptime_ms()).ok(),
            Err(_) => None,
        };
        match now {
            None => ClockStatus {
                quality: ClockQuality::Unset,
                unix_secs: 0,
                error_secs: 0,
            },
            Some(time) => ClockStatus {
                quality: match time.source() {
                    Source::Rtc => ClockQuality::Rtc,
                    Source::Sntp => ClockQuality::Sntp,
                    Source::HttpDate | Source::KeyIdTime => ClockQuality::Server,
                    Source::Host => ClockQuality::Desktop,
                    _ => ClockQuality::Other,
                },
                unix_secs: time.unix_secs(),
                error_secs: time.error_secs(),
            },
        }
    }
}

impl<B: Board> Device for Provisioning<'_, B> {
    fn device_key(&mut self) -> Option<impl MacEngine> {
        self.common.try_key();
        let keys = Some(self.common.chip_keys).filter(|_| self.common.keyed.get());
        keys.and_then(ChipKeys::device_key)
    }

    fn nonce(&mut self) -> Option<[u8; NONCE_LEN]> {
        let mut nonce = [0; NONCE_LEN];
        (self.common.entropy)(&mut nonce).then_some(nonce)
    }

    fn window_secs_left(&mut self) -> u16 {
        self.common.lookout.window_secs_left(uptime_ms())
    }

    fn status(&mut self) -> Status<'_> {
        self.name = self.common.name().unwrap_or_default();
        self.credentials = [self.read_credential(0), self.read_credential(1)];
        let custody = self.custody();
        let clock = self.clock();
        let slots = self.read_slots();
        let health = match self.common.store().map(RefCell::try_borrow) {
            Some(Ok(store)) => Some(store.health()),
            _ => None,
        };
        let copies = match health {
            Some(copies) => copies.map(|copy| CopyStatus {
                sound: copy.sound,
                erases: copy.erases,
            }),
            None => {
                [CopyStatus {
                    sound: false,
                    erases: 0,
                }; 2]
            }
        };
        let tally = self.common.tally.get();
        let count = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
        let [a, b] = &self.credentials;
        Status {
            firmware: FIRMWARE,
            name: &self.name,
            uptime_secs: u32::try_from(uptime_ms() / 1_000).unwrap_or(u32::MAX),
            custody,
            access: Access::Closed,
            clock,
            slots,
            credentials: [a.as_ref().map(Named::status), b.as_ref().map(Named::status)],
            outbox: OutboxStatus {
                queued: count(tally.waiting),
                maybe_sent: count(tally.held),
                rejected: count(tally.refused.saturating_add(tally.damaged)),
                delivered: self.common.delivered.get(),
            },
            copies,
        }
    }

    fn set_clock(&mut self, unix_secs: u64) -> Result<(), Refusal> {
        let now_ms = uptime_ms();
        let store = self.common.store().ok_or(Refusal::Hardware)?;
        let mut timekeeper = match self.common.timekeeper.try_borrow_mut() {
            Ok(timekeeper) if timekeeper.is_loaded() => timekeeper,
            _ => return Err(Refusal::Hardware),
        };
        let reading = Reading {
            unix_secs,
            source: Source::Host,
            age_secs: 0,
        };
        let mut clock = match self.common.clock.try_borrow() {
            Ok(clock) => clock.clone(),
            Err(_) => return Err(Refusal::Hardware),
        };
        clock
            .set(reading, now_ms)
            .map_err(|_| Refusal::Implausible)?;
        timekeeper.keep(&clock, now_ms, store)?;
        self.common.clock.replace(clock);
        self.common.reading.signal((reading, now_ms));
        Ok(())
    }

    fn get(&mut self, key: Key, out: &mut [u8]) -> Result<Option<(u8, usize)>, Refusal> {
        let store = self.common.place_to_write().ok_or(Refusal::Hardware)?;
        let mut store = store.try_borrow_mut().map_err(|_| Refusal::Hardware)?;
        let record = store.get(key, out)?;
        Ok(record.map(|record| (record.version, record.value.len())))
    }

    fn put(&mut self, key: Key, version: u8, value: &[u8]) -> Result<(), Refusal> {
        let store = self.common.place_to_write().ok_or(Refusal::Hardware)?;
        self.common.change(Change::Records);
        let mut store = store.try_borrow_mut().map_err(|_| Refusal::Hardware)?;
        store.settle()?;
        if self.common.unsealed.take() {
            self.common.opened.set(true);
        }
        if let Some(mut counter) = self.common.chip_keys.counter() {
            store.announce(&mut counter)?;
        }
        Ok(store.put(key, version, value)?)
    }

    fn remove(&mut self, key: Key) -> Result<(), Refusal> {
        let store = self.common.place_to_write().ok_or(Refusal::Hardware)?;
        self.common.change(Change::Records);
        let mut store = store.try_borrow_mut().map_err(|_| Refusal::Hardware)?;
        if let Some(mut counter) = self.common.chip_keys.counter() {
            store.announce(&mut counter)?;
        }
        store.remove(key)?;
        Ok(store.purge()?)
    }
}
