//! Any other claims, through `serde`.

use core::fmt;

use heapless::String;
use serde::Serialize;

use crate::base64url::Writer;
use crate::claims::{Payload, sealed};
use crate::scan;

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
    /// [`JsonError::TooLong`], also for a value that `serde-json-core` cannot serialise, and
    /// [`JsonError::NotAnObject`].
    pub fn new<T: Serialize + ?Sized>(claims: &T) -> Result<Self, JsonError> {
        let text = serde_json_core::to_string::<T, N>(claims)
            .map_err(|_buffer_full| JsonError::TooLong { capacity: N })?;
        scan::visit_members(&text, |_, _| {}).ok_or(JsonError::NotAnObject)?;
        Ok(Self(text))
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

/// Why a value can't be the claims of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JsonError {
    /// The JSON text has more bytes than the type's capacity.
    TooLong {
        /// The capacity in bytes.
        capacity: usize,
    },
    /// The value is not an object, or it is nested more than 32 levels deep.
    NotAnObject,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { capacity } => write!(
                f,
                "the claims take more than {capacity} bytes of JSON: raise the capacity of Json or drop claims"
            ),
            Self::NotAnObject => {
                f.write_str("the claims are not a JSON object of at most 32 levels: serialise a struct or a map")
            }
        }
    }
}

impl core::error::Error for JsonError {}
