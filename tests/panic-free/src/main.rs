//! Calls every public function of the device crates with values the compiler knows nothing about.
//!
//! The linker drops what cannot be reached, so a panic anywhere in these crates, or in what they
//! use, shows as a symbol in the binary. A crate takes part by a module of its own and a line in
//! [`_start`]. The binary is linked and searched, never run.
#![no_std]
#![no_main]

#[cfg(feature = "all-crates")]
mod api_auth;
#[cfg(feature = "all-crates")]
mod device_link;
#[cfg(feature = "all-crates")]
mod esp_hmac;
mod jwt_core;
#[cfg(feature = "all-crates")]
mod jwt_core_c;
#[cfg(feature = "all-crates")]
mod secure_store;
mod serde_claims;
#[cfg(feature = "all-crates")]
mod sms_alert;
#[cfg(feature = "all-crates")]
mod sms_alert_client;

use core::fmt::{self, Write};
use core::hint::black_box;
use core::panic::PanicInfo;

/// Entry point of the binary.
#[unsafe(no_mangle)]
pub extern "C" fn _start() -> ! {
    jwt_core::use_all();
    serde_claims::use_all();
    #[cfg(feature = "all-crates")]
    {
        api_auth::use_all();
        device_link::use_all();
        esp_hmac::use_all();
        jwt_core_c::use_all();
        secure_store::use_all();
        sms_alert::use_all();
        sms_alert_client::use_all();
    }
    #[cfg(feature = "deliberate-panic")]
    deliberate_panic();
    loop {
        core::hint::spin_loop();
    }
}

/// Indexes a slice with an index that may be out of bounds.
#[cfg(feature = "deliberate-panic")]
fn deliberate_panic() {
    let bytes: &[u8] = black_box(&[1, 2, 3]);
    black_box(bytes[black_box(3)]);
}

/// Text that is in the binary whenever a panic can be reached, even if no symbol's name tells.
static PANIC_MARKER: [u8; 24] = *b"a panic can be reached!\n";

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    // Without a use of their messages, functions that panic are one and the same to the compiler.
    if cfg!(feature = "asynchronous") {
        black_box(info);
    }
    loop {
        for byte in &PANIC_MARKER {
            // SAFETY: a reference is valid to be read. Volatile keeps the text in the binary.
            black_box(unsafe { core::ptr::read_volatile(byte) });
        }
    }
}

/// Formats `error` as a user would see it.
#[inline(never)]
pub fn display<E: core::error::Error>(error: &E) {
    black_box(write!(Screen, "{error}").is_ok());
    black_box(error.source().is_some());
}

struct Screen;

impl Write for Screen {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        black_box(text);
        black_box(Ok(()))
    }
}
