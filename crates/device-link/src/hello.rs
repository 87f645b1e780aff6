//! How a session begins: the desktop's hello, the device's welcome.

use crate::bytes::{Payload, Reader};
use crate::keys::NONCE_LEN;

/// The version of the protocol that both sides here speak.
pub const VERSION: u8 = 1;

/// Length of a proof in bytes.
pub(crate) const PROOF_LEN: usize = 32;

/// What a desktop begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hello {
    pub lowest: u8,
    pub highest: u8,
    pub nonce: [u8; NONCE_LEN],
}

/// What a device answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Welcome {
    /// It speaks none of the versions.
    Strange { lowest: u8, highest: u8 },
    /// A session is open.
    Open {
        version: u8,
        nonce: [u8; NONCE_LEN],
        /// The proof that it has the device key, if it has one.
        proof: Option<[u8; PROOF_LEN]>,
    },
}

impl Hello {
    pub fn encode(&self, out: &mut Payload) -> Option<()> {
        out.clear();
        out.extend_from_slice(&[self.lowest, self.highest]).ok()?;
        out.extend_from_slice(&self.nonce).ok()
    }

    /// Reads a hello; what a later version adds behind it is left out.
    pub fn decode(payload: &[u8]) -> Option<Self> {
        let mut reader = Reader(payload);
        Some(Self {
            lowest: reader.u8()?,
            highest: reader.u8()?,
            nonce: reader.array()?,
        })
    }

    /// Returns the version to speak, if both sides know one.
    pub const fn version(&self) -> Option<u8> {
        match self.lowest <= VERSION && VERSION <= self.highest {
            true => Some(VERSION),
            false => None,
        }
    }
}

impl Welcome {
    pub fn encode(&self, out: &mut Payload) -> Option<()> {
        out.clear();
        match self {
            Self::Strange { lowest, highest } => {
                out.extend_from_slice(&[0, *lowest, *highest]).ok()
            }
            Self::Open {
                version,
                nonce,
                proof,
            } => {
                out.extend_from_slice(&[*version, VERSION, VERSION]).ok()?;
                out.extend_from_slice(nonce).ok()?;
                out.push(proof.is_some().into()).ok()?;
                out.extend_from_slice(proof.as_ref().map_or(&[], |proof| proof))
                    .ok()
            }
        }
    }

    pub fn decode(payload: &[u8]) -> Option<Self> {
        let mut reader = Reader(payload);
        let (version, lowest, highest) = (reader.u8()?, reader.u8()?, reader.u8()?);
        if version == 0 {
            return Some(Self::Strange { lowest, highest });
        }
        Some(Self::Open {
            version,
            nonce: reader.array()?,
            proof: match reader.u8()? {
                0 => None,
                _ => Some(reader.array()?),
            },
        })
    }
}
