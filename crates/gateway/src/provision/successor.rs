//! Which credential can take another's place.

use device_link::SHOWN_ID_LEN;

use crate::credentials::Secrets;
use crate::exit::Failure;
use crate::output;
use crate::provision::describe;

/// Refuses a credential of another API than the one in use, and the one in use itself: the rotation ends with a person
/// who revokes it. Without an ID the two can't be told apart.
pub fn check(api: &str, id: &str, secrets: &Secrets) -> Result<(), Failure> {
    check_api(api, secrets)?;
    match !id.is_empty() && is_same(id, secrets.credential()?.id()) {
        false => Ok(()),
        true => Err(in_use(id)),
    }
}

/// Does so as far as the beginning of an ID tells, which is all that a device says of the one in use; returns what a
/// person has to make sure of.
pub fn check_shown(api: &str, shown: &str, secrets: &Secrets) -> Result<Option<String>, Failure> {
    if shown.len() < SHOWN_ID_LEN {
        return check(api, shown, secrets).map(|()| None);
    }
    check_api(api, secrets)?;
    let id = secrets.credential()?.id();
    match id.get(..shown.len()) {
        // That two UUIDs begin alike is less likely than that they are the same.
        Some(start) if is_uuid(id) && start.eq_ignore_ascii_case(shown) => Err(in_use(shown)),
        Some(start) if start == shown => Ok(Some(format!(
            "the ID in use begins with {} too, and more of it is not known: make sure that this is another credential before you revoke the old one",
            output::printable(shown)
        ))),
        _ => Ok(None),
    }
}

fn check_api(api: &str, secrets: &Secrets) -> Result<(), Failure> {
    match api == secrets.api.name {
        true => Ok(()),
        false => Err(Failure::usage(format_args!(
            "the device's credential is one of {}: a rotation stays with its API",
            output::printable(api)
        ))),
    }
}

fn in_use(id: &str) -> Failure {
    Failure::usage(format_args!(
        "the credential {} is in use already: name the new one, in the environment or with --credentials",
        describe::shown_id(id)
    ))
}

fn is_same(known: &str, new: &str) -> bool {
    known == new || is_uuid(new) && known.eq_ignore_ascii_case(new)
}

/// Whether an ID is a UUID, RFC 9562 §4, which is the same in capitals.
fn is_uuid(id: &str) -> bool {
    let groups = id.split('-').map(str::len);
    groups.eq([8, 4, 4, 4, 12])
        && id
            .bytes()
            .all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}
