//! The application of a gateway that sends alerts by SMS, over any board.
//!
//! A board crate implements [`Board`], fills in [`Parts`], awaits [`run`] and resets when it returns. What a board with embassy-net's IP
//! stack needs of the network is here: [`StackNetwork`].
//!
//! | what | where it is decided |
//! | --- | --- |
//! | when a contact has closed, a temperature is too high | [`Contact`], [`Threshold`] |
//! | what the device was told | [`Configuration`] |
//! | whether anything may be sent without TLS | [`may_send`] |
//! | what a person is shown and can ask | [`Mood`], [`Command`] |
//! | when the watchdog is fed | [`Vitals`] |
//! | who may provision the board, and what is open to them | `device-link`, over the same lines as the console |
//! | what firmware with an HTTP stack of its own takes, and nothing else | [`Headers`] |
//!
//! A board runs two things: [`run`], and [`Lookout::keep`], which watches contacts, button and watchdog and has to be
//! able to interrupt [`run`], because a TLS handshake blocks that for seconds.
//!
//! An alert is in the flash before anything is sent, and stays there until a server has taken it: also while the board
//! has its settings, but no credential, or something else is missing that sending takes. After a reset
//! a contact that is closed raises an alert again: one too many rather than one too few.

#![no_std]
#![deny(missing_docs)]

mod board;
mod common;
mod configuration;
mod console;
mod contact;
mod credentials;
mod engine;
mod freshness;
mod gateway;
mod headers;
mod idle;
mod inputs;
mod lent;
mod light;
mod listen;
mod lookout;
mod network;
mod prepare;
mod provisioning;
mod records;
mod refusal;
mod sender;
mod service;
mod shared;
mod side;
mod sntp;
mod standby;
mod status;
mod store;
mod threshold;
mod timekeeper;
mod transport;
mod vitals;

pub use board::{Board, ChipKeys, Network, Parts, Thermometer, Watchdog};
pub use configuration::{
    Configuration, ConfigurationError, MAX_TEXT_LEN, StaticAddress, Text, Wifi,
};
pub use console::{Command, LINE_LEN};
pub use contact::{Contact, SETTLE_MS};
pub use credentials::{AUTHORIZATION_LEN, BoardSession, Credentials, CredentialsError};
pub use engine::{Engine, Midstate};
pub use gateway::{Restart, run};
pub use headers::{HeaderParts, Headers, HeadersError, NoRtc};
pub use light::Mood;
pub use lookout::{Input, Lookout, Wires};
pub use network::StackNetwork;
pub use records::{OUTBOX_SLOTS, OutboxRecords, RecordsError};
pub use side::SideLine;
pub use store::{BoardStore, OpenError, RECORDS, Vacancy, seal};
pub use threshold::{HYSTERESIS_MILLIDEGREES, Threshold};
pub use transport::{Anchors, NoTls, Transport, may_send, private_address};
pub use vitals::{Vital, Vitals};
