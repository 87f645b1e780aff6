//! The certificates in a store: which are in force, and how others take their place as a whole.
//!
//! The parts are records of their own, so that each may be written without the others. What makes them one is the
//! network's settings, which say how long they are together, and their checksum. So parts that are
//! written before the settings aren't in force yet, and those that they replace have to be kept until then:
//!
//! | the power goes | parts from slot 0 on | parts aside | in force |
//! | --- | --- | --- | --- |
//! | while those in force are copied | old | some of the old | slot 0's |
//! | while others are written | some of the new | old | those aside, as the settings still sum them up |
//! | after the settings | new | old, or some of them | slot 0's |
//!
//! What is aside is removed once it is not in force, behind the settings or at the next start's repair. It gives way earlier if
//! others don't fit beside it.

use embedded_storage::nor_flash::MultiwriteNorFlash;
use zeroize::Zeroizing;

use crate::certificates::{
    CERTIFICATES_SUM_LEN, CERTIFICATES_VERSION, Certificates, MAX_CERTIFICATES_LEN,
};
use crate::checksum;
use crate::entry::{MAX_VALUE_LEN, entry_len};
use crate::error::StoreError;
use crate::key::Key;
use crate::protection::Protection;
use crate::settings::{SETTINGS_VERSION, Setting, Settings};
use crate::store::Store;

type Result<T, F> =
    core::result::Result<T, StoreError<<F as embedded_storage::nor_flash::ErrorType>::Error>>;

/// What the network's settings say of the certificates.
type Sum = [u8; CERTIFICATES_SUM_LEN];

/// The slot of the first part of the certificates that were written last.
const WRITTEN: u16 = 0;

/// The slot of the first part of those that others are about to replace.
const ASIDE: u16 = Key::CERTIFICATES_ASIDE;

impl<F: MultiwriteNorFlash, P: Protection, const RECORDS: usize> Store<F, P, RECORDS> {
    /// Reads the certificates that TLS trusts into `out`, or returns `None` if the network's settings tell of none.
    ///
    /// Without any a device trusts what its program brings along. After an error nothing in `out` is to be trusted.
    ///
    /// # Errors
    /// [`StoreError::BufferTooSmall`], at most for [`MAX_CERTIFICATES_LEN`] bytes; [`StoreError::Malformed`]
    /// if the parts are not what the settings say; those of [`get`](Self::get).
    pub fn certificates<'o>(&mut self, out: &'o mut [u8]) -> Result<Option<Certificates<'o>>, F> {
        let Some(sum) = self.certificates_sum()? else {
            return Ok(None);
        };
        let needed = len(&sum);
        if needed > MAX_CERTIFICATES_LEN {
            return Err(StoreError::Malformed);
        }
        let out = out
            .get_mut(..needed)
            .ok_or(StoreError::BufferTooSmall { needed })?;
        let mut slot = match self.are_aside(&sum)? {
            true => ASIDE,
            false => WRITTEN,
        };
        let mut rest = &mut *out;
        while !rest.is_empty() {
            let len = self.part(slot, rest)?;
            rest = rest.get_mut(len..).unwrap_or_default();
            slot = slot.saturating_add(1);
        }
        let all = Certificates::new(out).filter(|all| all.sum() == sum);
        all.map(Some).ok_or(StoreError::Malformed)
    }

    /// Copies the certificates in force to where they stay while the part `key` of others takes a place of theirs.
    ///
    /// Without room for both the others are written all the same: a device whose certificates no server's come from any more
    /// sends nothing, and so makes no room. A power cut then leaves none that is trusted.
    pub(crate) fn set_aside(&mut self, key: Key) -> Result<(), F> {
        if !is_part(key) {
            return Ok(());
        }
        let Some(sum) = self.certificates_sum().or_else(unless_flash)? else {
            return Ok(());
        };
        if self.are(ASIDE, &sum)? || !self.are(WRITTEN, &sum)? {
            return Ok(());
        }
        match self.copy_aside(len(&sum)) {
            Err(error) if !matches!(error, StoreError::Flash(_)) => self.clear_aside(),
            copied => copied,
        }
    }

    /// Removes what is aside, unless the settings have it in force.
    // Not a part of a start, which may be a part of all that runs after it: this has a settings record on the stack.
    #[inline(never)]
    pub(crate) fn settle_aside(&mut self) -> Result<(), F> {
        if !self.records().any(|record| is_aside(record.key)) {
            return Ok(());
        }
        match self.certificates_sum()? {
            Some(sum) if self.are_aside(&sum)? => Ok(()),
            _ => self.clear_aside(),
        }
    }

    /// Removes what is aside if a part of others, or the settings that put them in force, have no room beside it but do without
    /// it; returns whether they do.
    pub(crate) fn give_way(&mut self, key: Key, version: u8, value: &[u8]) -> Result<bool, F> {
        let stays = match key {
            // Those in force are to stay so.
            Key::NETWORK => match sum_of(version, value).or_else(unless_flash)? {
                Some(sum) => self.are_aside(&sum)?,
                None => false,
            },
            _ => !is_part(key),
        };
        let aside = self.log.records().map(|live| live.entry);
        let room = aside
            .filter(|entry| is_aside(entry.key))
            .fold(0, |sum: u32, entry| sum.saturating_add(entry.entry_len()));
        let needed = entry_len(value.len().saturating_add(P::OVERHEAD));
        if stays || room == 0 || needed > self.log.free().saturating_add(room) {
            return Ok(false);
        }
        self.clear_aside()?;
        Ok(true)
    }

    fn copy_aside(&mut self, mut rest: usize) -> Result<(), F> {
        let mut bytes = [0; MAX_VALUE_LEN];
        let mut slot = WRITTEN;
        while rest > 0 {
            let len = self.part(slot, &mut bytes)?;
            let part = bytes.get(..len).unwrap_or_default();
            let aside = Key::certificates(slot.saturating_add(ASIDE));
            self.put_one(aside, CERTIFICATES_VERSION, part)?;
            rest = rest.saturating_sub(len);
            slot = slot.saturating_add(1);
        }
        Ok(())
    }

    fn clear_aside(&mut self) -> Result<(), F> {
        loop {
            let aside = |key: &Key| is_aside(*key);
            let first = self.records().map(|record| record.key).find(aside);
            match first {
                Some(key) => self.remove(key)?,
                None => return Ok(()),
            }
        }
    }

    /// Whether those aside, and no others, are what a sum says.
    fn are_aside(&mut self, sum: &Sum) -> Result<bool, F> {
        Ok(!self.are(WRITTEN, sum)? && self.are(ASIDE, sum)?)
    }

    /// Whether the parts from a slot on are what a sum says.
    fn are(&mut self, first: u16, sum: &Sum) -> Result<bool, F> {
        let mut bytes = [0; MAX_VALUE_LEN];
        let mut digest = checksum::start();
        let mut rest = len(sum);
        let mut slot = first;
        while rest > 0 {
            let place = bytes.get_mut(..rest.min(MAX_VALUE_LEN)).unwrap_or_default();
            let len = match self.part(slot, place) {
                Ok(len) => len,
                Err(error) => return unless_flash(error),
            };
            digest.update(bytes.get(..len).unwrap_or_default());
            rest = rest.saturating_sub(len);
            slot = slot.saturating_add(1);
        }
        let [_, _, checksum @ ..] = *sum;
        Ok(digest.finalize().to_le_bytes() == checksum)
    }

    /// Reads a part into the front of `out` and returns its length, which is not 0.
    fn part(&mut self, slot: u16, out: &mut [u8]) -> Result<usize, F> {
        let record = match self.get(Key::certificates(slot), out) {
            Err(StoreError::BufferTooSmall { .. }) => Err(StoreError::Malformed),
            record => record,
        };
        match record? {
            Some(record) if record.version > CERTIFICATES_VERSION => {
                let version = record.version;
                Err(StoreError::NewerRecord { version })
            }
            Some(record) if !record.value.is_empty() => Ok(record.value.len()),
            _ => Err(StoreError::Malformed),
        }
    }

    fn certificates_sum(&mut self) -> Result<Option<Sum>, F> {
        // The passphrase of the wireless network is among the settings.
        let mut network = Zeroizing::new([0; MAX_VALUE_LEN]);
        let Some(record) = self.get(Key::NETWORK, &mut *network)? else {
            return Ok(None);
        };
        sum_of(record.version, record.value)
    }
}

/// Returns what the network's settings say of the certificates.
fn sum_of<E>(version: u8, settings: &[u8]) -> core::result::Result<Option<Sum>, StoreError<E>> {
    if version > SETTINGS_VERSION {
        return Err(StoreError::NewerRecord { version });
    }
    let settings = Settings::decode(settings).ok_or(StoreError::Malformed)?;
    let Some(sum) = settings.get(Setting::CERTIFICATES) else {
        return Ok(None);
    };
    sum.try_into().map(Some).map_err(|_| StoreError::Malformed)
}

/// Whether a record is a part of the certificates that are provisioned.
fn is_part(key: Key) -> bool {
    key.kind == Key::certificates(0).kind && key.slot < ASIDE
}

/// Whether a record is a part of those that others are about to replace.
fn is_aside(key: Key) -> bool {
    key.kind == Key::certificates(0).kind && key.slot >= ASIDE
}

/// Lets pass what has no certificates in force, as long as the flash can be read.
fn unless_flash<T: Default, E>(error: StoreError<E>) -> core::result::Result<T, StoreError<E>> {
    match error {
        StoreError::Flash(_) => Err(error),
        _ => Ok(T::default()),
    }
}

/// Returns the length of all certificates, in bytes.
fn len(sum: &Sum) -> usize {
    let [low, high, ..] = *sum;
    usize::from(u16::from_le_bytes([low, high]))
}
