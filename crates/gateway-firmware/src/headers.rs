//! Credentials and time in, `Authorization` header out: for firmware with an HTTP stack of its own.
//!
//! What is provisioned is what the application takes too: one store, the same records, any API of `api-auth`. Nothing here
//! waits, allocates or knows a network.

use core::cell::RefCell;
use core::convert::Infallible;
use core::fmt;

use api_auth::{
    Action, Authorization, AuthorizeError, Clock, ClockError, Facts, Policy, Reading, Slots,
};
use embedded_storage::nor_flash::MultiwriteNorFlash;
use jwt_core::MacEngine;
use secure_store::{Custody, Key, Region, Rtc, StoreError};

use crate::board::ChipKeys;
use crate::credentials::{
    AUTHORIZATION_LEN, BoardSession, Credentials, CredentialsError, ROTATION_VERSION,
};
use crate::store::{BoardStore, OpenError, seal};
use crate::timekeeper::Timekeeper;

/// What headers are made of on a board.
pub struct HeaderParts<F, R, C> {
    /// The flash with the store in it.
    pub flash: F,
    /// Where in the flash the store lies.
    pub region: Region,
    /// The battery-backed clock, if there is one.
    pub rtc: Option<R>,
    /// Where keys are that no software can read.
    pub chip_keys: C,
    /// Which keys are taken: those for the field, or for tests.
    pub policy: Policy,
    /// The Unix seconds at which the firmware was built.
    pub build_secs: u64,
}

/// What a board was provisioned with, and the time: ask it for a header before each request, tell it what came back.
///
/// `F` is the flash, `R` the battery-backed clock ([`NoRtc`] if the board has none), `H` a key in a chip.
///
/// ```
/// use api_auth::{Action, Facts};
/// use embedded_storage::nor_flash::MultiwriteNorFlash;
/// use gateway_firmware::Headers;
/// use jwt_core::MacEngine;
/// use secure_store::Rtc;
///
/// /// Sends something by an HTTP stack that takes the header's value and tells what came back.
/// fn send<F: MultiwriteNorFlash, R: Rtc, H: MacEngine>(
///     headers: &mut Headers<F, R, H>,
///     post: fn(&str) -> Facts,
///     uptime_ms: fn() -> u64,
/// ) -> bool {
///     loop {
///         let Ok(header) = headers.authorize(uptime_ms()) else {
///             return false; // there is no time, or the chip with the key is silent
///         };
///         let facts = post(header.value());
///         let action = headers.answered(&facts, uptime_ms());
///         let _ = headers.keep(uptime_ms());
///         match action {
///             Action::CorrectClock { .. } | Action::SwitchSecret { .. } => continue,
///             action => return matches!(action, Action::Accepted { .. }),
///         }
///     }
/// }
/// ```
pub struct Headers<F, R, H: MacEngine> {
    store: RefCell<BoardStore<F>>,
    timekeeper: Timekeeper<R>,
    session: BoardSession<H>,
    custody: Custody,
    /// The slots as they are written down.
    written: Slots,
    /// Why the clock is not set, as long as nobody else sets it.
    unset: ClockError,
}

impl<F: MultiwriteNorFlash, R: Rtc, H: MacEngine> Headers<F, R, H> {
    /// Opens the store, prepares the credentials in it and reads the battery-backed clock, at an uptime in milliseconds.
    ///
    /// A clock that doesn't answer, has stood still or is implausible is none: [`authorize`](Self::authorize) says so for
    /// an API that needs the time.
    ///
    /// # Errors
    /// [`HeadersError`]: the store can't be opened, or holds no credential that this board can use.
    // Not a part of its caller, which would keep room for what is moved here on its stack.
    #[inline(never)]
    pub fn open<C: ChipKeys<Key = H>>(
        parts: HeaderParts<F, R, C>,
        uptime_ms: u64,
    ) -> Result<Self, HeadersError<F::Error, H::Error>> {
        let chip_keys = parts.chip_keys;
        let store = BoardStore::open(parts.flash, parts.region, seal(&chip_keys))
            .map_err(HeadersError::Open)?;
        if let Some(error) = store.vacancy() {
            return Err(HeadersError::Open(OpenError::Store(error)));
        }
        let store = RefCell::new(store);
        let mut timekeeper = Timekeeper::new(parts.rtc);
        let remembered = timekeeper.load(&store);
        remembered.map_err(|error| HeadersError::Open(OpenError::Store(error)))?;
        let mut clock = Clock::new(parts.build_secs, timekeeper.floor_secs());
        let reading = timekeeper.reading();
        let set = reading.map(|reading| clock.set(reading, uptime_ms));
        let Credentials { session, custody } =
            Credentials::load(&store, clock, parts.policy, &chip_keys)
                .map_err(HeadersError::Credentials)?;
        Ok(Self {
            written: session.slots(),
            unset: set.and_then(Result::err).unwrap_or(ClockError::Unset),
            store,
            timekeeper,
            session,
            custody,
        })
    }

    /// Returns the header of a request that starts now, at an uptime in milliseconds; it is signed only if it has to be.
    ///
    /// # Errors
    /// [`AuthorizeError`]: the time is not known though the API needs it, or the chip with the key doesn't answer.
    pub fn authorize(
        &mut self,
        uptime_ms: u64,
    ) -> Result<&Authorization<AUTHORIZATION_LEN>, AuthorizeError<H::Error>> {
        match self.session.authorize(uptime_ms) {
            Err(AuthorizeError::Clock(ClockError::Unset)) => Err(AuthorizeError::Clock(self.unset)),
            made => made,
        }
    }

    /// Learns from the answer to a request that had this header, and says what to do: a wrong clock is corrected, a
    /// credential that is refused gives way to the other.
    pub fn answered(&mut self, facts: &Facts, uptime_ms: u64) -> Action {
        self.session.answered(facts, uptime_ms)
    }

    /// Takes the time from somebody who knows it better than the battery-backed clock, such as SNTP.
    ///
    /// # Errors
    /// The [`ClockError`] that names what is wrong with the reading; the clock goes on as before.
    pub fn set_clock(&mut self, reading: Reading, uptime_ms: u64) -> Result<(), ClockError> {
        self.session.clock_mut().set(reading, uptime_ms)
    }

    /// Writes down what is to outlast a power cut, sets the battery-backed clock by a better one, or goes by it again.
    ///
    /// Call it after [`set_clock`](Self::set_clock) and [`answered`](Self::answered), once a day at least. It writes only what has
    /// changed: the slot in use and the progress of a rotation, once a day the earliest that the present can be, once a week when the
    /// battery-backed clock was set.
    ///
    /// # Errors
    /// The store's; what was to be written is tried again with the next call.
    pub fn keep(&mut self, uptime_ms: u64) -> Result<(), StoreError<F::Error>> {
        let clock = self.session.clock_mut();
        self.timekeeper.keep(clock, uptime_ms, &self.store)?;
        if let Some(reading) = self.timekeeper.reading() {
            // It is no worse than it was: what is refused was not in use either.
            let _ = clock.set(reading, uptime_ms);
        }
        let slots = self.session.slots();
        if slots != self.written {
            let store = self.store.get_mut();
            store.put(Key::ROTATION, ROTATION_VERSION, &slots.to_bytes())?;
            self.written = slots;
        }
        Ok(())
    }

    /// Returns who can get at the keys: the worse custody of the two credentials.
    pub const fn custody(&self) -> Custody {
        self.custody
    }

    /// Returns the session: its API, its clock, its slots.
    pub const fn session(&self) -> &BoardSession<H> {
        &self.session
    }
}

/// The battery-backed clock of a board without one.
pub enum NoRtc {}

impl Rtc for NoRtc {
    type Error = Infallible;

    fn read(&mut self) -> Result<Option<u64>, Infallible> {
        match *self {}
    }

    fn set(&mut self, _unix_secs: u64) -> Result<(), Infallible> {
        match *self {}
    }
}

/// Says why there will be no header; `E` is the flash driver's error, `K` that of the chip with keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeadersError<E, K> {
    /// The store can't be opened.
    Open(OpenError<E, K>),
    /// It holds no credential that the board can use.
    Credentials(CredentialsError<E, K>),
}

impl<E: fmt::Debug, K: fmt::Display> fmt::Display for HeadersError<E, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(error) => error.fmt(f),
            Self::Credentials(error) => error.fmt(f),
        }
    }
}

impl<E: fmt::Debug, K: fmt::Debug + fmt::Display> core::error::Error for HeadersError<E, K> {}
