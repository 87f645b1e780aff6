//! Where the outbox keeps its records.

/// A place for small records that outlast a power cut, each under a number.
///
/// `put` and `remove` are atomic: after a power cut at any moment during one of them the record is
/// as it was or as it was to be, never in between and never gone. They return when the change is
/// durable.
pub trait Store {
    /// What can go wrong.
    type Error: core::error::Error;

    /// Writes the record `index`, in place of an older one.
    ///
    /// # Errors
    /// When the record was not written; the older one is still there.
    fn put(&mut self, index: u16, record: &[u8]) -> Result<(), Self::Error>;

    /// Reads the record `index` into `out` and returns its length, or `None` when there is none.
    ///
    /// # Errors
    /// When it can't be read or is longer than `out`, which then holds anything.
    fn get(&mut self, index: u16, out: &mut [u8]) -> Result<Option<usize>, Self::Error>;

    /// Removes the record `index`, if it is there.
    ///
    /// # Errors
    /// When the record was not removed.
    fn remove(&mut self, index: u16) -> Result<(), Self::Error>;
}

impl<S: Store> Store for &mut S {
    type Error = S::Error;

    fn put(&mut self, index: u16, record: &[u8]) -> Result<(), Self::Error> {
        (**self).put(index, record)
    }

    fn get(&mut self, index: u16, out: &mut [u8]) -> Result<Option<usize>, Self::Error> {
        (**self).get(index, out)
    }

    fn remove(&mut self, index: u16) -> Result<(), Self::Error> {
        (**self).remove(index)
    }
}

/// Records in memory: for a client whose alerts need not outlast it.
#[derive(Clone, Debug)]
pub struct RamStore<const RECORDS: usize, const LEN: usize> {
    records: [heapless::Vec<u8, LEN>; RECORDS],
}

impl<const RECORDS: usize, const LEN: usize> RamStore<RECORDS, LEN> {
    /// Makes a store without records; each may have 1 to `LEN` bytes.
    pub const fn new() -> Self {
        Self {
            records: [const { heapless::Vec::new() }; RECORDS],
        }
    }
}

impl<const RECORDS: usize, const LEN: usize> Default for RamStore<RECORDS, LEN> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const RECORDS: usize, const LEN: usize> Store for RamStore<RECORDS, LEN> {
    type Error = RamStoreError;

    fn put(&mut self, index: u16, record: &[u8]) -> Result<(), RamStoreError> {
        let place = self
            .records
            .get_mut(usize::from(index))
            .ok_or(RamStoreError)?;
        *place = heapless::Vec::from_slice(record).map_err(|_| RamStoreError)?;
        Ok(())
    }

    fn get(&mut self, index: u16, out: &mut [u8]) -> Result<Option<usize>, RamStoreError> {
        let record = self.records.get(usize::from(index)).ok_or(RamStoreError)?;
        if record.is_empty() {
            return Ok(None);
        }
        let out = out.get_mut(..record.len()).ok_or(RamStoreError)?;
        out.iter_mut()
            .zip(record)
            .for_each(|(to, from)| *to = *from);
        Ok(Some(record.len()))
    }

    fn remove(&mut self, index: u16) -> Result<(), RamStoreError> {
        let place = self
            .records
            .get_mut(usize::from(index))
            .ok_or(RamStoreError)?;
        place.clear();
        Ok(())
    }
}

/// A record does not fit, or there is no place with its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RamStoreError;

impl core::fmt::Display for RamStoreError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the store in memory is too small for the outbox")
    }
}

impl core::error::Error for RamStoreError {}
