//! Sealed values: ChaCha20-Poly1305 (RFC 8439) under a key that only this chip can compute.
//!
//! | key | is |
//! | --- | --- |
//! | `prk` | HKDF-Extract (RFC 5869) without salt of the device key's HMAC-SHA256 over [`SEAL_MESSAGE`] |
//! | encryption | HKDF-Expand of `prk` with info `encrypt`, 32 bytes |
//! | nonce | HKDF-Expand of `prk` with info `nonce`, 32 bytes |
//! | chain | HKDF-Expand of `prk` with info `chain`, 32 bytes |
//!
//! The nonce of a value is the first 12 bytes of its HMAC-SHA256, with the entry's header before it, under the
//! nonce key. That is the synthetic IV of SIV (Rogaway and Shrimpton 2006): a nonce comes twice only
//! with the same header and value, which then make the same entry, or by chance, which is a matter of some
//! 2^48 entries. So nothing has to be counted or drawn, and nothing goes wrong when a power cut, an old
//! image that is flashed again or a device that is provisioned anew brings a number of a write back.
//!
//! The header (kind, slot, version, form, length, number of the write) is the associated data too.
//!
//! That alone would let somebody who writes the flash take single entries out, or put earlier ones back. So each
//! entry ends in a link: the last of a chain of HMACs under the chain key over headers and nonces of all that is
//! in force once it is written, in the order of the numbers, a removal too. On opening, the newest link has to be that of what is there.

use core::fmt;

use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Nonce, Tag};
use jwt_core::{HmacKey, KeyError, MacEngine};
use zeroize::Zeroizing;

use crate::entry::{MARK_LEN, Mark, form};
use crate::protection::private::{Protect, Refused};
use crate::protection::{Custody, LINK_LEN, Link, Protection};

/// What the device key's HMAC is computed over, 20 bytes.
///
/// No token's signing input begins with a zero byte, so a key that signs tokens too gives nothing away.
pub const SEAL_MESSAGE: &[u8; 20] = b"\0secure-store seal 1";

const NONCE_LEN: usize = 12;
const TAG_LEN: usize = 16;

/// Values are encrypted and authenticated under a key that comes from the device's.
///
/// What is plain in the flash is refused, so that nobody who can write to it slips something in.
pub struct Sealed {
    cipher: ChaCha20Poly1305,
    nonces: HmacKey,
    chain: HmacKey,
}

impl Sealed {
    /// Derives the keys with one HMAC of the device key, which stays where it is.
    ///
    /// # Errors
    /// [`SealError::Engine`] if the device key can't be used.
    pub fn new<E: MacEngine>(mut device_key: E) -> Result<Self, SealError<E::Error>> {
        let device = device_key.mac(SEAL_MESSAGE).map_err(SealError::Engine)?;
        let device = Zeroizing::new(device);
        let extract = HmacKey::new(&[0; 32]).map_err(SealError::Key)?;
        let prk = hmac(&extract, &*device);
        let prk = HmacKey::new(&*prk).map_err(SealError::Key)?;
        let encryption = hmac(&prk, b"encrypt\x01");
        let nonces = hmac(&prk, b"nonce\x01");
        let chain = hmac(&prk, b"chain\x01");
        Ok(Self {
            cipher: ChaCha20Poly1305::new((&*encryption).into()),
            nonces: HmacKey::new(&*nonces).map_err(SealError::Key)?,
            chain: HmacKey::new(&*chain).map_err(SealError::Key)?,
        })
    }
}

fn hmac(key: &HmacKey, message: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut key = key;
    match key.mac(message) {
        Ok(digest) => Zeroizing::new(digest),
        Err(never) => match never {},
    }
}

impl Protection for Sealed {
    const CUSTODY: Custody = Custody::Sealed;
}

impl Protect for Sealed {
    const FORM: u8 = form::SEALED;
    const OVERHEAD: usize = NONCE_LEN + TAG_LEN + LINK_LEN;
    const PREFIX: usize = NONCE_LEN;
    const REMOVED: u8 = form::REMOVED_SEALED;
    const LINKED: bool = true;

    fn protect(&self, context: &[u8; 12], stored: &mut [u8]) -> Option<()> {
        let (stored, _link) = stored.split_last_chunk_mut::<LINK_LEN>()?;
        let value_end = stored.len().checked_sub(TAG_LEN)?;
        // The header takes the nonce's place for as long as the nonce is computed.
        *stored.first_chunk_mut()? = *context;
        let digest = hmac(&self.nonces, stored.get(..value_end)?);
        let nonce = Nonce::from(*digest.first_chunk::<NONCE_LEN>()?);
        *stored.first_chunk_mut()? = nonce.into();
        let value = stored.get_mut(NONCE_LEN..value_end)?;
        let tag = self
            .cipher
            .encrypt_inout_detached(&nonce, context, value.into())
            .ok()?;
        *stored.last_chunk_mut()? = tag.into();
        Some(())
    }

    fn link(&self, before: &Link, context: &[u8; 12], mark: &Mark) -> Link {
        let mut message = [0; LINK_LEN + 12 + MARK_LEN];
        let parts = before.iter().chain(context).chain(mark);
        for (byte, part) in message.iter_mut().zip(parts) {
            *byte = *part;
        }
        let digest = hmac(&self.chain, &message);
        *digest.first_chunk().unwrap_or(before)
    }

    fn reveal<'v>(
        &self,
        form: u8,
        context: &[u8; 12],
        stored: &'v mut [u8],
    ) -> Result<&'v [u8], Refused> {
        match form {
            form::SEALED => {}
            form::PLAIN => return Err(Refused::NotSealed),
            _ => return Err(Refused::Unknown),
        }
        let (stored, _link) = stored
            .split_last_chunk_mut::<LINK_LEN>()
            .ok_or(Refused::Forged)?;
        let (nonce, rest) = stored.split_first_chunk_mut().ok_or(Refused::Forged)?;
        let (value, tag) = rest.split_last_chunk_mut().ok_or(Refused::Forged)?;
        let (nonce, tag) = (Nonce::from(*nonce), Tag::from(*tag));
        let value: &'v mut [u8] = value;
        self.cipher
            .decrypt_inout_detached(&nonce, context, (&mut *value).into(), &tag)
            .map_err(|_opaque| Refused::Forged)?;
        Ok(value)
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed(..)")
    }
}

/// Says why nothing can be sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SealError<E> {
    /// The device key can't be used.
    Engine(E),
    /// A key that was derived is no HMAC key.
    Key(KeyError),
}

impl<E: fmt::Display> fmt::Display for SealError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Engine(error) => write!(f, "the device key can't be used: {error}"),
            Self::Key(error) => write!(f, "the derived key can't be used: {error}"),
        }
    }
}

impl<E: core::error::Error> core::error::Error for SealError<E> {}
