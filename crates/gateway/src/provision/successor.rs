//! Which credential can take another's place.

use crate::credentials::Secrets;
use crate::exit::Failure;
use crate::output;
use crate::provision::describe;

/// Refuses a credential of another API than the one in use, and the one in use itself: the rotation ends with a person
/// who revokes it. Of the ID in use a device tells only the beginning; without an ID the two can't be told apart.
pub fn check(api: &str, id: &str, secrets: &Secrets) -> Result<(), Failure> {
    if api != secrets.api.name {
        return Err(Failure::usage(format_args!(
            "the device's credential is one of {}: a rotation stays with its API",
            output::printable(api)
        )));
    }
    match !id.is_empty() && secrets.credential()?.id().starts_with(id) {
        false => Ok(()),
        true => Err(Failure::usage(format_args!(
            "the credential {} is in use already: name the new one, in the environment or with --credentials",
            describe::shown_id(id)
        ))),
    }
}
