//! Reading and verifying tokens.

use core::ffi::c_char;

use jwt_core::{
    TimeError, Times, TokenError, Unverified, Validation, VerifyError, inspect, verify,
};

use crate::claims::{JWT_ABSENT, jwt_text, jwt_times};
use crate::engine::{EngineFailed, Mac};
use crate::key::jwt_key;
use crate::memory;
use crate::object;
use crate::status::jwt_status;

/// What a token's times are held against.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jwt_validation {
    /// The present, in Unix seconds.
    pub now: u64,
    /// By how many seconds the two clocks may differ.
    pub leeway_secs: u64,
    /// For how many seconds after `iat`, which it then must have, a token is accepted; `JWT_ABSENT` for any.
    pub max_age_secs: u64,
}

/// What a token says; its texts lie in the scratch buffer that it was read with.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jwt_token {
    /// The header's JSON.
    pub header: jwt_text,
    /// The payload's JSON.
    pub payload: jwt_text,
    /// The `alg` of the header, escapes not decoded.
    pub alg: jwt_text,
    /// The `kid` of the header, escapes not decoded; no data if there is none.
    pub kid: jwt_text,
    /// The times that the token has.
    pub times: jwt_times,
}

/// Reads a compact token without trusting it: it may be a lie.
///
/// The token is decoded into `scratch`, of which `JWT_SCRATCH_SIZE` of the token's length is enough; what it says goes
/// to `said`, whose texts point there. On failure `said` is untouched, and `scratch` holds a part of the token, or what
/// it held.
///
/// Errors: `JWT_ERROR_TOKEN_TOO_LONG`, `JWT_ERROR_TOKEN_MALFORMED`, `JWT_ERROR_BUFFER_TOO_SMALL`, `JWT_ERROR_NOT_UTF8`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jwt_inspect(
    token: jwt_text,
    scratch: *mut u8,
    scratch_size: usize,
    said: *mut jwt_token,
) -> jwt_status {
    let read = || {
        memory::check(said)?;
        // SAFETY: as the contract of the crate has it.
        let (token, scratch) = unsafe { inputs(token, scratch, scratch_size, said) }?;
        Ok(jwt_token::from(&inspect(token, scratch)?))
    };
    let written = read().and_then(|read| {
        // SAFETY: as the contract of the crate has it.
        unsafe { memory::write(said, read) }
    });
    written.err().unwrap_or(jwt_status::JWT_OK)
}

/// Checks that a token is signed by a key with HS256 and valid in time, and reads it as `jwt_inspect` does.
///
/// Signatures are compared in constant time; `none`, any other `alg` and any `crit` are refused. Times that are absent are
/// not checked, but for `iat` where there is a maximum age. Who may issue the token, and for whom, is for the caller to
/// check in what it says. `said` may be null; on failure it is untouched.
///
/// Errors: those of `jwt_inspect`; `JWT_ERROR_TOKEN_ALGORITHM`, `JWT_ERROR_TOKEN_CRITICAL`, `JWT_ERROR_TOKEN_SIGNATURE`,
/// `JWT_ERROR_TOKEN_EXPIRED`, `JWT_ERROR_TOKEN_NOT_YET_VALID`, `JWT_ERROR_TOKEN_FROM_FUTURE`,
/// `JWT_ERROR_TOKEN_WITHOUT_IAT`, `JWT_ERROR_TOKEN_TOO_OLD`; `JWT_ERROR_ENGINE`, `JWT_ERROR_NOT_INITIALIZED` for the key.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jwt_verify(
    key: *const jwt_key,
    token: jwt_text,
    validation: *const jwt_validation,
    scratch: *mut u8,
    scratch_size: usize,
    said: *mut jwt_token,
) -> jwt_status {
    let check = || {
        memory::apart(scratch, scratch_size, key, 1)?;
        // SAFETY: as the contract of the crate has it.
        let mac = unsafe { object::copy::<Mac>(key) }?;
        // SAFETY: as the contract of the crate has it.
        let validation = Validation::from(unsafe { memory::read(validation) }?);
        if !said.is_null() {
            memory::check(said)?;
        }
        // SAFETY: as the contract of the crate has it.
        let (token, scratch) = unsafe { inputs(token, scratch, scratch_size, said) }?;
        Ok(jwt_token::from(&*verify(mac, token, &validation, scratch)?))
    };
    let written = check().and_then(|read| {
        // SAFETY: as the contract of the crate has it.
        unsafe { memory::write(said, read) }
    });
    written.err().unwrap_or(jwt_status::JWT_OK)
}

/// Returns the token and the scratch buffer, neither of which is part of the other or of what is written.
///
/// # Safety
/// As the contract of the crate has it.
unsafe fn inputs<'a>(
    token: jwt_text,
    scratch: *mut u8,
    scratch_size: usize,
    said: *const jwt_token,
) -> Result<(&'a str, &'a mut [u8]), jwt_status> {
    memory::apart(scratch, scratch_size, token.data, token.len)?;
    if !said.is_null() {
        memory::apart(said, 1, scratch, scratch_size)?;
        memory::apart(said, 1, token.data, token.len)?;
    }
    // SAFETY: the caller's promise.
    let text = unsafe { token.get() }?.ok_or(jwt_status::JWT_ERROR_NULL_POINTER)?;
    // SAFETY: the caller's promise.
    let scratch = unsafe { memory::slice_mut(scratch, scratch_size) }?;
    Ok((text, scratch))
}

impl From<&Unverified<'_>> for jwt_token {
    fn from(token: &Unverified<'_>) -> Self {
        let Times { exp, nbf, iat } = token.times();
        let time = |time: Option<u64>| time.unwrap_or(JWT_ABSENT);
        let kid = token.kid().map(text_of);
        Self {
            header: text_of(token.header()),
            payload: text_of(token.payload()),
            alg: text_of(token.alg()),
            kid: kid.unwrap_or(jwt_text {
                data: core::ptr::null(),
                len: 0,
            }),
            times: jwt_times {
                exp: time(exp),
                nbf: time(nbf),
                iat: time(iat),
            },
        }
    }
}

fn text_of(text: &str) -> jwt_text {
    jwt_text {
        data: text.as_ptr().cast::<c_char>(),
        len: text.len(),
    }
}

impl From<jwt_validation> for Validation {
    fn from(validation: jwt_validation) -> Self {
        let max_age_secs = validation.max_age_secs;
        Self {
            now: validation.now,
            leeway_secs: validation.leeway_secs,
            max_age_secs: (max_age_secs != JWT_ABSENT).then_some(max_age_secs),
        }
    }
}

impl From<TokenError> for jwt_status {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::TooLong { .. } => Self::JWT_ERROR_TOKEN_TOO_LONG,
            TokenError::BufferTooSmall { .. } => Self::JWT_ERROR_BUFFER_TOO_SMALL,
            _ => Self::JWT_ERROR_TOKEN_MALFORMED,
        }
    }
}

impl From<VerifyError<EngineFailed>> for jwt_status {
    fn from(error: VerifyError<EngineFailed>) -> Self {
        match error {
            VerifyError::Token(error) => error.into(),
            VerifyError::NotHs256 => Self::JWT_ERROR_TOKEN_ALGORITHM,
            VerifyError::Critical => Self::JWT_ERROR_TOKEN_CRITICAL,
            VerifyError::WrongSignature => Self::JWT_ERROR_TOKEN_SIGNATURE,
            VerifyError::Time(error) => error.into(),
            VerifyError::Engine(EngineFailed) => Self::JWT_ERROR_ENGINE,
            _ => Self::JWT_ERROR_UNNAMED,
        }
    }
}

impl From<TimeError> for jwt_status {
    fn from(error: TimeError) -> Self {
        match error {
            TimeError::Expired { .. } => Self::JWT_ERROR_TOKEN_EXPIRED,
            TimeError::NotYetValid { .. } => Self::JWT_ERROR_TOKEN_NOT_YET_VALID,
            TimeError::IssuedInFuture { .. } => Self::JWT_ERROR_TOKEN_FROM_FUTURE,
            TimeError::NoIssueTime => Self::JWT_ERROR_TOKEN_WITHOUT_IAT,
            TimeError::TooOld { .. } => Self::JWT_ERROR_TOKEN_TOO_OLD,
            _ => Self::JWT_ERROR_UNNAMED,
        }
    }
}
