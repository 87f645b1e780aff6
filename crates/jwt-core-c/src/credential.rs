//! An ID and a key of one API, as C passes them.

use api_auth::{Api, AuthorizeError, Authorizer, Credential, Policy};

use crate::claims::jwt_text;
use crate::engine::{EngineFailed, Mac, jwt_engine};
use crate::memory;
use crate::status::jwt_status;

/// Bytes of the longest value of an `Authorization` header that a session makes, its name not counted.
///
/// Every token fits, every bearer key, and a key of up to 191 bytes of HTTP Basic.
pub const JWT_AUTHORIZATION_CAPACITY: usize = 263;

/// `Authorizer` of a session.
pub(crate) type Signer = Authorizer<Mac, JWT_AUTHORIZATION_CAPACITY>;

/// Which keys a credential may have: `JWT_POLICY_FIELD`, or a sum of the others.
pub type jwt_policy = u32;

/// Production keys, and those of APIs that don't tell; at least 32 bytes to sign with.
pub const JWT_POLICY_FIELD: jwt_policy = 0;

/// Test keys instead of production keys.
pub const JWT_POLICY_TEST: jwt_policy = 1;

/// Also keys of fewer than 32 bytes to sign with, against RFC 7518 section 3.2.
pub const JWT_POLICY_WEAK: jwt_policy = 2;

/// What a device is authorized with, checked against what its API issues; all zeros but what the API needs.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jwt_credential {
    /// The secret's ID or the `kid` of a token; none for a key that is sent as it is.
    pub id: jwt_text,
    /// The key; none if there is an engine.
    pub key: jwt_text,
    /// The hardware that holds the key of a token, or null; it is copied, what its context points to has to stay.
    pub engine: *const jwt_engine,
    /// Which keys are taken.
    pub policy: jwt_policy,
}

impl jwt_credential {
    /// Checks the credential and prepares for authorization with it.
    ///
    /// # Safety
    /// As the contract of the crate has it, for the texts and the engine.
    pub(crate) unsafe fn signer(&self, api: &Api) -> Result<Signer, jwt_status> {
        // SAFETY: the caller's promise.
        let id = unsafe { self.id.get() }?;
        // SAFETY: the caller's promise.
        let key = unsafe { self.key.get() }?;
        let policy = self.policy()?;
        let made = if self.engine.is_null() {
            let credential = Credential::new(api, id, key.unwrap_or_default(), policy)?;
            if api.scheme.is_token() {
                Signer::with_engine(api, credential.id(), Mac::software(credential.hmac_key()?))
            } else {
                Signer::with_sent_key(&credential)
            }
        } else {
            // SAFETY: the caller's promise.
            let engine = unsafe { memory::read(self.engine) }?;
            if engine.hmac.is_none() {
                return Err(jwt_status::JWT_ERROR_NULL_POINTER);
            }
            if key.is_some() {
                return Err(jwt_status::JWT_ERROR_ARGUMENT);
            }
            Signer::with_engine(api, id.unwrap_or_default(), Mac::hardware(engine))
        };
        made.map_err(|error: AuthorizeError<EngineFailed>| match error {
            AuthorizeError::TooSmall(_) => jwt_status::JWT_ERROR_KEY_TOO_LONG,
            error => jwt_status::from(error),
        })
    }

    fn policy(&self) -> Result<Policy, jwt_status> {
        let test = self.policy & JWT_POLICY_TEST != 0;
        if self.policy & !(JWT_POLICY_TEST | JWT_POLICY_WEAK) != 0 {
            return Err(jwt_status::JWT_ERROR_ARGUMENT);
        }
        Ok(Policy {
            weak_keys: self.policy & JWT_POLICY_WEAK != 0,
            ..if test { Policy::TEST } else { Policy::FIELD }
        })
    }
}
