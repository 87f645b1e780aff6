//! Signing again and again with nothing but the times changed.

use core::ffi::c_char;

use jwt_core::{BEARER_LINE_PREFIX, SignError, Template, Times};

use crate::claims::{jwt_claims, jwt_times};
use crate::engine::Mac;
use crate::key::jwt_key;
use crate::memory::{self, Output};
use crate::object::{self, Stored};
use crate::status::{Failure, jwt_status};

/// Most characters of base64url that a template holds: of the header, of the claims, and the dot.
///
/// An issuer that is a UUID takes 97.
pub const JWT_TEMPLATE_CAPACITY: usize = 256;

/// Words of 8 bytes in a `jwt_template`.
pub const JWT_TEMPLATE_WORDS: usize = 54;

/// A token of which everything but the times is encoded and absorbed once, in storage of the caller's; opaque.
///
/// It holds the key, so it signs whatever the key signs. It may be copied and moved. Every copy is to be wiped.
#[repr(C)]
pub struct jwt_template {
    /// Not to be looked at.
    pub opaque: [u64; JWT_TEMPLATE_WORDS],
}

type Stencil = Template<Mac, JWT_TEMPLATE_CAPACITY>;

impl Stored for Stencil {
    type Storage = jwt_template;
    const TAG: u32 = 0x746d_7004;
}

/// Encodes and absorbs everything of a token but its times.
///
/// `template_size`: `sizeof(jwt_template)`. Key and claims are not needed afterwards; the key may be wiped.
/// On failure the template is zeroed, so that using it is an error, unless it can't be written to:
/// then it is untouched.
///
/// Errors: `JWT_ERROR_CLAIMS_TOO_LONG`, `JWT_ERROR_NOT_UTF8`, `JWT_ERROR_NOT_INITIALIZED` for the key,
/// `JWT_ERROR_STORAGE_TOO_SMALL`, and those about pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jwt_template_init(
    template: *mut jwt_template,
    template_size: usize,
    key: *const jwt_key,
    claims: *const jwt_claims,
) -> jwt_status {
    let make = || {
        // SAFETY: as the contract of the crate has it.
        let mac = unsafe { object::copy::<Mac>(key) }?;
        // SAFETY: as the contract of the crate has it.
        let claims = unsafe { memory::read(claims) }?;
        // SAFETY: as the contract of the crate has it.
        let (header, claims) = unsafe { claims.get() }?;
        Stencil::new(mac, &header, &claims).map_err(|error| match error {
            SignError::BufferTooSmall { .. } => jwt_status::JWT_ERROR_CLAIMS_TOO_LONG,
            error => Failure::from(error).status,
        })
    };
    // SAFETY: as the contract of the crate has it.
    unsafe { object::init(template, template_size, make) }
}

/// Signs with new times, at the cost of 3 SHA-256 compressions for a token of Heymarket's.
///
/// The token is byte for byte the one of `jwt_sign`, as are the buffer, the length and the errors.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jwt_template_sign(
    template: *mut jwt_template,
    times: *const jwt_times,
    token: *mut c_char,
    token_size: usize,
    token_len: *mut usize,
) -> jwt_status {
    // SAFETY: as the contract of the crate has it.
    unsafe { sign_behind("", template, times, token, token_size, token_len) }
}

/// Writes a prefix and the token.
unsafe fn sign_behind(
    prefix: &'static str,
    template: *mut jwt_template,
    times: *const jwt_times,
    text: *mut c_char,
    size: usize,
    len: *mut usize,
) -> jwt_status {
    let checked = || {
        let out = Output::new(text, size)?;
        out.apart_from(template, 1)?;
        memory::apart(len, 1, template, 1)?;
        // SAFETY: as the contract of the crate has it.
        let times = Times::from(unsafe { memory::read(times) }?);
        Ok::<_, jwt_status>((out, times))
    };
    let sign = |template: &mut Stencil| {
        let (out, times) = checked()?;
        let text = |out: &mut [u8]| {
            let (head, rest) = out.split_at_mut_checked(prefix.len()).unwrap_or_default();
            let token_len = match template.sign(&times, rest) {
                Ok(token) => token.len(),
                Err(error) => return Err(Failure::from(error).behind(prefix.len())),
            };
            for (slot, byte) in head.iter_mut().zip(prefix.bytes()) {
                *slot = byte;
            }
            Ok(head.len().saturating_add(token_len))
        };
        // SAFETY: as the contract of the crate has it.
        Ok(unsafe { out.fill(len, text) })
    };
    // SAFETY: as the contract of the crate has it.
    match unsafe { object::using(template, sign) } {
        Ok(status) | Err(status) => status,
    }
}

/// Signs with new times, and writes the line of an HTTP request: `Authorization: Bearer ` and the token, without CRLF.
///
/// Buffer, length and errors are as of `jwt_sign`, with the line in the place of the token: its length is
/// `JWT_BEARER_LINE_LEN` of the token's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jwt_template_bearer_line(
    template: *mut jwt_template,
    times: *const jwt_times,
    line: *mut c_char,
    line_size: usize,
    line_len: *mut usize,
) -> jwt_status {
    // SAFETY: as the contract of the crate has it.
    unsafe {
        sign_behind(
            BEARER_LINE_PREFIX,
            template,
            times,
            line,
            line_size,
            line_len,
        )
    }
}

/// Returns the length in bytes of the token with these times, without the zero; 0 if it can't be signed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jwt_template_token_len(
    template: *mut jwt_template,
    times: *const jwt_times,
) -> usize {
    let len = |template: &mut Stencil| {
        // SAFETY: as the contract of the crate has it.
        let times = Times::from(unsafe { memory::read(times) }?);
        Ok(template.token_len(&times))
    };
    // SAFETY: as the contract of the crate has it.
    unsafe { object::using(template, len) }.unwrap_or(0)
}

/// Zeroes a template, initialised or not.
///
/// Errors: `JWT_ERROR_NULL_POINTER`, `JWT_ERROR_MISALIGNED`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jwt_template_wipe(template: *mut jwt_template) -> jwt_status {
    // SAFETY: as the contract of the crate has it.
    unsafe { object::wipe::<Stencil>(template) }
}
