//! Why a board sends nothing.

use core::fmt;

use secure_store::StoreError;
use sms_alert::{FieldError, OutboxError};

use crate::configuration::ConfigurationError;
use crate::credentials::CredentialsError;
use crate::records::RecordsError;
use crate::shared::{ChipKeyError, FlashError};
use crate::transport::NoTls;

/// Why a kind of board sends nothing.
pub(crate) type BoardRefusal<B> = Refusal<FlashError<B>, ChipKeyError<B>>;

/// Why nothing is sent; `E` is the flash driver's error, `K` that of the chip with keys.
pub(crate) enum Refusal<E, K> {
    Store(StoreError<E>),
    Configuration(ConfigurationError<E>),
    Credentials(CredentialsError<E, K>),
    /// The credential is of an API that sends no SMS.
    NoSms,
    /// The certificates that were provisioned can't be read.
    Trust(StoreError<E>),
    Outbox(OutboxError<RecordsError<E>>),
    Host(FieldError),
    NoTls(NoTls),
}

impl<E: fmt::Debug, K: fmt::Display> fmt::Display for Refusal<E, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Configuration(error) => error.fmt(f),
            Self::Credentials(error) => error.fmt(f),
            Self::NoSms => f.write_str(
                "the credential is of an API that sends no SMS: provision one of Heymarket's",
            ),
            Self::Trust(error) => write!(f, "no server is trusted: {error}"),
            Self::Outbox(error) => error.fmt(f),
            Self::Host(error) => error.fmt(f),
            Self::NoTls(error) => error.fmt(f),
        }
    }
}
