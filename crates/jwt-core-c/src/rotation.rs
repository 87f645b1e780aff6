//! One credential replaces the other without downtime.

use api_auth::{Slot, Slots, Step};

use crate::credential::jwt_credential;
use crate::memory;
use crate::object;
use crate::session::{Authorization, jwt_session};
use crate::status::jwt_status;

/// One of the two places for a credential: `JWT_SLOT_A` or `JWT_SLOT_B`.
pub type jwt_slot = i32;

/// The first place for a credential.
pub const JWT_SLOT_A: jwt_slot = 0;

/// The second place for a credential.
pub const JWT_SLOT_B: jwt_slot = 1;

/// Bytes of the record of the slots.
pub const JWT_SLOTS_LEN: usize = 4;

const _: () = assert!(JWT_SLOTS_LEN == Slots::RECORD_LEN);

/// What comes next in a rotation.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum jwt_step {
    /// Store a credential in the slot and deploy it.
    JWT_STEP_DEPLOY,
    /// Send the API's check with the slot's credential.
    JWT_STEP_CHECK,
    /// Promote the standby.
    JWT_STEP_PROMOTE,
    /// Revoke the slot's credential at the server, retire it, keep the slots, erase what is stored.
    JWT_STEP_REVOKE,
    /// Nothing until the next rotation.
    JWT_STEP_REST,
}

/// Takes a new credential, already stored, into an empty slot: keep the slots after it.
///
/// On failure the session is as before.
///
/// Errors: `JWT_ERROR_SLOT_OCCUPIED`, `JWT_ERROR_ARGUMENT` for a slot that is none, those about IDs and keys.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jwt_session_deploy(
    session: *mut jwt_session,
    slot: jwt_slot,
    credential: *const jwt_credential,
) -> jwt_status {
    let deploy = |session: &mut Authorization| {
        let slot = slot_of(slot)?;
        // SAFETY: as the contract of the crate has it.
        let credential = unsafe { memory::read(credential) }?;
        // SAFETY: as the contract of the crate has it.
        let signer = unsafe { credential.signer(session.api()) }?;
        session.deploy(slot, signer)?;
        Ok(jwt_status::JWT_OK)
    };
    // SAFETY: as the contract of the crate has it.
    match unsafe { object::using(session, deploy) } {
        Ok(status) | Err(status) => status,
    }
}

/// Makes the standby the active slot: keep the slots after it.
///
/// Errors: `JWT_ERROR_SLOT_NOT_VERIFIED`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jwt_session_promote(session: *mut jwt_session) -> jwt_status {
    let promote = |session: &mut Authorization| {
        session.promote()?;
        Ok(jwt_status::JWT_OK)
    };
    // SAFETY: as the contract of the crate has it.
    match unsafe { object::using(session, promote) } {
        Ok(status) | Err(status) => status,
    }
}

/// Drops the standby's credential: keep the slots after it, then erase what is stored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jwt_session_retire(session: *mut jwt_session) -> jwt_status {
    let retire = |session: &mut Authorization| {
        session.retire();
        Ok(jwt_status::JWT_OK)
    };
    // SAFETY: as the contract of the crate has it.
    match unsafe { object::using(session, retire) } {
        Ok(status) | Err(status) => status,
    }
}

/// Writes the record of the slots, to be kept in flash when it has changed: `JWT_SLOTS_LEN` bytes, untouched on failure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jwt_session_slots(
    session: *mut jwt_session,
    record: *mut u8,
) -> jwt_status {
    let slots = |state: &mut Authorization| {
        memory::check_result(record.cast::<[u8; JWT_SLOTS_LEN]>(), session)?;
        Ok(state.slots().to_bytes())
    };
    // SAFETY: as the contract of the crate has it.
    let written = unsafe { object::using(session, slots) }.and_then(|bytes| {
        // SAFETY: as the contract of the crate has it.
        unsafe { memory::write(record.cast::<[u8; JWT_SLOTS_LEN]>(), bytes) }
    });
    written.err().unwrap_or(jwt_status::JWT_OK)
}

/// Tells what comes next in a rotation, and in which slot, unless `slot` is null; untouched on failure.
///
/// Where a step has no slot of its own it is the standby.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jwt_session_next_step(
    session: *mut jwt_session,
    step: *mut jwt_step,
    slot: *mut jwt_slot,
) -> jwt_status {
    let next = |state: &mut Authorization| {
        memory::check_result(step, session)?;
        memory::check_wanted(slot, session)?;
        let slots = state.slots();
        Ok(match slots.next() {
            Step::Deploy(slot) => (jwt_step::JWT_STEP_DEPLOY, slot),
            Step::Check(slot) => (jwt_step::JWT_STEP_CHECK, slot),
            Step::Promote => (jwt_step::JWT_STEP_PROMOTE, slots.standby()),
            Step::Revoke(slot) => (jwt_step::JWT_STEP_REVOKE, slot),
            Step::Rest => (jwt_step::JWT_STEP_REST, slots.standby()),
        })
    };
    // SAFETY: as the contract of the crate has it.
    let written = unsafe { object::using(session, next) }.and_then(|(next, place)| {
        // SAFETY: as the contract of the crate has it.
        unsafe { memory::write(step, next) }?;
        // SAFETY: as the contract of the crate has it.
        unsafe { memory::write(slot, slot_number(place)) }
    });
    written.err().unwrap_or(jwt_status::JWT_OK)
}

pub(crate) fn slot_number(slot: Slot) -> jwt_slot {
    match slot {
        Slot::A => JWT_SLOT_A,
        Slot::B => JWT_SLOT_B,
    }
}

fn slot_of(number: jwt_slot) -> Result<Slot, jwt_status> {
    match number {
        JWT_SLOT_A => Ok(Slot::A),
        JWT_SLOT_B => Ok(Slot::B),
        _ => Err(jwt_status::JWT_ERROR_ARGUMENT),
    }
}
