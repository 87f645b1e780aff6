//! A token that owns its bytes.

use core::fmt;

use heapless::String;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::claims::{Payload, Times};
use crate::engine::MacEngine;
use crate::header::Header;
use crate::sign::{SignError, sign};
use crate::template::Template;

/// A signed token of at most `N` bytes.
///
/// Whoever holds a valid token may use it, so it is zeroized on drop and not shown by `Debug`.
///
/// ```
/// use jwt_core::{Claims, Header, HmacKey, Times, Token};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let key = HmacKey::new(b"a secret of at least 32 bytes, see RFC 7518")?;
/// let token: Token<128> = Token::sign(&key, &Header::new(), &Claims::NONE, &Times::exp(1_713_225_900))?;
/// assert!(token.as_str().starts_with("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjE3MTMyMjU5MDB9."));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Token<const N: usize>(String<N>);

impl<const N: usize> Token<N> {
    /// Signs as [`sign`](crate::sign()) does.
    ///
    /// # Errors
    /// Those of [`sign`](crate::sign()).
    pub fn sign<E: MacEngine>(
        engine: E,
        header: &Header<'_>,
        claims: &impl Payload,
        times: &Times,
    ) -> Result<Self, SignError<E::Error>> {
        Self::collect(|out| sign(engine, header, claims, times, out))
    }

    /// Signs as [`Template::sign`] does.
    ///
    /// # Errors
    /// Those of [`Template::sign`].
    pub fn from_template<E: MacEngine, const P: usize>(
        template: &mut Template<E, P>,
        times: &Times,
    ) -> Result<Self, SignError<E::Error>> {
        Self::collect(|out| template.sign(times, out))
    }

    fn collect<E>(
        sign: impl FnOnce(&mut [u8]) -> Result<&str, SignError<E>>,
    ) -> Result<Self, SignError<E>> {
        let mut buffer = Zeroizing::new([0; N]);
        let token = sign(&mut *buffer)?;
        let needed = token.len();
        String::try_from(token)
            .map(Self)
            .map_err(|_capacity| SignError::BufferTooSmall { needed })
    }

    /// Returns the token's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const N: usize> Drop for Token<N> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<const N: usize> ZeroizeOnDrop for Token<N> {}

impl<const N: usize> fmt::Debug for Token<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({} bytes)", self.0.len())
    }
}
