//! A loopback HTTP server that stands in for the four APIs a gateway authenticates to.
#![deny(missing_docs)]

mod api;
mod clock;
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
mod state;
mod token;
mod wire;

pub use api::Api;
pub use credentials::{
    ApiSecret, Credentials, HOOKMESH_SCOPES, HeymarketCredentials, HeyooKey, HookMeshKey,
    JwtAccess, KeyIdCredentials, Permissions, Secret,
};
pub use fault::{Fault, Kind, When};
pub use heymarket::Inbox;
pub use record::{Entry, Job, Message, Verdict};
pub use server::{Config, Standin, StartError};
