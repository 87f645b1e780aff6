//! One record of the store, for programs that run no gateway.

use core::fmt;

use esp_storage::{FlashStorage, FlashStorageError};
use jwt_core::MacEngine;
use secure_store::{Key, Plain, Protection, Region, SealError, Sealed, Store, StoreError};

/// Most records that the store has when it is opened.
const RECORDS: usize = 48;

/// Reads a record's value, or returns `None` if there is none; a sealed store opens with the device key.
///
/// # Errors
/// [`ReadError`].
pub fn read_record<'v, K: MacEngine>(
    flash: &mut FlashStorage<'_>,
    region: Region,
    device_key: K,
    key: Key,
    out: &'v mut [u8],
) -> Result<Option<&'v [u8]>, ReadError<K::Error>> {
    let len = match read(flash, region, Plain, key, out) {
        Err(StoreError::Sealed) => {
            let sealed = Sealed::new(device_key).map_err(ReadError::Seal)?;
            read(flash, region, sealed, key, out)
        }
        read => read,
    };
    Ok(len
        .map_err(ReadError::Store)?
        .and_then(|len| out.get(..len)))
}

fn read<P: Protection>(
    flash: &mut FlashStorage<'_>,
    region: Region,
    protection: P,
    key: Key,
    out: &mut [u8],
) -> Result<Option<usize>, StoreError<FlashStorageError>> {
    let mut store = Store::<_, P, RECORDS>::open(flash, region, protection)?;
    let record = store.get(key, out)?;
    Ok(record.map(|record| record.value.len()))
}

/// Says why a record can't be read; `E` is the device key's error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ReadError<E> {
    /// The store is sealed, and the device key can't be used.
    Seal(SealError<E>),
    /// The store has failed.
    Store(StoreError<FlashStorageError>),
}

impl<E: fmt::Display> fmt::Display for ReadError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seal(error) => error.fmt(f),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl<E: core::error::Error> core::error::Error for ReadError<E> {}
