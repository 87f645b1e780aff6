//! The store in a file's bytes, opened or made with the device's own code.

use jwt_core::HmacKey;
use secure_store::{
    CopyHealth, Custody, Image, ImageError, Key, MAX_CERTIFICATES_LEN, MAX_VALUE_LEN, Plain,
    RecordInfo, Region, Sealed, Store, StoreError,
};
use zeroize::Zeroizing;

use crate::exit::Failure;

/// More records than any device keeps track of.
const RECORDS: usize = 256;

/// Why the store has not done what was asked.
pub type Error = StoreError<ImageError>;

/// A record's value and the version of its form.
pub type Value = (u8, Zeroizing<Vec<u8>>);

/// A store at one of the two levels of custody that flash has.
pub enum StoreImage<'a> {
    /// Values as they are.
    Plain(Box<Store<Image<'a>, Plain, RECORDS>>),
    /// Values encrypted under a device key.
    Sealed(Box<Store<Image<'a>, Sealed, RECORDS>>),
}

/// Does the same with either store.
macro_rules! each {
    ($image:expr, $store:ident => $what:expr) => {
        match $image {
            StoreImage::Plain($store) => $what,
            StoreImage::Sealed($store) => $what,
        }
    };
}

impl<'a> StoreImage<'a> {
    /// Makes an empty store of all of `bytes`.
    pub fn format(bytes: &'a mut [u8], device_key: Option<&HmacKey>) -> Result<Self, Failure> {
        let region = whole(bytes);
        let flash = Image::new(bytes);
        let made = match device_key {
            None => Store::format(flash, region, Plain).map(|store| Self::Plain(Box::new(store))),
            Some(key) => Store::format(flash, region, sealed(key)?)
                .map(|store| Self::Sealed(Box::new(store))),
        };
        made.map_err(unusable)
    }

    /// Opens the store that is all of `bytes`; nothing of them is changed.
    pub fn open(bytes: &'a mut [u8], device_key: Option<&HmacKey>) -> Result<Self, Failure> {
        let region = whole(bytes);
        let flash = Image::new(bytes);
        let opened = match device_key {
            None => Store::open(flash, region, Plain).map(|store| Self::Plain(Box::new(store))),
            Some(key) => {
                Store::open(flash, region, sealed(key)?).map(|store| Self::Sealed(Box::new(store)))
            }
        };
        opened.map_err(unusable)
    }

    /// Writes a record.
    pub fn put(&mut self, key: Key, version: u8, value: &[u8]) -> Result<(), Error> {
        each!(self, store => store.put(key, version, value))
    }

    /// Reads a record.
    pub fn get(&mut self, key: Key) -> Result<Option<Value>, Error> {
        let mut out = Zeroizing::new([0; MAX_VALUE_LEN]);
        let record = each!(self, store => store.get(key, &mut *out))?;
        Ok(record.map(|record| (record.version, Zeroizing::new(record.value.to_vec()))))
    }

    /// Returns the certificates that TLS trusts, one behind the other.
    pub fn certificates(&mut self) -> Result<Option<Vec<Vec<u8>>>, Error> {
        let mut out = vec![0; MAX_CERTIFICATES_LEN];
        let all = each!(self, store => store.certificates(&mut out))?;
        Ok(all.map(|all| all.iter().map(<[u8]>::to_vec).collect()))
    }

    /// Returns what there is.
    pub fn records(&self) -> Vec<RecordInfo> {
        each!(self, store => store.records().collect())
    }

    /// Returns how the copies are.
    pub fn health(&self) -> [CopyHealth; 2] {
        each!(self, store => store.health())
    }

    /// Returns the custody of what is written.
    pub fn custody(&self) -> Custody {
        each!(self, store => store.custody())
    }
}

/// Says why a file holds no store, as to somebody who has no device at hand.
fn unusable(error: Error) -> Failure {
    Failure::invalid(match error {
        StoreError::Blank => "the image is blank: nothing was ever written to it".into(),
        StoreError::Foreign => {
            "the image is no store: check the file, and for a whole flash name its --target".into()
        }
        StoreError::Region => {
            "the image's length is none that a store has: it is cut off, or of something else"
                .into()
        }
        StoreError::Resized { copy_len } => format!(
            "the image is a part of a store of {} bytes: it is cut off, or has more than the store in it",
            u64::from(copy_len) * 2
        ),
        StoreError::Damaged => "both copies in the image are damaged".into(),
        other => other.to_string(),
    })
}

fn whole(bytes: &[u8]) -> Region {
    Region {
        start: 0,
        len: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
    }
}

fn sealed(device_key: &HmacKey) -> Result<Sealed, Failure> {
    Sealed::new(device_key).map_err(Failure::invalid)
}
