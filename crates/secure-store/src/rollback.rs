//! Telling an old flash image from the present one, where there is something that can't be set back.
//!
//! The store keeps the value that a monotonic counter had, and [`anchor`] raises both. An image from before
//! has a lower value than the counter. What was written since the last anchor can be taken back
//! unnoticed, and without a counter everything can. That an anchor is due [`announce`] notes in the store, for whoever
//! finds it after a power cut. At Plain custody whoever writes the flash writes the
//! value too, so an anchor means something in a sealed store only. There no record can be taken out or put back alone, so
//! what opens is, as a whole, a state that the store had at the last anchor or after it.

use core::fmt::{self, Debug};

use embedded_storage::nor_flash::MultiwriteNorFlash;

use crate::error::StoreError;
use crate::key::Key;
use crate::protection::Protection;
use crate::store::Store;

const VERSION: u8 = 1;

/// Most by which a counter is taken to have gone up in an increment that a power cut has ended.
///
/// The counters of the ATECC608 may go up by more than one then (its data sheet, section 5.1.1, which gives no bound).
/// An image that was taken in the middle of an [`anchor`] is good for as many more anchors.
pub const MAX_COUNTER_JUMP: u32 = 8;

/// What the anchor record says.
#[derive(Clone, Copy)]
struct Anchor {
    count: u32,
    /// Whether the counter may not have reached that yet, or may have gone beyond it.
    raising: bool,
    /// Whether something was written, or is about to be, that the counter is to be raised for.
    due: bool,
}

impl Anchor {
    const LEN: usize = 5;
    const RAISING: u8 = 1;
    const DUE: u8 = 2;

    fn to_bytes(self) -> [u8; Self::LEN] {
        let [a, b, c, d] = self.count.to_le_bytes();
        let mark = |is_set, mark| if is_set { mark } else { 0 };
        let marks = mark(self.raising, Self::RAISING) | mark(self.due, Self::DUE);
        [a, b, c, d, marks]
    }

    fn parse(value: &[u8]) -> Option<Self> {
        let [a, b, c, d, marks @ 0..=3] = *value else {
            return None;
        };
        Some(Self {
            count: u32::from_le_bytes([a, b, c, d]),
            raising: marks & Self::RAISING != 0,
            due: marks & Self::DUE != 0,
        })
    }

    /// Reads the record, or returns `None` if there is none.
    fn read<F: MultiwriteNorFlash, P: Protection, const RECORDS: usize>(
        store: &mut Store<F, P, RECORDS>,
    ) -> Result<Option<Self>, StoreError<F::Error>> {
        let version = store.version(Key::ANCHOR);
        if let Some(version) = version.filter(|version| *version > VERSION) {
            return Err(StoreError::NewerRecord { version });
        }
        let mut buffer = [0; Self::LEN];
        match store.get(Key::ANCHOR, &mut buffer)? {
            Some(record) => match Self::parse(record.value) {
                Some(anchor) => Ok(Some(anchor)),
                None => Err(StoreError::Malformed),
            },
            None => Ok(None),
        }
    }

    fn write<F: MultiwriteNorFlash, P: Protection, const RECORDS: usize>(
        self,
        store: &mut Store<F, P, RECORDS>,
    ) -> Result<(), StoreError<F::Error>> {
        store.put(Key::ANCHOR, VERSION, &self.to_bytes())
    }
}

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
    let Some(anchor) = Anchor::read(store)? else {
        return Ok(match count {
            0 => Freshness::Unanchored,
            by => Freshness::RolledBack { by },
        });
    };
    match count.checked_sub(anchor.count) {
        Some(0) if !anchor.raising => Ok(Freshness::Fresh),
        Some(ahead) if ahead < MAX_COUNTER_JUMP && anchor.raising => {
            // Where the counter stands already it counted for what was written before.
            settle(store, count, anchor.due)?;
            Ok(Freshness::Fresh)
        }
        Some(by) => Ok(Freshness::RolledBack { by }),
        None if anchor.raising && anchor.count.checked_sub(count) == Some(1) => {
            let reached = counter.increment().map_err(RollbackError::Counter)?;
            settle(store, reached, false)?;
            Ok(Freshness::Fresh)
        }
        None => Ok(Freshness::CounterReplaced),
    }
}

/// Writes down what the counter has reached.
fn settle<F: MultiwriteNorFlash, P: Protection, const RECORDS: usize>(
    store: &mut Store<F, P, RECORDS>,
    count: u32,
    due: bool,
) -> Result<(), StoreError<F::Error>> {
    let raising = false;
    Anchor {
        count,
        raising,
        due,
    }
    .write(store)
}

/// Notes in the store that an [`anchor`] is due, if that isn't noted yet; the counter stays as it is.
///
/// Call it before what must not be taken back is written: a power cut behind that doesn't make the device forget the anchor.
/// The counter is read only where the store has no anchor; one that doesn't answer is taken for a new one.
///
/// # Errors
/// Those of [`Store::put`] and [`Store::get`].
pub fn announce<F: MultiwriteNorFlash, P: Protection, C: MonotonicCounter, const RECORDS: usize>(
    store: &mut Store<F, P, RECORDS>,
    counter: &mut C,
) -> Result<(), StoreError<F::Error>> {
    let anchor = match Anchor::read(store)? {
        Some(Anchor { due: true, .. }) => return Ok(()),
        Some(anchor) => Anchor {
            due: true,
            ..anchor
        },
        None => Anchor {
            count: counter.read().unwrap_or(0),
            raising: false,
            due: true,
        },
    };
    anchor.write(store)
}

/// Returns whether an [`anchor`] is due: it was announced, has begun, or there was none yet.
///
/// # Errors
/// Those of [`Store::get`].
pub fn is_anchor_due<F: MultiwriteNorFlash, P: Protection, const RECORDS: usize>(
    store: &mut Store<F, P, RECORDS>,
) -> Result<bool, StoreError<F::Error>> {
    Ok(match Anchor::read(store)? {
        Some(anchor) => anchor.due || anchor.raising,
        None => true,
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
    let raised = Anchor {
        count: count.checked_add(1).ok_or(StoreError::WornOut)?,
        raising: true,
        due: false,
    };
    // The store first: a counter that went up alone would make the store look old.
    raised.write(store)?;
    let reached = counter.increment().map_err(RollbackError::Counter)?;
    settle(store, reached, false)?;
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
