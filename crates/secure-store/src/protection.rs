//! Who can read and change what is stored.

use core::fmt;

use crate::entry::form;

/// Most bytes that a protection adds to a value: a nonce of 12, a tag of 16 and a link of 16.
pub(crate) const MAX_OVERHEAD: usize = 44;

/// Length of a link, which vouches for all that is in force.
pub(crate) const LINK_LEN: usize = 16;

/// A link of the chain through all that is in force; the first is zeros.
pub(crate) type Link = [u8; LINK_LEN];

/// Who can get at a secret; firmware prints it when it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Custody {
    /// Whoever reads the flash has it.
    Plain,
    /// It lies in the flash, encrypted under a key that only this chip can compute.
    Sealed,
    /// It is in a fuse block or a secure element and no software can read it.
    Hardware,
}

impl fmt::Display for Custody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "plain: whoever reads the flash has the key",
            Self::Sealed => "sealed: the key is encrypted for this chip alone",
            Self::Hardware => "hardware: the key can't be read by software",
        })
    }
}

/// How values are stored: [`Plain`] or [`Sealed`](crate::Sealed), and nothing else.
pub trait Protection: private::Protect {
    /// The custody of what is stored so.
    const CUSTODY: Custody;
}

/// Values are stored as they are: a checksum finds damage, nothing hinders a reader or a forger.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plain;

impl Protection for Plain {
    const CUSTODY: Custody = Custody::Plain;
}

impl private::Protect for Plain {
    const FORM: u8 = form::PLAIN;
    const OVERHEAD: usize = 0;

    fn protect(&self, _context: &[u8; 12], _stored: &mut [u8]) -> Option<()> {
        Some(())
    }

    fn reveal<'v>(
        &self,
        form: u8,
        _context: &[u8; 12],
        stored: &'v mut [u8],
    ) -> Result<&'v [u8], private::Refused> {
        match form {
            form::PLAIN => Ok(stored),
            form::SEALED => Err(private::Refused::Sealed),
            _ => Err(private::Refused::Unknown),
        }
    }
}

pub(crate) mod private {
    use super::{Link, form};
    use crate::entry::Mark;

    pub trait Protect {
        /// The form of what is stored so.
        const FORM: u8;
        /// The bytes that are added: first those before the value, then those behind it.
        const OVERHEAD: usize;
        /// The bytes before the value.
        const PREFIX: usize = 0;
        /// The form of an entry that takes a record away.
        const REMOVED: u8 = form::REMOVED;
        /// Whether what is stored ends in a link, which vouches for everything else in force.
        const LINKED: bool = false;

        /// Protects the value in the middle of `stored` in place, bound to its entry's header; `None` if it is
        /// shorter than the overhead.
        fn protect(&self, context: &[u8; 12], stored: &mut [u8]) -> Option<()>;

        /// Returns the link that follows another, over an entry's header and mark.
        fn link(&self, _before: &Link, _context: &[u8; 12], _mark: &Mark) -> Link {
            Link::default()
        }

        /// Returns the value in `stored`, which has this form.
        fn reveal<'v>(
            &self,
            form: u8,
            context: &[u8; 12],
            stored: &'v mut [u8],
        ) -> Result<&'v [u8], Refused>;
    }

    /// Why a stored value is not revealed.
    pub enum Refused {
        Sealed,
        NotSealed,
        Forged,
        Unknown,
    }
}
