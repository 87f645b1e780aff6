//! An ID and a key, checked against what their API issues before anything is made of them.
//!
//! A checked credential consists of visible ASCII (RFC 5234 `VCHAR`) alone, so nothing made of it can
//! end a header line or start another one. The checks catch a wrong paste, a truncated one and a key of
//! another API; whether the key works, only the API can tell.

use core::fmt;

use jwt_core::{HmacKey, KeyError, MIN_KEY_LEN};

use crate::api::Api;
use crate::authorization::{Authorization, BufferTooSmall};
use crate::format::{IdFormat, KeyMode, Policy, Prefix};
use crate::scheme::Scheme;

/// Most bytes of an ID; a UUID has 36.
pub const MAX_ID_LEN: usize = 64;

/// Most bytes of a key.
pub const MAX_KEY_LEN: usize = 256;

/// A borrowed ID and key of the form that their API issues; `Debug` shows neither.
///
/// ```
/// use api_auth::{Api, Credential, CredentialError, Policy};
///
/// let refused = Credential::new(&Api::HOOKMESH, None, "sk_test_51fa22", Policy::FIELD);
/// assert_eq!(refused.unwrap_err(), CredentialError::TestKey);
/// ```
#[derive(Clone, Copy)]
pub struct Credential<'a> {
    api: &'a Api,
    id: &'a str,
    key: &'a str,
}

impl<'a> Credential<'a> {
    /// Checks an ID and a key against the formats of `api` and against `policy`.
    ///
    /// `id` is the secret's ID or the `kid` of a token scheme, and `None` for any other.
    ///
    /// # Errors
    /// A [`CredentialError`] that says what is wrong with which of the two, without showing it.
    pub fn new(
        api: &'a Api,
        id: Option<&'a str>,
        key: &'a str,
        policy: Policy,
    ) -> Result<Self, CredentialError> {
        check_id(api, id)?;
        check_key(api, key, policy)?;
        let id = id.unwrap_or_default();
        let hmac_key_len = match api.scheme {
            Scheme::IssIat => id.len().saturating_add(key.len()).saturating_add(2),
            Scheme::KidExp => key.len(),
            Scheme::Bearer | Scheme::Raw | Scheme::Basic => usize::MAX,
        };
        if hmac_key_len < MIN_KEY_LEN && !policy.weak_keys {
            return Err(CredentialError::WeakKey { len: hmac_key_len });
        }
        Ok(Self { api, id, key })
    }

    /// Returns the API that the credential is for.
    pub const fn api(&self) -> &'a Api {
        self.api
    }

    /// Returns the ID, empty if the scheme has none; it is not secret.
    pub const fn id(&self) -> &'a str {
        self.id
    }

    /// Returns the header's value of a key that is sent as it is.
    ///
    /// For a token scheme an [`Authorizer`](crate::Authorizer) makes it, the key itself is never sent.
    ///
    /// # Errors
    /// [`BufferTooSmall`] if the value has more than `N` bytes, with 0 needed for a token scheme.
    pub(crate) fn static_value<const N: usize>(&self) -> Result<Authorization<N>, BufferTooSmall> {
        Authorization::of_key(self.api.scheme, self.key)
    }

    /// Prepares the HMAC key of a token scheme, `ID||KEY` or the key, for an engine of the caller's.
    ///
    /// [`Authorizer::new`](crate::Authorizer::new) does it by itself.
    ///
    /// ```
    /// use api_auth::{Api, Credential, CredentialError, Policy};
    ///
    /// let sent = Credential::new(&Api::HEYOO, None, "hey_first1", Policy::FIELD)?;
    /// assert_eq!(sent.hmac_key().err(), Some(CredentialError::KeyIsSent));
    /// # Ok::<(), CredentialError>(())
    /// ```
    ///
    /// # Errors
    /// [`CredentialError::KeyIsSent`] if the scheme is none of tokens.
    pub fn hmac_key(&self) -> Result<HmacKey, CredentialError> {
        let (id, key) = (self.id.as_bytes(), self.key.as_bytes());
        let prepared = match self.api.scheme {
            Scheme::IssIat => HmacKey::weak(&[id, b"||", key]),
            Scheme::KidExp => HmacKey::weak(&[key]),
            Scheme::Bearer | Scheme::Raw | Scheme::Basic => {
                return Err(CredentialError::KeyIsSent);
            }
        };
        // A weak key has passed the policy, and that is all that can be wrong but for an empty one.
        prepared.map_err(|_empty: KeyError| CredentialError::KeyMissing)
    }
}

/// Checks an ID; what a device with its key in hardware has to check.
pub(crate) fn check_id(api: &Api, id: Option<&str>) -> Result<(), CredentialError> {
    let id = match (api.scheme.is_token(), id) {
        (false, None) => return Ok(()),
        (false, Some(_)) => return Err(CredentialError::IdUnexpected),
        (true, None | Some("")) => return Err(CredentialError::IdMissing),
        (true, Some(id)) => id,
    };
    if id.len() > MAX_ID_LEN {
        return Err(CredentialError::IdTooLong { len: id.len() });
    }
    let escaped = |byte: u8| !byte.is_ascii_graphic() || byte == b'"' || byte == b'\\';
    if let Some(at) = id.bytes().position(escaped) {
        return Err(CredentialError::IdCharacter { at });
    }
    if api.id == IdFormat::Uuid && !is_uuid(id) {
        return Err(CredentialError::IdNotUuid);
    }
    Ok(())
}

fn check_key(api: &Api, key: &str, policy: Policy) -> Result<(), CredentialError> {
    if key.is_empty() {
        return Err(CredentialError::KeyMissing);
    }
    if let Some(at) = key.bytes().position(|byte| !byte.is_ascii_graphic()) {
        return Err(CredentialError::KeyCharacter { at });
    }
    if api.scheme == Scheme::Basic && key.contains(':') {
        return Err(CredentialError::KeyColon);
    }
    let matching = |prefix: &&Prefix| key.starts_with(prefix.text);
    let (prefix_len, mode) = match api.key.prefixes.iter().find(matching) {
        Some(prefix) => (prefix.text.len(), prefix.mode),
        None if api.key.prefixes.is_empty() => (0, KeyMode::Any),
        None => {
            return Err(CredentialError::KeyPrefix {
                expected: api.key.prefixes,
            });
        }
    };
    let needed = prefix_len.saturating_add(api.key.min_len);
    if key.len() < needed {
        return Err(CredentialError::KeyTooShort {
            len: key.len(),
            needed,
        });
    }
    if key.len() > MAX_KEY_LEN {
        return Err(CredentialError::KeyTooLong { len: key.len() });
    }
    match mode {
        KeyMode::Live if !policy.live_keys => Err(CredentialError::LiveKey),
        KeyMode::Test if !policy.test_keys => Err(CredentialError::TestKey),
        KeyMode::Any | KeyMode::Live | KeyMode::Test => Ok(()),
    }
}

/// Whether `text` is 32 hexadecimal digits with hyphens after 8, 12, 16 and 20 of them.
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

impl fmt::Debug for Credential<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential({}, ..)", self.api.name)
    }
}

/// Why an ID and a key are not a credential of an API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialError {
    /// The scheme needs an ID.
    IdMissing,
    /// The scheme has no ID.
    IdUnexpected,
    /// The ID has more than [`MAX_ID_LEN`] bytes.
    IdTooLong {
        /// The bytes that it has.
        len: usize,
    },
    /// The ID has a space, a control, a quote, a backslash or a non-ASCII character.
    IdCharacter {
        /// The offset of its first byte.
        at: usize,
    },
    /// The ID has to be a UUID.
    IdNotUuid,
    /// The key is empty.
    KeyMissing,
    /// The key has a space, a control or a non-ASCII character.
    KeyCharacter {
        /// The offset of its first byte.
        at: usize,
    },
    /// The key has a colon, which would end the user name of HTTP Basic.
    KeyColon,
    /// The key doesn't begin like one of this API.
    KeyPrefix {
        /// How they begin.
        expected: &'static [Prefix],
    },
    /// The key is shorter than any that the API issues.
    KeyTooShort {
        /// The bytes that it has.
        len: usize,
        /// The bytes that it has at least.
        needed: usize,
    },
    /// The key has more than [`MAX_KEY_LEN`] bytes.
    KeyTooLong {
        /// The bytes that it has.
        len: usize,
    },
    /// A test key, where the policy accepts none.
    TestKey,
    /// A production key, where the policy accepts none.
    LiveKey,
    /// A key that signs is wanted, or an HMAC engine stands in for it, but this API is sent the key itself.
    KeyIsSent,
    /// The key would be sent, but this API's signs tokens.
    KeySigns,
    /// The HMAC key would have fewer than 32 bytes.
    WeakKey {
        /// The bytes that it would have.
        len: usize,
    },
}

impl fmt::Display for CredentialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::IdMissing => f.write_str("give the ID that belongs to the key"),
            Self::IdUnexpected => f.write_str("this API's keys have no ID: leave it out"),
            Self::IdTooLong { len } => {
                write!(
                    f,
                    "the ID has {len} bytes, at most {MAX_ID_LEN} are expected: copy it again"
                )
            }
            Self::IdCharacter { at } => {
                write!(
                    f,
                    "the ID has a character at byte {at} that no ID has: copy it again"
                )
            }
            Self::IdNotUuid => f.write_str(
                "the ID is not a UUID: copy it from where the API lists the access token",
            ),
            Self::KeyMissing => f.write_str("the key is empty: give the key"),
            Self::KeyCharacter { at } => write!(
                f,
                "the key has a space, line end or foreign character at byte {at}: copy the key alone"
            ),
            Self::KeyColon => f.write_str("the key has a colon, which HTTP Basic can't carry"),
            Self::KeyPrefix { expected } => {
                f.write_str("the key is not one of this API, whose keys begin with ")?;
                for (n, prefix) in expected.iter().enumerate() {
                    let or = if n == 0 { "" } else { " or " };
                    write!(f, "{or}{}", prefix.text)?;
                }
                Ok(())
            }
            Self::KeyTooShort { len, needed } => {
                write!(
                    f,
                    "the key has {len} bytes, at least {needed} are expected: copy all of it"
                )
            }
            Self::KeyTooLong { len } => {
                write!(
                    f,
                    "the key has {len} bytes, at most {MAX_KEY_LEN} are expected"
                )
            }
            Self::TestKey => f.write_str("a test key alerts nobody: use a production key here"),
            Self::LiveKey => f.write_str("a production key reaches people: use a test key here"),
            Self::KeySigns => f.write_str("this API's key signs tokens: it is never sent itself"),
            Self::KeyIsSent => {
                f.write_str("this API is sent the key itself: nothing is signed with it")
            }
            Self::WeakKey { len } => write!(
                f,
                "a key of {len} bytes is too weak to sign with: get one of at least {MIN_KEY_LEN}, \
                 or allow weak keys"
            ),
        }
    }
}

impl core::error::Error for CredentialError {}
