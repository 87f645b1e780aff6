//! Everything that programs and erases: appending to a copy, making one steady, filling one from the other.

use embedded_storage::nor_flash::MultiwriteNorFlash;
use zeroize::Zeroizing;

use super::{Copy, Live, Result, TwoCopyLog};
use crate::error::StoreError;
use crate::header::{HEADER_LEN, Header};
use crate::region::Side;
use crate::scan::{self, Entry, read_entry};

/// Bytes that are copied at once: what a NOR flash programs at once.
const PAGE_LEN: usize = 256;

impl<F: MultiwriteNorFlash, const RECORDS: usize> TwoCopyLog<F, RECORDS> {
    pub(super) fn is_entry_intact(&mut self, side: Side, live: &Live) -> Result<bool, F> {
        let start = self.offset(side, live);
        let rest = self.region.copy_len().saturating_sub(*live.at.of(side));
        let found = read_entry(&mut self.flash, start, rest).map_err(StoreError::Flash)?;
        Ok(matches!(found, Entry::Intact(entry, mark) if entry == live.entry && mark == live.mark))
    }

    /// Whether every record in force can be read from a copy.
    pub(super) fn is_intact(&mut self, side: Side) -> Result<bool, F> {
        for index in 0..self.live.len() {
            if let Some(live) = self.live.get(index).copied()
                && !self.is_entry_intact(side, &live)?
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Appends a whole entry to a sound copy and returns its offset there.
    pub(super) fn append(&mut self, side: Side, bytes: &[u8]) -> Result<u32, F> {
        let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        // What others have filled has no room even for a removal, and behind copy A is copy B.
        if !self.has_room(side, len) {
            return Err(StoreError::Full { free: 0 });
        }
        let at = self.copies.of(side).end;
        // Until the entry is found in order nothing may be written behind it.
        self.copies.of_mut(side).sound = false;
        self.program(self.region.copy_start(side).saturating_add(at), bytes)?;
        let copy = self.copies.of_mut(side);
        copy.end = at.saturating_add(len);
        copy.sound = true;
        Ok(at)
    }

    /// Erases a copy and fills it from the other, which is made steady and found intact before.
    pub(super) fn refill(&mut self, side: Side) -> Result<(), F> {
        let from = side.other();
        if !self.copies.of(from).readable || !self.is_intact(from)? {
            return self.give_up(from);
        }
        self.steady(from)?;
        self.fill(side)
    }

    /// Programs a copy once more that was there at the start, so that nothing in it is neither one nor zero.
    pub(super) fn steady(&mut self, side: Side) -> Result<(), F> {
        if self.copies.of(side).steady {
            return Ok(());
        }
        let start = self.region.copy_start(side);
        self.copy(start, start, self.copies.of(side).end)?;
        if !self.is_intact(side)? {
            return self.give_up(side);
        }
        self.copies.of_mut(side).steady = true;
        Ok(())
    }

    /// Remembers that a copy is not what it was.
    fn give_up(&mut self, side: Side) -> Result<(), F> {
        self.copies.of_mut(side).sound = false;
        Err(StoreError::Damaged)
    }

    pub(super) fn fill(&mut self, side: Side) -> Result<(), F> {
        let start = self.region.copy_start(side);
        let len = self.region.copy_len();
        *self.copies.of_mut(side) = Copy::lost(self.copies.of(side).erases);
        self.erase(start, start.saturating_add(len))?;
        let mut end = HEADER_LEN;
        for index in 0..self.live.len() {
            if let Some(live) = self.live.get(index).copied() {
                let from = self.offset(side.other(), &live);
                self.copy(from, start.saturating_add(end), live.entry.entry_len())?;
                if let Some(live) = self.live.get_mut(index) {
                    *live.at.of_mut(side) = end;
                }
                end = end.saturating_add(live.entry.entry_len());
            }
        }
        let erases = match self.copies.of(side).erases {
            // What a torn header forgot the other copy still knows nearly, for they take turns.
            0 => self.copies.of(side.other()).erases.saturating_sub(1),
            known => known,
        };
        let header = Header {
            copy_len: len,
            erases: erases.saturating_add(1),
            through: self.last,
            count: self.live.len() as u32,
        };
        if !self.is_intact(side)? {
            return Err(StoreError::Unreliable);
        }
        self.program(start, &header.to_bytes())?;
        *self.copies.of_mut(side) = Copy {
            end,
            erases: header.erases,
            sound: true,
            readable: true,
            steady: true,
        };
        Ok(())
    }

    /// Erases one sector a call, for drivers keep interrupts off during one: 0.4 s a sector at the worst.
    ///
    /// The header's sector is the first. From then on whatever a cut leaves has no header and counts for nothing,
    /// where a header that went last would stand before a shorter log all the time. A sector that reads as blank is erased
    /// too: if its last erase was cut short it may read as something else tomorrow.
    fn erase(&mut self, start: u32, end: u32) -> Result<(), F> {
        let mut sector = start;
        while sector < end {
            let next = sector.saturating_add(F::ERASE_SIZE as u32);
            self.flash.erase(sector, next).map_err(StoreError::Flash)?;
            sector = next;
        }
        Ok(())
    }

    fn copy(&mut self, from: u32, to: u32, len: u32) -> Result<(), F> {
        let mut buffer = Zeroizing::new([0; PAGE_LEN]);
        let mut done = 0;
        while done < len {
            let wanted = len.saturating_sub(done).min(PAGE_LEN as u32);
            let chunk = buffer.get_mut(..wanted as usize).unwrap_or_default();
            self.flash
                .read(from.saturating_add(done), chunk)
                .and_then(|()| self.flash.write(to.saturating_add(done), chunk))
                .map_err(StoreError::Flash)?;
            done = done.saturating_add(wanted);
        }
        Ok(())
    }

    /// Writes bytes and reads them back.
    fn program(&mut self, at: u32, bytes: &[u8]) -> Result<(), F> {
        self.flash.write(at, bytes).map_err(StoreError::Flash)?;
        let mut rest = bytes;
        let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        scan::for_each_chunk(&mut self.flash, at, len, |chunk| {
            let Some(after) = rest.strip_prefix(chunk) else {
                return false;
            };
            rest = after;
            true
        })
        .map_err(StoreError::Flash)?;
        match rest.is_empty() {
            true => Ok(()),
            false => Err(StoreError::Unreliable),
        }
    }
}
