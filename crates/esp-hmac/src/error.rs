//! Why there is no MAC.

use core::fmt;

use crate::key::KeyBlock;

/// Says why the peripheral has computed no MAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HmacError {
    /// The block's purpose isn't `HMAC_UP`: nothing was burnt there, or something else.
    Purpose(KeyBlock),
    /// The peripheral stays busy: it, SHA or their clocks are off, or something else uses SHA.
    Stuck,
    /// The peripheral is in use by another key.
    Busy,
}

impl fmt::Display for HmacError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Purpose(block) => write!(
                f,
                "eFuse {block} holds no key for HMAC: burn one there with purpose HMAC_UP, or provision another block"
            ),
            Self::Stuck => {
                f.write_str("the HMAC peripheral doesn't finish: restart the device, or replace it")
            }
            Self::Busy => f.write_str("the HMAC peripheral is in use: try again"),
        }
    }
}

impl core::error::Error for HmacError {}
