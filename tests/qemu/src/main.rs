//! Runs the tests that the desktop runs, as code of a device.
//!
//! `build.rs` makes a module of each test file. A test that fails panics, which ends the emulation with exit code 1
//! after what the test says; the last line of a run in which all pass has their number.
#![no_std]
#![no_main]

extern crate alloc;

mod heap;
#[allow(unused_imports)]
mod hosted;
pub mod vectors;

#[allow(dead_code, unused_imports, clippy::all)]
mod files {
    include!(concat!(env!("OUT_DIR"), "/tests.rs"));
}

use core::panic::PanicInfo;

use heap::Heap;
use semihosting::{println, process};

// Its critical sections are linked.
#[cfg(target_arch = "arm")]
use cortex_m as _;
#[cfg(target_arch = "arm")]
use cortex_m_rt::entry;
#[cfg(target_arch = "riscv32")]
use riscv_rt::entry;

/// A test file's name and its tests, each with its name.
type File = (&'static str, &'static [(&'static str, fn())]);

#[global_allocator]
static HEAP: Heap = Heap::empty();

#[entry]
fn main() -> ! {
    let mut count = 0;
    for (file, tests) in files::FILES {
        println!("{file}: {} tests", tests.len());
        for (name, test) in *tests {
            println!("  {name}");
            clear_heap();
            test();
            count += 1;
        }
    }
    println!("{count} passed");
    process::exit(0)
}

#[allow(unsafe_code)]
fn clear_heap() {
    // SAFETY: called between tests, which hand nothing on.
    unsafe { HEAP.clear() }
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    println!("{info}");
    process::exit(1)
}

/// Ends a run that a fault would otherwise keep from ending.
#[cfg(target_arch = "arm")]
#[allow(unsafe_code)]
#[cortex_m_rt::exception]
unsafe fn HardFault(frame: &cortex_m_rt::ExceptionFrame) -> ! {
    println!("{frame:?}");
    process::exit(1)
}

/// Ends a run that a fault would otherwise keep from ending.
#[cfg(target_arch = "riscv32")]
#[allow(unsafe_code)]
#[unsafe(export_name = "ExceptionHandler")]
fn exception(frame: &riscv_rt::TrapFrame) -> ! {
    let (cause, at) = (
        riscv::register::mcause::read(),
        riscv::register::mepc::read(),
    );
    println!("{cause:?} at {at:#x}: {frame:?}");
    process::exit(1)
}
