//! Sealing what a desktop has provisioned plain, on a device whose key no desktop knows.

use embedded_storage::nor_flash::MultiwriteNorFlash;
use zeroize::Zeroizing;

use crate::entry::{EntryHeader, MAX_VALUE_LEN, form};
use crate::error::StoreError;
use crate::protection::Plain;
use crate::sealed::Sealed;
use crate::store::Store;

impl<F: MultiwriteNorFlash, const RECORDS: usize> Store<F, Sealed, RECORDS> {
    /// Seals every plain record and makes both copies anew, so that no plain byte is left in the flash.
    ///
    /// Whoever can write the flash before this decides what is sealed: call it in a provisioning window
    /// only. After an error or a power cut some records are sealed and some are not; call it again.
    ///
    /// # Errors
    /// Those of [`get`](Store::get), [`put`](Store::put) and [`purge`](Store::purge).
    pub fn adopt(&mut self) -> Result<(), StoreError<F::Error>> {
        let mut value = Zeroizing::new([0; MAX_VALUE_LEN]);
        let mut adopted = false;
        while let Some(entry) = self.next_plain() {
            let Some(record) = self.read(&Plain, entry.key, &mut *value)? else {
                break;
            };
            let len = record.value.len();
            let sealed = value.get(..len).unwrap_or_default();
            self.put(entry.key, entry.version, sealed)?;
            adopted = true;
        }
        match adopted {
            true => self.purge(),
            false => Ok(()),
        }
    }

    fn next_plain(&self) -> Option<EntryHeader> {
        let mut records = self.log.records().map(|live| live.entry);
        records.find(|entry| entry.form == form::PLAIN)
    }
}
