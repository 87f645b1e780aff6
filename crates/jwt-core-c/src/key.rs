//! Keys: prepared once, then used to sign and to verify.

use jwt_core::{HmacKey, KeyError, MIN_KEY_LEN};

use crate::claims::jwt_bytes;
use crate::engine::{Mac, jwt_engine};
use crate::memory;
use crate::object::{self, Stored};
use crate::status::jwt_status;

/// Fewest bytes of an HMAC key that is not weak (RFC 7518 section 3.2).
pub const JWT_KEY_MIN_LEN: usize = 32;

const _: () = assert!(JWT_KEY_MIN_LEN == MIN_KEY_LEN);

/// Words of 8 bytes in a `jwt_key`.
pub const JWT_KEY_WORDS: usize = 12;

/// Most parts that a key is made of.
const MAX_PARTS: usize = 4;

/// An HMAC-SHA256 key, in storage of the caller's; opaque.
///
/// It holds the key's two SHA-256 states, which sign whatever the key signs, or an engine. It may be
/// copied and moved. Every copy is to be wiped.
#[repr(C)]
pub struct jwt_key {
    /// Not to be looked at.
    pub opaque: [u64; JWT_KEY_WORDS],
}

impl Stored for Mac {
    type Storage = jwt_key;
    const TAG: u32 = 0x6b65_7904;
}

/// Prepares the HMAC key that is the concatenation of parts, together at least `JWT_KEY_MIN_LEN` bytes.
///
/// Heymarket's key is three parts: the secret's ID, `||` and the secret's key.
///
/// `key_size`: `sizeof(jwt_key)`. `parts_count`: 1 to 4. On failure the key is zeroed, so that using it
/// is an error, unless it can't be written to: then it is untouched.
///
/// Errors: `JWT_ERROR_KEY_EMPTY`, `JWT_ERROR_KEY_TOO_SHORT`, `JWT_ERROR_STORAGE_TOO_SMALL`,
/// `JWT_ERROR_NULL_POINTER`, `JWT_ERROR_MISALIGNED`, `JWT_ERROR_LENGTH`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jwt_key_from_parts(
    key: *mut jwt_key,
    key_size: usize,
    parts: *const jwt_bytes,
    parts_count: usize,
) -> jwt_status {
    // SAFETY: as the contract of the crate has it.
    unsafe { from_parts(key, key_size, parts, parts_count, HmacKey::from_parts) }
}

/// Prepares a key as `jwt_key_from_parts` does, but of any length, against RFC 7518's advice.
///
/// For peers that issue keys under 32 bytes, and for test vectors.
///
/// Errors: those of `jwt_key_from_parts` but `JWT_ERROR_KEY_TOO_SHORT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jwt_key_from_weak_parts(
    key: *mut jwt_key,
    key_size: usize,
    parts: *const jwt_bytes,
    parts_count: usize,
) -> jwt_status {
    // SAFETY: as the contract of the crate has it.
    unsafe { from_parts(key, key_size, parts, parts_count, HmacKey::weak) }
}

unsafe fn from_parts(
    key: *mut jwt_key,
    key_size: usize,
    parts: *const jwt_bytes,
    parts_count: usize,
    prepare: fn(&[&[u8]]) -> Result<HmacKey, KeyError>,
) -> jwt_status {
    // Before the key's storage is written to, which may be where the parts are.
    let mut slices: [&[u8]; MAX_PARTS] = [&[]; MAX_PARTS];
    // SAFETY: as the contract of the crate has it.
    let gathered = unsafe { memory::slice(parts, parts_count) }.and_then(|parts| {
        if parts.len() > MAX_PARTS {
            return Err(jwt_status::JWT_ERROR_LENGTH);
        }
        for (slice, part) in slices.iter_mut().zip(parts) {
            memory::apart(key, 1, part.data, part.len)?;
            // SAFETY: as the contract of the crate has it.
            *slice = unsafe { memory::slice(part.data, part.len) }?;
        }
        Ok(())
    });
    let make = || {
        gathered?;
        Ok(Mac::software(prepare(&slices)?))
    };
    // SAFETY: as the contract of the crate has it.
    unsafe { object::init(key, key_size, make) }
}

/// Makes a key of an engine, which is copied; what its context points to has to stay.
///
/// `key_size`: `sizeof(jwt_key)`. On failure the key is zeroed, unless it can't be written to.
///
/// Errors: `JWT_ERROR_NULL_POINTER`, also for an engine without function, `JWT_ERROR_STORAGE_TOO_SMALL`,
/// `JWT_ERROR_MISALIGNED`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jwt_key_from_engine(
    key: *mut jwt_key,
    key_size: usize,
    engine: *const jwt_engine,
) -> jwt_status {
    // SAFETY: as the contract of the crate has it.
    let engine = unsafe { memory::read(engine) };
    let make = || match engine? {
        jwt_engine { hmac: None, .. } => Err(jwt_status::JWT_ERROR_NULL_POINTER),
        engine => Ok(Mac::hardware(engine)),
    };
    // SAFETY: as the contract of the crate has it.
    unsafe { object::init(key, key_size, make) }
}

/// Zeroes a key, initialised or not.
///
/// Errors: `JWT_ERROR_NULL_POINTER`, `JWT_ERROR_MISALIGNED`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jwt_key_wipe(key: *mut jwt_key) -> jwt_status {
    // SAFETY: as the contract of the crate has it.
    unsafe { object::wipe::<Mac>(key) }
}
