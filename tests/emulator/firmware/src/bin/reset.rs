//! Goes through every kind of reset, and tells at each boot which one it was and what survived it.

#![no_std]
#![no_main]

use core::mem::MaybeUninit;

use embassy_executor::Spawner;
use embassy_rp::watchdog::{ResetReason, Watchdog};
use embassy_time::{Duration, Timer};
use emulator_firmware::{Console, say};

#[unsafe(link_section = ".uninit.MARK")]
static mut MARK: MaybeUninit<u32> = MaybeUninit::uninit();

#[embassy_executor::main]
async fn main(_spawner: Spawner) {
    let p = embassy_rp::init(Default::default());
    let mut console = Console::new(p.UART0, p.PIN_0);
    let mut watchdog = Watchdog::new(p.WATCHDOG);

    let reason = watchdog.reset_reason();
    let scratch = watchdog.get_scratch(0);
    // SAFETY: any bits are a u32, and nothing else uses the mark.
    let mark = unsafe { core::ptr::read_volatile(&raw const MARK).assume_init() };
    say!(
        console,
        "reason {reason:?} scratch {scratch:x} mark {mark:08x}"
    );

    watchdog.set_scratch(0, scratch + 1);
    // SAFETY: as above.
    unsafe { core::ptr::write_volatile(&raw mut MARK, MaybeUninit::new(0xcafe_0000 + scratch)) };
    watchdog.start(Duration::from_millis(100));
    for _ in 0..5 {
        Timer::after_millis(50).await;
        watchdog.feed(Duration::from_millis(100));
    }
    say!(console, "fed");
    match reason {
        None => loop {
            cortex_m::asm::nop();
        },
        Some(ResetReason::TimedOut) => watchdog.trigger_reset(),
        Some(ResetReason::Forced) if scratch == 2 => cortex_m::peripheral::SCB::sys_reset(),
        Some(_) => panic!("the end"),
    }
}
