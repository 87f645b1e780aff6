//! What may be written to a device over the line, and in which order.

use api_auth::{Slot, SlotState, Slots};
pub use secure_store::CERTIFICATES_VERSION;
use secure_store::{
    CREDENTIAL_VERSION, Credential, Key, MAX_VALUE_LEN, SETTINGS_VERSION, Settings,
};
use zeroize::Zeroizing;

use crate::device::Device;
use crate::refusal::Refusal;

/// Version of the rotation record's form, which has one of its own inside.
pub const ROTATION_VERSION: u8 = 1;

/// What a record that can be written is.
enum Writable {
    Credential(Slot),
    Settings,
    Certificates,
}

fn writable(key: Key) -> Option<(Writable, u8)> {
    for slot in [Slot::A, Slot::B] {
        if key == credential_key(slot) {
            return Some((Writable::Credential(slot), CREDENTIAL_VERSION));
        }
    }
    match key {
        Key::DEVICE | Key::NETWORK => Some((Writable::Settings, SETTINGS_VERSION)),
        _ if key == Key::certificates(key.slot) && key.slot < Key::CERTIFICATES_ASIDE => {
            Some((Writable::Certificates, CERTIFICATES_VERSION))
        }
        _ => None,
    }
}

const fn credential_key(slot: Slot) -> Key {
    Key::credential(match slot {
        Slot::A => 0,
        Slot::B => 1,
    })
}

/// Refuses a record before any of it is sent.
pub(crate) fn check_name(key: Key, version: u8) -> Result<(), Refusal> {
    let (_, known) = writable(key).ok_or(Refusal::NotWritable)?;
    match version {
        0 => Err(Refusal::Malformed),
        _ if version <= known => Ok(()),
        _ => Err(Refusal::NewerRecord),
    }
}

/// Writes a record if it is of its version's form; returns whether it was there already.
///
/// A credential goes into an empty slot only, and the rotation record follows it: after a power cut between the
/// two the slot is still called empty, and the desktop writes both again.
pub(crate) fn store(
    key: Key,
    version: u8,
    value: &[u8],
    device: &mut impl Device,
) -> Result<bool, Refusal> {
    check_name(key, version)?;
    let (writable, _) = writable(key).ok_or(Refusal::NotWritable)?;
    let unchanged = holds(key, version, value, device)?;
    match writable {
        Writable::Credential(slot) => {
            Credential::decode(value).ok_or(Refusal::Malformed)?;
            let slots = slots(device)?;
            match (slots.state(slot), unchanged) {
                (SlotState::Empty, _) => {
                    if !unchanged {
                        device.put(key, version, value)?;
                    }
                    let slots = slots
                        .deployed(slot)
                        .map_err(|_occupied| Refusal::Occupied)?;
                    device.put(Key::ROTATION, ROTATION_VERSION, &slots.to_bytes())?;
                }
                (_, true) => {}
                (_, false) => return Err(Refusal::Occupied),
            }
        }
        Writable::Settings => {
            Settings::decode(value).ok_or(Refusal::Malformed)?;
            if !unchanged {
                device.put(key, version, value)?;
            }
        }
        Writable::Certificates => {
            if !unchanged {
                device.put(key, version, value)?;
            }
        }
    }
    Ok(unchanged)
}

/// Takes over that the API has accepted a slot's credential.
pub(crate) fn verified(slot: Slot, device: &mut impl Device) -> Result<Slots, Refusal> {
    let slots = slots(device)?;
    let accepted = slots.accepted(slot);
    if slots.state(slot) == SlotState::Empty {
        return Err(Refusal::NotNow);
    }
    if accepted != slots {
        device.put(Key::ROTATION, ROTATION_VERSION, &accepted.to_bytes())?;
    }
    Ok(accepted)
}

/// Puts a slot's verified credential into use.
pub(crate) fn promote(slot: Slot, device: &mut impl Device) -> Result<Slots, Refusal> {
    let slots = slots(device)?;
    if slots.active() == slot {
        return match slots.state(slot) {
            SlotState::Good => Ok(slots),
            _ => Err(Refusal::NotNow),
        };
    }
    let slots = slots.promoted().map_err(|_not_verified| Refusal::NotNow)?;
    device.put(Key::ROTATION, ROTATION_VERSION, &slots.to_bytes())?;
    Ok(slots)
}

/// Forgets the credential of the slot that is not in use.
pub(crate) fn retire(slot: Slot, device: &mut impl Device) -> Result<Slots, Refusal> {
    let slots = slots(device)?;
    if slots.active() == slot {
        return Err(Refusal::NotNow);
    }
    if slots.state(slot) != SlotState::Empty {
        device.put(Key::ROTATION, ROTATION_VERSION, &slots.retired().to_bytes())?;
    }
    device.remove(credential_key(slot))?;
    Ok(slots.retired())
}

fn slots(device: &mut impl Device) -> Result<Slots, Refusal> {
    let mut buffer = [0; Slots::RECORD_LEN];
    match device.get(Key::ROTATION, &mut buffer)? {
        None => Ok(Slots::EMPTY),
        Some((_, len)) => {
            let record = buffer.get(..len).unwrap_or_default();
            Slots::from_bytes(record).map_err(|_unreadable| Refusal::Hardware)
        }
    }
}

/// Whether the record is there already, byte for byte.
fn holds(key: Key, version: u8, value: &[u8], device: &mut impl Device) -> Result<bool, Refusal> {
    let mut stored = Zeroizing::new([0; MAX_VALUE_LEN]);
    Ok(match device.get(key, &mut *stored) {
        Ok(Some((stored_version, len))) => {
            stored_version == version && stored.get(..len) == Some(value)
        }
        Ok(None) => false,
        // What can't be read is written anew.
        Err(Refusal::Hardware) => false,
        Err(refusal) => return Err(refusal),
    })
}
