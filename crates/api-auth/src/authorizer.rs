//! Signing rarely: one token serves many requests until shortly before it expires.
//!
//! A token's age is judged twice, by the clock and by the uptime, and both have to find it young enough.
//! So a clock that is set back, a tick that wraps and a restart lead to a fresh signature at worst, never
//! to a token that is too old.

use core::convert::Infallible;
use core::fmt;

use jwt_core::{Claims, Header, HmacKey, MacEngine, SignError, Template, Times};

use crate::api::Api;
use crate::authorization::{Authorization, BufferTooSmall};
use crate::clock::ClockError;
use crate::credential::{Credential, CredentialError, check_id};
use crate::reading::Time;
use crate::scheme::Scheme;

/// Seconds that a request may take from its signing to the server's look at it.
const REQUEST_SECS: u64 = 30;

/// Makes the [`Authorization`] of one credential, of at most `N` bytes, with the HMAC engine `E`.
///
/// A token is renewed while it is still valid for the slowest request (30 seconds) by the worst clock
/// that [`Time::error_secs`] admits; margins are cut to a quarter of a short lifetime each. `iat` is the
/// earliest that the present may be, so that a server whose clock is behind doesn't find it in the future;
/// `exp` is the present and the API's lifetime.
///
/// ```
/// use api_auth::{Api, Authorizer, Clock, Credential, Policy, Reading, Source};
///
/// let credential = Credential::new(
///     &Api::HEYMARKET,
///     Some("74f80a77-9b3f-44ac-b3ad-ab68cfb548fa"),
///     "cPQku7lnSLbnK88UFOBg1a6Q3t1w1RgK",
///     Policy::FIELD,
/// )?;
/// let mut authorizer = Authorizer::<_, 172>::new(&credential)?;
///
/// let mut clock = Clock::new(1_713_000_000, 0);
/// clock.set(Reading { unix_secs: 1_713_225_601, source: Source::Sntp, age_secs: 0 }, 0)?;
///
/// let mut line = [0; 187];
/// assert_eq!(
///     authorizer.authorize(clock.now(0))?.write_line(&mut line)?,
///     "Authorization: Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.\
///      eyJpc3MiOiI3NGY4MGE3Ny05YjNmLTQ0YWMtYjNhZC1hYjY4Y2ZiNTQ4ZmEiLCJpYXQiOjE3MTMyMjU2MDB9.\
///      sWLRg-YlFnPpP99prTT_IpgvMALyFmjYtlnfGEeahS0"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Authorizer<E: MacEngine, const N: usize> {
    value: Authorization<N>,
    /// `None` if the value is the key itself, which never changes.
    signer: Option<Signer<E, N>>,
}

struct Signer<E: MacEngine, const N: usize> {
    template: Template<E, N>,
    expires: bool,
    lifetime_secs: u64,
    issued: Option<Issued>,
}

/// The token that is in use.
#[derive(Clone, Copy)]
struct Issued {
    time: Time,
    /// The first second, by the server's clock, that refuses it.
    end_secs: u64,
}

impl<const N: usize> Authorizer<HmacKey, N> {
    /// Takes a credential whose key, if it signs, signs in software.
    ///
    /// # Errors
    /// [`AuthorizeError::TooSmall`] if `N` is less than [`Scheme::value_len`].
    pub fn new(credential: &Credential<'_>) -> Result<Self, AuthorizeError<Infallible>> {
        let api = credential.api();
        if api.scheme.is_token() {
            let key = credential.hmac_key().map_err(AuthorizeError::Credential)?;
            return Self::with_engine(api, credential.id(), key);
        }
        Self::with_sent_key(credential)
    }
}

impl<E: MacEngine, const N: usize> Authorizer<E, N> {
    /// Takes a credential whose key is sent as it is, whichever engine signs for others.
    ///
    /// ```
    /// use api_auth::{Api, AuthorizeError, Authorizer, Credential, CredentialError, Policy};
    /// use jwt_core::HmacKey;
    ///
    /// let (id, key) = ("74f80a77-9b3f-44ac-b3ad-ab68cfb548fa", "cPQku7lnSLbnK88UFOBg1a6Q3t1w1RgK");
    /// let signs = Credential::new(&Api::HEYMARKET, Some(id), key, Policy::FIELD)?;
    /// let refused = Authorizer::<HmacKey, 172>::with_sent_key(&signs).err();
    /// assert_eq!(refused, Some(AuthorizeError::Credential(CredentialError::KeySigns)));
    /// # Ok::<(), CredentialError>(())
    /// ```
    ///
    /// # Errors
    /// [`AuthorizeError::TooSmall`] if `N` is less than [`Scheme::value_len`]; [`AuthorizeError::Credential`] if the
    /// scheme is one of tokens.
    pub fn with_sent_key(credential: &Credential<'_>) -> Result<Self, AuthorizeError<E::Error>> {
        if credential.api().scheme.is_token() {
            return Err(AuthorizeError::Credential(CredentialError::KeySigns));
        }
        let value = credential
            .static_value()
            .map_err(AuthorizeError::TooSmall)?;
        Ok(Self {
            value,
            signer: None,
        })
    }

    /// Takes an HMAC engine that holds the key belonging to `id`, for an API with a token scheme.
    ///
    /// # Errors
    /// [`AuthorizeError::Credential`] about the ID, or about a scheme that sends the key itself;
    /// [`AuthorizeError::TooSmall`] if `N` is less than [`Scheme::value_len`]; the engine's own.
    pub fn with_engine(api: &Api, id: &str, engine: E) -> Result<Self, AuthorizeError<E::Error>> {
        let (header, claims) = match api.scheme {
            Scheme::IssIat => (
                Header::new(),
                Claims {
                    iss: Some(id),
                    ..Claims::NONE
                },
            ),
            Scheme::KidExp => (Header::with_kid(id), Claims::NONE),
            Scheme::Bearer | Scheme::Raw | Scheme::Basic => {
                return Err(AuthorizeError::Credential(CredentialError::KeyIsSent));
            }
        };
        check_id(api, Some(id)).map_err(AuthorizeError::Credential)?;
        let needed = api.scheme.value_len(id.len(), 0);
        if N < needed {
            return Err(AuthorizeError::TooSmall(BufferTooSmall { needed }));
        }
        let template = Template::new(engine, &header, &claims).map_err(AuthorizeError::Sign)?;
        Ok(Self {
            value: Authorization::EMPTY,
            signer: Some(Signer {
                template,
                expires: api.scheme == Scheme::KidExp,
                lifetime_secs: u64::from(api.lifetime_secs),
                issued: None,
            }),
        })
    }

    /// Returns the header for a request that starts now, signing it anew only if it has to.
    ///
    /// `now` is [`Clock::now`](crate::Clock::now)'s judgement, which a key that is sent as it is doesn't need.
    ///
    /// # Errors
    /// [`AuthorizeError::Clock`] if a token is wanted and the time isn't known, whether or not there is an
    /// earlier token; [`AuthorizeError::Sign`], after which the next call signs anew.
    pub fn authorize(
        &mut self,
        now: Result<Time, ClockError>,
    ) -> Result<&Authorization<N>, AuthorizeError<E::Error>> {
        if let Some(signer) = &mut self.signer {
            let now = now.map_err(AuthorizeError::Clock)?;
            if !signer.serves(&now) {
                signer
                    .sign(&now, &mut self.value)
                    .map_err(AuthorizeError::Sign)?;
            }
        }
        Ok(&self.value)
    }

    /// Drops the token, for example because the server refused it: the next call signs anew.
    pub fn renew(&mut self) {
        if let Some(signer) = &mut self.signer {
            signer.issued = None;
            self.value.clear();
        }
    }
}

impl<E: MacEngine, const N: usize> Signer<E, N> {
    /// Whether the token in use is good for a request that starts now.
    fn serves(&self, now: &Time) -> bool {
        let Some(Issued {
            time: then,
            end_secs,
        }) = self.issued
        else {
            return false;
        };
        // Against a clock that was set back: no token from the future, and none living longer than
        // the API's lifetime from now.
        let Some(by_clock) = now.unix_secs().checked_sub(then.unix_secs()) else {
            return false;
        };
        // Rounded up, as a second begun counts.
        let Some(uptime_ms) = now.uptime_ms().checked_sub(then.uptime_ms()) else {
            return false;
        };
        let elapsed = by_clock.max(uptime_ms.div_ceil(1000));
        let latest = then
            .unix_secs()
            .saturating_add(elapsed)
            .saturating_add(self.error_secs(now))
            .saturating_add(REQUEST_SECS.min(self.margin_secs()));
        latest < end_secs
    }

    fn sign(
        &mut self,
        now: &Time,
        value: &mut Authorization<N>,
    ) -> Result<(), SignError<E::Error>> {
        self.issued = None;
        let (times, end_secs) = if self.expires {
            let exp = now.unix_secs().saturating_add(self.lifetime_secs);
            (Times::exp(exp), exp)
        } else {
            let iat = now.unix_secs().saturating_sub(self.error_secs(now));
            (Times::iat(iat), iat.saturating_add(self.lifetime_secs))
        };
        value.sign_bearer(&mut self.template, &times)?;
        self.issued = Some(Issued {
            time: *now,
            end_secs,
        });
        Ok(())
    }

    /// Returns the seconds that the time may be wrong, cut to what the lifetime has room for.
    fn error_secs(&self, now: &Time) -> u64 {
        u64::from(now.error_secs()).min(self.margin_secs())
    }

    /// Returns the most seconds of one margin: three of them, iat's, now's and the request's, leave a
    /// quarter of the lifetime.
    fn margin_secs(&self) -> u64 {
        self.lifetime_secs / 4
    }
}

impl<E: MacEngine, const N: usize> fmt::Debug for Authorizer<E, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authorizer(..)")
    }
}

/// Why there is no header; `E` is the engine's error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthorizeError<E> {
    /// The slot in question has no credential.
    NoCredential,
    /// The time isn't known, and a token needs it.
    Clock(ClockError),
    /// The ID, or an engine for an API that is sent the key itself.
    Credential(CredentialError),
    /// The header doesn't fit.
    TooSmall(BufferTooSmall),
    /// The signature failed.
    Sign(SignError<E>),
}

impl<E: fmt::Display> fmt::Display for AuthorizeError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCredential => f.write_str("the slot has no credential: provision the device"),
            Self::Clock(error) => write!(f, "no token is signed: {error}"),
            Self::Credential(error) => error.fmt(f),
            Self::TooSmall(error) => error.fmt(f),
            Self::Sign(error) => error.fmt(f),
        }
    }
}

impl<E: core::error::Error + 'static> core::error::Error for AuthorizeError<E> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::NoCredential => None,
            Self::Clock(error) => Some(error),
            Self::Credential(error) => Some(error),
            Self::TooSmall(error) => Some(error),
            Self::Sign(error) => Some(error),
        }
    }
}
