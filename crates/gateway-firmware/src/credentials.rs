//! From the stored credentials to a session.

use core::cell::RefCell;
use core::fmt;

use api_auth::{
    Api, AuthorizeError, Authorizer, Clock, CredentialError, MAX_ID_LEN, MAX_KEY_LEN, Policy,
    Scheme, Session, Slot, Slots,
};
use embedded_storage::nor_flash::{ErrorType, MultiwriteNorFlash};
use jwt_core::MacEngine;
use secure_store::{
    CREDENTIAL_VERSION, Credential, CredentialKey, Custody, Key, MAX_CREDENTIAL_LEN, StoreError,
};

use crate::board::ChipKeys;
use crate::engine::Engine;
use crate::store::BoardStore;

/// Bytes of the longest value of an `Authorization` header: a key of 256 bytes as HTTP Basic.
pub const AUTHORIZATION_LEN: usize = {
    let token = Scheme::IssIat.value_len(MAX_ID_LEN, 0);
    let basic = Scheme::Basic.value_len(0, MAX_KEY_LEN);
    if token > basic { token } else { basic }
};

/// Version of the form of the record of a rotation, which is [`Slots::to_bytes`].
pub(crate) const ROTATION_VERSION: u8 = 1;

/// A session whose HMAC keys are in memory, or keys `H` in a chip.
pub type BoardSession<H> = Session<'static, Engine<H>, AUTHORIZATION_LEN>;

/// What the slots hold, and who can get at it.
pub struct Credentials<H: MacEngine> {
    /// The session.
    pub session: BoardSession<H>,
    /// The worse custody of the two credentials.
    pub custody: Custody,
}

impl<H: MacEngine> Credentials<H> {
    /// Makes a session of the stored credentials and how far their rotation has come.
    ///
    /// # Errors
    /// [`CredentialsError::None`] if there is none, or what is wrong with one.
    #[inline(never)]
    pub fn load<F: MultiwriteNorFlash>(
        store: &RefCell<BoardStore<F>>,
        clock: Clock,
        policy: Policy,
        chip_keys: &impl ChipKeys<Key = H>,
    ) -> Result<Self, CredentialsError<F::Error, H::Error>> {
        let mut store = store.try_borrow_mut().map_err(|_| CredentialsError::Busy)?;
        let Held {
            api,
            slots,
            custody,
        } = Held::read(&mut store)?;
        let a = authorizer(&mut store, Slot::A, policy, chip_keys)?;
        let b = authorizer(&mut store, Slot::B, policy, chip_keys)?;
        let session = Session::new(api, clock, slots, a, b);
        Ok(Self { session, custody })
    }
}

/// What the slots hold, whether or not it can be used.
pub(crate) struct Held {
    pub api: &'static Api,
    pub slots: Slots,
    /// The worse custody of the two credentials.
    pub custody: Custody,
}

impl Held {
    /// Reads which credentials are stored.
    #[inline(never)]
    pub fn read<F: MultiwriteNorFlash, K>(
        store: &mut BoardStore<F>,
    ) -> Result<Self, CredentialsError<F::Error, K>> {
        let mut value = zeroize::Zeroizing::new([0; MAX_CREDENTIAL_LEN]);
        let mut read = |slot| {
            let of = |stored: Stored<'_>| (stored.api, stored.custody);
            credential(store, slot, &mut value).map(|stored| stored.map(of))
        };
        let (a, b) = (read(Slot::A)?, read(Slot::B)?);
        let (api, custody) = match (a, b) {
            (None, None) => return Err(CredentialsError::None),
            (Some(one), None) | (None, Some(one)) => one,
            (Some((api, one)), Some((same, other))) if api == same => (api, one.min(other)),
            _ => return Err(CredentialsError::TwoApis),
        };
        Ok(Self {
            api,
            slots: slots(store, a.is_some(), b.is_some())?,
            custody,
        })
    }
}

/// A stored credential.
struct Stored<'v> {
    credential: Credential<'v>,
    api: &'static Api,
    custody: Custody,
}

/// Reads a slot's credential into `value`, or returns `None` if there is none.
fn credential<'v, F: MultiwriteNorFlash, K>(
    store: &mut BoardStore<F>,
    slot: Slot,
    value: &'v mut [u8; MAX_CREDENTIAL_LEN],
) -> Result<Option<Stored<'v>>, CredentialsError<F::Error, K>> {
    let key = Key::credential(match slot {
        Slot::A => 0,
        Slot::B => 1,
    });
    let stored = store.custody();
    let record = store.get(key, value).map_err(CredentialsError::Store)?;
    let Some(record) = record else {
        return Ok(None);
    };
    let decoded = Some(record).filter(|record| record.version == CREDENTIAL_VERSION);
    let decoded = decoded.and_then(|record| Credential::decode(record.value));
    let credential = decoded.ok_or(CredentialsError::Record(slot))?;
    let api = Api::by_name(credential.api).ok_or(CredentialsError::Api(slot))?;
    let custody = credential.custody(stored);
    Ok(Some(Stored {
        credential,
        api,
        custody,
    }))
}

type Made<F, H> = Result<
    Option<Authorizer<Engine<H>, AUTHORIZATION_LEN>>,
    CredentialsError<<F as ErrorType>::Error, <H as MacEngine>::Error>,
>;

/// Makes what signs of a slot's credential, or returns `None` if there is none.
fn authorizer<F: MultiwriteNorFlash, H: MacEngine>(
    store: &mut BoardStore<F>,
    slot: Slot,
    policy: Policy,
    chip_keys: &impl ChipKeys<Key = H>,
) -> Made<F, H> {
    let mut value = zeroize::Zeroizing::new([0; MAX_CREDENTIAL_LEN]);
    let Some(Stored {
        credential, api, ..
    }) = credential(store, slot, &mut value)?
    else {
        return Ok(None);
    };
    let authorizer = match credential.key {
        CredentialKey::Prepared(key) => {
            Authorizer::with_engine(api, credential.id, Engine::Stored(key))
        }
        CredentialKey::Sent(key) => {
            let id = Some(credential.id).filter(|id| !id.is_empty());
            let sent = api_auth::Credential::new(api, id, key, policy)
                .map_err(|error| CredentialsError::Credential(slot, error))?;
            Authorizer::with_sent_key(&sent)
        }
        CredentialKey::Hardware(place) => {
            let key = chip_keys
                .key(place)
                .ok_or(CredentialsError::Hardware(slot))?;
            Authorizer::with_engine(api, credential.id, Engine::Chip(key))
        }
    };
    authorizer
        .map(Some)
        .map_err(|error| CredentialsError::Authorizer(slot, error))
}

/// Returns how far a rotation has come; credentials without a record of it were just deployed.
fn slots<F: MultiwriteNorFlash, K>(
    store: &mut BoardStore<F>,
    a: bool,
    b: bool,
) -> Result<Slots, CredentialsError<F::Error, K>> {
    let mut value = [0; Slots::RECORD_LEN];
    let record = store.get(Key::ROTATION, &mut value);
    if let Some(record) = record.map_err(CredentialsError::Store)? {
        let known = Some(record.value).filter(|_| record.version == ROTATION_VERSION);
        let slots = known.and_then(|bytes| Slots::from_bytes(bytes).ok());
        return slots.ok_or(CredentialsError::Rotation);
    }
    let mut slots = Slots::EMPTY;
    for (slot, present) in [(Slot::A, a), (Slot::B, b)] {
        if present {
            slots = slots.deployed(slot).unwrap_or(slots);
        }
    }
    Ok(slots)
}

/// Says why there is no session; `E` is the flash driver's error, `K` that of the chip with keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialsError<E, K> {
    /// No slot has a credential.
    None,
    /// The slots' credentials are of different APIs.
    TwoApis,
    /// The slot's record is not one of a credential, or newer than this program.
    Record(Slot),
    /// The slot's API is not known.
    Api(Slot),
    /// The slot's key is in a place that the board's chip doesn't have.
    Hardware(Slot),
    /// The slot's key is not one that the API issues.
    Credential(Slot, CredentialError),
    /// The slot's credential can't be used.
    Authorizer(Slot, AuthorizeError<K>),
    /// The record of the rotation can't be read.
    Rotation,
    /// The store is borrowed elsewhere.
    Busy,
    /// The store has failed.
    Store(StoreError<E>),
}

impl<E: fmt::Debug, K: fmt::Display> fmt::Display for CredentialsError<E, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("there is no credential: provision the device"),
            Self::TwoApis => {
                f.write_str("the two credentials are of different APIs: provision one API")
            }
            Self::Record(slot) => write!(
                f,
                "the credential in slot {slot:?} can't be read: provision it anew, or update the program"
            ),
            Self::Api(slot) => write!(
                f,
                "the credential in slot {slot:?} is of an API that this program doesn't know: provision it anew, or update the program"
            ),
            Self::Hardware(slot) => write!(
                f,
                "the key of slot {slot:?} is in a place that this board's chip doesn't have: provision it anew"
            ),
            Self::Credential(slot, error) => write!(f, "the credential in slot {slot:?}: {error}"),
            Self::Authorizer(slot, error) => write!(f, "the credential in slot {slot:?}: {error}"),
            Self::Rotation => {
                f.write_str("the record of the rotation can't be read: provision the device")
            }
            Self::Busy => f.write_str("the store is in use: try again"),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl<E: fmt::Debug, K: fmt::Debug + fmt::Display> core::error::Error for CredentialsError<E, K> {}
