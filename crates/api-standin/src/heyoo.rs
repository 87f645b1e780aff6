//! Heyoo: `GET` and `POST /campaigns` and `GET /tags`, on which every kind of key can be tried.
//!
//! Source: the vendor's pages on API keys and campaigns. They promise an error that tells which permissions are needed
//! and show none: the names of permissions and the form of errors are a stand-in's choices.

use serde_json::json;

use crate::Verdict;
use crate::http::{Authorization, Reply, Request};
use crate::state::{Answer, State};

pub(crate) fn answer(state: &mut State, request: &Request) -> Answer {
    let presented = match request.credential() {
        Authorization::Bearer(value) => value,
        _ => return (failure(401, None), Verdict::NoCredential),
    };
    let keys = &state.credentials.heyoo;
    let Some(key) = keys.iter().find(|known| known.key.matches(presented)) else {
        return (failure(401, None), Verdict::UnknownCredential);
    };
    let needed = match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/campaigns") => "campaigns.read",
        ("POST", "/campaigns") => "campaigns.write",
        ("GET", "/tags") => "tags.read",
        _ => return (failure(404, None), Verdict::NotFound),
    };
    if !key.permissions.allow(needed) {
        let message = format!(
            "The provided key does not have the required permissions for this endpoint. \
             Having the '{needed}' permission would allow this request to continue."
        );
        let body = json!({ "error": { "code": "forbidden", "message": message } });
        return (
            Reply::json(403, &body),
            Verdict::NoPermission(needed.into()),
        );
    }
    let reply = match request.method.as_str() {
        "GET" => Reply::json(200, &json!([])),
        _ => Reply::json(200, &json!({ "id": "campaign_1", "status": "draft" })),
    };
    (reply, Verdict::Accepted)
}

/// The response to a failure of this status.
pub(crate) fn failure(status: u16, retry_after: Option<u32>) -> Reply {
    let (code, message) = match status {
        400 => ("bad_request", "The request is malformed."),
        401 => ("unauthorized", "Missing or invalid API key."),
        403 => ("forbidden", "The API key may not do this."),
        404 => ("not_found", "The requested resource was not found."),
        429 => ("rate_limit_exceeded", "Too many requests."),
        _ => ("internal_server_error", "Something went wrong."),
    };
    let reply = Reply::json(
        status,
        &json!({ "error": { "code": code, "message": message } }),
    );
    match retry_after {
        Some(secs) => reply.header("retry-after", secs),
        None => reply,
    }
}
