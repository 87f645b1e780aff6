//! Files with secrets in them, opened if nobody but their owner can read or change them.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::Path;

use crate::exit::Failure;

/// Opens a file that holds `what`; returns what is known of the file that is open, whatever its name means by now.
///
/// # Errors
/// It is no regular file, is open to others, or belongs to another user than this one or root.
pub fn open(path: &Path, what: &str) -> Result<(File, Metadata), Failure> {
    let name = path.display();
    let unreadable =
        |error: io::Error| Failure::usage(format_args!("can't read {what} in {name}: {error}"));
    let irregular = || {
        Failure::usage(format_args!(
            "{name} is not a regular file: {what} can be read from nothing else"
        ))
    };
    // Before opening: a FIFO would make the open wait for a writer.
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(irregular());
    }
    let file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(irregular());
    }
    refuse_if_not_private(path, &metadata)?;
    Ok((file, metadata))
}

#[cfg(unix)]
fn refuse_if_not_private(path: &Path, metadata: &Metadata) -> Result<(), Failure> {
    use std::os::unix::fs::MetadataExt;

    let name = path.display();
    let user = rustix::process::geteuid().as_raw();
    if metadata.mode() & 0o077 != 0 {
        return Err(Failure::usage(format_args!(
            "{name} is open to others than its owner: run chmod 600 {name}, and have its secrets replaced if others read it"
        )));
    }
    match metadata.uid() {
        0 => Ok(()),
        owner if owner == user => Ok(()),
        owner => Err(Failure::usage(format_args!(
            "{name} belongs to another user, number {owner}, who can read and change it: make a file of your own"
        ))),
    }
}

#[cfg(not(unix))]
fn refuse_if_not_private(_: &Path, _: &Metadata) -> Result<(), Failure> {
    Ok(())
}
