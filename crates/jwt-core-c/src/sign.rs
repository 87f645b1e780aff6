//! Signing once, without a template.

use core::ffi::c_char;

use jwt_core::{Times, sign, token_len};

use crate::claims::{jwt_claims, jwt_times};
use crate::engine::Mac;
use crate::key::jwt_key;
use crate::memory::{self, Output};
use crate::object;
use crate::status::jwt_status;

/// Signs a token of claims of any length.
///
/// Writes the token and a zero to `token`, a buffer of `token_size` bytes, and its length without that
/// zero to `token_len`, unless that is null. On `JWT_ERROR_BUFFER_TOO_SMALL` nothing is written but the
/// length that the token has; `token` may be null if `token_size` is 0. On `JWT_ERROR_ENGINE` the bytes
/// of the token are zeroed; on any other error the buffer is untouched.
///
/// Errors: `JWT_ERROR_BUFFER_TOO_SMALL`, `JWT_ERROR_TIME_OUT_OF_RANGE`, `JWT_ERROR_ENGINE`,
/// `JWT_ERROR_NOT_UTF8`, `JWT_ERROR_NOT_INITIALIZED`, and those about pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jwt_sign(
    key: *const jwt_key,
    claims: *const jwt_claims,
    times: *const jwt_times,
    token: *mut c_char,
    token_size: usize,
    token_len: *mut usize,
) -> jwt_status {
    let checked = || {
        let out = Output::new(token, token_size)?;
        out.apart_from(key, 1)?;
        // SAFETY: as the contract of the crate has it.
        let mac = unsafe { object::copy::<Mac>(key) }?;
        // SAFETY: as the contract of the crate has it.
        let claims = unsafe { memory::read(claims) }?;
        claims.apart_from(&out)?;
        // SAFETY: as the contract of the crate has it.
        let (header, claims) = unsafe { claims.get() }?;
        // SAFETY: as the contract of the crate has it.
        let times = Times::from(unsafe { memory::read(times) }?);
        Ok::<_, jwt_status>((out, mac, header, claims, times))
    };
    match checked() {
        Ok((out, mac, header, claims, times)) => {
            let text = |out: &mut [u8]| Ok(sign(mac, &header, &claims, &times, out)?.len());
            // SAFETY: as the contract of the crate has it.
            unsafe { out.fill(token_len, text) }
        }
        Err(status) => status,
    }
}

/// Returns the length in bytes of the token that `jwt_sign` makes, without the zero; 0 if it can't make it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jwt_token_len(
    claims: *const jwt_claims,
    times: *const jwt_times,
) -> usize {
    let len = || {
        // SAFETY: as the contract of the crate has it.
        let claims = unsafe { memory::read(claims) }?;
        // SAFETY: as the contract of the crate has it.
        let (header, claims) = unsafe { claims.get() }?;
        // SAFETY: as the contract of the crate has it.
        let times = Times::from(unsafe { memory::read(times) }?);
        Ok::<_, jwt_status>(token_len(header.len(), claims.len(&times)))
    };
    len().unwrap_or(0)
}
