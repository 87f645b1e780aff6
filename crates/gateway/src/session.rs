//! A session with an API, by the clock of this machine.

use std::sync::LazyLock;
use std::time::Instant;

use api_auth::{Api, Authorizer, Clock, Reading, Session, Slot, Slots, Source};
use jwt_core::HmacKey;

use crate::credentials::Secrets;
use crate::exit::Failure;
use crate::moment;

/// Most bytes of an `Authorization` value of any scheme.
pub const MAX_VALUE_LEN: usize = 512;

/// The start of 2025: a clock that is behind it has not been set.
const EARLIEST_SECS: u64 = 1_735_689_600;

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Returns the milliseconds since the program first asked.
pub fn uptime_ms() -> u64 {
    u64::try_from(START.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// A session whose keys are in memory.
pub type HostSession = Session<'static, HmacKey, MAX_VALUE_LEN>;

/// Opens a session with a credential, and a second one in case that the first is refused.
///
/// # Errors
/// The clock has not been set, or a credential is malformed.
pub fn open(secrets: &Secrets, standby: Option<&Secrets>) -> Result<HostSession, Failure> {
    open_at(secrets.api, secrets, standby)
}

/// Opens a session like [`open`], with an API whose paths are those of the endpoint.
pub fn open_at(
    api: &'static Api,
    secrets: &Secrets,
    standby: Option<&Secrets>,
) -> Result<HostSession, Failure> {
    let mut clock = Clock::new(EARLIEST_SECS, 0);
    let reading = Reading {
        unix_secs: moment::now(),
        source: Source::Host,
        age_secs: 0,
    };
    if let Err(error) = clock.set(reading, uptime_ms())
        && api.scheme.is_token()
    {
        return Err(Failure::usage(format_args!("no token is signed: {error}")));
    }
    let mut session = Session::new(api, clock, Slots::EMPTY, None, None);
    for (slot, secrets) in [(Slot::A, Some(secrets)), (Slot::B, standby)] {
        if let Some(secrets) = secrets {
            let authorizer = Authorizer::new(&secrets.credential()?).map_err(Failure::usage)?;
            session.deploy(slot, authorizer).map_err(Failure::invalid)?;
        }
    }
    Ok(session)
}
