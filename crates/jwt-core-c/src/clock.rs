//! What time it is, for tokens.

use api_auth::{Reading, Source, http_date, rfc3339};

use crate::claims::jwt_text;
use crate::memory;
use crate::object;
use crate::session::{Authorization, jwt_session};
use crate::status::jwt_status;

/// Where a reading of the time comes from: one of the `JWT_SOURCE_` numbers.
pub type jwt_source = i32;

/// A battery-backed real-time clock.
pub const JWT_SOURCE_RTC: jwt_source = 1;

/// An operating system that keeps its own clock right.
pub const JWT_SOURCE_HOST: jwt_source = 2;

/// SNTP (RFC 4330), unauthenticated.
pub const JWT_SOURCE_SNTP: jwt_source = 3;

/// The `Date` of an HTTP response that came over TLS; over plain HTTP it is no source.
pub const JWT_SOURCE_HTTP_DATE: jwt_source = 4;

/// The `time` member of Key-ID's health check, over TLS.
pub const JWT_SOURCE_KEY_ID_TIME: jwt_source = 5;

/// The age of a reading whose source was set right nobody knows when.
pub const JWT_AGE_UNKNOWN: u32 = u32::MAX;

/// Takes a reading of the time, if it is plausible, and goes on from it if it is better than what there is.
///
/// `unix_secs`: the present in Unix seconds, without leap seconds. `age_secs`: how many seconds ago the source was last
/// set right, or `JWT_AGE_UNKNOWN`. `uptime_ms`: milliseconds since the start.
///
/// Errors: `JWT_ERROR_CLOCK_BEFORE_BUILD`, `JWT_ERROR_CLOCK_BEHIND_FLOOR`, `JWT_ERROR_CLOCK_TOO_FAR_AHEAD`,
/// `JWT_ERROR_CLOCK_CORRECTION_TOO_LARGE`, `JWT_ERROR_ARGUMENT` for an unknown source; the clock goes on as before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jwt_session_set_clock(
    session: *mut jwt_session,
    unix_secs: u64,
    source: jwt_source,
    age_secs: u32,
    uptime_ms: u64,
) -> jwt_status {
    let set = |session: &mut Authorization| {
        let reading = Reading {
            unix_secs,
            source: match source {
                JWT_SOURCE_RTC => Source::Rtc,
                JWT_SOURCE_HOST => Source::Host,
                JWT_SOURCE_SNTP => Source::Sntp,
                JWT_SOURCE_HTTP_DATE => Source::HttpDate,
                JWT_SOURCE_KEY_ID_TIME => Source::KeyIdTime,
                _ => return Err(jwt_status::JWT_ERROR_ARGUMENT),
            },
            age_secs,
        };
        session.clock_mut().set(reading, uptime_ms)?;
        Ok(jwt_status::JWT_OK)
    };
    // SAFETY: as the contract of the crate has it.
    match unsafe { object::using(session, set) } {
        Ok(status) | Err(status) => status,
    }
}

/// Tells the time that tokens are signed with, at an uptime in milliseconds.
///
/// The present goes to `unix_secs`, in Unix seconds, and by how many seconds it may be wrong, either way, to
/// `error_secs`; each may be null. On failure nothing is written.
///
/// Errors: `JWT_ERROR_CLOCK_UNSET`, `JWT_ERROR_CLOCK_UPTIME_BACKWARDS`, and what makes the time implausible.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jwt_session_now(
    session: *mut jwt_session,
    uptime_ms: u64,
    unix_secs: *mut u64,
    error_secs: *mut u32,
) -> jwt_status {
    let now = |state: &mut Authorization| {
        memory::check_wanted(unix_secs, session)?;
        memory::check_wanted(error_secs, session)?;
        Ok(state.clock().now(uptime_ms)?)
    };
    // SAFETY: as the contract of the crate has it.
    let told = unsafe { object::using(session, now) }.and_then(|now| {
        // SAFETY: as the contract of the crate has it.
        unsafe { memory::write(unix_secs, now.unix_secs()) }?;
        // SAFETY: as the contract of the crate has it.
        unsafe { memory::write(error_secs, now.error_secs()) }
    });
    told.err().unwrap_or(jwt_status::JWT_OK)
}

/// Returns the Unix seconds that no reading may be behind of, to be kept in flash about once a day; 0 on failure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jwt_session_floor_secs(session: *mut jwt_session) -> u64 {
    let floor = |session: &mut Authorization| Ok(session.clock().floor_secs());
    // SAFETY: as the contract of the crate has it.
    unsafe { object::using(session, floor) }.unwrap_or(0)
}

/// Returns the Unix seconds of an HTTP-date in any of its forms (RFC 9110 section 5.6.7), 0 if it is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jwt_http_date_secs(text: jwt_text) -> u64 {
    // SAFETY: as the contract of the crate has it.
    let text = unsafe { text.get() };
    text.ok().flatten().and_then(http_date).unwrap_or(0)
}

/// Returns the Unix seconds of an RFC 3339 timestamp, a fraction of a second cut off, 0 if it is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jwt_rfc3339_secs(text: jwt_text) -> u64 {
    // SAFETY: as the contract of the crate has it.
    let text = unsafe { text.get() };
    text.ok().flatten().and_then(rfc3339).unwrap_or(0)
}
