//! What has happened and who is to know.

use core::fmt;

use heapless::{String, Vec};
use serde::{Deserialize, Serialize};

use crate::phone::PhoneNumber;

/// Bytes of the longest text: four messages of 67 UCS-2 characters of 3 bytes each in UTF-8.
pub const MAX_TEXT_LEN: usize = 4 * 67 * 3;

/// Phone numbers that one alert can name.
pub const MAX_PHONES: usize = 8;

/// An alert to be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Who is to know.
    pub to: Recipient,
    /// Which alerts go first, and which give way when the outbox is full.
    pub priority: Priority,
    /// The Unix time in seconds from which the alert is of no use any more.
    pub expires_at: Option<u64>,
    text: String<MAX_TEXT_LEN>,
}

impl Alert {
    /// Makes an alert of normal priority that does not expire.
    ///
    /// # Errors
    /// When the text is empty or longer than [`MAX_TEXT_LEN`] bytes.
    pub fn new(to: Recipient, text: &str) -> Result<Self, AlertError> {
        if text.is_empty() {
            return Err(AlertError::EmptyText);
        }
        Ok(Self {
            to,
            priority: Priority::Normal,
            expires_at: None,
            text: String::try_from(text).map_err(|_| AlertError::TextTooLong(text.len()))?,
        })
    }

    /// Returns the text.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Who is to know: one kind of target, as the APIs want it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Recipient {
    /// One phone.
    Phone(PhoneNumber),
    /// Several phones; empty is refused when the alert is sent.
    Phones(Vec<PhoneNumber, MAX_PHONES>),
    /// A conversation of the account.
    Chat(u64),
    /// A list of contacts of the account.
    List(u64),
    /// Whoever has subscribed to the event: for webhooks, which name no recipient.
    Subscribers,
}

/// The order among alerts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Priority {
    /// Goes last and gives way first.
    Low,
    /// The usual.
    #[default]
    Normal,
    /// Goes first and gives way last.
    High,
}

/// Says what an alert should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AlertError {
    /// The text is empty.
    EmptyText,
    /// The text has so many bytes.
    TextTooLong(usize),
}

impl fmt::Display for AlertError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyText => f.write_str("an alert should have a text"),
            Self::TextTooLong(length) => write!(
                f,
                "an alert's text should have {MAX_TEXT_LEN} bytes at the most; this one has {length}"
            ),
        }
    }
}

impl core::error::Error for AlertError {}
