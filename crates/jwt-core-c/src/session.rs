//! What keeps a device authorized with one API: a credential and the time in, an `Authorization` line out.

use core::ffi::c_char;

use api_auth::{Api, Clock, Session, Slot, Slots};

use crate::claims::jwt_text;
use crate::credential::{JWT_AUTHORIZATION_CAPACITY, jwt_credential};
use crate::engine::Mac;
use crate::memory::{self, Output};
use crate::object::{self, Stored};
use crate::rotation::JWT_SLOTS_LEN;
use crate::status::jwt_status;

/// Words of 8 bytes in a `jwt_session`.
pub const JWT_SESSION_WORDS: usize = 216;

/// Clock, two slots of credentials and their tokens for one API, in storage of the caller's; opaque.
///
/// It holds what authorizes: wipe it. It may be copied and moved, and every copy is to be wiped.
#[repr(C)]
pub struct jwt_session {
    /// Not to be looked at.
    pub opaque: [u64; JWT_SESSION_WORDS],
}

pub(crate) type Authorization = Session<'static, Mac, JWT_AUTHORIZATION_CAPACITY>;

impl Stored for Authorization {
    type Storage = jwt_session;
    const TAG: u32 = 0x7365_7304;
}

/// What a session begins with.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jwt_session_config {
    /// `heymarket`, `heymarket-bearer`, `heymarket-basic`, `heyoo`, `key-id`, `key-id-static` or `hookmesh`.
    pub api: jwt_text,
    /// When the firmware was built, in Unix seconds: no earlier time is believed, nor one 50 years later.
    pub build_secs: u64,
    /// What `jwt_session_floor_secs` returned when it was last kept in flash, or 0.
    pub floor_secs: u64,
    /// The `JWT_SLOTS_LEN` bytes that `jwt_session_slots` gave when they were last kept in flash; null on a new
    /// device, which takes each credential below as one that the server has yet to see.
    pub slots: *const u8,
    /// The credential in slot A, or null. One that the slots don't know is not used.
    pub a: *const jwt_credential,
    /// The credential in slot B, or null.
    pub b: *const jwt_credential,
}

/// Begins a session.
///
/// `session_size`: `sizeof(jwt_session)`. The clock is unset. What the configuration points to is not needed
/// afterwards, but for the context of an engine. On failure the session is zeroed, so that using it is an error,
/// unless it can't be written to: then it is untouched.
///
/// Errors: `JWT_ERROR_UNKNOWN_API`, those about IDs and keys, `JWT_ERROR_SLOT_RECORD`, `JWT_ERROR_ARGUMENT` for an
/// unknown policy or a key beside an engine, `JWT_ERROR_STORAGE_TOO_SMALL`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jwt_session_init(
    session: *mut jwt_session,
    session_size: usize,
    config: *const jwt_session_config,
) -> jwt_status {
    // SAFETY: as the contract of the crate has it.
    let make = || unsafe { begin(config) };
    // SAFETY: as the contract of the crate has it.
    unsafe { object::init(session, session_size, make) }
}

/// # Safety
/// As the contract of the crate has it.
unsafe fn begin(config: *const jwt_session_config) -> Result<Authorization, jwt_status> {
    // SAFETY: the caller's promise.
    let config = unsafe { memory::read(config) }?;
    // SAFETY: the caller's promise.
    let name = unsafe { config.api.get() }?;
    let api = name.and_then(Api::by_name);
    let api = api.ok_or(jwt_status::JWT_ERROR_UNKNOWN_API)?;
    let clock = Clock::new(config.build_secs, config.floor_secs);
    let signer = |credential: *const jwt_credential| {
        if credential.is_null() {
            return Ok(None);
        }
        // SAFETY: the caller's promise.
        let credential = unsafe { memory::read(credential) }?;
        // SAFETY: the caller's promise.
        unsafe { credential.signer(api) }.map(Some)
    };
    let (a, b) = (signer(config.a)?, signer(config.b)?);
    let mut slots = Slots::EMPTY;
    if config.slots.is_null() {
        for (slot, credential) in [(Slot::A, &a), (Slot::B, &b)] {
            if credential.is_some() {
                slots = slots.deployed(slot)?;
            }
        }
    } else {
        // SAFETY: the caller's promise.
        slots = Slots::from_bytes(unsafe { memory::slice(config.slots, JWT_SLOTS_LEN) }?)?;
    }
    Ok(Session::new(api, clock, slots, a, b))
}

/// Writes the line of a request that starts now: `Authorization: ` and what the API wants, without CRLF.
///
/// `uptime_ms` is milliseconds since the start, in 64 bits; see `jwt_uptime_ms`. A token serves many requests, and is
/// signed anew shortly before it expires.
///
/// Writes the line and a zero to `line`, a buffer of `line_size` bytes, and its length without that zero to
/// `line_len`, unless that is null. On `JWT_ERROR_BUFFER_TOO_SMALL` nothing is written but the length that the line
/// has; on any other error the buffer is untouched. `JWT_LINE_SIZE` bytes are always enough.
///
/// Errors: `JWT_ERROR_NO_CREDENTIAL`; for a token, those about the clock, first of all `JWT_ERROR_CLOCK_UNSET`, and
/// `JWT_ERROR_ENGINE`; `JWT_ERROR_BUFFER_TOO_SMALL`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jwt_session_authorize(
    session: *mut jwt_session,
    uptime_ms: u64,
    line: *mut c_char,
    line_size: usize,
    line_len: *mut usize,
) -> jwt_status {
    // SAFETY: as the contract of the crate has it.
    unsafe { authorize(session, Which::Active, uptime_ms, line, line_size, line_len) }
}

/// Writes the line of the API's check of the standby slot's credential, as `jwt_session_authorize` does of the active's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jwt_session_authorize_standby(
    session: *mut jwt_session,
    uptime_ms: u64,
    line: *mut c_char,
    line_size: usize,
    line_len: *mut usize,
) -> jwt_status {
    // SAFETY: as the contract of the crate has it.
    unsafe {
        authorize(
            session,
            Which::Standby,
            uptime_ms,
            line,
            line_size,
            line_len,
        )
    }
}

#[derive(Clone, Copy)]
enum Which {
    Active,
    Standby,
}

/// # Safety
/// As the contract of the crate has it.
unsafe fn authorize(
    session: *mut jwt_session,
    which: Which,
    uptime_ms: u64,
    line: *mut c_char,
    line_size: usize,
    line_len: *mut usize,
) -> jwt_status {
    let write = |state: &mut Authorization| {
        let out = Output::new(line, line_size)?;
        out.apart_from(session, 1)?;
        memory::apart(line_len, 1, session, 1)?;
        let value = match which {
            Which::Active => state.authorize(uptime_ms),
            Which::Standby => state.authorize_standby(uptime_ms),
        }
        .map_err(jwt_status::from)?;
        let text = |out: &mut [u8]| Ok(value.write_line(out)?.len());
        // SAFETY: the caller's promise.
        Ok(unsafe { out.fill(line_len, text) })
    };
    // SAFETY: the caller's promise.
    match unsafe { object::using(session, write) } {
        Ok(status) | Err(status) => status,
    }
}

/// Zeroes a session, initialised or not.
///
/// Errors: `JWT_ERROR_NULL_POINTER`, `JWT_ERROR_MISALIGNED`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jwt_session_wipe(session: *mut jwt_session) -> jwt_status {
    // SAFETY: as the contract of the crate has it.
    unsafe { object::wipe::<Authorization>(session) }
}
