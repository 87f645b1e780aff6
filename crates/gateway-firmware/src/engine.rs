//! Where a credential's HMAC key is: in memory, or in a chip that computes with it.

use jwt_core::{HmacKey, MacEngine};

/// An HMAC key in memory, or a key `H` in a chip.
pub enum Engine<H> {
    /// A stored key.
    Stored(HmacKey),
    /// A key that no software can read.
    Chip(H),
}

/// What an [`Engine`] remembers of absorbed blocks.
pub enum Midstate<H: MacEngine> {
    /// A stored key's.
    Stored(<HmacKey as MacEngine>::Midstate),
    /// A chip's.
    Chip(H::Midstate),
}

impl<H: MacEngine> MacEngine for Engine<H> {
    type Error = H::Error;
    type Midstate = Midstate<H>;

    fn absorb(&mut self, blocks: &[[u8; 64]]) -> Result<Midstate<H>, H::Error> {
        match self {
            Self::Stored(key) => match key.absorb(blocks) {
                Ok(midstate) => Ok(Midstate::Stored(midstate)),
                Err(never) => match never {},
            },
            Self::Chip(key) => key.absorb(blocks).map(Midstate::Chip),
        }
    }

    fn finish(&mut self, midstate: &Midstate<H>, message: &[u8]) -> Result<[u8; 32], H::Error> {
        match (self, midstate) {
            (Self::Stored(key), Midstate::Stored(midstate)) => {
                match key.finish(midstate, message) {
                    Ok(mac) => Ok(mac),
                    Err(never) => match never {},
                }
            }
            (Self::Chip(key), Midstate::Chip(midstate)) => key.finish(midstate, message),
            // Another engine's midstate is of no use, and of no need: the message is whole.
            (engine, _) => engine.mac(message),
        }
    }
}
