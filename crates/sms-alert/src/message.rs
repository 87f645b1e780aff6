//! The JSON bodies of the requests, as the vendors' pages show them.

use core::fmt;

use serde::Serialize;

use crate::alert::{Alert, Recipient};
use crate::local_id::LocalIdText;
use crate::phone::PhoneNumber;
use crate::request::{RequestError, json_body};

/// The account that alerts are sent from: what an API wants to know beside the alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Account<'a> {
    /// Heymarket's `POST /v1/message/send`.
    Heymarket {
        /// The inbox to send from, one of those that `GET /v1/inboxes` names.
        inbox_id: u64,
        /// The member in whose name it is sent.
        creator_id: u64,
    },
    /// Hook Mesh's `POST /v1/webhook-jobs`, with the `local_id` as idempotency key: there
    /// [`MaybeSentPolicy::Resend`](crate::MaybeSentPolicy::Resend) makes no duplicates.
    HookMesh {
        /// The application whose endpoints are called.
        application_id: &'a str,
        /// The type of the event.
        event_type: &'a str,
    },
}

impl Account<'_> {
    /// Writes the body that sends `alert` into `out` and returns the part written.
    ///
    /// # Errors
    /// [`MessageError`]; `out` then holds a part of the body.
    pub fn body<'o>(
        &self,
        alert: &Alert,
        local_id: &LocalIdText,
        out: &'o mut [u8],
    ) -> Result<&'o [u8], MessageError> {
        let text = alert.text();
        let written = match *self {
            Self::Heymarket {
                inbox_id,
                creator_id,
            } => {
                let mut message = HeymarketMessage {
                    inbox_id,
                    creator_id,
                    phone_number: None,
                    chat_id: None,
                    list_id: None,
                    targets: None,
                    text,
                    local_id,
                };
                match &alert.to {
                    Recipient::Phone(phone) => message.phone_number = Some(phone),
                    Recipient::Phones(phones) if !phones.is_empty() => {
                        message.targets = Some(phones);
                    }
                    Recipient::Chat(chat) => message.chat_id = Some(*chat),
                    Recipient::List(list) => message.list_id = Some(*list),
                    Recipient::Phones(_) | Recipient::Subscribers => {
                        return Err(MessageError::NoRecipient);
                    }
                }
                json_body(&message, out)
            }
            Self::HookMesh {
                application_id,
                event_type,
            } => {
                let phones = match &alert.to {
                    Recipient::Phone(phone) => core::slice::from_ref(phone),
                    Recipient::Phones(phones) => phones,
                    Recipient::Subscribers => &[],
                    Recipient::Chat(_) | Recipient::List(_) => {
                        return Err(MessageError::NoRecipient);
                    }
                };
                let job = WebhookJob {
                    application_id,
                    event_type,
                    event_id: Some(local_id),
                    payload: AlertPayload { text, phones },
                };
                json_body(&job, out)
            }
        };
        written.map_err(MessageError::Body)
    }
}

#[derive(Serialize)]
struct HeymarketMessage<'a> {
    inbox_id: u64,
    creator_id: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_number: Option<&'a PhoneNumber>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chat_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    list_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    targets: Option<&'a [PhoneNumber]>,
    text: &'a str,
    local_id: &'a str,
}

/// The body of Hook Mesh's `POST /v1/webhook-jobs`, which raises an event.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct WebhookJob<'a, P> {
    /// The application whose endpoints are called.
    pub application_id: &'a str,
    /// The type of the event.
    pub event_type: &'a str,
    /// The idempotency key: a second request with the same one makes no second job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<&'a str>,
    /// What the endpoints receive: any JSON object.
    pub payload: P,
}

#[derive(Serialize)]
struct AlertPayload<'a> {
    text: &'a str,
    phones: &'a [PhoneNumber],
}

/// The body of Hook Mesh's `POST /v1/api-keys`, which creates a key.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct NewApiKey<'a> {
    /// What the key is called.
    pub name: &'a str,
    /// What the key may do, such as `webhooks:write`.
    pub scopes: &'a [&'a str],
}

/// Says why an alert can't be put as a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MessageError {
    /// The account's API can't reach this kind of recipient, or none is named.
    NoRecipient,
    /// The body was not written.
    Body(RequestError),
}

impl fmt::Display for MessageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRecipient => f.write_str(
                "the alert should name a recipient that the API knows: \
                 a phone, a chat or a list for Heymarket, phones or none for Hook Mesh",
            ),
            Self::Body(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for MessageError {}
