//! Where the HMAC-SHA256 is computed: in software, in a chip's peripheral, in a secure element.

use crate::sha256::{Block, Digest};

/// Computes HMAC-SHA256 (RFC 2104, FIPS 198-1) under one key.
///
/// [`HmacKey`](crate::HmacKey) implements it in software. A peripheral or a secure element, which
/// usually takes its message in one go, implements it with `Midstate = ()`:
///
/// ```
/// use jwt_core::MacEngine;
/// # struct Peripheral;
/// # #[derive(Debug)] struct Busy;
/// # impl core::fmt::Display for Busy {
/// #     fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result { f.write_str("busy") }
/// # }
/// # impl core::error::Error for Busy {}
/// # impl Peripheral {
/// #     fn hmac(&mut self, _: &[u8]) -> Result<[u8; 32], Busy> { Ok([0; 32]) }
/// # }
///
/// impl MacEngine for Peripheral {
///     type Error = Busy;
///     type Midstate = ();
///
///     fn absorb(&mut self, _blocks: &[[u8; 64]]) -> Result<(), Busy> {
///         Ok(())
///     }
///
///     fn finish(&mut self, _: &(), message: &[u8]) -> Result<[u8; 32], Busy> {
///         self.hmac(message)
///     }
/// }
/// ```
pub trait MacEngine {
    /// Why a computation failed; [`Infallible`](core::convert::Infallible) for software.
    type Error: core::error::Error;

    /// What the engine remembers of absorbed blocks; `()` if it needs the message in one slice.
    ///
    /// It is as secret as the key: an implementation that keeps key state in it zeroizes it on drop.
    type Midstate;

    /// Absorbs the first whole blocks of a message, to be shared by many messages that begin so.
    ///
    /// # Errors
    /// The engine's own, for example a bus fault.
    fn absorb(&mut self, blocks: &[Block]) -> Result<Self::Midstate, Self::Error>;

    /// Returns the 32-byte MAC of `message`, always given whole, from its first byte.
    ///
    /// `message` must begin with the blocks that made `midstate`; the MAC is meaningless otherwise.
    ///
    /// # Errors
    /// The engine's own, for example a bus fault.
    fn finish(&mut self, midstate: &Self::Midstate, message: &[u8]) -> Result<Digest, Self::Error>;

    /// Returns the 32-byte MAC of `message`.
    ///
    /// # Errors
    /// The engine's own, for example a bus fault.
    fn mac(&mut self, message: &[u8]) -> Result<Digest, Self::Error> {
        let midstate = self.absorb(&[])?;
        self.finish(&midstate, message)
    }
}

impl<E: MacEngine + ?Sized> MacEngine for &mut E {
    type Error = E::Error;
    type Midstate = E::Midstate;

    fn absorb(&mut self, blocks: &[Block]) -> Result<Self::Midstate, Self::Error> {
        (**self).absorb(blocks)
    }

    fn finish(&mut self, midstate: &Self::Midstate, message: &[u8]) -> Result<Digest, Self::Error> {
        (**self).finish(midstate, message)
    }
}
