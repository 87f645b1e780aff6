//! The board's store, plain or sealed, as its own records say.

use core::fmt;

use embedded_storage::nor_flash::MultiwriteNorFlash;
use jwt_core::MacEngine;
use secure_store::{
    Certificates, CopyHealth, Custody, Key, Plain, Record, Region, SealError, Sealed, Store,
    StoreError,
};

use crate::board::ChipKeys;
use crate::records::OUTBOX_SLOTS;

/// Records that are kept track of: the outbox's with their counter, and those of credentials, rotation, clock, settings,
/// certificates and whatever a later program adds.
pub const RECORDS: usize = 31 + OUTBOX_SLOTS + 1;

/// A board's store. Whether the records in it are sealed decides which one it is; a store without any records is
/// sealed if the chip has a device key.
pub enum BoardStore<F> {
    /// No key protects it.
    Plain(Store<F, Plain, RECORDS>),
    /// The device key does.
    Sealed(Store<F, Sealed, RECORDS>),
}

type Result<T, F> =
    core::result::Result<T, StoreError<<F as embedded_storage::nor_flash::ErrorType>::Error>>;

impl<F: MultiwriteNorFlash> BoardStore<F> {
    /// Opens the store in a region and repairs it; one that is blank is formatted, which loses nothing.
    ///
    /// `seal` is what the chip's device key gives, see [`seal`].
    ///
    /// # Errors
    /// [`OpenError`]; nothing was written.
    #[inline(never)]
    pub fn open<K>(
        mut flash: F,
        region: Region,
        seal: core::result::Result<Option<Sealed>, SealError<K>>,
    ) -> core::result::Result<Self, OpenError<F::Error, K>> {
        let (blank, sealed) = match Store::<_, Plain, RECORDS>::open(&mut flash, region, Plain) {
            Ok(store) => {
                let custodies = || store.records().map(|record| record.custody);
                let sealed = custodies().any(|custody| custody == Some(Custody::Sealed));
                (false, custodies().next().map(|_| sealed))
            }
            Err(StoreError::Blank) => (true, None),
            Err(error) => return Err(OpenError::Store(error)),
        };
        let seal = match (sealed, seal) {
            (Some(true), Ok(None)) => return Err(OpenError::NoKey),
            (Some(true), Err(error)) => return Err(OpenError::Key(error)),
            (Some(true) | None, Ok(Some(seal))) => Some(seal),
            (Some(false), _) | (None, Ok(None) | Err(_)) => None,
        };
        match (seal, blank) {
            (Some(seal), true) => Store::format(flash, region, seal).map(Self::Sealed),
            (Some(seal), false) => Store::open(flash, region, seal).map(Self::Sealed),
            (None, true) => Store::format(flash, region, Plain).map(Self::Plain),
            (None, false) => Store::open(flash, region, Plain).map(Self::Plain),
        }
        .and_then(|mut store| store.repair().map(|()| store))
        .map_err(OpenError::Store)
    }

    fn repair(&mut self) -> Result<(), F> {
        match self {
            Self::Plain(store) => store.repair(),
            Self::Sealed(store) => store.repair(),
        }
    }

    /// Whether there is no record at all.
    pub fn is_blank(&self) -> bool {
        match self {
            Self::Plain(store) => store.records().next().is_none(),
            Self::Sealed(store) => store.records().next().is_none(),
        }
    }

    /// Writes a record in place of an older one.
    ///
    /// # Errors
    /// Those of [`Store::put`].
    pub fn put(&mut self, key: Key, version: u8, value: &[u8]) -> Result<(), F> {
        match self {
            Self::Plain(store) => store.put(key, version, value),
            Self::Sealed(store) => store.put(key, version, value),
        }
    }

    /// Reads a record into `out`, or returns `None` if there is none.
    ///
    /// # Errors
    /// Those of [`Store::get`].
    pub fn get<'o>(&mut self, key: Key, out: &'o mut [u8]) -> Result<Option<Record<'o>>, F> {
        match self {
            Self::Plain(store) => store.get(key, out),
            Self::Sealed(store) => store.get(key, out),
        }
    }

    /// Removes a record, if it is there.
    ///
    /// # Errors
    /// Those of [`Store::remove`].
    pub fn remove(&mut self, key: Key) -> Result<(), F> {
        match self {
            Self::Plain(store) => store.remove(key),
            Self::Sealed(store) => store.remove(key),
        }
    }

    /// Erases what was removed or replaced.
    ///
    /// # Errors
    /// Those of [`Store::purge`].
    pub fn purge(&mut self) -> Result<(), F> {
        match self {
            Self::Plain(store) => store.purge(),
            Self::Sealed(store) => store.purge(),
        }
    }

    /// Reads the certificates that TLS trusts into `out`, or returns `None` if there are none.
    ///
    /// # Errors
    /// Those of [`Store::certificates`].
    pub fn certificates<'o>(&mut self, out: &'o mut [u8]) -> Result<Option<Certificates<'o>>, F> {
        match self {
            Self::Plain(store) => store.certificates(out),
            Self::Sealed(store) => store.certificates(out),
        }
    }

    /// Returns the custody of what the store writes.
    pub fn custody(&self) -> Custody {
        match self {
            Self::Plain(store) => store.custody(),
            Self::Sealed(store) => store.custody(),
        }
    }

    /// Returns how the copies are, A before B.
    pub fn health(&self) -> [CopyHealth; 2] {
        match self {
            Self::Plain(store) => store.health(),
            Self::Sealed(store) => store.health(),
        }
    }
}

/// Derives the store's keys from the chip's device key, or returns `None` if the board has no place for one.
///
/// # Errors
/// The key's, if it doesn't work: no chip answers, or nobody has put a key there.
pub fn seal<C: ChipKeys>(
    chip_keys: &C,
) -> core::result::Result<Option<Sealed>, SealError<<C::Key as MacEngine>::Error>> {
    chip_keys.device_key().map(Sealed::new).transpose()
}

/// Says why the store can't be opened; `E` is the flash driver's error, `K` that of the chip with keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenError<E, K> {
    /// The store is sealed, and the board has no place for a device key.
    NoKey,
    /// The store is sealed, and the device key doesn't work.
    Key(SealError<K>),
    /// The store is none that can be used.
    Store(StoreError<E>),
}

impl<E: fmt::Debug, K: fmt::Display> fmt::Display for OpenError<E, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKey => f.write_str(
                "the store is sealed, and this board has no device key: provision it without one",
            ),
            Self::Key(error) => write!(f, "the store is sealed, and {error}"),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl<E: fmt::Debug, K: fmt::Debug + fmt::Display> core::error::Error for OpenError<E, K> {}
