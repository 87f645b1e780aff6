//! Hook Mesh: applications, webhook jobs and the management of API keys.
//!
//! Source: the vendor's pages on authentication, errors and webhook jobs. Stand-in's choices where they are silent:
//! rate limit fields come with the endpoints that have a limit, a repeated `event_id` answers 200 with the first job, a
//! revoke answers 200 with an empty object, a key is of its creator's mode, and key management asks for scopes named
//! `api-keys:read` and `api-keys:write`.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::Verdict;
use crate::clock;
use crate::credentials::{HookMeshKey, Secret};
use crate::http::{Authorization, Reply, Request};
use crate::limit::Quota;
use crate::record::Job;
use crate::state::{Answer, Context, State};

/// How long a webhook job is delivered for, in seconds: the documented 48 hours.
const DELIVERY_SECS: i64 = 48 * 3600;

type Endpoint = fn(&mut State, &Request, &Context<'_>) -> Answer;

pub(crate) fn answer(state: &mut State, request: &Request, context: &Context<'_>) -> Answer {
    let presented = match request.credential() {
        Authorization::Bearer(value) => value,
        _ => return (failure(401, None, context.now), Verdict::NoCredential),
    };
    let keys = &mut state.credentials.hookmesh;
    let Some(key) = keys.iter_mut().find(|known| known.key.matches(presented)) else {
        return (failure(401, None, context.now), Verdict::UnknownCredential);
    };
    key.last_used_at = Some(context.now);
    let revoked = request.path.strip_prefix("/v1/api-keys/");
    let (scope, endpoint): (&str, Endpoint) = match (request.method.as_str(), request.path.as_str())
    {
        ("GET", "/v1/applications") => ("applications:read", applications),
        ("POST", "/v1/webhook-jobs") => ("webhooks:write", create_job),
        ("GET", "/v1/api-keys") => ("api-keys:read", list_keys),
        ("POST", "/v1/api-keys") => ("api-keys:write", create_key),
        ("DELETE", _) if revoked.is_some() => ("api-keys:write", revoke_key),
        _ => return (failure(404, None, context.now), Verdict::NotFound),
    };
    if !key.scopes.iter().any(|granted| granted == scope) {
        let verdict = Verdict::NoPermission(scope.into());
        return (failure(403, None, context.now), verdict);
    }
    endpoint(state, request, context)
}

fn applications(_: &mut State, _: &Request, _: &Context<'_>) -> Answer {
    let body = json!({ "data": [{
        "id": "app_2Zy3X8qP9rK5mN1vB",
        "name": "Gateways",
        "created_at": "2026-01-15T10:30:00Z",
    }] });
    (Reply::json(200, &body), Verdict::Accepted)
}

fn create_job(state: &mut State, request: &Request, context: &Context<'_>) -> Answer {
    let quota = state.limits.jobs.take(context.now);
    if !quota.allowed {
        return exceeded(quota, context.now);
    }
    let body = request.json().unwrap_or_default();
    let text = |field: &str| body.get(field).and_then(Value::as_str).map(String::from);
    let application_id = match text("application_id") {
        Some(id) => id,
        None => return invalid("application_id", "The application_id field is required"),
    };
    let event_type = match text("event_type") {
        Some(kind) => kind,
        None => return invalid("event_type", "The event_type field is required"),
    };
    let Some(payload) = body.get("payload").filter(|value| value.is_object()) else {
        return invalid("payload", "The payload field must be an object");
    };
    let event_id = text("event_id");
    let known = |job: &&Job| event_id.is_some() && job.event_id == event_id;
    if let Some(job) = state.jobs.iter().find(known) {
        return (
            limited(Reply::json(200, &job_json(job)), quota),
            Verdict::Accepted,
        );
    }
    let job = Job {
        id: format!("job_{}", Uuid::new_v4().simple()),
        request_id: context.request_id.into(),
        at: context.now,
        application_id,
        event_type,
        event_id,
        payload: payload.clone(),
    };
    let reply = Reply::json(201, &job_json(&job));
    state.jobs.push(job);
    (limited(reply, quota), Verdict::Accepted)
}

fn job_json(job: &Job) -> Value {
    json!({
        "id": job.id,
        "application_id": job.application_id,
        "event_type": job.event_type,
        "status": "created",
        "created_at": clock::rfc3339(job.at),
        "expires_at": clock::rfc3339(job.at + DELIVERY_SECS),
        "attempt_count": 0,
    })
}

fn list_keys(state: &mut State, _: &Request, _: &Context<'_>) -> Answer {
    let keys = &state.credentials.hookmesh;
    let data: Vec<Value> = keys.iter().map(metadata).collect();
    (
        Reply::json(200, &json!({ "data": data })),
        Verdict::Accepted,
    )
}

/// What a listing shows of a key: the first eleven characters, as in the documented example.
fn metadata(key: &HookMeshKey) -> Value {
    json!({
        "id": key.id,
        "name": key.name,
        "prefix": key.key.expose().get(..11),
        "created_at": clock::rfc3339(key.created_at),
        "last_used_at": key.last_used_at.map(clock::rfc3339),
    })
}

fn create_key(state: &mut State, request: &Request, context: &Context<'_>) -> Answer {
    let quota = state.limits.key_creation.take(context.now);
    if !quota.allowed {
        return exceeded(quota, context.now);
    }
    let body = request.json().unwrap_or_default();
    let Some(name) = body.get("name").and_then(Value::as_str) else {
        return invalid("name", "The name field is required");
    };
    let scopes: Option<Vec<String>> = body
        .get("scopes")
        .and_then(|scopes| serde_json::from_value(scopes.clone()).ok());
    let Some(scopes) = scopes else {
        return invalid("scopes", "The scopes field must be an array of strings");
    };
    let mode = match request.credential() {
        Authorization::Bearer(value) if value.starts_with("sk_test_") => "sk_test_",
        _ => "sk_live_",
    };
    let key = HookMeshKey {
        id: format!("key_{}", Uuid::new_v4().simple()),
        name: name.into(),
        key: Secret::new(format!("{mode}{}", Uuid::new_v4().simple())),
        scopes,
        created_at: context.now,
        last_used_at: None,
    };
    let answer = json!({
        "id": key.id,
        "name": key.name,
        "key": key.key.expose(),
        "created_at": clock::rfc3339(key.created_at),
    });
    state.credentials.hookmesh.push(key);
    (limited(Reply::json(201, &answer), quota), Verdict::Accepted)
}

fn revoke_key(state: &mut State, request: &Request, context: &Context<'_>) -> Answer {
    let id = request.path.strip_prefix("/v1/api-keys/").unwrap_or("");
    let keys = &mut state.credentials.hookmesh;
    let before = keys.len();
    keys.retain(|key| key.id != id);
    if keys.len() == before {
        return (failure(404, None, context.now), Verdict::NotFound);
    }
    (Reply::json(200, &json!({})), Verdict::Accepted)
}

fn limited(reply: Reply, quota: Quota) -> Reply {
    reply
        .header("x-ratelimit-limit", quota.limit)
        .header("x-ratelimit-remaining", quota.remaining)
        .header("x-ratelimit-reset", quota.reset)
}

fn exceeded(quota: Quota, now: i64) -> Answer {
    let wait = u32::try_from(quota.reset.saturating_sub(now)).unwrap_or(1);
    (limited(too_many(Some(wait)), quota), Verdict::RateLimited)
}

fn invalid(field: &str, why: &str) -> Answer {
    let body = json!({ "error": {
        "code": "validation_error",
        "message": "Validation failed for the request",
        "details": { field: [why] },
    } });
    (Reply::json(422, &body), Verdict::BadRequest(why.into()))
}

/// The response to a failure of this status, in the vendor's words where it gives any.
pub(crate) fn failure(status: u16, retry_after: Option<u32>, now: i64) -> Reply {
    let (code, message) = match status {
        400 => ("bad_request", "Invalid request syntax or parameters"),
        401 => ("unauthorized", "Invalid or missing API key"),
        403 => ("forbidden", "API key does not have access to this resource"),
        404 => ("not_found", "Resource not found"),
        409 => ("resource_conflict", "Resource already exists"),
        422 => ("validation_error", "Validation failed for the request"),
        429 => {
            let reply = too_many(retry_after);
            return match retry_after {
                Some(secs) => limited(reply, Quota::used_up(100, now + i64::from(secs))),
                None => reply,
            };
        }
        503 => ("service_unavailable", "Service temporarily unavailable"),
        _ => ("internal_error", "Internal server error"),
    };
    let body = json!({ "error": { "code": code, "message": message } });
    Reply::json(status, &body)
}

fn too_many(retry_after: Option<u32>) -> Reply {
    let error = match retry_after {
        Some(secs) => json!({
            "code": "rate_limit_exceeded",
            "message": format!("Rate limit exceeded. Retry after {secs} seconds."),
            "retry_after": secs,
        }),
        None => json!({ "code": "rate_limit_exceeded", "message": "Rate limit exceeded." }),
    };
    Reply::json(429, &json!({ "error": error }))
}
