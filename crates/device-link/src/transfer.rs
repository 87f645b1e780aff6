//! A record on its way: what has arrived of it at the device, and what is still to be sent by the desktop.

use heapless::Vec;
use secure_store::{Key, MAX_VALUE_LEN};
use zeroize::Zeroize;

use crate::frame::checksum;
use crate::message::{Announced, MAX_CHUNK_LEN, Reply, Request};
use crate::refusal::Refusal;

/// How often a record that is sent may be set back before the device is given up.
const MAX_SETBACKS: u8 = 8;

/// The device's end: the bytes that have arrived, zeroized when they are forgotten.
#[derive(Debug)]
pub(crate) struct Arriving {
    announced: Option<Announced>,
    bytes: Vec<u8, MAX_VALUE_LEN>,
}

impl Arriving {
    pub const fn new() -> Self {
        Self {
            announced: None,
            bytes: Vec::new(),
        }
    }

    /// Begins a transfer, or goes on with the same one; returns how many bytes there are.
    pub fn begin(&mut self, announced: Announced) -> Result<u16, Refusal> {
        if usize::from(announced.len) > MAX_VALUE_LEN {
            return Err(Refusal::Malformed);
        }
        if self.announced != Some(announced) {
            self.forget();
            self.announced = Some(announced);
        }
        Ok(self.len())
    }

    /// Takes bytes if they are the next ones; returns how many there are, with which the desktop goes on.
    pub fn take(&mut self, offset: u16, bytes: &[u8]) -> Result<u16, Refusal> {
        let announced = self.announced.ok_or(Refusal::NoTransfer)?;
        if offset == self.len() {
            let end = usize::from(offset).saturating_add(bytes.len());
            if end > usize::from(announced.len) || self.bytes.extend_from_slice(bytes).is_err() {
                return Err(Refusal::NoTransfer);
            }
        }
        Ok(self.len())
    }

    /// Returns the record if all of it has arrived as it was announced.
    pub fn complete(&self) -> Result<(Announced, &[u8]), Refusal> {
        let announced = self.announced.ok_or(Refusal::NoTransfer)?;
        if self.len() != announced.len {
            return Err(Refusal::NoTransfer);
        }
        match checksum(&self.bytes) == announced.crc {
            true => Ok((announced, &self.bytes)),
            false => Err(Refusal::Corrupt),
        }
    }

    /// Forgets what there is.
    pub fn forget(&mut self) {
        self.bytes.as_mut_slice().zeroize();
        self.bytes.clear();
        self.announced = None;
    }

    fn len(&self) -> u16 {
        u16::try_from(self.bytes.len()).unwrap_or(u16::MAX)
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        self.forget();
    }
}

/// The desktop's end: a record that is sent piece by piece, from wherever the device says that it is.
///
/// ```
/// use device_link::{Reply, Request, Upload};
/// use secure_store::Key;
///
/// let settings = b"\x01\x06\x00pump-7";
/// let mut upload = Upload::new(Key::DEVICE, 1, settings).unwrap();
/// assert!(matches!(upload.next(), Some(Request::Begin(_))));
///
/// // The device has the first 4 bytes from before the cable was pulled.
/// upload.answered(Ok(Reply::Received(4)))?;
/// assert!(upload.next() == Some(Request::Data { offset: 4, bytes: b"ump-7" }));
/// upload.answered(Ok(Reply::Received(9)))?;
/// assert!(upload.next() == Some(Request::Commit));
/// upload.answered(Ok(Reply::Stored { unchanged: false }))?;
/// assert!(upload.next().is_none());
/// # Ok::<(), device_link::Refusal>(())
/// ```
#[derive(Clone, Copy)]
pub struct Upload<'v> {
    announced: Announced,
    value: &'v [u8],
    step: Step,
    setbacks: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Begin,
    Data { received: u16 },
    Stored { unchanged: bool },
}

impl<'v> Upload<'v> {
    /// Prepares a record for sending, or returns `None` if it is longer than any.
    pub fn new(key: Key, version: u8, value: &'v [u8]) -> Option<Self> {
        let len = u16::try_from(value.len()).ok()?;
        let announced = Announced {
            key,
            version,
            len,
            crc: checksum(value),
        };
        (value.len() <= MAX_VALUE_LEN).then_some(Self {
            announced,
            value,
            step: Step::Begin,
            setbacks: 0,
        })
    }

    /// Returns the next request, or `None` when the record is stored.
    pub fn next(&self) -> Option<Request<'v>> {
        match self.step {
            Step::Begin => Some(Request::Begin(self.announced)),
            Step::Stored { .. } => None,
            Step::Data { received } => match self.value.get(usize::from(received)..) {
                None | Some([]) => Some(Request::Commit),
                Some(rest) => Some(Request::Data {
                    offset: received,
                    bytes: rest.get(..MAX_CHUNK_LEN).unwrap_or(rest),
                }),
            },
        }
    }

    /// Takes the reply to [`next`](Self::next)'s request.
    ///
    /// # Errors
    /// What the device has refused for good; a transfer that it has forgotten is begun again, but not without end.
    pub fn answered(&mut self, reply: Result<Reply<'_>, Refusal>) -> Result<(), Refusal> {
        self.step = match (reply, self.step) {
            (Ok(Reply::Received(received)), Step::Data { received: before })
                if received <= before =>
            {
                self.set_back(Refusal::NoTransfer)?;
                Step::Data { received }
            }
            (Ok(Reply::Received(received)), _) => Step::Data { received },
            (Ok(Reply::Stored { unchanged }), _) => Step::Stored { unchanged },
            (Err(refusal @ (Refusal::NoTransfer | Refusal::Corrupt)), _) => {
                self.set_back(refusal)?;
                Step::Begin
            }
            (Err(refusal), _) => return Err(refusal),
            (Ok(_), _) => return Err(Refusal::Unknown),
        };
        Ok(())
    }

    fn set_back(&mut self, refusal: Refusal) -> Result<(), Refusal> {
        self.setbacks = self.setbacks.saturating_add(1);
        match self.setbacks < MAX_SETBACKS {
            true => Ok(()),
            false => Err(refusal),
        }
    }

    /// Returns how many bytes the device has.
    pub fn received(&self) -> usize {
        match self.step {
            Step::Begin => 0,
            Step::Data { received } => usize::from(received),
            Step::Stored { .. } => self.value.len(),
        }
    }

    /// Returns whether the record was there before, once it is stored.
    pub const fn unchanged(&self) -> Option<bool> {
        match self.step {
            Step::Stored { unchanged } => Some(unchanged),
            _ => None,
        }
    }
}
