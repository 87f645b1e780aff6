//! The C interface of `jwt-core` and `api-auth`, linked as a static library: `include/jwt_core.h` is made of this source.
//!
//! `no_std`, without a heap, and without a reachable panic. Everything lives in memory that the caller
//! owns: objects in storage of stated size and alignment, texts in buffers of stated size.
//!
//! # The contract
//!
//! It is the same for every function, so their documentation does not repeat it. A caller owes:
//!
//! - Pointers that are not null point to as much memory as the function says, readable or writable
//!   as it needs it, for as long as the call lasts. A slice of length 0 may have any pointer.
//! - No memory that is written to is used by anybody else meanwhile: an object is used by one thread or
//!   interrupt at a time.
//! - A function that is called back returns normally: it neither throws nor jumps.
//!
//! What can be told is told, by a [`jwt_status`] instead of undefined behaviour: null and misaligned pointers, sizes
//! and lengths that no memory has, storage that is too small or was never initialised, an object that is in use, a
//! buffer that overlaps with what is read, text that is not UTF-8, and numbers that are none of an enumeration.
#![no_std]
#![deny(missing_docs)]
#![allow(non_camel_case_types, reason = "the names are C's")]
#![allow(
    clippy::missing_safety_doc,
    reason = "the contract is the same for all functions, and stands above"
)]

// On a hosted target the standard library has the panic handler.
#[cfg(not(target_os = "none"))]
extern crate std;

mod answer;
mod claims;
mod clock;
mod credential;
mod engine;
mod key;
mod memory;
mod object;
#[cfg(all(target_os = "none", feature = "panic-handler"))]
mod panic;
mod rotation;
mod session;
mod sign;
mod status;
mod template;
mod verify;

pub use answer::{
    JWT_ANSWER_LOST, JWT_ANSWER_MALFORMED, JWT_ANSWER_NOT_SENT, JWT_BODY_MISSING_KID,
    JWT_BODY_OTHER, JWT_BODY_PERMISSION, jwt_action, jwt_answer, jwt_check, jwt_decision,
    jwt_rejection, jwt_session_answered, jwt_session_standby_answered,
};
pub use claims::{JWT_ABSENT, jwt_bytes, jwt_claims, jwt_text, jwt_times};
pub use clock::{
    JWT_AGE_UNKNOWN, JWT_SOURCE_HOST, JWT_SOURCE_HTTP_DATE, JWT_SOURCE_KEY_ID_TIME, JWT_SOURCE_RTC,
    JWT_SOURCE_SNTP, jwt_http_date_secs, jwt_rfc3339_secs, jwt_session_floor_secs, jwt_session_now,
    jwt_session_set_clock, jwt_source,
};
pub use credential::{
    JWT_AUTHORIZATION_CAPACITY, JWT_POLICY_FIELD, JWT_POLICY_TEST, JWT_POLICY_WEAK, jwt_credential,
    jwt_policy,
};
pub use engine::{JWT_MAC_LEN, jwt_engine};
pub use key::{
    JWT_KEY_MIN_LEN, JWT_KEY_WORDS, jwt_key, jwt_key_from_engine, jwt_key_from_parts,
    jwt_key_from_weak_parts, jwt_key_wipe,
};
pub use rotation::{
    JWT_SLOT_A, JWT_SLOT_B, JWT_SLOTS_LEN, jwt_session_deploy, jwt_session_next_step,
    jwt_session_promote, jwt_session_retire, jwt_session_slots, jwt_slot, jwt_step,
};
pub use session::{
    JWT_SESSION_WORDS, jwt_session, jwt_session_authorize, jwt_session_authorize_standby,
    jwt_session_config, jwt_session_init, jwt_session_wipe,
};
pub use sign::{jwt_sign, jwt_token_len};
pub use status::{jwt_status, jwt_status_text};
pub use template::{
    JWT_TEMPLATE_CAPACITY, JWT_TEMPLATE_WORDS, jwt_template, jwt_template_bearer_line,
    jwt_template_init, jwt_template_sign, jwt_template_token_len, jwt_template_wipe,
};
pub use verify::{jwt_inspect, jwt_token, jwt_validation, jwt_verify};
