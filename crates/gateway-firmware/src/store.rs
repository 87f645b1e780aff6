//! The board's store, plain or sealed, as its own records say.

use core::fmt;

use embedded_storage::nor_flash::MultiwriteNorFlash;
use jwt_core::MacEngine;
use secure_store::{
    Certificates, CopyHealth, Custody, Freshness, Key, MonotonicCounter, Plain, Record, Region,
    RollbackError, SealError, Sealed, Store, StoreError, anchor, announce, check_freshness,
    is_anchor_due,
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
    /// There is none yet. The first record that somebody may write makes it one.
    None(Vacancy<F>),
}

/// A place for a store, and what one will be made of.
pub struct Vacancy<F> {
    /// `None` after the flash has failed.
    flash: Option<F>,
    region: Region,
    seal: Option<Sealed>,
    /// Whether something that is no store is in its place, such as what a power cut has left of making one.
    taken: bool,
    /// Whether that is a store which isn't sealed though it should be: nothing in it is read or kept.
    unsealed: bool,
}

type Result<T, F> =
    core::result::Result<T, StoreError<<F as embedded_storage::nor_flash::ErrorType>::Error>>;

impl<F: MultiwriteNorFlash> BoardStore<F> {
    /// Opens the store in a region and repairs it; where there is none nothing is written yet.
    ///
    /// `seal` is what the chip's device key gives, see [`seal`].
    ///
    /// # Errors
    /// [`OpenError`]; nothing was written.
    pub fn open<K>(
        flash: F,
        region: Region,
        seal: core::result::Result<Option<Sealed>, SealError<K>>,
    ) -> core::result::Result<Self, OpenError<F::Error, K>> {
        let mut store = Self::closed(flash, region);
        store.open_in_place(seal)?;
        Ok(store)
    }

    /// Returns the place of a store that is to be opened.
    pub(crate) const fn closed(flash: F, region: Region) -> Self {
        Self::None(Vacancy {
            flash: Some(flash),
            region,
            seal: None,
            taken: false,
            unsealed: false,
        })
    }

    /// Opens a closed store as [`open`](Self::open) does.
    #[inline(never)]
    pub(crate) fn open_in_place<K>(
        &mut self,
        seal: core::result::Result<Option<Sealed>, SealError<K>>,
    ) -> core::result::Result<(), OpenError<F::Error, K>> {
        let sealed = self.is_sealed();
        let Self::None(vacancy) = self else {
            return Ok(());
        };
        let sealed = match sealed {
            Ok(sealed) => sealed,
            Err(error @ (StoreError::Blank | StoreError::Foreign)) => {
                vacancy.seal = seal.ok().flatten();
                vacancy.taken = matches!(error, StoreError::Foreign);
                return Ok(());
            }
            Err(error) => return Err(OpenError::Store(error)),
        };
        let seal = match (sealed, seal) {
            (Some(true), Ok(None)) => return Err(OpenError::NoKey),
            (Some(true), Err(error)) => return Err(OpenError::Key(error)),
            (Some(true) | None, Ok(Some(seal))) => Some(seal),
            // Whoever can write the flash could have made it, with a server of his own in it to sign for.
            (Some(false), Ok(Some(seal))) => {
                vacancy.seal = Some(seal);
                vacancy.taken = true;
                vacancy.unsealed = true;
                return Err(OpenError::NotSealed);
            }
            (Some(false) | None, Ok(None) | Err(_)) => None,
        };
        let Some(flash) = vacancy.flash.take() else {
            return Err(OpenError::Store(StoreError::Unreliable));
        };
        let region = vacancy.region;
        match seal {
            Some(seal) => self.open_sealed(flash, region, seal),
            None => self.open_plain(flash, region),
        }
        .and_then(|()| self.repair())
        .map_err(OpenError::Store)
    }

    /// Returns whether the store is sealed, as its records say, or `None` if it has none.
    pub(crate) fn is_sealed(&mut self) -> Result<Option<bool>, F> {
        match self {
            Self::None(Vacancy {
                flash: Some(flash),
                region,
                ..
            }) => is_sealed(flash, *region),
            Self::None(_) => Err(StoreError::Unreliable),
            Self::Plain(_) => Ok(Some(false)),
            Self::Sealed(_) => Ok(Some(true)),
        }
    }

    // Not a part of its caller: a store is large, and there is one here on its way to its place.
    #[inline(never)]
    fn open_sealed(&mut self, flash: F, region: Region, seal: Sealed) -> Result<(), F> {
        *self = Self::Sealed(Store::open(flash, region, seal)?);
        Ok(())
    }

    #[inline(never)]
    fn open_plain(&mut self, flash: F, region: Region) -> Result<(), F> {
        *self = Self::Plain(Store::open(flash, region, Plain)?);
        Ok(())
    }

    fn repair(&mut self) -> Result<(), F> {
        match self {
            Self::Plain(store) => store.repair(),
            Self::Sealed(store) => store.repair(),
            Self::None(_) => Ok(()),
        }
    }

    /// Returns why there is no store yet, if there is none.
    pub fn vacancy(&self) -> Option<StoreError<F::Error>> {
        match self {
            Self::None(Vacancy { taken: true, .. }) => Some(StoreError::Foreign),
            Self::None(_) => Some(StoreError::Blank),
            Self::Plain(_) | Self::Sealed(_) => None,
        }
    }

    /// Whether there is no store, and nothing to seal one with either.
    pub(crate) const fn lacks_seal(&self) -> bool {
        matches!(self, Self::None(Vacancy { seal: None, .. }))
    }

    /// Has a store that is going to be made sealed.
    pub(crate) fn give_seal(&mut self, seal: Sealed) {
        if let Self::None(vacancy) = self {
            vacancy.seal = Some(seal);
        }
    }

    /// Makes a store where there is none, or where one is [not sealed](OpenError::NotSealed): that one is erased, so only who
    /// has proved the device key may have this done.
    // Not a part of its caller, which writes every record with the stack that this takes once.
    #[inline(never)]
    pub(crate) fn settle(&mut self) -> Result<(), F> {
        let Self::None(vacancy) = self else {
            return Ok(());
        };
        let flash = vacancy.flash.take().ok_or(StoreError::Unreliable)?;
        *self = match vacancy.seal.take() {
            Some(seal) => Self::Sealed(Store::format(flash, vacancy.region, seal)?),
            None => Self::Plain(Store::format(flash, vacancy.region, Plain)?),
        };
        Ok(())
    }

    /// Writes a record in place of an older one; where there is no store it makes one first.
    ///
    /// # Errors
    /// Those of [`Store::put`] and [`Store::format`]; [`StoreError::Foreign`] where a store is that isn't sealed though it should be.
    pub fn put(&mut self, key: Key, version: u8, value: &[u8]) -> Result<(), F> {
        match self {
            Self::None(Vacancy { unsealed: true, .. }) => return Err(StoreError::Foreign),
            Self::None(_) => self.settle()?,
            Self::Plain(_) | Self::Sealed(_) => {}
        }
        match self {
            Self::Plain(store) => store.put(key, version, value),
            Self::Sealed(store) => store.put(key, version, value),
            Self::None(_) => Err(StoreError::Unreliable),
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
            Self::None(_) => Ok(None),
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
            Self::None(_) => Ok(()),
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
            Self::None(_) => Ok(()),
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
            Self::None(_) => Ok(None),
        }
    }

    /// Compares the store with a counter if it is sealed, for otherwise nothing keeps a forger from what the counter says.
    ///
    /// # Errors
    /// Those of [`check_freshness`].
    pub fn check_freshness<C: MonotonicCounter>(
        &mut self,
        counter: &mut C,
    ) -> core::result::Result<Option<Freshness>, RollbackError<F::Error, C::Error>> {
        match self {
            Self::Sealed(store) => check_freshness(store, counter).map(Some),
            Self::Plain(_) | Self::None(_) => Ok(None),
        }
    }

    /// Notes in a sealed store that the counter is to be raised for what is written next.
    ///
    /// # Errors
    /// Those of [`announce`].
    pub fn announce<C: MonotonicCounter>(&mut self, counter: &mut C) -> Result<(), F> {
        match self {
            Self::Sealed(store) => announce(store, counter),
            Self::Plain(_) | Self::None(_) => Ok(()),
        }
    }

    /// Raises a counter, and the store with it, if the store is sealed and [`is_anchor_due`].
    ///
    /// # Errors
    /// Those of [`anchor`].
    pub fn anchor<C: MonotonicCounter>(
        &mut self,
        counter: &mut C,
    ) -> core::result::Result<(), RollbackError<F::Error, C::Error>> {
        match self {
            Self::Sealed(store) => match is_anchor_due(store)? {
                true => anchor(store, counter),
                false => Ok(()),
            },
            Self::Plain(_) | Self::None(_) => Ok(()),
        }
    }

    /// Returns the custody of what the store writes, or will write.
    pub fn custody(&self) -> Custody {
        match self {
            Self::Plain(store) => store.custody(),
            Self::Sealed(store) => store.custody(),
            Self::None(Vacancy { seal: Some(_), .. }) => Custody::Sealed,
            Self::None(_) => Custody::Plain,
        }
    }

    /// Returns how the copies are, A before B.
    pub fn health(&self) -> [CopyHealth; 2] {
        match self {
            Self::Plain(store) => store.health(),
            Self::Sealed(store) => store.health(),
            Self::None(_) => {
                [CopyHealth {
                    sound: false,
                    erases: 0,
                }; 2]
            }
        }
    }
}

/// Returns whether the store in a region is sealed, as its records say, or `None` if it has none.
#[inline(never)]
fn is_sealed<F: MultiwriteNorFlash>(flash: &mut F, region: Region) -> Result<Option<bool>, F> {
    let store = Store::<_, Plain, RECORDS>::open(flash, region, Plain)?;
    let custodies = || store.records().map(|record| record.custody);
    let sealed = custodies().any(|custody| custody == Some(Custody::Sealed));
    Ok(custodies().next().map(|_| sealed))
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
    /// The chip has a device key that works, and the store isn't sealed under it.
    NotSealed,
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
            Self::NotSealed => f.write_str(
                "the store is not sealed though the chip has a device key, so that anybody may have made it: provision it with the device key",
            ),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl<E: fmt::Debug, K: fmt::Debug + fmt::Display> core::error::Error for OpenError<E, K> {}
