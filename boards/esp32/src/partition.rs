//! Where in the flash the store lies: as the partition table says that was flashed with the firmware.

use core::fmt;

use esp_bootloader_esp_idf::partitions::{self, PARTITION_TABLE_MAX_LEN, read_partition_table};
use esp_storage::FlashStorage;
use secure_store::Region;

/// The name of the partition, as in `partitions.csv`.
const LABEL: &str = "store";

/// Data, in the table's numbers.
const DATA: u8 = 1;

/// Returns the store's partition.
///
/// # Errors
/// [`NoStore`].
pub fn store_region(flash: &mut FlashStorage<'_>) -> Result<Region, NoStore> {
    let mut table = [0; PARTITION_TABLE_MAX_LEN];
    let table = read_partition_table(flash, &mut table).map_err(NoStore::Table)?;
    let store = table
        .iter()
        .find(|entry| entry.raw_type() == DATA && entry.label_as_str() == LABEL)
        .ok_or(NoStore::Absent)?;
    Ok(Region {
        start: store.offset(),
        len: store.len(),
    })
}

/// Says why there is no store in the flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoStore {
    /// The partition table can't be read.
    Table(partitions::Error),
    /// It has no such partition.
    Absent,
}

impl fmt::Display for NoStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table(error) => write!(
                f,
                "the partition table can't be read: flash the firmware with its own ({error})"
            ),
            Self::Absent => f.write_str(
                "the partition table has no data partition called store: flash the firmware with its own",
            ),
        }
    }
}

impl core::error::Error for NoStore {}
