//! The outbox's records, kept in the secure store beside everything else.

use core::cell::RefCell;
use core::fmt;

use embedded_storage::nor_flash::MultiwriteNorFlash;
use secure_store::{Key, StoreError};

use crate::store::BoardStore;

/// Alerts that wait at most.
pub const OUTBOX_SLOTS: usize = 16;

/// Version of the form that the outbox gives its records, which state their own beyond this.
const OUTBOX_VERSION: u8 = 1;

/// The outbox's part of the store, which is borrowed for moments.
pub struct OutboxRecords<'a, F: MultiwriteNorFlash> {
    store: &'a RefCell<BoardStore<F>>,
}

impl<'a, F: MultiwriteNorFlash> OutboxRecords<'a, F> {
    /// Takes the outbox's part of a store.
    pub const fn new(store: &'a RefCell<BoardStore<F>>) -> Self {
        Self { store }
    }
}

impl<F: MultiwriteNorFlash> sms_alert::Store for OutboxRecords<'_, F> {
    type Error = RecordsError<F::Error>;

    fn put(&mut self, index: u16, record: &[u8]) -> Result<(), Self::Error> {
        let mut store = self
            .store
            .try_borrow_mut()
            .map_err(|_| RecordsError::Busy)?;
        store
            .put(Key::outbox(index), OUTBOX_VERSION, record)
            .map_err(RecordsError::Store)
    }

    fn get(&mut self, index: u16, out: &mut [u8]) -> Result<Option<usize>, Self::Error> {
        let mut store = self
            .store
            .try_borrow_mut()
            .map_err(|_| RecordsError::Busy)?;
        let record = store.get(Key::outbox(index), out);
        match record.map_err(RecordsError::Store)? {
            None => Ok(None),
            Some(record) if record.version == OUTBOX_VERSION => Ok(Some(record.value.len())),
            Some(record) => {
                let version = record.version;
                Err(RecordsError::Store(StoreError::NewerRecord { version }))
            }
        }
    }

    fn remove(&mut self, index: u16) -> Result<(), Self::Error> {
        let mut store = self
            .store
            .try_borrow_mut()
            .map_err(|_| RecordsError::Busy)?;
        store
            .remove(Key::outbox(index))
            .map_err(RecordsError::Store)
    }
}

/// Says why a record of the outbox can't be had; `E` is the flash driver's error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecordsError<E> {
    /// The store is borrowed elsewhere.
    Busy,
    /// The store has failed.
    Store(StoreError<E>),
}

impl<E: fmt::Debug> fmt::Display for RecordsError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => f.write_str("the store is in use: try again"),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl<E: fmt::Debug> core::error::Error for RecordsError<E> {}
