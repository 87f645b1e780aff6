//! Records in a flash region: written, read and removed by name.

use core::fmt;

use embedded_storage::nor_flash::MultiwriteNorFlash;
use zeroize::{Zeroize, Zeroizing};

use crate::chain;
use crate::entry::{self, ENTRY_ALIGN, EntryHeader, MAX_ENTRY_LEN, MAX_VALUE_LEN, Mark, form};
use crate::error::StoreError;
use crate::key::Key;
use crate::log::TwoCopyLog;
use crate::protection::private::Refused;
use crate::protection::{Custody, LINK_LEN, Protection};
use crate::region::Region;

/// Records that outlast a power cut at any moment, in two copies in the flash `F`, protected by `P`.
///
/// At most `RECORDS` records are kept track of. Every write is atomic and durable when it returns.
///
/// ```
/// use secure_store::{Image, Key, Plain, Region, Store};
///
/// let mut flash = [0xff; 8192];
/// let region = Region { start: 0, len: 8192 };
/// let mut store = Store::<_, _, 8>::format(Image::new(&mut flash), region, Plain)?;
/// store.put(Key::ROTATION, 1, &[1, 0, 3, 0])?;
///
/// let mut store = Store::<_, _, 8>::open(Image::new(&mut flash), region, Plain)?;
/// let mut value = [0; 16];
/// let record = store.get(Key::ROTATION, &mut value)?.unwrap();
/// assert_eq!((record.version, record.value), (1, &[1, 0, 3, 0][..]));
/// # Ok::<(), secure_store::StoreError<secure_store::ImageError>>(())
/// ```
pub struct Store<F, P, const RECORDS: usize> {
    pub(crate) log: TwoCopyLog<F, RECORDS>,
    pub(crate) protection: P,
    pub(crate) scratch: Zeroizing<[u8; MAX_ENTRY_LEN]>,
}

/// A record as it was read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Record<'v> {
    /// The version of the value's form.
    pub version: u8,
    /// The value; `Debug` doesn't show it.
    pub value: &'v [u8],
}

/// What can be told of a record without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordInfo {
    /// The record's name.
    pub key: Key,
    /// The version of the value's form.
    pub version: u8,
    /// The custody of the value, `None` if this program doesn't know it.
    pub custody: Option<Custody>,
    /// The bytes of the value as it is stored.
    pub stored_len: u16,
    /// The number of the write; a later write has a higher one.
    pub seq: u32,
}

/// How a copy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopyHealth {
    /// Whether it is whole and up to date; if not, [`Store::repair`] or the next write makes it anew.
    pub sound: bool,
    /// How often it was erased.
    pub erases: u32,
}

type Result<T, F> =
    core::result::Result<T, StoreError<<F as embedded_storage::nor_flash::ErrorType>::Error>>;

impl<F: MultiwriteNorFlash, P: Protection, const RECORDS: usize> Store<F, P, RECORDS> {
    /// Opens the store in a region; nothing is written.
    ///
    /// A device [repairs](Self::repair) it at once, so that what it has read is what it will read.
    ///
    /// # Errors
    /// Any [`StoreError`] that says why the region is no store that this program can use; of a sealed one
    /// [`StoreError::Spliced`], if what is sealed is not what was left there, and [`StoreError::Forged`], if it is another device's.
    pub fn open(flash: F, region: Region, protection: P) -> Result<Self, F> {
        let log = TwoCopyLog::open(flash, region)?;
        let mut store = Self::of(log, protection);
        if P::LINKED {
            store.check_chain()?;
        }
        Ok(store)
    }

    /// Makes an empty store of a region, whatever is there: all of it is erased.
    ///
    /// # Errors
    /// [`StoreError::Region`], [`StoreError::Unreliable`] or the flash driver's error; [`StoreError::WornOut`] if a store that is
    /// there has come to the last number.
    pub fn format(flash: F, region: Region, protection: P) -> Result<Self, F> {
        TwoCopyLog::format(flash, region).map(|log| Self::of(log, protection))
    }

    fn of(log: TwoCopyLog<F, RECORDS>, protection: P) -> Self {
        let scratch = Zeroizing::new([0; MAX_ENTRY_LEN]);
        Self {
            log,
            protection,
            scratch,
        }
    }

    /// Makes the copy anew that is torn or behind, if there is one; a power cut while it does costs nothing.
    ///
    /// Certificates that were set aside, see [`put`](Self::put), and are not in force any more are removed, if they can be.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], [`StoreError::Unreliable`] or the flash driver's error.
    pub fn repair(&mut self) -> Result<(), F> {
        self.log.repair()?;
        // They take up room and hinder nothing: no reason not to start.
        let _ = self.settle_aside();
        Ok(())
    }

    /// Writes a record in place of an older one.
    ///
    /// Certificates change as a whole, if their parts are written before the network's settings: those in force are set aside
    /// before a [part](Key::certificates) of others is written, and removed behind the settings, or when there is no room for both.
    ///
    /// # Errors
    /// [`StoreError::NewerRecord`] if the older one has a higher version, [`StoreError::TooLong`],
    /// [`StoreError::Full`], [`StoreError::TooManyRecords`], [`StoreError::WornOut`], [`StoreError::Reserved`] or the flash's
    /// troubles. The older record is still there; after a flash error and a power cut it may be the new one.
    pub fn put(&mut self, key: Key, version: u8, value: &[u8]) -> Result<(), F> {
        self.set_aside(key)?;
        match self.put_one(key, version, value) {
            Err(StoreError::Full { .. } | StoreError::TooManyRecords)
                if self.give_way(key, version, value)? =>
            {
                self.put_one(key, version, value)?;
            }
            written => written?,
        }
        if key == Key::NETWORK {
            // The record is written. What stays aside takes up room, until the next start.
            let _ = self.settle_aside();
        }
        Ok(())
    }

    pub(crate) fn put_one(&mut self, key: Key, version: u8, value: &[u8]) -> Result<(), F> {
        if !key.is_storable() {
            return Err(StoreError::Reserved);
        }
        if value.len() > MAX_VALUE_LEN {
            return Err(StoreError::TooLong { len: value.len() });
        }
        if let Some(version) = self.version(key).filter(|stored| *stored > version) {
            return Err(StoreError::NewerRecord { version });
        }
        let stored_len = value.len().saturating_add(P::OVERHEAD);
        let header = EntryHeader {
            key,
            version,
            form: P::FORM,
            reserved: 0,
            len: u16::try_from(stored_len).unwrap_or(u16::MAX),
            seq: self.log.next_seq()?,
        };
        let written = self.write(&header, value, stored_len);
        self.scratch.zeroize();
        written.map_err(|error| match error {
            StoreError::Full { .. } => StoreError::Full {
                free: self.free() as u32,
            },
            other => other,
        })
    }

    fn write(&mut self, header: &EntryHeader, value: &[u8], stored_len: usize) -> Result<(), F> {
        let value_start = (ENTRY_ALIGN as usize).saturating_add(P::PREFIX);
        let place = self.scratch.iter_mut().skip(value_start);
        for (byte, value) in place.zip(value) {
            *byte = *value;
        }
        let stored = entry::stored_mut(&mut self.scratch, stored_len);
        let context = header.to_bytes();
        self.protection
            .protect(&context, stored)
            .ok_or(StoreError::Malformed)?;
        if P::LINKED {
            let mark = header.mark(stored);
            chain::put_link(&self.log, &self.protection, header, &mark, stored);
        }
        self.log.commit(header, &mut self.scratch)
    }

    /// Reads a record into `out`, or returns `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError::BufferTooSmall`], with `out` untouched; [`StoreError::Sealed`],
    /// [`StoreError::NotSealed`] or [`StoreError::Forged`]; [`StoreError::NewerRecord`] if it is stored in a way that
    /// this program doesn't know; [`StoreError::Damaged`] or the flash driver's error.
    pub fn get<'o>(&mut self, key: Key, out: &'o mut [u8]) -> Result<Option<Record<'o>>, F> {
        let read = self.read(key, out);
        self.scratch.zeroize();
        read
    }

    fn read<'o>(&mut self, key: Key, out: &'o mut [u8]) -> Result<Option<Record<'o>>, F> {
        let Some(live) = self.log.find(key) else {
            return Ok(None);
        };
        self.log.read(&live, &mut self.scratch)?;
        let header = live.entry;
        let stored = entry::stored_mut(&mut self.scratch, usize::from(header.len));
        let context = header.to_bytes();
        let value = match self.protection.reveal(header.form, &context, stored) {
            Ok(value) => value,
            Err(Refused::Sealed) => return Err(StoreError::Sealed),
            Err(Refused::NotSealed) => return Err(StoreError::NotSealed),
            Err(Refused::Forged) => return Err(StoreError::Forged),
            Err(Refused::Unknown) => {
                let version = header.version;
                return Err(StoreError::NewerRecord { version });
            }
        };
        let needed = value.len();
        let out = out
            .get_mut(..needed)
            .ok_or(StoreError::BufferTooSmall { needed })?;
        for (byte, value) in out.iter_mut().zip(value) {
            *byte = *value;
        }
        Ok(Some(Record {
            version: header.version,
            value: out,
        }))
    }

    /// Removes a record, if it is there.
    ///
    /// Its bytes stay in the flash until both copies have been erased, which [`purge`](Self::purge) does at once.
    ///
    /// # Errors
    /// The flash's troubles; the record is still there, or after a power cut may be. [`StoreError::WornOut`];
    /// [`StoreError::Full`] only in a store that somebody else has filled to the last byte.
    pub fn remove(&mut self, key: Key) -> Result<(), F> {
        if self.log.find(key).is_none() {
            return Ok(());
        }
        let len = if P::LINKED { LINK_LEN } else { 0 };
        let header = EntryHeader {
            key,
            version: 0,
            form: P::REMOVED,
            reserved: 0,
            len: len as u16,
            seq: self.log.next_seq()?,
        };
        if P::LINKED {
            let stored = entry::stored_mut(&mut self.scratch, len);
            let mark = Mark::default();
            chain::put_link(&self.log, &self.protection, &header, &mark, stored);
        }
        self.log.commit(&header, &mut self.scratch)
    }

    /// Makes both copies anew, so that no byte of a removed or replaced value is left in the flash.
    ///
    /// For secrets that were revoked, or stored plain by mistake. It costs an erase of each copy.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], [`StoreError::Unreliable`] or the flash driver's error; then bytes may be left.
    pub fn purge(&mut self) -> Result<(), F> {
        self.log.purge()
    }

    /// Returns what there is, in the order in which it was written; nothing is read from the flash.
    pub fn records(&self) -> impl Iterator<Item = RecordInfo> {
        let entries = self.log.records().map(|live| live.entry);
        entries.map(|entry| RecordInfo {
            key: entry.key,
            version: entry.version,
            custody: match entry.form {
                form::PLAIN => Some(Custody::Plain),
                form::SEALED => Some(Custody::Sealed),
                _ => None,
            },
            stored_len: entry.len,
            seq: entry.seq,
        })
    }

    /// Returns the version of a record's form.
    pub(crate) fn version(&self, key: Key) -> Option<u8> {
        self.log.find(key).map(|live| live.entry.version)
    }

    /// Returns the custody of what this store writes.
    pub fn custody(&self) -> Custody {
        P::CUSTODY
    }

    /// Returns how the copies are, A before B.
    pub fn health(&self) -> [CopyHealth; 2] {
        self.log
            .copies()
            .map(|(sound, erases)| CopyHealth { sound, erases })
    }

    /// Returns the bytes that the next value can have, whatever there is in its place.
    pub fn free(&self) -> usize {
        let overhead = (ENTRY_ALIGN as usize).saturating_add(P::OVERHEAD);
        let free = (self.log.free() as usize).saturating_sub(overhead);
        free.min(MAX_VALUE_LEN)
    }

    /// Gives the flash back.
    pub fn into_flash(self) -> F {
        self.log.into_flash()
    }
}

impl fmt::Debug for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Record(version {}, {} bytes)",
            self.version,
            self.value.len()
        )
    }
}

impl<F: MultiwriteNorFlash, P: Protection, const RECORDS: usize> fmt::Debug
    for Store<F, P, RECORDS>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("custody", &P::CUSTODY)
            .field("records", &self.log.records().count())
            .field("copies", &self.log.copies())
            .finish_non_exhaustive()
    }
}
