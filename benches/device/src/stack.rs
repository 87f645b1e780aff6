//! The stack's high-water mark: unused stack is filled with a pattern, and looked for afterwards.
#![allow(unsafe_code, reason = "looks at memory that no Rust object is in")]

use core::ptr;

const PATTERN: u32 = 0xa5a5_5a5a;
/// How far below the stack's top the pattern reaches, in bytes.
const PAINTED: usize = 6 * 1024;
/// Stack that painting itself may use below its own variables, in bytes.
const OWN_FRAME: usize = 64;

unsafe extern "C" {
    /// The stack's top, defined by the runtimes' linker scripts.
    static _stack_start: u32;
}

/// Fills the stack from below the caller's frame on.
#[inline(never)]
pub fn paint() {
    let here = 0u32;
    let end = (&raw const here).addr() - OWN_FRAME;
    let mut word = bottom();
    while word.addr() < end {
        // SAFETY: the word is in RAM that the linker scripts keep for the stack, below all that is
        // in use, this function's frame included.
        unsafe {
            word.write_volatile(PATTERN);
            word = word.add(1);
        }
    }
}

/// Returns how many bytes, from the stack's top down, were ever used since painting.
#[inline(never)]
pub fn used() -> usize {
    let mut word = bottom();
    // SAFETY: as in `paint`; the loop ends at the latest where the stack is in use.
    unsafe {
        while word.read_volatile() == PATTERN {
            word = word.add(1);
        }
    }
    top() - word.addr()
}

fn top() -> usize {
    (&raw const _stack_start).addr()
}

fn bottom() -> *mut u32 {
    ptr::with_exposed_provenance_mut(top() - PAINTED)
}
