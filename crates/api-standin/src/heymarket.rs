//! Heymarket: `GET /v1/inboxes` and `POST /v1/message/send`.
//!
//! Source: the vendor's pages on authentication, rate limits, inboxes and sending. They name the statuses and what
//! each means, and no error body: the `{"error", "message"}` object here is a stand-in's choice, and a 429 has neither
//! body nor hints, as documented.

use serde_json::{Value, json};

use crate::Verdict;
use crate::http::{Authorization, Reply, Request};
use crate::record::Message;
use crate::send;
use crate::state::{Answer, Context, State};
use crate::{clock, token};

/// An inbox of the stand-in's team, as `GET /v1/inboxes` lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inbox {
    /// What `inbox_id` names.
    pub id: u64,
    /// The name shown to members.
    pub name: String,
    /// The numbers it sends from, digits only.
    pub phones: Vec<String>,
    /// Member ids, one of which a send gives as `creator_id`.
    pub members: Vec<u64>,
}

impl Inbox {
    /// The inboxes of the vendor's examples: 42 with member 7, and 413 with members 1, 2 and 5.
    pub fn examples() -> Vec<Self> {
        vec![
            Self {
                id: 42,
                name: "Alerts".into(),
                phones: vec!["15105550100".into()],
                members: vec![7],
            },
            Self {
                id: 413,
                name: "Support".into(),
                phones: vec!["14155550100".into()],
                members: vec![1, 2, 5],
            },
        ]
    }

    fn json(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "team": 7,
            "members": self.members,
            "phones": self.phones,
            "phone": self.phones.first(),
            "auto_assignable": true,
            "forward_number": null,
        })
    }
}

pub(crate) fn answer(state: &mut State, request: &Request, context: &Context<'_>) -> Answer {
    if let Err(verdict) = authenticate(state, request, context.now) {
        return (failure(401, None), verdict);
    }
    if !state.limits.heymarket.take(context.now).allowed {
        return (failure(429, None), Verdict::RateLimited);
    }
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/v1/inboxes") => {
            let inboxes = state.inboxes.iter().map(Inbox::json).collect();
            (Reply::json(200, &Value::Array(inboxes)), Verdict::Accepted)
        }
        ("POST", "/v1/message/send") => deliver(state, request, context),
        _ => (failure(404, None), Verdict::NotFound),
    }
}

fn authenticate(state: &State, request: &Request, now: i64) -> Result<(), Verdict> {
    let known = &state.credentials.heymarket;
    let key_matches = |candidate: &str| {
        known
            .api_key
            .as_ref()
            .is_some_and(|key| key.matches(candidate))
    };
    match request.credential() {
        Authorization::Bearer(value) if key_matches(value) => Ok(()),
        // The team key has no dots, so a value with two of them can only be meant as a token.
        Authorization::Bearer(value) if value.matches('.').count() == 2 => {
            token::heymarket(value, &known.slots, now)
        }
        Authorization::Basic { user, password } if password.is_empty() && key_matches(&user) => {
            Ok(())
        }
        Authorization::Bearer(_) | Authorization::Basic { .. } => Err(Verdict::UnknownCredential),
        Authorization::Missing | Authorization::Raw(_) => Err(Verdict::NoCredential),
    }
}

fn deliver(state: &mut State, request: &Request, context: &Context<'_>) -> Answer {
    let checked = match request.json() {
        Some(body) => send::check(body, &state.inboxes),
        None => Err(send::Refusal::BadData("the body is not JSON".into())),
    };
    let body = match checked {
        Ok(body) => body,
        Err(send::Refusal::BadData(why)) => {
            let body = json!({ "error": "bad_data", "message": why });
            return (Reply::json(400, &body), Verdict::BadRequest(why));
        }
        Err(send::Refusal::Denied(why)) => {
            let body = json!({ "error": "Denied", "message": why });
            return (Reply::json(403, &body), Verdict::NoPermission(why));
        }
    };
    let text_of = |field: &str| body.get(field).and_then(Value::as_str).map(String::from);
    let id = 9_000_001 + state.messages.len() as u64;
    state.messages.push(Message {
        id,
        request_id: context.request_id.into(),
        at: context.now,
        local_id: text_of("local_id"),
        phone_number: text_of("phone_number"),
        text: text_of("text"),
        body,
    });
    let answer = json!({ "id": id, "date": clock::rfc3339(context.now), "gallery_url": "" });
    (Reply::json(200, &answer), Verdict::Accepted)
}

/// The response to a failure of this status, in the words of the vendor's table.
pub(crate) fn failure(status: u16, retry_after: Option<u32>) -> Reply {
    let (error, message) = match status {
        400 => (
            "bad_data",
            "The request body is malformed or contains invalid fields.",
        ),
        401 => (
            "Unauthorized",
            "The request is missing valid authentication credentials.",
        ),
        403 => (
            "Denied",
            "The credentials are valid, but the team or sender does not have access.",
        ),
        404 => ("Not found", "There is no such endpoint."),
        429 => {
            let reply = Reply::empty(429);
            return match retry_after {
                Some(secs) => reply.header("retry-after", secs),
                None => reply,
            };
        }
        _ => ("Server error", "An unexpected error occurred."),
    };
    Reply::json(status, &json!({ "error": error, "message": message }))
}
