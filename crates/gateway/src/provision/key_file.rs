//! Files of 32 bytes that hold a key as it is, readable by their owner alone.

use std::io::{Read, Write};
use std::path::Path;

use jwt_core::HmacKey;
use zeroize::Zeroizing;

use crate::durable;
use crate::exit::Failure;
use crate::private_file;

/// Length of a key in a fuse block or a secure element's slot, in bytes.
pub const KEY_LEN: usize = 32;

/// Reads a device key.
///
/// # Errors
/// The file can't be read, is open to others, has not 32 bytes, or is blank.
pub fn read(path: &Path) -> Result<HmacKey, Failure> {
    let name = path.display();
    let (mut file, metadata) = private_file::open(path, "the device key")?;
    let mut key = Zeroizing::new([0; KEY_LEN]);
    let whole = file.read_exact(&mut *key).is_ok() && metadata.len() == KEY_LEN as u64;
    if !whole {
        return Err(Failure::usage(format_args!(
            "{name} has {} bytes, a device key has {KEY_LEN}: gateway provision device-key makes one",
            metadata.len()
        )));
    }
    // As an erased flash, or a fuse block that nobody has burnt, would be read.
    if [[0; KEY_LEN], [0xff; KEY_LEN]].contains(&*key) {
        return Err(Failure::usage(format_args!(
            "{name} is blank, which is no key: gateway provision device-key makes one"
        )));
    }
    HmacKey::new(&*key).map_err(Failure::usage)
}

/// Writes a key to a new file.
///
/// # Errors
/// The file is there already, or can't be written.
pub fn write(path: &Path, key: &[u8; KEY_LEN]) -> Result<(), Failure> {
    let name = path.display();
    let unwritable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => Failure::usage(format_args!(
            "{name} is there already, and a key is never overwritten: name another file"
        )),
        _ => Failure::invalid(format_args!("can't write {name}: {error}")),
    };
    let mut file = durable::create_new(path).map_err(unwritable)?;
    file.write_all(key)
        .and_then(|()| file.sync_all())
        .map_err(unwritable)
}
