//! The Key-ID JWT API: `GET /`.
//!
//! Source: the vendor's page on authentication. It documents the answer and the error of a token without `kid`; the
//! other errors copy that one's form.

use serde_json::json;

use crate::Verdict;
use crate::http::{Authorization, Reply, Request};
use crate::state::{Answer, Context, State};
use crate::{clock, token};

pub(crate) fn answer(state: &mut State, request: &Request, context: &Context<'_>) -> Answer {
    match authenticate(state, request, context.now) {
        Ok(()) => {}
        Err(Verdict::MissingKid) => {
            let body = json!({ "error": "jwt token is missing 'kid' header parameter" });
            return (Reply::json(500, &body), Verdict::MissingKid);
        }
        Err(verdict) => return (failure(401, None), verdict),
    }
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/") => {
            let body = json!({ "message": "Oh, Hello", "time": clock::rfc3339(context.now) });
            (Reply::json(200, &body), Verdict::Accepted)
        }
        _ => (failure(404, None), Verdict::NotFound),
    }
}

fn authenticate(state: &State, request: &Request, now: i64) -> Result<(), Verdict> {
    let known = &state.credentials.key_id;
    match request.credential() {
        Authorization::Bearer(value) => token::key_id(value, &known.jwt, now),
        Authorization::Raw(value) if known.api_tokens.iter().any(|t| t.matches(value)) => Ok(()),
        Authorization::Raw(_) => Err(Verdict::UnknownCredential),
        Authorization::Missing | Authorization::Basic { .. } => Err(Verdict::NoCredential),
    }
}

/// The response to a failure of this status.
pub(crate) fn failure(status: u16, retry_after: Option<u32>) -> Reply {
    let error = match status {
        401 => "unauthorized",
        403 => "forbidden",
        404 => "not found",
        429 => "too many requests",
        500 => "internal server error",
        503 => "service unavailable",
        _ => "request failed",
    };
    let reply = Reply::json(status, &json!({ "error": error }));
    match retry_after {
        Some(secs) => reply.header("retry-after", secs),
        None => reply,
    }
}
