//! TLS for the gateway's boards: Mbed TLS over embassy-net, through [`mbedtls_rs`].
//!
//! | what | how |
//! | --- | --- |
//! | versions | TLS 1.3 (RFC 8446) and 1.2 (RFC 5246) with ECDHE and AES-GCM |
//! | certificates | chain, host name, dates and use are always verified; keys of RSA from 2,048 bits, P-256 and P-384 |
//! | trust | the roots in [`ROOTS`], or the certificates that were provisioned instead of them |
//! | time | told by the gateway, as it judges it; without a time there is no connection |
//! | random numbers | ChaCha20, seeded for each connection by the board's health-checked source |
//! | memory | one block that nothing else uses; what doesn't fit is an error |
//!
//! [`TlsConnect`] takes any streams; [`TcpConnect`] makes them of embassy-net's sockets.

#![no_std]
#![deny(missing_docs)]

#[cfg(test)]
extern crate std;

mod clock;
mod connect;
mod error;
mod heap;
#[cfg(feature = "libc")]
mod libc;
mod paced;
mod random;
mod stream;
mod tcp;
mod trust;

pub use connect::TlsConnect;
pub use error::TlsError;
pub use heap::Memory;
pub use stream::TlsStream;
pub use tcp::{TcpConnect, TcpError, TcpStream};
pub use trust::ROOTS;

/// Bytes of memory that are enough for every server that was tried: see the README.
pub const MEMORY_LEN: usize = 64 * 1024;
