//! What a call came to, as a number and as a sentence.

use core::ffi::{CStr, c_char};

use jwt_core::{KeyError, SignError};

use crate::engine::EngineFailed;

/// What a call came to: `JWT_OK`, or what was wrong.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum jwt_status {
    /// Done.
    JWT_OK = 0,
    /// A pointer is null that must not be.
    JWT_ERROR_NULL_POINTER,
    /// An object or structure is not aligned as its type wants.
    JWT_ERROR_MISALIGNED,
    /// A length or size is larger than memory behind its pointer can be.
    JWT_ERROR_LENGTH,
    /// The memory that is written to overlaps with what is read.
    JWT_ERROR_OVERLAP,
    /// The storage for an object is smaller than its type: header and library differ, or `sizeof` is of a pointer.
    JWT_ERROR_STORAGE_TOO_SMALL,
    /// The object has not been initialised, its initialisation failed, or it was wiped.
    JWT_ERROR_NOT_INITIALIZED,
    /// The object is in use by a call that has not returned: from an interrupt, another thread or a callback.
    JWT_ERROR_BUSY,
    /// Text is not UTF-8.
    JWT_ERROR_NOT_UTF8,
    /// The buffer does not hold the text and the zero behind it; the length that it needs is reported.
    JWT_ERROR_BUFFER_TOO_SMALL,
    /// Header and claims take more than `JWT_TEMPLATE_CAPACITY` characters: sign them without a template.
    JWT_ERROR_CLAIMS_TOO_LONG,
    /// The key has no bytes.
    JWT_ERROR_KEY_EMPTY,
    /// The key has fewer than `JWT_KEY_MIN_LEN` bytes (RFC 7518 section 3.2).
    JWT_ERROR_KEY_TOO_SHORT,
    /// The engine has returned anything but 0.
    JWT_ERROR_ENGINE,
    /// A time is larger than 2^53 - 1 seconds: it may be in milliseconds or less.
    JWT_ERROR_TIME_OUT_OF_RANGE,
}

/// Sentences in the order of the numbers.
const TEXTS: &[(jwt_status, &CStr)] = &[
    (jwt_status::JWT_OK, c"done"),
    (
        jwt_status::JWT_ERROR_NULL_POINTER,
        c"a pointer is null: give the memory that the function asks for",
    ),
    (
        jwt_status::JWT_ERROR_MISALIGNED,
        c"an object or structure is misaligned: declare it by its type instead of casting bytes",
    ),
    (
        jwt_status::JWT_ERROR_LENGTH,
        c"a length is larger than memory can be: look for a difference that became negative",
    ),
    (
        jwt_status::JWT_ERROR_OVERLAP,
        c"the output overlaps with the input: give a buffer of its own",
    ),
    (
        jwt_status::JWT_ERROR_STORAGE_TOO_SMALL,
        c"the object's storage is too small: build with the header of this library, and pass sizeof of the object",
    ),
    (
        jwt_status::JWT_ERROR_NOT_INITIALIZED,
        c"the object is not initialised: initialise it, and look at what that returns",
    ),
    (
        jwt_status::JWT_ERROR_BUSY,
        c"the object is in use by a call that has not returned: use it from one place at a time",
    ),
    (jwt_status::JWT_ERROR_NOT_UTF8, c"text is not UTF-8: encode it so"),
    (
        jwt_status::JWT_ERROR_BUFFER_TOO_SMALL,
        c"the buffer is too small: give one byte more than the length that was reported",
    ),
    (
        jwt_status::JWT_ERROR_CLAIMS_TOO_LONG,
        c"header and claims are too long for a template: shorten them, or sign without one",
    ),
    (
        jwt_status::JWT_ERROR_KEY_EMPTY,
        c"the HMAC key is empty: give the API's secret",
    ),
    (
        jwt_status::JWT_ERROR_KEY_TOO_SHORT,
        c"the HMAC key has fewer than 32 bytes: have a longer secret issued, or prepare it as a weak key on purpose",
    ),
    (jwt_status::JWT_ERROR_ENGINE, c"the HMAC engine failed: see what it reports"),
    (
        jwt_status::JWT_ERROR_TIME_OUT_OF_RANGE,
        c"a time is out of range: give Unix time in seconds, not in milliseconds or less",
    ),
];

// A sentence stands where its number says.
const _: () = {
    let mut at = 0;
    while at < TEXTS.len() {
        assert!(TEXTS[at].0 as usize == at);
        at += 1;
    }
};

/// Returns what a status means as a sentence that says what to do: static, in English, ended by a zero.
///
/// A number that is no status has a sentence too.
#[unsafe(no_mangle)]
pub extern "C" fn jwt_status_text(status: i32) -> *const c_char {
    let text = usize::try_from(status).ok().and_then(|at| TEXTS.get(at));
    text.map_or(c"not a status of this library", |(_, text)| text)
        .as_ptr()
}

/// Why a text was not written.
pub(crate) struct Failure {
    pub status: jwt_status,
    /// The bytes that the text takes, if the buffer is too small for it.
    pub needed: usize,
}

impl Failure {
    /// Returns the failure of a text that a prefix of `len` bytes stands before.
    pub fn behind(self, len: usize) -> Self {
        let needed = match self.needed {
            0 => 0,
            needed => needed.saturating_add(len),
        };
        Self { needed, ..self }
    }
}

impl From<jwt_status> for Failure {
    fn from(status: jwt_status) -> Self {
        Self { status, needed: 0 }
    }
}

impl From<SignError<EngineFailed>> for Failure {
    fn from(error: SignError<EngineFailed>) -> Self {
        match error {
            SignError::BufferTooSmall { needed } => Self {
                status: jwt_status::JWT_ERROR_BUFFER_TOO_SMALL,
                needed,
            },
            SignError::TimeOutOfRange { .. } => jwt_status::JWT_ERROR_TIME_OUT_OF_RANGE.into(),
            _ => jwt_status::JWT_ERROR_ENGINE.into(),
        }
    }
}

impl From<KeyError> for jwt_status {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Empty => Self::JWT_ERROR_KEY_EMPTY,
            _ => Self::JWT_ERROR_KEY_TOO_SHORT,
        }
    }
}
