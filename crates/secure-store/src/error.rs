//! Why the store has not done what was asked.

use core::fmt::{self, Debug};

/// Says what is wrong with the store, its flash or a request, and what to do; `E` is the flash driver's error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreError<E> {
    /// The region is erased.
    Blank,
    /// The region holds something that is not a store.
    Foreign,
    /// The store was made for another place: the length of a copy in bytes is not the region's.
    Resized {
        /// The length of a copy that the store was made for.
        copy_len: u32,
    },
    /// The store's format is newer than this program.
    NewerFormat {
        /// The format's version.
        version: u8,
    },
    /// No copy of the store is whole.
    Damaged,
    /// A record was written by a newer program.
    NewerRecord {
        /// The record's version.
        version: u8,
    },
    /// A record's bytes are not of the form that its version has.
    Malformed,
    /// A record is sealed, and this program has no device key.
    Sealed,
    /// A record is not sealed, and this program trusts only those that are.
    NotSealed,
    /// A record was sealed with another device key, or was changed.
    Forged,
    /// Sealed records were taken out of the store or put back by somebody who writes the flash.
    Spliced,
    /// The caller's buffer is too small for the value.
    BufferTooSmall {
        /// The bytes it needs.
        needed: usize,
    },
    /// A value is longer than [`MAX_VALUE_LEN`](crate::MAX_VALUE_LEN).
    TooLong {
        /// The bytes that it has.
        len: usize,
    },
    /// A kind of record has this number reserved for other uses.
    Reserved,
    /// There is no room for the value.
    Full {
        /// The bytes that are free for values.
        free: u32,
    },
    /// There are more records than this program can keep track of.
    TooManyRecords,
    /// The numbers of writes are used up: 4,294,967,295 of them, which outlast the flash.
    WornOut,
    /// The region doesn't fit the flash: see [`Region`](crate::Region).
    Region,
    /// The flash reads other bytes than were written.
    Unreliable,
    /// The flash driver failed.
    Flash(E),
}

impl<E: Debug> fmt::Display for StoreError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blank => f.write_str("the store is blank: provision the device"),
            Self::Foreign => f.write_str(
                "there is no store in this flash region: check the region, or format it to provision the device",
            ),
            Self::Resized { copy_len } => write!(
                f,
                "the store was made for copies of {copy_len} bytes: use a region of twice that length"
            ),
            Self::NewerFormat { version } => write!(
                f,
                "the store has format {version}, which is newer than this program: update the program"
            ),
            Self::Damaged => f.write_str(
                "both copies of the store are damaged: keep an image of them, then format and provision again",
            ),
            Self::NewerRecord { version } => write!(
                f,
                "the record has version {version}, which is newer than this program: update the program"
            ),
            Self::Malformed => {
                f.write_str("the record is not of its kind's form: provision it again")
            }
            Self::Sealed => f.write_str("the record is sealed: open the store with the device key"),
            Self::NotSealed => f.write_str(
                "the record is not sealed, as this device requires: provision it sealed",
            ),
            Self::Forged => f.write_str(
                "the record was sealed with another device's key or was changed: provision it again",
            ),
            Self::Spliced => f.write_str(
                "somebody has taken records out of the store or put earlier ones back: keep an image of it, then provision it again",
            ),
            Self::BufferTooSmall { needed } => write!(f, "the value needs a buffer of {needed} bytes"),
            Self::TooLong { len } => write!(
                f,
                "the value has {len} bytes: shorten it to {}",
                crate::MAX_VALUE_LEN
            ),
            Self::Reserved => f.write_str("kinds 0 and 255 can't be stored: use another"),
            Self::Full { free } => write!(
                f,
                "the store is full, {free} bytes are free: remove records, or use a larger region"
            ),
            Self::TooManyRecords => f.write_str(
                "the store has more records than this program keeps track of: raise the number it was built with",
            ),
            Self::WornOut => f.write_str(
                "the store's numbers are used up: erase its flash region, then provision the device again",
            ),
            Self::Region => f.write_str(
                "the store's region must be in the flash, and two copies of whole sectors and 4096 bytes at least",
            ),
            Self::Unreliable => {
                f.write_str("the flash doesn't keep what is written: lift its write protection, or replace it")
            }
            Self::Flash(error) => write!(f, "the flash driver failed: restart the device, or replace it ({error:?})"),
        }
    }
}

impl<E: Debug> core::error::Error for StoreError<E> {}
