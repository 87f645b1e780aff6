//! The gateway's firmware on a desktop: what a process needs to be a board.
//!
//! It is the application that the boards run, `gateway_firmware::run`, of the same source; what is around it stands for
//! a board's parts. The program of this package is such a process.
#![deny(missing_docs)]

mod flash;
mod sockets;
mod wait;

pub use flash::FileFlash;
pub use sockets::{Socket, Sockets};
pub use wait::block_on;
