//! Files that are replaced as a whole, readable by their owner alone, and on the disk when the call returns.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

/// Replaces a file, or makes it: after a kill or a power cut at any moment it is the old one or the new one
/// (POSIX `rename`). What a cut leaves of an unfinished write is removed by the next one.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let unfinished = path.with_added_extension("unfinished");
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // A new one: a link or a file that somebody else put there would show him what is written.
    let mut file = private().create_new(true).open(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    sync_parent(path)
}

/// Makes a new, empty file; one that is there already is an error.
pub fn create_new(path: &Path) -> io::Result<File> {
    let file = private().create_new(true).open(path)?;
    sync_parent(path)?;
    Ok(file)
}

/// Removes a file.
pub fn remove(path: &Path) -> io::Result<()> {
    fs::remove_file(path)?;
    sync_parent(path)
}

/// Makes a directory and those above it, as far as they are not there.
pub fn create_directory(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    directories().recursive(true).create(path)?;
    sync_parent(path)
}

/// Makes a new, empty directory, and those above it; one that is there already is an error.
pub fn create_new_directory(path: &Path) -> io::Result<()> {
    if let Some(parent) = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        create_directory(parent)?;
    }
    directories().create(path)?;
    sync_parent(path)
}

/// Makes directories of which others see nothing.
fn directories() -> fs::DirBuilder {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

/// Options that write a file of which others see nothing.
pub fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Flushes the directory of a file, so that the file's new name or its end lasts; only Unix can.
fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    match cfg!(unix) {
        true => File::open(parent)?.sync_all(),
        false => Ok(()),
    }
}
