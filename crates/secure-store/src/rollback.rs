//! Telling an old flash image from the present one, where there is something that can't be set back.
//!
//! The store keeps the value that a monotonic counter had, and [`anchor`] raises both. An image from before
//! has a lower value than the counter. What was written since the last anchor can be taken back
//! unnoticed, and without a counter everything can. At Plain custody whoever writes the flash writes the
//! value too, so an anchor means something in a sealed store only. There no record can be taken out or put back alone, so
//! what opens is, as a whole, a state that the store had at the last anchor or after it.

use core::fmt::{self, Debug};

use embedded_storage::nor_flash::MultiwriteNorFlash;

use crate::error::StoreError;
use crate::key::Key;
use crate::protection::Protection;
use crate::store::Store;

const VERSION: u8 = 1;

/// A number in fuses or in a secure element that only ever grows.
pub trait MonotonicCounter {
    /// What can go wrong.
    type Error: core::error::Error;

    /// Returns the number.
    ///
    /// # Errors
    /// The counter's own, for example a bus fault.
    fn read(&mut self) -> Result<u32, Self::Error>;

    /// Adds one and returns the sum.
    ///
    /// # Errors
    /// The counter's own, for example that it is at its end.
    fn increment(&mut self) -> Result<u32, Self::Error>;
}

impl<C: MonotonicCounter + ?Sized> MonotonicCounter for &mut C {
    type Error = C::Error;

    fn read(&mut self) -> Result<u32, C::Error> {
        (**self).read()
    }

    fn increment(&mut self) -> Result<u32, C::Error> {
        (**self).increment()
    }
}

/// How the store and the counter stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Freshness {
    /// The store is not older than the last anchor.
    Fresh,
    /// Neither has ever been anchored.
    Unanchored,
    /// The store is older than the last anchor, or comes from another device.
    RolledBack {
        /// By how many anchors.
        by: u32,
    },
    /// The counter is behind the store: it is another one.
    CounterReplaced,
}

/// Compares the store with the counter; what a power cut left half done in [`anchor`] is completed.
///
/// # Errors
/// Those of the store and of the counter.
pub fn check_freshness<
    F: MultiwriteNorFlash,
    P: Protection,
    C: MonotonicCounter,
    const RECORDS: usize,
>(
    store: &mut Store<F, P, RECORDS>,
    counter: &mut C,
) -> Result<Freshness, RollbackError<F::Error, C::Error>> {
    let count = counter.read().map_err(RollbackError::Counter)?;
    let mut buffer = [0; 4];
    let Some(record) = store.get(Key::ANCHOR, &mut buffer)? else {
        return Ok(match count {
            0 => Freshness::Unanchored,
            by => Freshness::RolledBack { by },
        });
    };
    let stored: &[u8; 4] = record.value.try_into().map_err(|_| StoreError::Malformed)?;
    let stored = u32::from_le_bytes(*stored);
    Ok(match count.checked_sub(stored) {
        Some(0) => Freshness::Fresh,
        Some(by) => Freshness::RolledBack { by },
        None if stored.checked_sub(count) == Some(1) => {
            counter.increment().map_err(RollbackError::Counter)?;
            Freshness::Fresh
        }
        None => Freshness::CounterReplaced,
    })
}

/// Raises the counter and the store with it: images from before are told from now on.
///
/// Call it after what must not be taken back, such as a change of credentials.
///
/// # Errors
/// Those of the store and of the counter; [`check_freshness`] then still finds the store fresh.
pub fn anchor<F: MultiwriteNorFlash, P: Protection, C: MonotonicCounter, const RECORDS: usize>(
    store: &mut Store<F, P, RECORDS>,
    counter: &mut C,
) -> Result<(), RollbackError<F::Error, C::Error>> {
    let count = counter.read().map_err(RollbackError::Counter)?;
    let next = count.checked_add(1).ok_or(StoreError::WornOut)?;
    // The store first: between the two the store is one ahead, which no old image is.
    store.put(Key::ANCHOR, VERSION, &next.to_le_bytes())?;
    counter.increment().map_err(RollbackError::Counter)?;
    Ok(())
}

/// Says what failed, the store or the counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RollbackError<F, C> {
    /// The store failed.
    Store(StoreError<F>),
    /// The counter failed.
    Counter(C),
}

impl<F, C> From<StoreError<F>> for RollbackError<F, C> {
    fn from(error: StoreError<F>) -> Self {
        Self::Store(error)
    }
}

impl<F: Debug, C: fmt::Display> fmt::Display for RollbackError<F, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => write!(f, "{error}"),
            Self::Counter(error) => write!(f, "the monotonic counter failed: {error}"),
        }
    }
}

impl<F: Debug, C: core::error::Error> core::error::Error for RollbackError<F, C> {}
