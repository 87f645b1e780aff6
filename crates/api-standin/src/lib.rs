//! A loopback HTTP server that stands in for the four APIs a gateway authenticates to.
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
