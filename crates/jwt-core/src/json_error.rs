//! Why there is no JSON text.

use core::fmt::{self, Display};

use serde::ser;

use crate::scan::MAX_DEPTH;

/// Why a value can't be the claims of a token, or another JSON object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JsonError {
    /// The JSON text does not fit.
    BufferTooSmall {
        /// How many bytes it takes.
        needed: usize,
    },
    /// The value is not an object.
    NotAnObject,
    /// An object or array stands more than 32 levels below the object.
    TooDeep,
    /// The key of a map is not text.
    NameNotText,
    /// A number is infinite, or not a number, which JSON has no word for.
    NotFinite,
    /// The value's own code refused, or it holds an integer of 128 bits.
    Refused,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BufferTooSmall { needed } => write!(
                f,
                "the JSON text takes {needed} bytes: give it that capacity or drop members"
            ),
            Self::NotAnObject => {
                f.write_str("the value is not a JSON object: serialise a struct or a map")
            }
            Self::TooDeep => write!(
                f,
                "the value is nested more than {MAX_DEPTH} levels deep: flatten it"
            ),
            Self::NameNotText => {
                f.write_str("the key of a map is not text: JSON names its members by text")
            }
            Self::NotFinite => {
                f.write_str("a number is infinite or not a number: leave it out or write it as text")
            }
            Self::Refused => f.write_str(
                "the value can't be serialised: write integers of 128 bits as text, look into its Serialize",
            ),
        }
    }
}

impl core::error::Error for JsonError {}

impl ser::Error for JsonError {
    fn custom<T: Display>(_message: T) -> Self {
        Self::Refused
    }
}
