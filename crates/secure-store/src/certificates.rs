//! The certificates that TLS trusts: told apart, cut into parts and summed up (X.509 in DER, RFC 5280).
//!
//! How a store keeps them is in `trusted`.

use core::fmt;

use crate::bytes::Reader;
use crate::checksum;
use crate::entry::MAX_VALUE_LEN;

/// Version of the form of a part of the certificates: bytes.
pub const CERTIFICATES_VERSION: u8 = 1;

/// Most bytes of all certificates together.
pub const MAX_CERTIFICATES_LEN: usize = 4096;

/// Length of the setting that sums the certificates up, in bytes.
pub const CERTIFICATES_SUM_LEN: usize = 6;

/// ASN.1's tag of a SEQUENCE, which a certificate is (X.690, section 8.9).
const SEQUENCE: u8 = 0x30;

/// Certificates in DER, one behind the other.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Certificates<'a> {
    der: &'a [u8],
}

impl<'a> Certificates<'a> {
    /// Takes certificates that lie one behind the other, or returns `None` if they don't, are none, or are too long.
    ///
    /// Only where each ends is looked at: whether a certificate can be trusted is for TLS to say.
    pub fn new(der: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(der);
        while !reader.rest().is_empty() {
            next(&mut reader)?;
        }
        (1..=MAX_CERTIFICATES_LEN)
            .contains(&der.len())
            .then_some(Self { der })
    }

    /// Returns each certificate in DER, in the order in which they were provisioned.
    pub fn iter(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut reader = Reader::new(self.der);
        core::iter::from_fn(move || next(&mut reader))
    }

    /// Returns the values of the records that the certificates are stored in, from part 0 on.
    pub fn parts(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.der.chunks(MAX_VALUE_LEN)
    }

    /// Returns what [`Setting::CERTIFICATES`](crate::Setting::CERTIFICATES) says of them.
    pub fn sum(&self) -> [u8; CERTIFICATES_SUM_LEN] {
        // MAX_CERTIFICATES_LEN fits.
        let [low, high, ..] = self.der.len().to_le_bytes();
        let [a, b, c, d] = checksum::of(self.der).to_le_bytes();
        [low, high, a, b, c, d]
    }
}

impl fmt::Debug for Certificates<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificates({} bytes)", self.der.len())
    }
}

/// Takes a certificate off the front: a tag, a length in DER's shortest form (X.690, section 10.1), as many bytes.
fn next<'a>(reader: &mut Reader<'a>) -> Option<&'a [u8]> {
    let whole = reader.rest();
    let [tag, first] = reader.array()?;
    let len = match first {
        0x00..=0x7f => usize::from(first),
        0x81 => reader.byte().map(usize::from).filter(|len| *len > 0x7f)?,
        0x82 => {
            let len = usize::from(u16::from_be_bytes(reader.array()?));
            Some(len).filter(|len| *len > 0xff)?
        }
        _ => return None,
    };
    reader.take(len)?;
    let taken = whole.len().checked_sub(reader.rest().len())?;
    whole.get(..taken).filter(|_| tag == SEQUENCE)
}
