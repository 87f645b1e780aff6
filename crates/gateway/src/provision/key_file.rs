//! Files of 32 bytes that hold a key as it is, readable by their owner alone.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;

use jwt_core::HmacKey;
use zeroize::Zeroizing;

use crate::durable;
use crate::exit::Failure;

/// Length of a key in a fuse block or a secure element's slot, in bytes.
pub const KEY_LEN: usize = 32;

/// Reads a device key.
///
/// # Errors
/// The file can't be read, is open to others, or has not 32 bytes.
pub fn read(path: &Path) -> Result<HmacKey, Failure> {
    let name = path.display();
    let unreadable =
        |error| Failure::usage(format_args!("can't read the device key in {name}: {error}"));
    let metadata = fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(Failure::usage(format_args!(
            "{name} is not a regular file: a device key is read from nothing else"
        )));
    }
    refuse_if_others_may_read(path, &metadata)?;
    let mut key = Zeroizing::new([0; KEY_LEN]);
    let mut file = File::open(path).map_err(unreadable)?;
    let whole = file.read_exact(&mut *key).is_ok() && metadata.len() == KEY_LEN as u64;
    if !whole {
        return Err(Failure::usage(format_args!(
            "{name} has {} bytes, a device key has {KEY_LEN}: gateway provision device-key makes one",
            metadata.len()
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

#[cfg(unix)]
fn refuse_if_others_may_read(path: &Path, metadata: &fs::Metadata) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt;

    match metadata.permissions().mode() & 0o077 {
        0 => Ok(()),
        _ => Err(Failure::usage(format_args!(
            "{0} is open to others than its owner: run chmod 600 {0}",
            path.display()
        ))),
    }
}

#[cfg(not(unix))]
fn refuse_if_others_may_read(_: &Path, _: &fs::Metadata) -> Result<(), Failure> {
    Ok(())
}
