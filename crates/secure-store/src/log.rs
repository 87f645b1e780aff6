//! Two copies of one log, each of which is the other's spare.
//!
//! A write appends an entry to copy A and then to copy B. A copy that is full is erased and filled with the
//! entries in force of the other, its header last. So at every moment one copy is complete, and holds every
//! write that has returned; which one is told by the number that every write has:
//!
//! | the power goes | copy A | copy B | on opening |
//! | --- | --- | --- | --- |
//! | while A is written | ends in a torn entry | whole, before the write | either counts, the other is made anew |
//! | while B is written | whole, after the write | ends in a torn entry | A counts, B is made anew |
//! | while A is erased or filled | anything, but not complete and up to date | whole | B counts, A is made anew |
//!
//! "Anything" includes a header that has survived with any first part of the log: the log then ends
//! before the last write, for entries lie in the order of their numbers, or before the number that the header
//! vouches for. Nothing is ever written behind a torn entry or into a sector of unknown state: it is erased first.
//!
//! A cell whose programming or erasing was cut short may read as one thing today and as another tomorrow. What
//! was found in order at the start is therefore not known to stay so. Before a copy is erased the other is
//! programmed once more with what it reads as, which makes zeros of what reads as zeros, and is read again; so is
//! copy A before the first write.
//!
//! `sequential-storage` 8.0 was tried first, over the same mock flash with 12 KiB to spare: of 264 erases that were cut short 20
//! lost records or brought older ones back, of 48,591 other cuts none. Two of its maps would have needed
//! numbers, comparisons and repairs around them much as they are here, twice the sectors, and an executor for
//! its async functions, which the boards' flash can't use.

mod fill;

use embedded_storage::nor_flash::MultiwriteNorFlash;
use heapless::Vec;

use crate::entry::{self, ENTRY_ALIGN, EntryHeader, MAX_ENTRY_LEN, Mark, form};
use crate::error::StoreError;
use crate::header::HEADER_LEN;
use crate::key::Key;
use crate::region::{Both, Region, Side};
use crate::scan::{self, Found, scan};

/// Bytes that are kept free for a removal.
const REMOVAL_LEN: u32 = 2 * ENTRY_ALIGN;

/// An entry that is in force: a record, or the removal that was the last write and vouches for what is left.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Live {
    pub entry: EntryHeader,
    pub mark: Mark,
    /// Where the entry is in each copy, in bytes from the copy's start.
    at: Both<u32>,
}

/// What is known of a copy.
#[derive(Clone, Copy, Debug)]
struct Copy {
    /// The offset behind the last entry.
    end: u32,
    erases: u32,
    /// Whether the copy is whole, up to date and can be appended to.
    sound: bool,
    /// Whether the records in force can be read from it, if their checksums are right.
    readable: bool,
    /// Whether all of it was programmed, or programmed once more, since the start.
    steady: bool,
}

impl Copy {
    /// A copy that is to be made anew.
    const fn lost(erases: u32) -> Self {
        Self {
            end: 0,
            erases,
            sound: false,
            readable: false,
            steady: false,
        }
    }
}

/// The two copies, and an index of at most `RECORDS` records.
pub(crate) struct TwoCopyLog<F, const RECORDS: usize> {
    flash: F,
    region: Region,
    copies: Both<Copy>,
    /// In the order of their numbers.
    live: Vec<Live, RECORDS>,
    /// The number of the last write.
    last: u32,
}

type Result<T, F> =
    core::result::Result<T, StoreError<<F as embedded_storage::nor_flash::ErrorType>::Error>>;

impl<F: MultiwriteNorFlash, const RECORDS: usize> TwoCopyLog<F, RECORDS> {
    const FITS: () = {
        let align = ENTRY_ALIGN as usize;
        assert!(
            align.is_multiple_of(F::WRITE_SIZE),
            "entries can't be programmed one by one"
        );
        assert!(
            align.is_multiple_of(F::READ_SIZE),
            "entries can't be read one by one"
        );
        assert!(
            F::ERASE_SIZE.is_multiple_of(align),
            "entries would straddle sectors"
        );
    };

    /// Reads both copies; nothing is written.
    pub fn open(mut flash: F, region: Region) -> Result<Self, F> {
        let (found, home) = Self::survey(&mut flash, region)?;
        let home = home?;
        let last = log_of(*found.of(home)).map_or(0, |log| log.last);
        let copy = |side| match log_of(*found.of(side)) {
            Some(log) if log.complete && log.last == last => Copy {
                end: log.end,
                erases: log.header.erases,
                sound: log.whole,
                readable: true,
                steady: false,
            },
            Some(log) => Copy::lost(log.header.erases),
            None => Copy::lost(0),
        };
        let mut log = Self {
            flash,
            region,
            copies: Both {
                a: copy(Side::A),
                b: copy(Side::B),
            },
            live: Vec::new(),
            last,
        };
        log.index(home)?;
        Ok(log)
    }

    /// Erases both copies; records that are there are gone as soon as the first is.
    pub fn format(mut flash: F, region: Region) -> Result<Self, F> {
        let (found, _) = Self::survey(&mut flash, region)?;
        let erases = |side| log_of(*found.of(side)).map_or(0, |log| log.header.erases);
        let last = |side| log_of(*found.of(side)).map_or(0, |log| log.last);
        let mut log = Self {
            flash,
            region,
            copies: Both {
                a: Copy::lost(erases(Side::A)),
                b: Copy::lost(erases(Side::B)),
            },
            live: Vec::new(),
            // The empty copy is newer than what may be left of the other.
            last: last(Side::A)
                .max(last(Side::B))
                .checked_add(1)
                .ok_or(StoreError::WornOut)?,
        };
        log.fill(Side::A)?;
        log.fill(Side::B)?;
        Ok(log)
    }

    /// Scans both copies and says which one counts, or why none does.
    fn survey(flash: &mut F, region: Region) -> Result<(Both<Found>, Result<Side, F>), F> {
        const { Self::FITS };
        region.check(flash)?;
        let mut look = |side| {
            let (start, len) = (region.copy_start(side), region.copy_len());
            scan(flash, start, len, |_, _, _| {}).map_err(StoreError::Flash)
        };
        let found = Both {
            a: look(Side::A)?,
            b: look(Side::B)?,
        };
        // The one that knows of more writes; of two that know the same, the one that can be appended to.
        let worth = |found| {
            let log = log_of(found).filter(|log| log.complete)?;
            Some((log.last, log.whole))
        };
        let home = match (found.a, found.b) {
            (Found::Newer(version), _) | (_, Found::Newer(version)) => {
                Err(StoreError::NewerFormat { version })
            }
            (a, b) if worth(b) > worth(a) => Ok(Side::B),
            (a, _) if worth(a).is_some() => Ok(Side::A),
            (a, b) => Err(why_none(a, b, region.copy_len())),
        };
        Ok((found, home))
    }

    fn index(&mut self, home: Side) -> Result<(), F> {
        let mut full = false;
        let live = &mut self.live;
        let (start, len) = (self.region.copy_start(home), self.region.copy_len());
        let found = scan(&mut self.flash, start, len, |entry, mark, at| {
            live.retain(|live| stays(live, entry));
            if entry.form != form::REMOVED {
                let (entry, at) = (*entry, Both { a: at, b: at });
                full |= live.push(Live { entry, mark, at }).is_err();
            }
        });
        found.map_err(StoreError::Flash)?;
        if full {
            return Err(StoreError::TooManyRecords);
        }
        let other = home.other();
        if self.copies.of(other).readable {
            let start = self.region.copy_start(other);
            let found = scan(&mut self.flash, start, len, |entry, _, at| {
                if let Some(live) = live.iter_mut().find(|live| live.entry == *entry) {
                    *live.at.of_mut(other) = at;
                }
            });
            found.map_err(StoreError::Flash)?;
        }
        Ok(())
    }

    /// Makes the copies anew that are not whole or not up to date.
    pub fn repair(&mut self) -> Result<(), F> {
        if !self.copies.a.sound && !self.copies.b.sound {
            let good = match self.copies.a.readable {
                true => Side::A,
                false => Side::B,
            };
            self.refill(good.other())?;
        }
        if !self.copies.a.sound {
            self.refill(Side::A)?;
        }
        if !self.copies.b.sound {
            self.refill(Side::B)?;
        }
        Ok(())
    }

    /// Makes both copies anew, so that nothing is left of what is not in force.
    pub fn purge(&mut self) -> Result<(), F> {
        self.repair()?;
        self.refill(Side::A)?;
        self.refill(Side::B)
    }

    /// Returns the number of the next write.
    pub fn next_seq(&self) -> Result<u32, F> {
        self.last.checked_add(1).ok_or(StoreError::WornOut)
    }

    /// Writes an entry whose value lies in `entry`, behind the place of the header.
    ///
    /// After an error the record is as it was, unless the power goes before the next write: then it is one or the other.
    pub fn commit(
        &mut self,
        header: &EntryHeader,
        entry: &mut [u8; MAX_ENTRY_LEN],
    ) -> Result<(), F> {
        let kept = self.live.iter().filter(|live| stays(live, header)).count();
        if header.form != form::REMOVED && kept >= RECORDS {
            return Err(StoreError::TooManyRecords);
        }
        let needed = header.entry_len();
        let free = self.free();
        if needed > free && !form::is_removal(header.form) {
            return Err(StoreError::Full { free });
        }
        let bytes = entry::complete(header, entry).ok_or(StoreError::Malformed)?;
        let mark = header.mark(bytes.get(ENTRY_ALIGN as usize..).unwrap_or_default());

        self.repair()?;
        // Should the other copy fail, the record is in this one only.
        self.steady(Side::A)?;
        if !self.has_room(Side::A, needed) {
            if !self.is_intact(Side::B)? {
                self.refill(Side::B)?;
            }
            self.refill(Side::A)?;
        }
        let a = self.append(Side::A, bytes)?;

        self.last = header.seq;
        self.live.retain(|live| stays(live, header));
        if header.form != form::REMOVED {
            let entry = *header;
            let at = Both { a, b: a };
            // There was room before: see above.
            let _ = self.live.push(Live { entry, mark, at });
        }
        // What fails from here on is made good before the next write.
        self.copies.b.sound = false;
        if !self.has_room(Side::B, needed) {
            let _ = self.refill(Side::B);
        } else if let Ok(b) = self.append(Side::B, bytes)
            && let Some(live) = self.live.iter_mut().find(|live| live.entry == *header)
        {
            live.at.b = b;
        }
        Ok(())
    }

    /// Reads the bytes of an entry that is in force into `entry`, from the copy that has it in order.
    pub fn read(&mut self, live: &Live, entry: &mut [u8; MAX_ENTRY_LEN]) -> Result<(), F> {
        for side in [Side::A, Side::B] {
            if self.copies.of(side).readable && self.is_entry_intact(side, live)? {
                let start = self.offset(side, live);
                let bytes = entry.get_mut(..live.entry.entry_len() as usize);
                self.flash
                    .read(start, bytes.unwrap_or_default())
                    .map_err(StoreError::Flash)?;
                return Ok(());
            }
        }
        Err(StoreError::Damaged)
    }

    /// Returns the record of this name.
    pub fn find(&self, key: Key) -> Option<Live> {
        self.records().find(|live| live.entry.key == key).copied()
    }

    /// Returns the records in the order in which they were written.
    pub fn records(&self) -> impl Iterator<Item = &Live> {
        let mut live = self.live.iter();
        core::iter::from_fn(move || live.find(|live| !form::is_removal(live.entry.form)))
    }

    /// Returns the entries in force, the removal that was the last write among them.
    pub fn live(&self) -> &[Live] {
        &self.live
    }

    /// Returns the bytes that a new entry can have; a removal has room even when there are none, if no other
    /// program has filled them.
    pub fn free(&self) -> u32 {
        let used = self.records().fold(HEADER_LEN + REMOVAL_LEN, |sum, live| {
            sum.saturating_add(live.entry.entry_len())
        });
        self.region.copy_len().saturating_sub(used)
    }

    /// Returns whether each copy is sound, and how often it was erased.
    pub fn copies(&self) -> [(bool, u32); 2] {
        [self.copies.a, self.copies.b].map(|copy| (copy.sound, copy.erases))
    }

    pub fn into_flash(self) -> F {
        self.flash
    }

    fn has_room(&self, side: Side, len: u32) -> bool {
        self.copies.of(side).end.saturating_add(len) <= self.region.copy_len()
    }

    fn offset(&self, side: Side, live: &Live) -> u32 {
        self.region
            .copy_start(side)
            .saturating_add(*live.at.of(side))
    }
}

/// Whether an entry is still in force after another.
fn stays(live: &Live, after: &EntryHeader) -> bool {
    live.entry.key != after.key && !form::is_removal(live.entry.form)
}

fn log_of(found: Found) -> Option<scan::Log> {
    match found {
        Found::Log(log) => Some(log),
        Found::Blank | Found::Foreign | Found::Newer(_) => None,
    }
}

fn why_none<E>(a: Found, b: Found, copy_len: u32) -> StoreError<E> {
    let resized = |found| {
        let log = log_of(found).filter(|log| log.header.copy_len != copy_len)?;
        Some(log.header.copy_len)
    };
    match (a, b) {
        (Found::Blank, Found::Blank) => StoreError::Blank,
        _ => match resized(a).or(resized(b)) {
            Some(copy_len) => StoreError::Resized { copy_len },
            None if log_of(a).or(log_of(b)).is_some() => StoreError::Damaged,
            None => StoreError::Foreign,
        },
    }
}
