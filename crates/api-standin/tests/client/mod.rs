//! An independent client: ureq for ordinary requests, a raw socket for bytes, tokens by `jsonwebtoken`.
#![allow(dead_code)] // each test binary uses its own part

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use api_standin::{Api, Standin};
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Value, json};

/// The vendor's published example of an API secret.
pub const ID: &str = "74f80a77-9b3f-44ac-b3ad-ab68cfb548fa";
pub const KEY: &str = "cPQku7lnSLbnK88UFOBg1a6Q3t1w1RgK";

pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    since.as_secs().cast_signed()
}

/// `Bearer` and a token signed with HS256.
pub fn bearer(header: &Header, claims: &Value, key: &[u8]) -> String {
    let token = encode(header, claims, &EncodingKey::from_secret(key)).unwrap();
    format!("Bearer {token}")
}

/// What a Heymarket client sends, signed with the published example.
pub fn heymarket(iat: i64) -> String {
    heymarket_with(ID, KEY, iat)
}

pub fn heymarket_with(id: &str, key: &str, iat: i64) -> String {
    let secret = format!("{id}||{key}");
    let claims = json!({ "iss": id, "iat": iat });
    bearer(&Header::default(), &claims, secret.as_bytes())
}

/// A body that `POST /v1/message/send` accepts.
pub fn sms() -> Value {
    json!({
        "inbox_id": 42,
        "creator_id": 7,
        "phone_number": "14155551234",
        "text": "Freezer 3 is at -4 °C",
        "local_id": "gw-1-0001",
    })
}

/// A response in plain pieces.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: ureq::http::HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

pub fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(10)))
        .max_idle_connections(0)
        .build()
        .into()
}

fn answer(response: ureq::http::Response<ureq::Body>) -> Answer {
    let (head, mut body) = response.into_parts();
    Answer {
        status: head.status.as_u16(),
        headers: head.headers,
        text: body.read_to_string().unwrap(),
    }
}

pub fn get(standin: &Standin, api: Api, path: &str, authorization: &str) -> Answer {
    try_get(standin, api, path, authorization).unwrap()
}

pub fn try_get(
    standin: &Standin,
    api: Api,
    path: &str,
    authorization: &str,
) -> Result<Answer, ureq::Error> {
    let url = format!("{}{path}", standin.base_url(api));
    let mut request = agent().get(url);
    if !authorization.is_empty() {
        request = request.header("authorization", authorization);
    }
    request.call().map(answer)
}

pub fn post(standin: &Standin, api: Api, path: &str, authorization: &str, body: &Value) -> Answer {
    let url = format!("{}{path}", standin.base_url(api));
    let request = agent().post(url).header("authorization", authorization);
    answer(request.send_json(body).unwrap())
}

pub fn delete(standin: &Standin, api: Api, path: &str, authorization: &str) -> Answer {
    let url = format!("{}{path}", standin.base_url(api));
    let request = agent().delete(url).header("authorization", authorization);
    answer(request.call().unwrap())
}

/// `POST /v1/message/send` as bytes.
pub fn sms_bytes(iat: i64) -> Vec<u8> {
    let body = sms().to_string();
    let authorization = heymarket(iat);
    let length = body.len();
    format!(
        "POST /v1/message/send HTTP/1.1\r\nhost: localhost\r\nauthorization: {authorization}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

pub fn connect(standin: &Standin, api: Api) -> TcpStream {
    let stream = TcpStream::connect(standin.address(api)).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    stream
}

/// Sends bytes and reads until the server closes or resets; says which.
pub fn exchange(standin: &Standin, api: Api, request: &[u8]) -> (Vec<u8>, std::io::Result<()>) {
    let mut stream = connect(standin, api);
    // A server that hangs up early makes the write fail; what it sent can be read all the same.
    let _ = stream.write_all(request);
    let mut response = Vec::new();
    let outcome = stream.read_to_end(&mut response).map(|_| ());
    (response, outcome)
}
