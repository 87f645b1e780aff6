//! Heymarket's stand-in: credentials, bodies, field rules, limits.

mod client;

use api_standin::{Api, Config, Standin, Verdict};
use client::{get, heymarket, now, post, sms};
use serde_json::json;

const INBOXES: &str = "/v1/inboxes";
const SEND: &str = "/v1/message/send";

fn start() -> Standin {
    Standin::start(Config::default()).unwrap()
}

#[test]
fn an_sms_is_accepted_and_recorded() {
    let standin = start();
    let answer = post(&standin, Api::Heymarket, SEND, &heymarket(now()), &sms());
    assert_eq!(answer.status, 200);
    let [message] = standin.messages().try_into().unwrap();
    assert_eq!(answer.json()["id"], json!(message.id));
    assert!(answer.json()["date"].is_string() && answer.json()["gallery_url"].is_string());
    assert_eq!(
        answer.header("x-request-id"),
        Some(message.request_id.as_str())
    );
    assert_eq!(message.local_id.as_deref(), Some("gw-1-0001"));
    assert_eq!(message.body, sms());
    let [entry] = standin.log().try_into().unwrap();
    assert_eq!((entry.status, entry.verdict), (200, Verdict::Accepted));
}

#[test]
fn inboxes_are_a_bare_array() {
    let standin = start();
    let answer = get(&standin, Api::Heymarket, INBOXES, &heymarket(now()));
    assert_eq!(answer.status, 200);
    let inboxes = answer.json();
    assert_eq!(inboxes[0]["id"], json!(42));
    assert_eq!(inboxes[0]["members"], json!([7]));
}
