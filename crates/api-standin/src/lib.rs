//! A loopback HTTP server that stands in for the four APIs a gateway authenticates to: for tests, and for trying
//! things out without an account.
//!
//! It judges tokens with the `jsonwebtoken` crate and shares no code with the signer, so a token that both accept was
//! judged twice. It answers as the vendors document, and goes wrong on request: statuses, clock skew, slow answers,
//! odd framing, and connections that break at a chosen byte. Each API has a listener and a base URL of its own:
//!
//! | [`Api`] | endpoints | accepts |
//! | --- | --- | --- |
//! | [`Heymarket`](Api::Heymarket) | `GET /v1/inboxes`, `POST /v1/message/send` | a JWT of either secret slot, less than 300 s old; the team key as Bearer or Basic |
//! | [`KeyId`](Api::KeyId) | `GET /` | a JWT with `kid` and `exp`; a raw static token |
//! | [`Heyoo`](Api::Heyoo) | `GET` and `POST /campaigns`, `GET /tags` | a `hey_` key with the permission |
//! | [`HookMesh`](Api::HookMesh) | `GET /v1/applications`, `POST /v1/webhook-jobs`, `GET`, `POST` and `DELETE /v1/api-keys` | an `sk_live_` or `sk_test_` key with the scope |
//!
//! # Example
//!
//! An SMS is sent and the connection breaks before the answer. The stand-in knows what the client can't: it went out.
//!
//! ```
//! use api_standin::{Api, Config, Fault, Kind, Standin};
//! use serde_json::json;
//!
//! let standin = Standin::start(Config::default())?;
//! standin.inject(Fault::next(1, Kind::DropAfterResponseBytes(0)));
//!
//! let answer = ureq::post(format!("{}/v1/message/send", standin.base_url(Api::Heymarket)))
//!     .header("authorization", "Bearer standin-heymarket-team-key")
//!     .send_json(json!({
//!         "inbox_id": 42,
//!         "creator_id": 7,
//!         "phone_number": "14155551234",
//!         "text": "Door 2 is open",
//!         "local_id": "gw-1-17",
//!     }));
//!
//! assert!(answer.is_err());
//! assert_eq!(standin.messages()[0].local_id.as_deref(), Some("gw-1-17"));
//! assert_eq!(standin.log()[0].verdict.to_string(), "accepted");
//! # Ok::<(), api_standin::StartError>(())
//! ```
//!
//! # Credentials
//!
//! [`Credentials::default`] holds the vendor's published Heymarket example and, elsewhere, values that begin with
//! `standin` behind the vendor's prefix. A test changes them while the server runs, with
//! [`Standin::change_credentials`]: an emptied slot is a revoked secret.
//!
//! # Time
//!
//! The clock follows the system until [`Standin::set_now`] stops it; [`Kind::ClockSkew`] puts it wrong. It shows in
//! `Date`, judges `iat` and `exp`, and opens the windows of the rate limits. The vendor names no limit for an `iat` in
//! the future: here it is 30 seconds.
//!
//! # Limits
//!
//! What the vendors leave open is chosen here, each choice named at the head of its API's source file; a client should
//! not depend on it. A request that is not HTTP gets hyper's bare 400, the one response without an `X-Request-Id`. Bodies
//! over 1 MiB break the connection off. Requests that are pipelined count as one for the faults.
#![deny(missing_docs)]

mod api;
mod clock;
mod config;
mod credentials;
mod fault;
mod framing;
mod heymarket;
mod heyoo;
mod hookmesh;
mod http;
mod key_id;
mod limit;
mod plan;
mod record;
mod send;
mod server;
mod socket;
mod standin;
mod state;
mod tls;
mod token;
mod wire;

pub use api::Api;
pub use config::{Config, StartError};
pub use credentials::{
    ApiSecret, Credentials, HOOKMESH_SCOPES, HeymarketCredentials, HeyooKey, HookMeshKey,
    JwtAccess, KeyIdCredentials, Permissions, Secret,
};
pub use fault::{Fault, Kind, When};
pub use heymarket::Inbox;
pub use record::{Entry, Job, Message, Verdict};
pub use standin::Standin;
pub use tls::Certificate;
