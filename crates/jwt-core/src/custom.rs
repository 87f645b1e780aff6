//! Any other claims, through `serde`.

use heapless::String;
use serde::Serialize;

use crate::base64url::Writer;
use crate::claims::{Payload, sealed};
use crate::json::Sink;
use crate::json_error::JsonError;
use crate::object::write_object;

/// Claims of any shape as JSON text of at most `N` bytes, ready to be signed.
///
/// ```
/// # #[derive(Debug)] enum Error { Json(jwt_core::JsonError), Sign }
/// # impl From<jwt_core::JsonError> for Error { fn from(e: jwt_core::JsonError) -> Self { Self::Json(e) } }
/// # fn main() -> Result<(), Error> {
/// #[derive(serde::Serialize)]
/// struct Alarm<'a> {
///     site: &'a str,
///     zones: [u8; 2],
/// }
///
/// let claims = jwt_core::Json::<64>::new(&Alarm { site: "pump \"3\"", zones: [1, 4] })?;
/// assert_eq!(claims.as_str(), r#"{"site":"pump \"3\"","zones":[1,4]}"#);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Json<const N: usize>(String<N>);

impl<const N: usize> Json<N> {
    /// Serialises `claims`, which must become a JSON object.
    ///
    /// Time claims that change are better given as [`Times`](crate::Times) when signing: an object
    /// that has them already must not get them twice.
    ///
    /// # Errors
    /// Every [`JsonError`].
    pub fn new<T: Serialize + ?Sized>(claims: &T) -> Result<Self, JsonError> {
        let mut buffer = [0; N];
        let text = write_object(claims, &mut buffer)?;
        let needed = text.len();
        String::try_from(text)
            .map(Self)
            .map_err(|_capacity| JsonError::BufferTooSmall { needed })
    }

    /// Returns the JSON text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const N: usize> Payload for Json<N> {}

impl<const N: usize> sealed::Payload for Json<N> {
    fn json_len(&self) -> usize {
        self.0.len()
    }

    fn write_open(&self, out: &mut Writer<'_>) {
        if let Some((_brace, open)) = self.0.as_bytes().split_last() {
            out.write(open);
        }
    }

    fn has_no_member(&self) -> bool {
        self.0 == "{}"
    }
}
