//! Whether what is in force in a sealed store is what was left there: the chain of links that `sealed` describes.

use embedded_storage::nor_flash::MultiwriteNorFlash;
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use crate::entry::{self, EntryHeader, Mark, form};
use crate::error::StoreError;
use crate::key::Key;
use crate::log::{Live, TwoCopyLog};
use crate::protection::{LINK_LEN, Link, Protection};
use crate::store::Store;

impl<F: MultiwriteNorFlash, P: Protection, const RECORDS: usize> Store<F, P, RECORDS> {
    /// Compares the newest link with what is in force.
    pub(crate) fn check_chain(&mut self) -> Result<(), StoreError<F::Error>> {
        let of_chain =
            |live: &&Live| matches!(live.entry.form, form::SEALED | form::REMOVED_SEALED);
        let Some(newest) = self.log.live().iter().rfind(of_chain).copied() else {
            return Ok(());
        };
        let mut expected = chain(&self.log, &self.protection, None);
        if newest.entry.form == form::REMOVED_SEALED {
            let context = newest.entry.to_bytes();
            expected = self.protection.link(&expected, &context, &Mark::default());
        }
        self.log.read(&newest, &mut self.scratch)?;
        let stored = entry::stored_mut(&mut self.scratch, usize::from(newest.entry.len));
        let found = stored.last_chunk::<LINK_LEN>().unwrap_or(&[0; LINK_LEN]);
        // In constant time: somebody who measured it could find a link byte by byte.
        if bool::from(found.ct_eq(&expected)) {
            return Ok(());
        }
        Err(match self.is_ours()? {
            true => StoreError::Spliced,
            false => StoreError::Forged,
        })
    }

    /// Whether the newest sealed record was sealed with this device key.
    fn is_ours(&mut self) -> Result<bool, StoreError<F::Error>> {
        let records = self.log.records();
        let Some(newest) = records
            .filter(|live| live.entry.form == form::SEALED)
            .last()
            .copied()
        else {
            return Ok(false);
        };
        self.log.read(&newest, &mut self.scratch)?;
        let stored = entry::stored_mut(&mut self.scratch, usize::from(newest.entry.len));
        let context = newest.entry.to_bytes();
        let revealed = self.protection.reveal(form::SEALED, &context, stored);
        let ours = revealed.is_ok();
        self.scratch.zeroize();
        Ok(ours)
    }
}

/// Returns the last link of the chain through the sealed records, but the one of this name.
fn chain<F: MultiwriteNorFlash, P: Protection, const RECORDS: usize>(
    log: &TwoCopyLog<F, RECORDS>,
    protection: &P,
    but: Option<Key>,
) -> Link {
    log.records()
        .filter(|live| live.entry.form == form::SEALED && Some(live.entry.key) != but)
        .fold(Link::default(), |link, live| {
            protection.link(&link, &live.entry.to_bytes(), &live.mark)
        })
}

/// Ends what a new entry stores in its link.
pub(crate) fn put_link<F: MultiwriteNorFlash, P: Protection, const RECORDS: usize>(
    log: &TwoCopyLog<F, RECORDS>,
    protection: &P,
    header: &EntryHeader,
    mark: &Mark,
    stored: &mut [u8],
) {
    let before = chain(log, protection, Some(header.key));
    if let Some(place) = stored.last_chunk_mut() {
        *place = protection.link(&before, &header.to_bytes(), mark);
    }
}
