//! What the device key is used for on the line: a proof that the device has it, and a session's two keys.
//!
//! | value | is |
//! | --- | --- |
//! | nonces | the desktop's 16 bytes, the device's 16 bytes, the versions: lowest and highest offered, chosen |
//! | proof | HMAC-SHA256 under the device key of `"\0device-link proof 1"` and the nonces |
//! | `prk` | HMAC-SHA256 under the device key of `"\0device-link keys 1"` and the nonces |
//! | a direction's key | HKDF-Expand (RFC 5869) of `prk` with info `"to device"` or `"to desktop"`, 32 bytes |
//!
//! A sealed payload is ChaCha20-Poly1305 (RFC 8439) with the direction's key, the frame's number as nonce (8 zero
//! bytes before its 4) and the frame's header as associated data. A number is used once in a session and
//! direction: what is sent again is the same frame, byte for byte.

use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Nonce, Tag};
use heapless::Vec;
use jwt_core::{HmacKey, MacEngine};
use zeroize::Zeroizing;

use crate::frame::{Header, MAX_PAYLOAD_LEN};

/// Length of each side's nonce in bytes.
pub const NONCE_LEN: usize = 16;

/// Length of what sealing adds to a payload, in bytes.
pub(crate) const TAG_LEN: usize = 16;

const PROOF_LABEL: &[u8; 20] = b"\0device-link proof 1";
const KEYS_LABEL: &[u8; 19] = b"\0device-link keys 1";

/// What a session's keys depend on beside the device key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Nonces {
    pub desktop: [u8; NONCE_LEN],
    pub device: [u8; NONCE_LEN],
    /// The lowest and the highest version that the desktop speaks, and the one that the device chose.
    pub versions: [u8; 3],
}

impl Nonces {
    /// Returns the tag that the session's frames have.
    pub fn session(&self) -> u32 {
        let [a, b, c, d, ..] = self.device;
        u32::from_le_bytes([a, b, c, d])
    }

    /// Returns what the device key's HMAC is computed over; there is room for every label.
    fn message(&self, label: &[u8]) -> Option<Vec<u8, 64>> {
        let mut message = Vec::new();
        for field in [label, &self.desktop, &self.device, &self.versions] {
            message.extend_from_slice(field).ok()?;
        }
        Some(message)
    }

    /// Returns the proof that whoever computes it has the device key, or `None` if the key can't be used.
    pub fn proof<E: MacEngine>(&self, device_key: &mut E) -> Option<[u8; 32]> {
        device_key.mac(&self.message(PROOF_LABEL)?).ok()
    }

    /// Derives the session's keys, or returns `None` if the device key can't be used.
    pub fn keys<E: MacEngine>(&self, device_key: &mut E) -> Option<SessionKeys> {
        let prk = Zeroizing::new(device_key.mac(&self.message(KEYS_LABEL)?).ok()?);
        let prk = HmacKey::new(&*prk).ok()?;
        Some(SessionKeys {
            to_device: direction(&prk, b"to device\x01")?,
            to_desktop: direction(&prk, b"to desktop\x01")?,
        })
    }
}

fn direction(mut prk: &HmacKey, info: &[u8]) -> Option<ChaCha20Poly1305> {
    let key = Zeroizing::new(prk.mac(info).ok()?);
    Some(ChaCha20Poly1305::new((&*key).into()))
}

/// A session's keys, one for each direction; zeroized on drop.
pub(crate) struct SessionKeys {
    to_device: ChaCha20Poly1305,
    to_desktop: ChaCha20Poly1305,
}

impl SessionKeys {
    fn of(&self, header: &Header) -> &ChaCha20Poly1305 {
        match header.kind.is_reply() {
            true => &self.to_desktop,
            false => &self.to_device,
        }
    }

    /// Encrypts a payload in place and appends its tag.
    pub fn seal(&self, header: Header, payload: &mut Vec<u8, MAX_PAYLOAD_LEN>) -> Option<()> {
        let sealed_len = payload.len().checked_add(TAG_LEN)?;
        let header_bytes = header.to_bytes(sealed_len);
        let tag = self
            .of(&header)
            .encrypt_inout_detached(
                &nonce(&header),
                &header_bytes,
                payload.as_mut_slice().into(),
            )
            .ok()?;
        payload.extend_from_slice(&tag).ok()
    }

    /// Decrypts a payload in place, or returns `None` if it was not sealed with these keys.
    pub fn open<'p>(&self, header: Header, payload: &'p mut [u8]) -> Option<&'p [u8]> {
        let header_bytes = header.to_bytes(payload.len());
        let (text, tag) = payload.split_last_chunk_mut::<TAG_LEN>()?;
        let tag = Tag::from(*tag);
        self.of(&header)
            .decrypt_inout_detached(&nonce(&header), &header_bytes, (&mut *text).into(), &tag)
            .ok()?;
        Some(text)
    }
}

fn nonce(header: &Header) -> Nonce {
    let [a, b, c, d] = header.number.to_le_bytes();
    Nonce::from([0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d])
}
