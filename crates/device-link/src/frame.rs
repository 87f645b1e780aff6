//! A frame: a header of 12 bytes, a payload, a CRC-32, on the line between a start byte and a zero.
//!
//! | bytes | content |
//! | --- | --- |
//! | 0 | the format, 1 |
//! | 1 | the kind |
//! | 2 to 5 | the session's tag, 0 before there is one |
//! | 6 to 9 | the number of the request, which its reply repeats |
//! | 10, 11 | the length of the payload |
//! | 12… | the payload |
//! | the last 4 | CRC-32/ISO-HDLC of all bytes before |
//!
//! Numbers are little-endian.

use crc::{CRC_32_ISO_HDLC, Crc, Table};
use heapless::Vec;

use crate::cobs;

/// Begins a frame; no text has it.
pub(crate) const START: u8 = 0x02;

/// Ends a frame; neither a frame nor text has it inside.
pub(crate) const END: u8 = 0;

/// Length of the header in bytes.
pub(crate) const HEADER_LEN: usize = 12;

const CRC_LEN: usize = 4;

/// Most bytes of a payload.
pub const MAX_PAYLOAD_LEN: usize = 416;

/// Most bytes of a frame before it is encoded for the line.
pub(crate) const MAX_CONTENT_LEN: usize = HEADER_LEN + MAX_PAYLOAD_LEN + CRC_LEN;

/// Most bytes of a frame on the line.
pub const MAX_FRAME_LEN: usize = cobs::max_encoded_len(MAX_CONTENT_LEN) + 2;

/// Fewest bytes of a frame before it is encoded for the line.
const MIN_CONTENT_LEN: usize = HEADER_LEN + CRC_LEN;

const FORMAT: u8 = 1;

static CRC_32: Crc<u32, Table<1>> = Crc::<u32, Table<1>>::new(&CRC_32_ISO_HDLC);

/// Returns the checksum that frames and records are checked with.
pub(crate) fn checksum(bytes: &[u8]) -> u32 {
    CRC_32.checksum(bytes)
}

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The desktop asks for a session.
    Hello,
    /// The device opens it.
    Welcome,
    /// A request as it is.
    Request,
    /// A reply as it is.
    Reply,
    /// An encrypted request.
    SealedRequest,
    /// An encrypted reply.
    SealedReply,
}

impl Kind {
    const fn byte(self) -> u8 {
        match self {
            Self::Hello => 0x01,
            Self::Request => 0x02,
            Self::SealedRequest => 0x03,
            Self::Welcome => 0x81,
            Self::Reply => 0x82,
            Self::SealedReply => 0x83,
        }
    }

    /// Whether the device sends it.
    pub const fn is_reply(self) -> bool {
        matches!(self, Self::Welcome | Self::Reply | Self::SealedReply)
    }

    const fn of(byte: u8) -> Option<Self> {
        Some(match byte {
            0x01 => Self::Hello,
            0x02 => Self::Request,
            0x03 => Self::SealedRequest,
            0x81 => Self::Welcome,
            0x82 => Self::Reply,
            0x83 => Self::SealedReply,
            _ => return None,
        })
    }
}

/// What a frame's header says, but for the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub kind: Kind,
    pub session: u32,
    pub number: u32,
}

impl Header {
    /// Returns the header before a payload of `len` bytes; a sealed payload's tag covers it.
    pub fn to_bytes(self, len: usize) -> [u8; HEADER_LEN] {
        let [s0, s1, s2, s3] = self.session.to_le_bytes();
        let [n0, n1, n2, n3] = self.number.to_le_bytes();
        let [l0, l1] = u16::try_from(len).unwrap_or(u16::MAX).to_le_bytes();
        let kind = self.kind.byte();
        [FORMAT, kind, s0, s1, s2, s3, n0, n1, n2, n3, l0, l1]
    }

    fn parse(bytes: [u8; HEADER_LEN]) -> Option<(Self, usize)> {
        let [FORMAT, kind, s0, s1, s2, s3, n0, n1, n2, n3, l0, l1] = bytes else {
            return None;
        };
        let header = Self {
            kind: Kind::of(kind)?,
            session: u32::from_le_bytes([s0, s1, s2, s3]),
            number: u32::from_le_bytes([n0, n1, n2, n3]),
        };
        Some((header, usize::from(u16::from_le_bytes([l0, l1]))))
    }
}

/// Takes the content of a frame apart, or returns `None` if it is none or was damaged.
pub(crate) fn parse(content: &mut [u8]) -> Option<(Header, &mut [u8])> {
    let (covered, crc) = content.split_last_chunk_mut::<CRC_LEN>()?;
    if u32::from_le_bytes(*crc) != checksum(covered) {
        return None;
    }
    let (header, payload) = covered.split_first_chunk_mut::<HEADER_LEN>()?;
    let (header, len) = Header::parse(*header)?;
    (payload.len() == len).then_some((header, payload))
}

/// A frame on its way out, as it is on the line; it is kept for as long as it may have to be sent again.
#[derive(Debug)]
pub(crate) struct Outgoing {
    bytes: Vec<u8, MAX_FRAME_LEN>,
}

impl Outgoing {
    pub const fn new() -> Self {
        Self { bytes: Vec::new() }
    }

    /// Encodes a frame.
    pub fn set(&mut self, header: Header, payload: &[u8]) -> Option<()> {
        let mut content = Vec::<u8, MAX_CONTENT_LEN>::new();
        content
            .extend_from_slice(&header.to_bytes(payload.len()))
            .ok()?;
        content.extend_from_slice(payload).ok()?;
        let crc = checksum(&content);
        content.extend_from_slice(&crc.to_le_bytes()).ok()?;
        self.bytes.clear();
        self.bytes.push(START).ok()?;
        let encoded = cobs::encode(&content, &mut self.bytes);
        zeroize::Zeroize::zeroize(content.as_mut_slice());
        encoded?;
        self.bytes.push(END).ok()
    }

    /// Forgets the frame, which may have a secret in it.
    pub fn clear(&mut self) {
        zeroize::Zeroize::zeroize(self.bytes.as_mut_slice());
        self.bytes.clear();
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        self.clear();
    }
}

const _: () = assert!(MIN_CONTENT_LEN < MAX_CONTENT_LEN && MAX_PAYLOAD_LEN <= u16::MAX as usize);
