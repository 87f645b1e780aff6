//! What there is whether or not the board can send: console, store, clock, and what is to change.

use core::cell::{Cell, RefCell};

use api_auth::{Clock, Reading};
use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use embassy_sync::channel::Channel;
use embassy_sync::signal::Signal;
use embassy_time::{Duration, Instant, Timer};
use heapless::String;
use secure_store::{Custody, Key, MAX_VALUE_LEN, Setting, Settings};

use crate::board::Board;
use crate::console::{Console, LINE_LEN};
use crate::freshness::Age;
use crate::lookout::Lookout;
use crate::shared::FlashError;
use crate::status::Tally;
use crate::store::{BoardStore, seal};
use crate::timekeeper::Timekeeper;

/// How long nothing may have been written before what was written takes effect.
const SETTLED: Duration = Duration::from_secs(2);

/// Bytes of the longest name of a device and of an API.
pub(crate) const NAME_LEN: usize = 64;

/// What is to become of the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// It takes up what was provisioned.
    Records,
    /// It ends, and the board starts again.
    Restart,
}

pub(crate) struct Common<'a, B: Board> {
    pub console: &'a Console<B::ConsoleOut>,
    /// What persons have typed.
    pub lines: Channel<NoopRawMutex, String<LINE_LEN>, 2>,
    /// The store, open or not.
    pub place: &'a RefCell<BoardStore<B::Flash>>,
    pub opened: Cell<bool>,
    pub chip_keys: &'a B::ChipKeys,
    pub network: &'a B::Network,
    /// Whether the chip has a device key that works.
    pub keyed: Cell<bool>,
    /// Whether the store is sealed, and not open: it waits for its key, or can't be opened.
    pub locked: Cell<bool>,
    /// Whether the store isn't sealed though the device key works, and waits to be replaced.
    pub unsealed: Cell<bool>,
    /// What there was to say at the start of the store's age.
    pub age: Cell<Option<Age>>,
    pub clock: RefCell<Clock>,
    pub timekeeper: RefCell<Timekeeper<B::Rtc>>,
    /// Tells the sender what time it was at an uptime in milliseconds.
    pub reading: Signal<NoopRawMutex, (Reading, u64)>,
    /// Tells the sender that there is something new.
    pub wake: Signal<NoopRawMutex, ()>,
    pub lookout: &'static Lookout,
    pub entropy: fn(&mut [u8]) -> bool,
    /// The alerts in the outbox.
    pub tally: Cell<Tally>,
    /// The alerts that were delivered since the start.
    pub delivered: Cell<u32>,
    /// Why the board has started.
    pub start: &'static str,
    /// Whether the sender runs.
    pub serves: Cell<bool>,
    /// Whether records were provisioned that the chip's counter wasn't raised for yet.
    pub wrote: Cell<bool>,
    change: Cell<Option<Change>>,
    changed: Signal<NoopRawMutex, ()>,
    written: Cell<Instant>,
}

/// What [`Common`] is made of that is the board's.
pub(crate) struct Made<'a, B: Board> {
    pub console: &'a Console<B::ConsoleOut>,
    pub place: &'a RefCell<BoardStore<B::Flash>>,
    pub chip_keys: &'a B::ChipKeys,
    pub network: &'a B::Network,
    pub clock: Clock,
    pub rtc: Option<B::Rtc>,
    pub lookout: &'static Lookout,
    pub entropy: fn(&mut [u8]) -> bool,
    pub start: &'static str,
}

impl<'a, B: Board> Common<'a, B> {
    pub fn new(made: Made<'a, B>) -> Self {
        Self {
            console: made.console,
            lines: Channel::new(),
            place: made.place,
            opened: Cell::new(false),
            chip_keys: made.chip_keys,
            network: made.network,
            keyed: Cell::new(false),
            locked: Cell::new(false),
            unsealed: Cell::new(false),
            age: Cell::new(None),
            clock: RefCell::new(made.clock),
            timekeeper: RefCell::new(Timekeeper::new(made.rtc)),
            reading: Signal::new(),
            wake: Signal::new(),
            lookout: made.lookout,
            entropy: made.entropy,
            tally: Cell::new(Tally::default()),
            delivered: Cell::new(0),
            start: made.start,
            serves: Cell::new(false),
            wrote: Cell::new(false),
            change: Cell::new(None),
            changed: Signal::new(),
            written: Cell::new(Instant::MIN),
        }
    }
}

impl<'a, B: Board> Common<'a, B> {
    /// Returns the store, if it is open.
    pub fn store(&self) -> Option<&'a RefCell<BoardStore<B::Flash>>> {
        self.opened.get().then_some(self.place)
    }

    /// Returns the store, if it is open, or the place of one that whoever has proved the device key may make.
    pub fn place_to_write(&self) -> Option<&'a RefCell<BoardStore<B::Flash>>> {
        (self.opened.get() || self.unsealed.get()).then_some(self.place)
    }

    /// Tries a device key that didn't work again, as long as there is no store: one that is made is to be sealed if it can be.
    #[inline(never)]
    pub fn try_key(&self) {
        if !self.keyed.get()
            && self.opened.get()
            && let Ok(mut place) = self.place.try_borrow_mut()
            && place.lacks_seal()
            && let Ok(Some(seal)) = seal(self.chip_keys)
        {
            place.give_seal(seal);
            self.keyed.set(true);
        }
    }

    /// Returns the custody of what the store writes, or will write, if that is known.
    pub fn custody(&self) -> Option<Custody> {
        match self.store() {
            Some(store) => Some(store.try_borrow().ok()?.custody()),
            None => self.locked.get().then_some(Custody::Sealed),
        }
    }

    /// Asks for a change; a restart isn't taken back.
    pub fn change(&self, change: Change) {
        if change == Change::Records {
            self.written.set(Instant::now());
            self.wrote.set(true);
        }
        if self.change.get() != Some(Change::Restart) {
            self.change.set(Some(change));
        }
        self.changed.signal(());
        self.wake.signal(());
    }

    /// Returns the change that was asked for.
    pub fn asked(&self) -> Option<Change> {
        self.change.get()
    }

    /// Waits until a change is asked for.
    pub async fn until_changed(&self) {
        while self.asked().is_none() {
            self.changed.wait().await;
        }
    }

    /// Waits until nothing has been written for a while, and says whether the application goes on.
    pub async fn settle(&self) -> bool {
        loop {
            if self.asked() == Some(Change::Restart) {
                return false;
            }
            let due = self.written.get() + SETTLED;
            if Instant::now() >= due {
                self.change.set(None);
                return true;
            }
            Timer::at(due).await;
        }
    }
}

/// Reads a record, or returns `None` if there is none or the store is borrowed elsewhere.
pub(crate) type Stored<'o, B> =
    Result<Option<secure_store::Record<'o>>, secure_store::StoreError<FlashError<B>>>;

impl<B: Board> Common<'_, B> {
    pub fn read<'o>(&self, key: Key, out: &'o mut [u8]) -> Stored<'o, B> {
        match self.store().map(RefCell::try_borrow_mut) {
            Some(Ok(mut store)) => store.get(key, out),
            _ => Ok(None),
        }
    }
    /// Returns the device's name, if it was told one.
    pub fn name(&self) -> Option<String<NAME_LEN>> {
        let mut value = [0; MAX_VALUE_LEN];
        let record = self.read(Key::DEVICE, &mut value).ok()??;
        let name = Settings::decode(record.value)?.text(Setting::NAME)?;
        name.get(..name.floor_char_boundary(NAME_LEN))?
            .try_into()
            .ok()
    }
}
