//! What a call came to, as a number and as a sentence.

use core::ffi::{CStr, c_char};

use api_auth::{AuthorizeError, BufferTooSmall, ClockError, CredentialError, SlotError};
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
    /// A number is none of its enumeration, or what is given contradicts itself.
    JWT_ERROR_ARGUMENT,
    /// The session's API is none that the library knows.
    JWT_ERROR_UNKNOWN_API,
    /// The API's credentials have an ID.
    JWT_ERROR_ID_MISSING,
    /// The API's credentials have no ID.
    JWT_ERROR_ID_UNEXPECTED,
    /// The ID is too long, has a character that no ID has, or is not the UUID that it has to be.
    JWT_ERROR_ID_MALFORMED,
    /// The key has a space, a control or a non-ASCII character, or for HTTP Basic a colon.
    JWT_ERROR_KEY_CHARACTER,
    /// The key doesn't begin like one of this API.
    JWT_ERROR_KEY_PREFIX,
    /// The key is shorter than any that the API issues.
    JWT_ERROR_KEY_INCOMPLETE,
    /// The key is longer than any that the API issues, or than a session holds.
    JWT_ERROR_KEY_TOO_LONG,
    /// A test key, where the policy takes none.
    JWT_ERROR_KEY_IS_TEST,
    /// A production key, where the policy takes none.
    JWT_ERROR_KEY_IS_LIVE,
    /// An engine, or a key to sign with, for an API that is sent the key itself.
    JWT_ERROR_KEY_IS_SENT,
    /// The slot has no credential.
    JWT_ERROR_NO_CREDENTIAL,
    /// No source has told the time yet, and a token needs it.
    JWT_ERROR_CLOCK_UNSET,
    /// The time is before the firmware was built.
    JWT_ERROR_CLOCK_BEFORE_BUILD,
    /// The time is behind one that a server has confirmed.
    JWT_ERROR_CLOCK_BEHIND_FLOOR,
    /// The time is more than 50 years after the firmware's build.
    JWT_ERROR_CLOCK_TOO_FAR_AHEAD,
    /// The server's time is more than a day away from the last other reading.
    JWT_ERROR_CLOCK_CORRECTION_TOO_LARGE,
    /// The uptime is smaller than it has been: a tick that wrapped.
    JWT_ERROR_CLOCK_UPTIME_BACKWARDS,
    /// The slot holds a credential.
    JWT_ERROR_SLOT_OCCUPIED,
    /// The server hasn't accepted the standby's credential yet.
    JWT_ERROR_SLOT_NOT_VERIFIED,
    /// The bytes are not a record of the slots.
    JWT_ERROR_SLOT_RECORD,
    /// The token has more than 16384 bytes.
    JWT_ERROR_TOKEN_TOO_LONG,
    /// The token is not three parts of canonical base64url, of which two are JSON objects as a JWT has them.
    JWT_ERROR_TOKEN_MALFORMED,
    /// The token is not signed with HS256.
    JWT_ERROR_TOKEN_ALGORITHM,
    /// The token's header wants extensions to be understood (`crit`), and none is.
    JWT_ERROR_TOKEN_CRITICAL,
    /// The token's signature is not this key's.
    JWT_ERROR_TOKEN_SIGNATURE,
    /// The token has expired.
    JWT_ERROR_TOKEN_EXPIRED,
    /// The token is not valid yet.
    JWT_ERROR_TOKEN_NOT_YET_VALID,
    /// The token was issued in the future.
    JWT_ERROR_TOKEN_FROM_FUTURE,
    /// The token's age is limited, but it does not say when it was issued.
    JWT_ERROR_TOKEN_WITHOUT_IAT,
    /// The token is older than allowed.
    JWT_ERROR_TOKEN_TOO_OLD,
    /// An error that this interface has no name for.
    JWT_ERROR_UNNAMED,
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
    (
        jwt_status::JWT_ERROR_ARGUMENT,
        c"a number is none of those that the function knows: use the header's names",
    ),
    (
        jwt_status::JWT_ERROR_UNKNOWN_API,
        c"no API has that name: look at the list in the header",
    ),
    (
        jwt_status::JWT_ERROR_ID_MISSING,
        c"the ID is missing: give the one that belongs to the key",
    ),
    (
        jwt_status::JWT_ERROR_ID_UNEXPECTED,
        c"this API's keys have no ID: leave it out",
    ),
    (
        jwt_status::JWT_ERROR_ID_MALFORMED,
        c"the ID is not one of this API: copy it again",
    ),
    (
        jwt_status::JWT_ERROR_KEY_CHARACTER,
        c"the key has a character that no key has: copy the key alone",
    ),
    (
        jwt_status::JWT_ERROR_KEY_PREFIX,
        c"the key does not begin like one of this API: look which API issued it",
    ),
    (
        jwt_status::JWT_ERROR_KEY_INCOMPLETE,
        c"the key is shorter than any of this API: copy all of it",
    ),
    (
        jwt_status::JWT_ERROR_KEY_TOO_LONG,
        c"the key is too long: copy the key alone",
    ),
    (
        jwt_status::JWT_ERROR_KEY_IS_TEST,
        c"a test key alerts nobody: use a production key here",
    ),
    (
        jwt_status::JWT_ERROR_KEY_IS_LIVE,
        c"a production key reaches people: use a test key here",
    ),
    (
        jwt_status::JWT_ERROR_KEY_IS_SENT,
        c"this API is sent the key itself: nothing is signed with it",
    ),
    (
        jwt_status::JWT_ERROR_NO_CREDENTIAL,
        c"the slot has no credential: provision the device",
    ),
    (
        jwt_status::JWT_ERROR_CLOCK_UNSET,
        c"the clock is not set: set it by RTC, SNTP or by hand",
    ),
    (
        jwt_status::JWT_ERROR_CLOCK_BEFORE_BUILD,
        c"the clock is before the firmware's build: set it, and check the battery of the real-time clock",
    ),
    (
        jwt_status::JWT_ERROR_CLOCK_BEHIND_FLOOR,
        c"the clock is earlier than it once was: set it, and check the battery of the real-time clock",
    ),
    (
        jwt_status::JWT_ERROR_CLOCK_TOO_FAR_AHEAD,
        c"the clock is decades ahead: set it",
    ),
    (
        jwt_status::JWT_ERROR_CLOCK_CORRECTION_TOO_LARGE,
        c"the server's time is more than a day away from this clock: set the clock",
    ),
    (
        jwt_status::JWT_ERROR_CLOCK_UPTIME_BACKWARDS,
        c"uptime ran backwards: count it in 64 bits, and set the clock again",
    ),
    (
        jwt_status::JWT_ERROR_SLOT_OCCUPIED,
        c"the slot holds a credential: retire it first",
    ),
    (
        jwt_status::JWT_ERROR_SLOT_NOT_VERIFIED,
        c"the standby is not verified: send the API's check with it first",
    ),
    (
        jwt_status::JWT_ERROR_SLOT_RECORD,
        c"the record of the slots is damaged: provision the device anew",
    ),
    (
        jwt_status::JWT_ERROR_TOKEN_TOO_LONG,
        c"the token is too long: check that it is a token",
    ),
    (
        jwt_status::JWT_ERROR_TOKEN_MALFORMED,
        c"the token can't be read: check that it was copied whole, refuse it otherwise",
    ),
    (
        jwt_status::JWT_ERROR_TOKEN_ALGORITHM,
        c"the token is not signed with HS256: refuse it",
    ),
    (
        jwt_status::JWT_ERROR_TOKEN_CRITICAL,
        c"the token's header demands extensions that are not supported: refuse it",
    ),
    (
        jwt_status::JWT_ERROR_TOKEN_SIGNATURE,
        c"the token is not signed by this key: check which secret the issuer uses",
    ),
    (
        jwt_status::JWT_ERROR_TOKEN_EXPIRED,
        c"the token has expired: sign a new one",
    ),
    (
        jwt_status::JWT_ERROR_TOKEN_NOT_YET_VALID,
        c"the token is not valid yet: check the clocks of both sides",
    ),
    (
        jwt_status::JWT_ERROR_TOKEN_FROM_FUTURE,
        c"the token was issued in the future: check the clocks of both sides",
    ),
    (
        jwt_status::JWT_ERROR_TOKEN_WITHOUT_IAT,
        c"the token has no iat, but its age is limited: sign one that has it",
    ),
    (
        jwt_status::JWT_ERROR_TOKEN_TOO_OLD,
        c"the token was issued too long ago: sign a new one",
    ),
    (
        jwt_status::JWT_ERROR_UNNAMED,
        c"an error without a name: report it",
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

impl From<BufferTooSmall> for Failure {
    fn from(error: BufferTooSmall) -> Self {
        Self {
            status: jwt_status::JWT_ERROR_BUFFER_TOO_SMALL,
            needed: error.needed,
        }
    }
}

impl From<AuthorizeError<EngineFailed>> for jwt_status {
    fn from(error: AuthorizeError<EngineFailed>) -> Self {
        match error {
            AuthorizeError::NoCredential => Self::JWT_ERROR_NO_CREDENTIAL,
            AuthorizeError::Clock(error) => error.into(),
            AuthorizeError::Credential(error) => error.into(),
            AuthorizeError::TooSmall(_) => Self::JWT_ERROR_KEY_TOO_LONG,
            AuthorizeError::Sign(error) => Failure::from(error).status,
            _ => Self::JWT_ERROR_UNNAMED,
        }
    }
}

impl From<ClockError> for jwt_status {
    fn from(error: ClockError) -> Self {
        match error {
            ClockError::Unset => Self::JWT_ERROR_CLOCK_UNSET,
            ClockError::BeforeBuild { .. } => Self::JWT_ERROR_CLOCK_BEFORE_BUILD,
            ClockError::BehindFloor { .. } => Self::JWT_ERROR_CLOCK_BEHIND_FLOOR,
            ClockError::TooFarAhead { .. } => Self::JWT_ERROR_CLOCK_TOO_FAR_AHEAD,
            ClockError::CorrectionTooLarge { .. } => Self::JWT_ERROR_CLOCK_CORRECTION_TOO_LARGE,
            ClockError::UptimeBackwards => Self::JWT_ERROR_CLOCK_UPTIME_BACKWARDS,
            _ => Self::JWT_ERROR_UNNAMED,
        }
    }
}

impl From<CredentialError> for jwt_status {
    fn from(error: CredentialError) -> Self {
        match error {
            CredentialError::IdMissing => Self::JWT_ERROR_ID_MISSING,
            CredentialError::IdUnexpected => Self::JWT_ERROR_ID_UNEXPECTED,
            CredentialError::IdTooLong { .. }
            | CredentialError::IdCharacter { .. }
            | CredentialError::IdNotUuid => Self::JWT_ERROR_ID_MALFORMED,
            CredentialError::KeyMissing => Self::JWT_ERROR_KEY_EMPTY,
            CredentialError::KeyCharacter { .. } | CredentialError::KeyColon => {
                Self::JWT_ERROR_KEY_CHARACTER
            }
            CredentialError::KeyPrefix { .. } => Self::JWT_ERROR_KEY_PREFIX,
            CredentialError::KeyTooShort { .. } => Self::JWT_ERROR_KEY_INCOMPLETE,
            CredentialError::KeyTooLong { .. } => Self::JWT_ERROR_KEY_TOO_LONG,
            CredentialError::TestKey => Self::JWT_ERROR_KEY_IS_TEST,
            CredentialError::LiveKey => Self::JWT_ERROR_KEY_IS_LIVE,
            CredentialError::KeyIsSent => Self::JWT_ERROR_KEY_IS_SENT,
            CredentialError::WeakKey { .. } => Self::JWT_ERROR_KEY_TOO_SHORT,
            _ => Self::JWT_ERROR_UNNAMED,
        }
    }
}

impl From<SlotError> for jwt_status {
    fn from(error: SlotError) -> Self {
        match error {
            SlotError::Occupied => Self::JWT_ERROR_SLOT_OCCUPIED,
            SlotError::NotVerified => Self::JWT_ERROR_SLOT_NOT_VERIFIED,
            SlotError::Record => Self::JWT_ERROR_SLOT_RECORD,
            _ => Self::JWT_ERROR_UNNAMED,
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
