//! Where HMAC-SHA256 is computed: by this library, or by a function of the firmware's.

use core::convert::Infallible;
use core::ffi::c_void;
use core::fmt;

use jwt_core::{HmacKey, MacEngine, Midstate};

/// Length of an HMAC-SHA256 in bytes.
pub const JWT_MAC_LEN: usize = 32;

/// A key in hardware, a peripheral's or a secure element's, that a function of the firmware's computes with.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jwt_engine {
    /// Given to the function as it is; may be null.
    pub context: *mut c_void,
    /// Computes the HMAC-SHA256 of a message, writes its `JWT_MAC_LEN` bytes to `mac` and returns 0.
    ///
    /// The message comes whole. Anything but 0 becomes `JWT_ERROR_ENGINE`, and nothing is signed. The
    /// function must not use the object that calls it.
    pub hmac: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            message: *const u8,
            message_len: usize,
            mac: *mut u8,
        ) -> i32,
    >,
}

/// The firmware's function has returned an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EngineFailed;

impl fmt::Display for EngineFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the HMAC engine failed")
    }
}

impl core::error::Error for EngineFailed {}

type Absorb = fn(&mut Secret, &[[u8; 64]]) -> Option<Midstate>;
type Finish = fn(&mut Secret, Option<&Midstate>, &[u8]) -> Result<[u8; 32], EngineFailed>;

/// A key and what computes with it.
///
/// The functions are pointers, set when the key is made: a firmware whose keys are all in hardware
/// doesn't link SHA-256.
#[derive(Clone)]
pub(crate) struct Mac {
    secret: Secret,
    absorb: Absorb,
    finish: Finish,
}

#[derive(Clone)]
enum Secret {
    Memory(HmacKey),
    Hardware(jwt_engine),
}

impl Mac {
    pub fn software(key: HmacKey) -> Self {
        Self {
            secret: Secret::Memory(key),
            absorb,
            finish,
        }
    }

    pub fn hardware(engine: jwt_engine) -> Self {
        Self {
            secret: Secret::Hardware(engine),
            absorb: |_, _| None,
            finish: call,
        }
    }
}

impl MacEngine for Mac {
    type Error = EngineFailed;
    type Midstate = Option<Midstate>;

    fn absorb(&mut self, blocks: &[[u8; 64]]) -> Result<Option<Midstate>, EngineFailed> {
        Ok((self.absorb)(&mut self.secret, blocks))
    }

    fn finish(
        &mut self,
        midstate: &Option<Midstate>,
        message: &[u8],
    ) -> Result<[u8; 32], EngineFailed> {
        (self.finish)(&mut self.secret, midstate.as_ref(), message)
    }
}

fn absorb(secret: &mut Secret, blocks: &[[u8; 64]]) -> Option<Midstate> {
    match secret {
        Secret::Memory(key) => Some(certain(key.absorb(blocks))),
        Secret::Hardware(_) => None,
    }
}

fn finish(
    secret: &mut Secret,
    midstate: Option<&Midstate>,
    message: &[u8],
) -> Result<[u8; 32], EngineFailed> {
    match (secret, midstate) {
        (Secret::Memory(key), Some(midstate)) => Ok(certain(key.finish(midstate, message))),
        _ => Err(EngineFailed),
    }
}

fn call(
    secret: &mut Secret,
    _: Option<&Midstate>,
    message: &[u8],
) -> Result<[u8; 32], EngineFailed> {
    let Secret::Hardware(jwt_engine {
        context,
        hmac: Some(hmac),
    }) = *secret
    else {
        return Err(EngineFailed);
    };
    let mut mac = [0; JWT_MAC_LEN];
    // SAFETY: the function is what C declares it to be; it reads the message and writes 32 bytes.
    match unsafe { hmac(context, message.as_ptr(), message.len(), mac.as_mut_ptr()) } {
        0 => Ok(mac),
        _ => Err(EngineFailed),
    }
}

fn certain<T>(result: Result<T, Infallible>) -> T {
    match result {
        Ok(value) => value,
        Err(never) => match never {},
    }
}
