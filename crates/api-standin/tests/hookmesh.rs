//! Hook Mesh's stand-in: documented bodies, rate limit fields, webhook jobs, and keys that are made and revoked.

mod client;

use api_standin::{Api, Config, Standin, Verdict};
use client::{Answer, delete, get, post};
use serde_json::{Value, json};

const LIVE: &str = "Bearer sk_live_standin_1";
const KEYS: &str = "/v1/api-keys";
const JOBS: &str = "/v1/webhook-jobs";

/// The time in the vendor's example of a created key, 2026-01-20T15:30:00Z.
const NOW: i64 = 1_768_923_000;

fn start() -> Standin {
    let standin = Standin::start(Config::default()).unwrap();
    standin.set_now(NOW);
    standin
}

fn applications(standin: &Standin, authorization: &str) -> Answer {
    get(standin, Api::HookMesh, "/v1/applications", authorization)
}

fn create(standin: &Standin, authorization: &str, body: &Value) -> Answer {
    post(standin, Api::HookMesh, KEYS, authorization, body)
}

fn job() -> Value {
    json!({
        "application_id": "app_1",
        "event_type": "sensor.alarm",
        "payload": { "celsius": -4 },
    })
}

#[test]
fn the_documented_401_and_403() {
    let standin = start();
    for authorization in ["", "Bearer sk_live_unknown", "sk_live_standin_1"] {
        let answer = applications(&standin, authorization);
        assert_eq!(answer.status, 401);
        let error = json!({ "code": "unauthorized", "message": "Invalid or missing API key" });
        assert_eq!(answer.json(), json!({ "error": error }));
    }
    standin.change_credentials(|known| known.hookmesh[0].scopes = vec!["webhooks:write".into()]);
    let answer = applications(&standin, LIVE);
    assert_eq!(answer.status, 403);
    let message = "API key does not have access to this resource";
    let error = json!({ "code": "forbidden", "message": message });
    assert_eq!(answer.json(), json!({ "error": error }));
    let verdict = standin.log().pop().unwrap().verdict;
    assert_eq!(verdict, Verdict::NoPermission("applications:read".into()));
}

#[test]
fn a_job_is_created_once_for_an_event_id() {
    let standin = start();
    let mut body = job();
    body["event_id"] = json!("gw-1-0001");
    let first = post(&standin, Api::HookMesh, JOBS, LIVE, &body);
    assert_eq!(first.status, 201);
    let created = first.json();
    assert_eq!(created["application_id"], json!("app_1"));
    assert_eq!(created["status"], json!("created"));
    assert_eq!(created["created_at"], json!("2026-01-20T15:30:00Z"));
    assert_eq!(created["expires_at"], json!("2026-01-22T15:30:00Z"));
    let second = post(&standin, Api::HookMesh, JOBS, LIVE, &body);
    assert_eq!((second.status, second.json()), (200, created));
    post(&standin, Api::HookMesh, JOBS, LIVE, &job());
    post(&standin, Api::HookMesh, JOBS, LIVE, &job());
    let jobs = standin.jobs();
    assert_eq!(jobs.len(), 3);
    assert_eq!(jobs[0].payload, json!({ "celsius": -4 }));
    assert_eq!(jobs[0].event_type, "sensor.alarm");
}

#[test]
fn a_job_that_breaks_a_rule_is_422_with_details() {
    let standin = start();
    for (field, value) in [
        ("application_id", json!(7)),
        ("event_type", Value::Null),
        ("payload", json!("text")),
    ] {
        let mut body = job();
        body[field] = value;
        let answer = post(&standin, Api::HookMesh, JOBS, LIVE, &body);
        assert_eq!(answer.status, 422);
        let error = &answer.json()["error"];
        assert_eq!(error["code"], json!("validation_error"));
        assert!(error["details"][field][0].is_string());
    }
    assert!(standin.jobs().is_empty());
}

#[test]
fn the_101st_job_of_a_second_is_429_with_its_hints() {
    let standin = start();
    let request = format!(
        "POST {JOBS} HTTP/1.1\r\nhost: a\r\nauthorization: {LIVE}\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n{}",
        job().to_string().len(),
        job()
    );
    let first = post(&standin, Api::HookMesh, JOBS, LIVE, &job());
    assert_eq!(first.header("x-ratelimit-limit"), Some("100"));
    assert_eq!(first.header("x-ratelimit-remaining"), Some("99"));
    assert_eq!(first.header("x-ratelimit-reset"), Some("1768923001"));
    for _ in 0..99 {
        let (bytes, _) = client::exchange(&standin, Api::HookMesh, request.as_bytes());
        assert!(bytes.starts_with(b"HTTP/1.1 201 Created\r\n"));
    }
    let answer = post(&standin, Api::HookMesh, JOBS, LIVE, &job());
    assert_eq!(answer.status, 429);
    assert_eq!(answer.header("x-ratelimit-remaining"), Some("0"));
    assert_eq!(answer.json()["error"]["retry_after"], json!(1));
    standin.set_now(NOW + 1);
    assert_eq!(
        post(&standin, Api::HookMesh, JOBS, LIVE, &job()).status,
        201
    );
    assert_eq!(standin.jobs().len(), 101);
}

#[test]
fn a_key_is_created_listed_used_and_revoked_at_once() {
    let standin = start();
    let body = json!({ "name": "Gateway 7", "scopes": ["applications:read"] });
    let answer = create(&standin, LIVE, &body);
    assert_eq!(answer.status, 201);
    let made = answer.json();
    assert_eq!(made["name"], json!("Gateway 7"));
    assert_eq!(made["created_at"], json!("2026-01-20T15:30:00Z"));
    let (id, key) = (made["id"].as_str().unwrap(), made["key"].as_str().unwrap());
    assert!(key.starts_with("sk_live_") && key.len() > 30);
    let authorization = format!("Bearer {key}");

    let listed = |standin: &Standin| {
        let listing = get(standin, Api::HookMesh, KEYS, LIVE);
        assert!(!listing.text.contains(key));
        let data = listing.json()["data"].as_array().unwrap().clone();
        data.into_iter().find(|entry| entry["id"] == json!(id))
    };
    let entry = listed(&standin).unwrap();
    assert_eq!(entry["prefix"], json!(key[..11]));
    assert_eq!(entry["last_used_at"], Value::Null);

    assert_eq!(applications(&standin, &authorization).status, 200);
    assert_eq!(
        listed(&standin).unwrap()["last_used_at"],
        json!("2026-01-20T15:30:00Z")
    );
    assert_eq!(create(&standin, &authorization, &body).status, 403);

    assert_eq!(
        delete(&standin, Api::HookMesh, &format!("{KEYS}/{id}"), LIVE).status,
        200
    );
    assert_eq!(applications(&standin, &authorization).status, 401);
    assert_eq!(listed(&standin), None);
    assert_eq!(
        delete(&standin, Api::HookMesh, &format!("{KEYS}/{id}"), LIVE).status,
        404
    );
    assert!(!format!("{:?}", standin.log()).contains(key));
}

#[test]
fn a_key_that_revokes_itself_is_gone() {
    let standin = start();
    let path = format!("{KEYS}/key_live_1");
    assert_eq!(delete(&standin, Api::HookMesh, &path, LIVE).status, 200);
    assert_eq!(applications(&standin, LIVE).status, 401);
}

#[test]
fn a_test_key_makes_test_keys() {
    let standin = start();
    let body = json!({ "name": "Bench", "scopes": [] });
    let made = create(&standin, "Bearer sk_test_standin_1", &body).json();
    assert!(made["key"].as_str().unwrap().starts_with("sk_test_"));
}

#[test]
fn the_eleventh_key_of_an_hour_is_429() {
    let standin = start();
    let body = json!({ "name": "K", "scopes": ["webhooks:write"] });
    for remaining in (0..10).rev() {
        let answer = create(&standin, LIVE, &body);
        assert_eq!(answer.status, 201);
        let left = remaining.to_string();
        assert_eq!(answer.header("x-ratelimit-remaining"), Some(left.as_str()));
    }
    standin.set_now(NOW + 3540);
    let answer = create(&standin, LIVE, &body);
    assert_eq!(answer.status, 429);
    // The vendor's documented example of this error.
    let documented = json!({ "error": {
        "code": "rate_limit_exceeded",
        "message": "Rate limit exceeded. Retry after 60 seconds.",
        "retry_after": 60,
    } });
    assert_eq!(answer.json(), documented);
    standin.set_now(NOW + 3600);
    assert_eq!(create(&standin, LIVE, &body).status, 201);
}

#[test]
fn a_key_without_name_or_scopes_is_422() {
    let standin = start();
    for body in [
        json!({ "scopes": [] }),
        json!({ "name": "a" }),
        json!({ "name": "a", "scopes": "x" }),
    ] {
        assert_eq!(create(&standin, LIVE, &body).status, 422, "{body}");
    }
    assert_eq!(standin.credentials().hookmesh.len(), 2);
}
