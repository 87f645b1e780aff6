//! A device in memory, and its store.
#![allow(dead_code, unused_imports, reason = "each test uses a part of it")]

mod scripted;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use api_auth::{Api, Authorizer, Clock, Credential, Policy, Reading, Session, Slot, Slots, Source};
use jwt_core::HmacKey;
use sms_alert::{
    Account, Alert, AlertId, Backoff, Client, Connect, DeviceName, Entry, Host, Outbox,
    OutboxError, PhoneNumber, Recipient, Rules, Sending, Step, Store, block_on,
};

pub use scripted::*;

pub const SLOTS: usize = 4;
pub const TOKEN: usize = 172;
pub const NOW: u64 = 1_713_225_600;
pub const BUILT: u64 = 1_700_000_000;

/// The documentation's example secret, and a second one.
pub const SECRETS: [(&str, &str); 2] = [
    (
        "74f80a77-9b3f-44ac-b3ad-ab68cfb548fa",
        "cPQku7lnSLbnK88UFOBg1a6Q3t1w1RgK",
    ),
    (
        "0d5b7b6e-6d2c-4e0b-9a39-5d0f2f8a7c11",
        "Zr8vXq2LmT5cYw9KdHn3BsEu7JfGa1Po",
    ),
];

/// When the power goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Instead of this write, counted from 0.
    Before(u32),
    /// Just after it.
    After(u32),
}

/// A store whose power can go. Clones share the records, as a chip outlasts its device.
#[derive(Clone, Default)]
pub struct Flash {
    pub records: Rc<RefCell<BTreeMap<u16, Vec<u8>>>>,
    pub cut: Rc<Cell<Option<Cut>>>,
    pub writes: Rc<Cell<u32>>,
    pub is_off: Rc<Cell<bool>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PowerCut;

impl fmt::Display for PowerCut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no power")
    }
}

impl std::error::Error for PowerCut {}

impl Flash {
    /// Gives the power back, for good.
    pub fn restore(&self) {
        self.cut.set(None);
        self.is_off.set(false);
    }

    fn write(&self, change: impl FnOnce(&mut BTreeMap<u16, Vec<u8>>)) -> Result<(), PowerCut> {
        if self.is_off.get() {
            return Err(PowerCut);
        }
        let number = self.writes.replace(self.writes.get() + 1);
        let cut = self.cut.get();
        self.is_off
            .set(cut == Some(Cut::Before(number)) || cut == Some(Cut::After(number)));
        if cut != Some(Cut::Before(number)) {
            change(&mut self.records.borrow_mut());
        }
        if self.is_off.get() {
            Err(PowerCut)
        } else {
            Ok(())
        }
    }
}

impl Store for Flash {
    type Error = PowerCut;

    fn put(&mut self, index: u16, record: &[u8]) -> Result<(), PowerCut> {
        self.write(|records| drop(records.insert(index, record.to_vec())))
    }

    fn get(&mut self, index: u16, out: &mut [u8]) -> Result<Option<usize>, PowerCut> {
        if self.is_off.get() {
            return Err(PowerCut);
        }
        Ok(self.records.borrow().get(&index).map(|record| {
            out[..record.len()].copy_from_slice(record);
            record.len()
        }))
    }

    fn remove(&mut self, index: u16) -> Result<(), PowerCut> {
        self.write(|records| drop(records.remove(&index)))
    }
}

type Source32 = Box<dyn FnMut() -> u32>;
type Source64 = Box<dyn FnMut() -> u64>;

/// What runs on a device and is gone after a restart.
pub struct Device<C: Connect> {
    pub client: Client<'static, C, HmacKey, Source32, Source64, TOKEN>,
    pub outbox: RefCell<Outbox<Flash, SLOTS>>,
    pub uptime_ms: Rc<Cell<u64>>,
}

pub type DeviceStep<E> = Step<E, std::convert::Infallible, PowerCut>;

impl<C: Connect> Device<C> {
    /// Starts a device at Unix time `unix_secs` with both secrets, the first of them active.
    pub fn start(
        connect: C,
        host: &'static str,
        flash: &Flash,
        rules: Rules,
        unix_secs: u64,
    ) -> Result<Self, OutboxError<PowerCut>> {
        let device = DeviceName::new("gw-7").unwrap();
        let outbox = Outbox::open(flash.clone(), device, rules, 0)?;
        let slots = Slots::EMPTY.deployed(Slot::A).unwrap().accepted(Slot::A);
        let slots = slots.deployed(Slot::B).unwrap();
        let mut clock = Clock::new(BUILT, 0);
        let reading = Reading {
            unix_secs,
            source: Source::Rtc,
            age_secs: 0,
        };
        clock.set(reading, 0).unwrap();
        let [a, b] = SECRETS.map(|(id, key)| {
            let credential = Credential::new(&Api::HEYMARKET, Some(id), key, Policy::FIELD);
            Some(Authorizer::new(&credential.unwrap()).unwrap())
        });
        let session = Session::new(&Api::HEYMARKET, clock, slots, a, b);
        let sending = Sending {
            host: Host::new(host).unwrap(),
            account: Account::Heymarket {
                inbox_id: 42,
                creator_id: 7,
            },
            backoff: Backoff::DEFAULT,
            patience_ms: 30_000,
        };
        let uptime_ms = Rc::new(Cell::new(0));
        let mut random = 1_u32;
        let random: Source32 = Box::new(move || {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            random
        });
        let time = uptime_ms.clone();
        // A millisecond passes whenever somebody looks.
        let clock: Source64 = Box::new(move || time.replace(time.get() + 1));
        let buffer = Box::leak(Box::new([0; sms_alert::BUFFER_LEN]));
        let client = Client::new(session, sending, connect, random, clock, buffer).unwrap();
        Ok(Self {
            client,
            outbox: RefCell::new(outbox),
            uptime_ms,
        })
    }

    pub fn push(&self, text: &str) -> Result<AlertId, OutboxError<PowerCut>> {
        self.push_alert(&alert(text))
    }

    pub fn push_alert(&self, alert: &Alert) -> Result<AlertId, OutboxError<PowerCut>> {
        self.outbox.borrow_mut().push(alert).map(|pushed| pushed.id)
    }

    pub fn step(&mut self) -> Result<DeviceStep<C::Error>, OutboxError<PowerCut>> {
        block_on(self.client.step(&self.outbox))
    }

    /// Steps, waiting as told, until `done` or until nothing is left to wait for.
    pub fn run(
        &mut self,
        mut each: impl FnMut(&DeviceStep<C::Error>) -> bool,
    ) -> Result<(), OutboxError<PowerCut>> {
        for _ in 0..10_000 {
            let step = self.step()?;
            match step {
                Step::Idle => return Ok(()),
                Step::Wait(until_ms) => {
                    assert!(until_ms + 10 > self.uptime_ms.get(), "a wait into the past");
                    self.uptime_ms.set(until_ms.max(self.uptime_ms.get()));
                }
                _ => {}
            }
            if each(&step) {
                return Ok(());
            }
        }
        panic!("no end");
    }

    pub fn entries(&self) -> Vec<Entry> {
        self.outbox.borrow().entries().copied().collect()
    }
}

pub fn alert(text: &str) -> Alert {
    Alert::new(
        Recipient::Phone(PhoneNumber::new("15551234567").unwrap()),
        text,
    )
    .unwrap()
}
