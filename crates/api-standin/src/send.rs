//! The field rules of Heymarket's `POST /v1/message/send`.
//!
//! Source: the vendor's send reference and guide. A stand-in's choices where they are silent: unknown fields are
//! ignored, `text` may accompany `media_url` (an MMS with a caption) but not `template_id` (which replaces it), and a
//! `creator_id` that is not a member of the inbox is 403.

use serde_json::{Map, Value};

use crate::heymarket::Inbox;

/// Why a send is refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// 400: the body breaks the named rule.
    BadData(String),
    /// 403: the sender has no access.
    Denied(String),
}

/// The target families: exactly one of these fields may be given.
const TARGETS: [&str; 4] = ["phone_number", "chat_id", "list_id", "targets"];

/// Every field with a type, required or not.
const FIELDS: [(&str, Kind); 14] = [
    ("inbox_id", Kind::Integer),
    ("creator_id", Kind::Integer),
    ("phone_number", Kind::Text),
    ("chat_id", Kind::Integer),
    ("list_id", Kind::Integer),
    ("targets", Kind::Texts),
    ("text", Kind::Text),
    ("media_url", Kind::Text),
    ("template_id", Kind::Integer),
    ("local_id", Kind::Text),
    ("author", Kind::Text),
    ("activity_id", Kind::Text),
    ("private", Kind::Boolean),
    ("survey_id", Kind::Integer),
];

#[derive(Clone, Copy)]
enum Kind {
    Integer,
    Text,
    Texts,
    Boolean,
}

impl Kind {
    fn fits(self, value: &Value) -> bool {
        match self {
            Self::Integer => value.is_i64() || value.is_u64(),
            Self::Text => value.is_string(),
            Self::Texts => value
                .as_array()
                .is_some_and(|items| items.iter().all(Value::is_string)),
            Self::Boolean => value.is_boolean(),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Integer => "an integer",
            Self::Text => "a string",
            Self::Texts => "an array of strings",
            Self::Boolean => "a boolean",
        }
    }
}

/// Gives the body back if it may be sent.
pub(crate) fn check(body: Value, inboxes: &[Inbox]) -> Result<Value, Refusal> {
    let fields = body
        .as_object()
        .ok_or_else(|| bad("the body must be a JSON object"))?;
    types(fields)?;
    target(fields)?;
    content(fields)?;
    sender(fields, inboxes)?;
    Ok(body)
}

fn bad(why: impl Into<String>) -> Refusal {
    Refusal::BadData(why.into())
}

fn types(fields: &Map<String, Value>) -> Result<(), Refusal> {
    for (name, kind) in FIELDS {
        if fields.get(name).is_some_and(|value| !kind.fits(value)) {
            return Err(bad(format!("{name} must be {}", kind.name())));
        }
    }
    for name in ["inbox_id", "creator_id"] {
        if !fields.contains_key(name) {
            return Err(bad(format!("{name} is required")));
        }
    }
    Ok(())
}

fn target(fields: &Map<String, Value>) -> Result<(), Refusal> {
    let given = TARGETS.iter().filter(|name| fields.contains_key(**name));
    if given.count() != 1 {
        return Err(bad(
            "give exactly one of phone_number, chat_id, list_id and targets",
        ));
    }
    if fields.contains_key("list_id") && !non_empty(fields, "local_id") {
        return Err(bad("local_id is required with list_id"));
    }
    let single = fields.get("phone_number").into_iter();
    let group = fields.get("targets").and_then(Value::as_array);
    if group.is_some_and(Vec::is_empty) {
        return Err(bad("targets must not be empty"));
    }
    let numbers = single.chain(group.into_iter().flatten());
    match numbers.filter_map(Value::as_str).find(|n| !is_e164(n)) {
        Some(_) => Err(bad(
            "a phone number must be E.164 digits without the leading plus sign",
        )),
        None => Ok(()),
    }
}

fn content(fields: &Map<String, Value>) -> Result<(), Refusal> {
    let (text, media) = (non_empty(fields, "text"), non_empty(fields, "media_url"));
    let template = fields.contains_key("template_id");
    if !(text || media || template) {
        return Err(bad("text, media_url or template_id is required"));
    }
    if text && template {
        return Err(bad("give text or template_id, not both"));
    }
    Ok(())
}

fn sender(fields: &Map<String, Value>, inboxes: &[Inbox]) -> Result<(), Refusal> {
    let id = |name: &str| fields.get(name).and_then(Value::as_u64);
    let inbox = inboxes
        .iter()
        .find(|inbox| Some(inbox.id) == id("inbox_id"))
        .ok_or_else(|| bad("inbox_id names no inbox of this team"))?;
    match id("creator_id") {
        Some(creator) if inbox.members.contains(&creator) => Ok(()),
        _ => Err(Refusal::Denied(
            "creator_id is not a member of this inbox".into(),
        )),
    }
}

fn non_empty(fields: &Map<String, Value>, name: &str) -> bool {
    fields
        .get(name)
        .and_then(Value::as_str)
        .is_some_and(|text| !text.is_empty())
}

/// ITU-T E.164: a country code that does not begin with 0, and at most 15 digits in all.
fn is_e164(number: &str) -> bool {
    (2..=15).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && !number.starts_with('0')
}
