//! Requests and replies: what is in a payload.
//!
//! A request is an operation (1 byte) and its fields; a reply is 0 and its fields, or the number of a [`Refusal`].
//! Every request can be repeated in a later session without doing anything twice, because a device that lost
//! power may have carried out what its reply never told.

use api_auth::{Slot, Slots};
use secure_store::Key;

use crate::bytes::{Payload, Reader};
use crate::refusal::Refusal;
use crate::status::Status;

/// Most bytes of a record that one request carries.
pub const MAX_CHUNK_LEN: usize = 256;

/// What a desktop asks of a device.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Request<'a> {
    /// How it is; anybody may ask.
    Status,
    /// Take over the time.
    SetClock {
        /// The Unix seconds.
        unix_secs: u64,
    },
    /// Begin to send a record, or go on where the line was lost.
    Begin(Announced),
    /// The next bytes of the record.
    Data {
        /// The bytes before them.
        offset: u16,
        /// The bytes, at most [`MAX_CHUNK_LEN`].
        bytes: &'a [u8],
    },
    /// Write the record that has arrived.
    Commit,
    /// Take over that the API has accepted a slot's credential, which the desktop has tried itself.
    Verified(Slot),
    /// Put a verified credential into use; it is in use already if this is repeated.
    Promote(Slot),
    /// Forget a slot's credential, which is not in use; it is gone already if this is repeated.
    Retire(Slot),
    /// Start again.
    Reboot,
}

/// A record that is going to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announced {
    /// The record's name.
    pub key: Key,
    /// The version of its form.
    pub version: u8,
    /// Its length in bytes.
    pub len: u16,
    /// Its CRC-32/ISO-HDLC.
    pub crc: u32,
}

/// What a device answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reply<'a> {
    /// It is done.
    Done,
    /// How it is.
    Status(Status<'a>),
    /// So many bytes of the record have arrived.
    Received(u16),
    /// The record is in the store.
    Stored {
        /// Whether it was there before, byte for byte, and nothing was written.
        unchanged: bool,
    },
    /// How far the rotation has come.
    Slots(Slots),
}

mod operation {
    pub const STATUS: u8 = 1;
    pub const SET_CLOCK: u8 = 2;
    pub const BEGIN: u8 = 3;
    pub const DATA: u8 = 4;
    pub const COMMIT: u8 = 5;
    pub const PROMOTE: u8 = 6;
    pub const RETIRE: u8 = 7;
    pub const REBOOT: u8 = 8;
    pub const VERIFIED: u8 = 9;
}

const DONE: u8 = 0;

impl<'a> Request<'a> {
    pub(crate) fn encode(&self, out: &mut Payload) -> Option<()> {
        out.clear();
        let mut put = |bytes: &[u8]| out.extend_from_slice(bytes).ok();
        match *self {
            Self::Status => put(&[operation::STATUS]),
            Self::SetClock { unix_secs } => {
                put(&[operation::SET_CLOCK])?;
                put(&unix_secs.to_le_bytes())
            }
            Self::Begin(record) => {
                put(&[operation::BEGIN, record.key.kind])?;
                put(&record.key.slot.to_le_bytes())?;
                put(&[record.version])?;
                put(&record.len.to_le_bytes())?;
                put(&record.crc.to_le_bytes())
            }
            Self::Data { offset, bytes } => {
                put(&[operation::DATA])?;
                put(&offset.to_le_bytes())?;
                put(bytes)
            }
            Self::Commit => put(&[operation::COMMIT]),
            Self::Verified(slot) => put(&[operation::VERIFIED, slot_byte(slot)]),
            Self::Promote(slot) => put(&[operation::PROMOTE, slot_byte(slot)]),
            Self::Retire(slot) => put(&[operation::RETIRE, slot_byte(slot)]),
            Self::Reboot => put(&[operation::REBOOT]),
        }
    }

    pub(crate) fn decode(payload: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(payload);
        let request = match reader.u8()? {
            operation::STATUS => Self::Status,
            operation::SET_CLOCK => Self::SetClock {
                unix_secs: reader.u64()?,
            },
            operation::BEGIN => Self::Begin(Announced {
                key: Key {
                    kind: reader.u8()?,
                    slot: reader.u16()?,
                },
                version: reader.u8()?,
                len: reader.u16()?,
                crc: reader.u32()?,
            }),
            operation::DATA => Self::Data {
                offset: reader.u16()?,
                bytes: core::mem::take(&mut reader.0),
            },
            operation::COMMIT => Self::Commit,
            operation::VERIFIED => Self::Verified(slot_of(reader.u8()?)?),
            operation::PROMOTE => Self::Promote(slot_of(reader.u8()?)?),
            operation::RETIRE => Self::Retire(slot_of(reader.u8()?)?),
            operation::REBOOT => Self::Reboot,
            _ => return None,
        };
        reader.end()?;
        Some(request)
    }

    /// Takes the fields of the reply to this request.
    pub(crate) fn reply<'r>(&self, payload: &'r [u8]) -> Option<Result<Reply<'r>, Refusal>> {
        let mut reader = Reader(payload);
        let code = reader.u8()?;
        if code != DONE {
            return Some(Err(Refusal::of(code)));
        }
        Some(Ok(match self {
            Self::Status => Reply::Status(Status::decode(&mut reader)?),
            Self::Begin(_) | Self::Data { .. } => Reply::Received(reader.u16()?),
            Self::Commit => Reply::Stored {
                unchanged: reader.u8()? == 1,
            },
            Self::Verified(_) | Self::Promote(_) | Self::Retire(_) => {
                Reply::Slots(Slots::from_bytes(reader.take(Slots::RECORD_LEN)?).ok()?)
            }
            Self::SetClock { .. } | Self::Reboot => Reply::Done,
        }))
    }
}

/// Writes a reply.
pub(crate) fn encode_reply(reply: &Result<Reply<'_>, Refusal>, out: &mut Payload) -> Option<()> {
    out.clear();
    let reply = match reply {
        Ok(reply) => reply,
        Err(refusal) => return out.push(*refusal as u8).ok(),
    };
    out.push(DONE).ok()?;
    match reply {
        Reply::Done => Some(()),
        Reply::Status(status) => status.encode(out),
        Reply::Received(len) => out.extend_from_slice(&len.to_le_bytes()).ok(),
        Reply::Stored { unchanged } => out.push((*unchanged).into()).ok(),
        Reply::Slots(slots) => out.extend_from_slice(&slots.to_bytes()).ok(),
    }
}

const fn slot_byte(slot: Slot) -> u8 {
    match slot {
        Slot::A => 0,
        Slot::B => 1,
    }
}

const fn slot_of(byte: u8) -> Option<Slot> {
    match byte {
        0 => Some(Slot::A),
        1 => Some(Slot::B),
        _ => None,
    }
}
