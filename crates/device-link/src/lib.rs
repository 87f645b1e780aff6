//! A serial protocol by which a desktop provisions a device and asks how it is: both sides, as pure state machines.
//!
//! - Firmware gives every received byte to a [`DeviceLink`], with what it needs of the device as [`Device`], and sends
//!   what comes back. Text of a console shares the line.
//! - A desktop sends a [`Request`] through a [`DesktopLink`], which repeats it until it is answered; an [`Upload`] sends
//!   a record piece by piece.
//!
//! Records are taken only from a desktop that has the device key, encrypted for the device; a device without such a
//! key takes them while a button keeps its window open. Nothing secret is ever sent by a device.
//!
//! The protocol is documented byte by byte in `docs/serial-protocol.md`.
#![no_std]
#![deny(missing_docs)]

mod bytes;
mod cobs;
mod desktop;
mod device;
mod frame;
mod hello;
mod keys;
mod line;
mod link_error;
mod message;
mod refusal;
mod status;
mod transfer;
mod writing;

pub use desktop::{Authority, DesktopLink, Event};
pub use device::{Device, DeviceLink, Received, WINDOW_SECS};
pub use frame::{MAX_FRAME_LEN, MAX_PAYLOAD_LEN};
pub use hello::VERSION;
pub use keys::NONCE_LEN;
pub use link_error::LinkError;
pub use message::{Announced, MAX_CHUNK_LEN, Reply, Request};
pub use refusal::Refusal;
pub use status::{
    Access, ClockQuality, ClockStatus, CopyStatus, CredentialStatus, MAX_NAME_LEN, OutboxStatus,
    SHOWN_ID_LEN, Status,
};
pub use transfer::Upload;
pub use writing::{CERTIFICATES_VERSION, ROTATION_VERSION};
