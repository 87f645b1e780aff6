//! Signing again and again with nothing but the times changed.

use core::fmt;

use crate::base64url::{Carry, Writer, encoded_len};
use crate::claims::{Payload, Times};
use crate::engine::MacEngine;
use crate::header::Header;
use crate::sha256::BLOCK_LEN;
use crate::sign::{self, SIGNATURE_PART_LEN, SignError};

/// Returns the capacity in bytes of a [`Template`] for a header and claims of these lengths as JSON,
/// the claims' taken without times.
pub const fn template_len(header_len: usize, claims_len: usize) -> usize {
    // Without its closing brace, and only in whole groups of three bytes.
    encoded_len(header_len)
        .saturating_add(".".len())
        .saturating_add((claims_len.saturating_sub(1) / 3).saturating_mul(4))
}

/// A token of which everything but the times is encoded, and absorbed by its engine, once.
///
/// Signing again encodes the times and the signature alone. For Heymarket's token that takes 3
/// SHA-256 compressions, against 8 when the key is prepared each time. `N` is at least
/// [`template_len`]. The token is, byte for byte, the one that [`sign`](crate::sign()) makes.
///
/// ```
/// use jwt_core::{Claims, Header, HmacKey, Template, Times, sign, template_len};
///
/// const ID: &str = "74f80a77-9b3f-44ac-b3ad-ab68cfb548fa";
/// const HEADER: Header = Header::new();
/// const CLAIMS: Claims = Claims { iss: Some(ID), ..Claims::NONE };
/// const LEN: usize = template_len(HEADER.len(), CLAIMS.len(&Times::NONE));
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let key = HmacKey::from_parts(&[ID.as_bytes(), b"||", b"cPQku7lnSLbnK88UFOBg1a6Q3t1w1RgK"])?;
/// let mut template = Template::<_, LEN>::new(&key, &HEADER, &CLAIMS)?;
///
/// let (mut again, mut plain) = ([0; 165], [0; 165]);
/// for now in 1_713_225_600..1_713_225_610 {
///     assert_eq!(
///         template.sign(&Times::iat(now), &mut again)?,
///         sign(&key, &HEADER, &CLAIMS, &Times::iat(now), &mut plain)?,
///     );
/// }
/// # Ok(()) }
/// ```
pub struct Template<E: MacEngine, const N: usize> {
    engine: E,
    midstate: E::Midstate,
    prefix: [u8; N],
    prefix_len: usize,
    carry: Carry,
    has_no_member: bool,
}

impl<E: MacEngine, const N: usize> Template<E, N> {
    /// Encodes `header` and `claims` and absorbs their whole blocks.
    ///
    /// # Errors
    /// [`SignError::BufferTooSmall`] if `N` is less than [`template_len`], and
    /// [`SignError::Engine`].
    pub fn new(
        mut engine: E,
        header: &Header<'_>,
        claims: &impl Payload,
    ) -> Result<Self, SignError<E::Error>> {
        let mut prefix = [0; N];
        let mut writer = Writer::new(&mut prefix);
        sign::write_prefix(&mut writer, header, claims);
        let prefix_len = writer.len();
        if prefix_len > N {
            return Err(SignError::BufferTooSmall { needed: prefix_len });
        }
        let carry = writer.carry();

        let (blocks, _) = prefix
            .get(..prefix_len)
            .unwrap_or_default()
            .as_chunks::<BLOCK_LEN>();
        let midstate = engine.absorb(blocks).map_err(SignError::Engine)?;
        Ok(Self {
            engine,
            midstate,
            prefix,
            prefix_len,
            carry,
            has_no_member: claims.has_no_member(),
        })
    }

    /// Returns the length in bytes of the token with `times`.
    #[inline]
    pub fn token_len(&self, times: &Times) -> usize {
        let tail_len = self.carry.len() + times.len(self.has_no_member) + "}".len();
        // In 16 bits, which takes a multiplication: a Cortex-M0+ divides in software.
        let tail_chars = (tail_len as u16 * 4).div_ceil(3);
        self.prefix_len + usize::from(tail_chars) + SIGNATURE_PART_LEN
    }

    /// Signs with `times` and returns the token, which fills the start of `out`.
    ///
    /// # Errors
    /// As [`sign`](crate::sign()): [`SignError::BufferTooSmall`] and [`SignError::TimeOutOfRange`]
    /// leave `out` untouched, [`SignError::Engine`] leaves the token's bytes zeroed.
    pub fn sign<'o>(
        &mut self,
        times: &Times,
        out: &'o mut [u8],
    ) -> Result<&'o str, SignError<E::Error>> {
        sign::check_range(times)?;
        let out = sign::take(out, self.token_len(times))?;
        let input_len = out.len() - SIGNATURE_PART_LEN;

        // Whole if there is room, since a copy of constant length is fastest; what it has beyond the
        // prefix is overwritten below.
        match out.first_chunk_mut::<N>() {
            Some(start) => *start = self.prefix,
            None => {
                let slots = out.iter_mut().zip(&self.prefix);
                slots.for_each(|(slot, char)| *slot = *char);
            }
        }
        let tail = out.get_mut(self.prefix_len..input_len).unwrap_or_default();
        let mut writer = Writer::resume(tail, self.carry);
        sign::write_times(&mut writer, times, self.has_no_member);
        let mac = |input: &[u8]| self.engine.finish(&self.midstate, input);
        sign::complete(mac, input_len, out)
    }
}

impl<E: MacEngine, const N: usize> fmt::Debug for Template<E, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Template(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sha256::count;
    use crate::{Claims, HmacKey, sign};

    const PARTS: [&[u8]; 3] = [
        b"74f80a77-9b3f-44ac-b3ad-ab68cfb548fa",
        b"||",
        b"cPQku7lnSLbnK88UFOBg1a6Q3t1w1RgK",
    ];
    const CLAIMS: Claims = Claims {
        iss: Some("74f80a77-9b3f-44ac-b3ad-ab68cfb548fa"),
        ..Claims::NONE
    };
    const HEADER: Header = Header::new();
    const NOW: Times = Times::iat(1_713_225_600);

    /// The figures that the README and the design promise for Heymarket's token.
    #[test]
    fn compressions_of_the_heymarket_example() {
        let mut out = [0; 165];
        let from_scratch = count::during(|| {
            let key = HmacKey::from_parts(&PARTS).unwrap();
            sign(&key, &HEADER, &CLAIMS, &NOW, &mut out).unwrap();
        });
        assert_eq!(from_scratch, 8);

        let key = HmacKey::from_parts(&PARTS).unwrap();
        let prepared = count::during(|| {
            sign(&key, &HEADER, &CLAIMS, &NOW, &mut out).unwrap();
        });
        assert_eq!(prepared, 4);

        let mut template = Template::<_, 97>::new(&key, &HEADER, &CLAIMS).unwrap();
        let again = count::during(|| {
            template.sign(&NOW, &mut out).unwrap();
        });
        assert_eq!(again, 3);
    }
}
