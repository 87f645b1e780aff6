//! The application of a gateway that sends alerts by SMS, over any board.
//!
//! A board crate implements [`Board`], fills in [`Parts`] and awaits [`run`]. What a board with embassy-net's IP
//! stack needs of the network is here: [`StackNetwork`] and [`PlainConnect`].
//!
//! | what | where it is decided |
//! | --- | --- |
//! | when a contact has closed, a temperature is too high | [`Contact`], [`Threshold`] |
//! | what the device was told | [`Configuration`] |
//! | whether anything may be sent without TLS | [`may_send`] |
//! | what a person is shown and can ask | [`Mood`], [`Command`] |
//! | when the watchdog is fed | [`Vitals`] |
//!
//! An alert is in the flash before anything is sent, and stays there until a server has taken it. After a reset
//! a contact that is closed raises an alert again: one too many rather than one too few.

#![no_std]
#![deny(missing_docs)]

mod board;
mod configuration;
mod console;
mod contact;
mod credentials;
mod engine;
mod gateway;
mod inputs;
mod light;
mod network;
mod records;
mod sender;
mod shared;
mod status;
mod tcp;
mod threshold;
mod timekeeper;
mod transport;
mod vitals;

pub use board::{Board, ChipKeys, Network, Parts, Thermometer, Watchdog};
pub use configuration::{Configuration, ConfigurationError, MAX_TEXT_LEN, StaticAddress, Text};
pub use console::{Command, LINE_LEN};
pub use contact::{Contact, SETTLE_MS};
pub use credentials::{AUTHORIZATION_LEN, BoardSession, Credentials, CredentialsError};
pub use engine::{Engine, Midstate};
pub use gateway::run;
pub use light::Mood;
pub use network::StackNetwork;
pub use records::{BoardStore, OUTBOX_SLOTS, OutboxRecords, RECORDS, RecordsError};
pub use tcp::{PlainConnect, PlainError, PlainStream};
pub use threshold::{HYSTERESIS_MILLIDEGREES, Threshold};
pub use transport::{NoTls, may_send, private_address};
pub use vitals::{Vital, Vitals};
