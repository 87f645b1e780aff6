//! What the stand-in keeps of its traffic: every request with a verdict, every accepted message and job. No secrets.

use std::fmt;

use serde_json::Value;

use crate::Api;

/// One request as the server saw it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The API whose listener it reached.
    pub api: Api,
    /// The server's clock when it judged the request, in Unix seconds.
    pub at: i64,
    /// The method, such as `POST`.
    pub method: String,
    /// The path below the base URL, without the query.
    pub path: String,
    /// The body, if it was JSON.
    pub body: Option<Value>,
    /// The `X-Request-Id` of the response.
    pub request_id: String,
    /// The status of the response, which a fault may have kept from arriving.
    pub status: u16,
    /// Why the response was what it was.
    pub verdict: Verdict,
}

/// Why a request was accepted or refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// It was carried out.
    Accepted,
    /// It had no `Authorization` header, or one of the wrong kind.
    NoCredential,
    /// Its key, issuer or `kid` is unknown, or was revoked.
    UnknownCredential,
    /// Its token is not a JWT, or lacks a claim or has one of the wrong type.
    MalformedToken,
    /// Its token is signed with another algorithm than HS256.
    WrongAlgorithm,
    /// Its token's signature does not match.
    BadSignature,
    /// Its token was issued this many seconds ago, and the API takes it for less than 300.
    TooOld(i64),
    /// Its token was issued this many seconds in the future.
    FromTheFuture(i64),
    /// Its token's `exp` passed this many seconds ago.
    Expired(i64),
    /// Its token's header has no `kid`.
    MissingKid,
    /// Its credential is good and lacks the named permission.
    NoPermission(String),
    /// It exceeded a rate limit.
    RateLimited,
    /// Its body breaks a rule, which is named.
    BadRequest(String),
    /// The API has no such endpoint or resource.
    NotFound,
    /// It was answered by a fault with this status, and not carried out.
    Fault(u16),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted => f.write_str("accepted"),
            Self::NoCredential => f.write_str("no usable Authorization header"),
            Self::UnknownCredential => f.write_str("unknown or revoked credential"),
            Self::MalformedToken => f.write_str("not a token with the documented claims"),
            Self::WrongAlgorithm => f.write_str("not signed with HS256"),
            Self::BadSignature => f.write_str("the signature does not match"),
            Self::TooOld(secs) => write!(f, "the token was issued {secs} s ago, 300 s is too old"),
            Self::FromTheFuture(secs) => write!(f, "the token was issued {secs} s in the future"),
            Self::Expired(secs) => write!(f, "the token expired {secs} s ago"),
            Self::MissingKid => f.write_str("the token's header has no kid"),
            Self::NoPermission(what) => write!(f, "the credential has no permission: {what}"),
            Self::RateLimited => f.write_str("rate limit exceeded"),
            Self::BadRequest(why) => write!(f, "bad request: {why}"),
            Self::NotFound => f.write_str("no such endpoint or resource"),
            Self::Fault(status) => write!(f, "answered {status} by an injected fault"),
        }
    }
}

/// An SMS that the stand-in's Heymarket accepted; its recipient would have got it, whatever became of the response.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// The message's id, which the response gives.
    pub id: u64,
    /// The `X-Request-Id` of the response.
    pub request_id: String,
    /// The server's clock when it was accepted, in Unix seconds.
    pub at: i64,
    /// The client's `local_id`. Two messages may share one: the API does not promise to refuse the second.
    pub local_id: Option<String>,
    /// The `phone_number`, if that was the target.
    pub phone_number: Option<String>,
    /// The `text`, if there was one.
    pub text: Option<String>,
    /// The whole request body.
    pub body: Value,
}

/// A webhook event that the stand-in's Hook Mesh accepted.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// The job's id, which the response gives.
    pub id: String,
    /// The `X-Request-Id` of the response.
    pub request_id: String,
    /// The server's clock when it was accepted, in Unix seconds.
    pub at: i64,
    /// The application it belongs to.
    pub application_id: String,
    /// What happened, such as `sensor.alarm`.
    pub event_type: String,
    /// The idempotency key: a second request with the same one gets this job and makes no other.
    pub event_id: Option<String>,
    /// The event's data.
    pub payload: Value,
}
