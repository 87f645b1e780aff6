//! What the firmware binaries share: the credential they sign with, and the outside world.
//!
//! Each binary is built twice. As it is, for its size; and with the feature `measure`, for which the
//! outside counts instructions and stack and reports them.
#![no_std]

#[cfg(feature = "measure")]
mod counter;
#[cfg_attr(feature = "measure", path = "outside_measured.rs")]
mod outside;
#[cfg(feature = "measure")]
mod stack;

use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

#[cfg(target_arch = "arm")]
pub use cortex_m_rt::entry;
#[cfg(target_arch = "riscv32")]
pub use riscv_rt::entry;

pub use outside::Outside;

/// Length in bytes of the token that is signed, Heymarket's documented example.
pub const TOKEN_LEN: usize = 165;
/// Length in bytes of the example's secret ID.
pub const ID_LEN: usize = ID.len();

const ID: &str = "74f80a77-9b3f-44ac-b3ad-ab68cfb548fa";
const KEY: &str = "cPQku7lnSLbnK88UFOBg1a6Q3t1w1RgK";

/// Returns the buffer that the link sends from, once.
#[allow(unsafe_code, reason = "hands out a static")]
pub fn transmit_buffer() -> &'static mut [u8; TOKEN_LEN] {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    static mut BUFFER: [u8; TOKEN_LEN] = [0; TOKEN_LEN];

    if TAKEN.load(Relaxed) {
        halt();
    }
    TAKEN.store(true, Relaxed);
    // SAFETY: nothing else refers to the buffer, and on one core without interrupts none gets here twice.
    unsafe { &mut *(&raw mut BUFFER) }
}

/// Waits for ever.
pub fn halt() -> ! {
    loop {
        core::hint::spin_loop();
    }
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    halt()
}
