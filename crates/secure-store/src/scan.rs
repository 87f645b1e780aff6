//! Reading a copy from its header to the end of its log, believing nothing that has no checksum.

use embedded_storage::nor_flash::ReadNorFlash;
use zeroize::Zeroizing;

use crate::checksum;
use crate::entry::{ENTRY_ALIGN, EntryHeader, EntryState, MAX_ENTRY_LEN, Mark};
use crate::header::{HEADER_LEN, Header, HeaderState};

/// Bytes that are read at once.
const CHUNK_LEN: usize = 64;

/// What is in a copy's place.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found {
    Blank,
    Foreign,
    Newer(u8),
    Log(Log),
}

/// A copy with a header that is in order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Log {
    pub header: Header,
    /// The offset behind the last entry that is in order.
    pub end: u32,
    /// The number of the last write that the copy knows of.
    pub last: u32,
    /// Whether nothing up to the last write is missing, and at most one torn entry is behind it.
    pub complete: bool,
    /// Whether all behind the last write is erased.
    pub whole: bool,
}

/// Reads the copy at `start` of `len` bytes and shows each entry, its mark and its offset in the copy to `visit`.
pub(crate) fn scan<F: ReadNorFlash>(
    flash: &mut F,
    start: u32,
    len: u32,
    mut visit: impl FnMut(&EntryHeader, Mark, u32),
) -> Result<Found, F::Error> {
    let mut bytes = [0; HEADER_LEN as usize];
    flash.read(start, &mut bytes)?;
    let header = match Header::parse(&bytes) {
        HeaderState::Blank if is_blank(flash, start, len)? => return Ok(Found::Blank),
        HeaderState::Blank | HeaderState::Foreign => return Ok(Found::Foreign),
        HeaderState::Newer(version) => return Ok(Found::Newer(version)),
        HeaderState::Valid(header) => header,
    };
    let mut log = Log {
        header,
        end: HEADER_LEN,
        last: 0,
        complete: false,
        whole: false,
    };
    let fits = header.copy_len == len;
    let mut count = 0u32;
    let mut ended = !fits;
    while !ended {
        let rest = len.saturating_sub(log.end);
        let (entry, mark) = match read_entry(flash, start.saturating_add(log.end), rest)? {
            Entry::Intact(entry, mark) if entry.seq > log.last => (entry, mark),
            Entry::Blank => {
                let end = start.saturating_add(log.end);
                log.whole = is_blank(flash, end, rest)?;
                break;
            }
            Entry::End => {
                log.whole = true;
                break;
            }
            Entry::Intact(..) | Entry::Torn => break,
        };
        visit(&entry, mark, log.end);
        log.end = log.end.saturating_add(entry.entry_len());
        log.last = entry.seq;
        count = count.saturating_add(1);
        ended = log.end >= len;
        log.whole = ended;
    }
    let end = start.saturating_add(log.end);
    let rest = len.saturating_sub(log.end);
    log.complete = fits && count >= header.count && (log.whole || is_torn(flash, end, rest)?);
    log.whole &= log.complete;
    log.last = log.last.max(header.through);
    Ok(Found::Log(log))
}

/// What is at an offset of a copy.
pub(crate) enum Entry {
    /// The copy has no room for another.
    End,
    Blank,
    Torn,
    Intact(EntryHeader, Mark),
}

/// Reads the entry at `start`, with `rest` bytes left in the copy, and compares its checksum.
pub(crate) fn read_entry<F: ReadNorFlash>(
    flash: &mut F,
    start: u32,
    rest: u32,
) -> Result<Entry, F::Error> {
    if rest < ENTRY_ALIGN {
        return Ok(Entry::End);
    }
    let mut bytes = [0; ENTRY_ALIGN as usize];
    flash.read(start, &mut bytes)?;
    let (header, checksum) = match EntryHeader::parse(&bytes) {
        EntryState::Blank => return Ok(Entry::Blank),
        EntryState::Torn => return Ok(Entry::Torn),
        EntryState::Entry(header, checksum) => (header, checksum),
    };
    if header.entry_len() > rest {
        return Ok(Entry::Torn);
    }
    let mut digest = checksum::start();
    digest.update(&header.to_bytes());
    let value_start = start.saturating_add(ENTRY_ALIGN);
    let mut mark = None;
    for_each_chunk(flash, value_start, u32::from(header.len), |chunk| {
        digest.update(chunk);
        mark.get_or_insert_with(|| header.mark(chunk));
        true
    })?;
    Ok(match digest.finalize() == checksum {
        true => Entry::Intact(header, mark.unwrap_or_default()),
        false => Entry::Torn,
    })
}

/// Whether what is at the end of a log may be the one entry that a power cut has torn.
///
/// If an entry in order follows it is not: nothing is written behind a torn one. It is rot then.
fn is_torn<F: ReadNorFlash>(flash: &mut F, end: u32, rest: u32) -> Result<bool, F::Error> {
    let longest = rest.min(MAX_ENTRY_LEN as u32);
    let mut at = ENTRY_ALIGN;
    while at < longest {
        let next = read_entry(flash, end.saturating_add(at), rest.saturating_sub(at))?;
        if let Entry::Intact(..) = next {
            return Ok(false);
        }
        at = at.saturating_add(ENTRY_ALIGN);
    }
    is_blank(
        flash,
        end.saturating_add(longest),
        rest.saturating_sub(longest),
    )
}

/// Whether all bits are ones.
fn is_blank<F: ReadNorFlash>(flash: &mut F, start: u32, len: u32) -> Result<bool, F::Error> {
    let mut blank = true;
    for_each_chunk(flash, start, len, |chunk| {
        blank = chunk.iter().all(|byte| *byte == 0xff);
        blank
    })?;
    Ok(blank)
}

/// Reads `len` bytes piece by piece until `visit` has seen enough.
pub(crate) fn for_each_chunk<F: ReadNorFlash>(
    flash: &mut F,
    start: u32,
    len: u32,
    mut visit: impl FnMut(&[u8]) -> bool,
) -> Result<(), F::Error> {
    let mut buffer = Zeroizing::new([0; CHUNK_LEN]);
    let mut done = 0;
    while done < len {
        let wanted = len.saturating_sub(done).min(CHUNK_LEN as u32);
        // Entries are padded, so what is read beyond the last byte is still theirs.
        let rounded = wanted.next_multiple_of(ENTRY_ALIGN) as usize;
        let Some(chunk) = buffer.get_mut(..rounded) else {
            break;
        };
        flash.read(start.saturating_add(done), chunk)?;
        if !visit(chunk.get(..wanted as usize).unwrap_or_default()) {
            break;
        }
        done = done.saturating_add(wanted);
    }
    Ok(())
}
