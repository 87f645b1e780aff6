//! An outbox in a directory: one file a record.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use sms_alert::Store;

use crate::durable;
use crate::exit::{Exit, Failure};

/// How often a locked outbox is looked at again.
const LOCK_INTERVAL: Duration = Duration::from_millis(100);

/// The directory, locked against other processes while this lives.
#[derive(Debug)]
pub struct OutboxDir {
    path: PathBuf,
    _lock: File,
}

impl OutboxDir {
    /// Opens the directory, making it if it is not there, and waits until `deadline` for a process that uses it.
    ///
    /// # Errors
    /// The directory can't be made or used, or stays in use.
    pub fn open(path: &Path, deadline: Instant) -> Result<Self, Failure> {
        let name = path.display();
        let unusable =
            |error: io::Error| Failure::usage(format_args!("can't use the outbox {name}: {error}"));
        durable::create_directory(path).map_err(unusable)?;
        let lock = durable::private().create(true).open(path.join("lock"));
        let lock = lock.map_err(unusable)?;
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(unusable(error)),
                Err(TryLockError::WouldBlock) if Instant::now() >= deadline => {
                    return Err(Failure::new(
                        Exit::Retry,
                        format_args!(
                            "the outbox {name} is in use by another gateway: nothing was stored or sent, try again"
                        ),
                    ));
                }
                Err(TryLockError::WouldBlock) => thread::sleep(LOCK_INTERVAL),
            }
        }
        Ok(Self {
            path: path.into(),
            _lock: lock,
        })
    }

    /// Returns the text of a small file beside the records, which is made with `text` if it is not there.
    pub fn text_file(&self, name: &str, text: &str) -> io::Result<String> {
        let path = self.path.join(name);
        match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                durable::replace(&path, text.as_bytes())?;
                Ok(text.into())
            }
            result => result,
        }
    }

    fn record(&self, index: u16) -> PathBuf {
        self.path.join(format!("{index:05}.alert"))
    }
}

impl Store for OutboxDir {
    type Error = io::Error;

    fn put(&mut self, index: u16, record: &[u8]) -> io::Result<()> {
        durable::replace(&self.record(index), record)
    }

    fn get(&mut self, index: u16, out: &mut [u8]) -> io::Result<Option<usize>> {
        let mut file = match File::open(self.record(index)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        out.get_mut(..bytes.len())
            .ok_or(ErrorKind::FileTooLarge)?
            .copy_from_slice(&bytes);
        Ok(Some(bytes.len()))
    }

    fn remove(&mut self, index: u16) -> io::Result<()> {
        match durable::remove(&self.record(index)) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            result => result,
        }
    }
}
