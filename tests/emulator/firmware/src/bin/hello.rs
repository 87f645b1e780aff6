//! Boots, says so, sleeps, says how long it slept, and counts down in a loop of known length every second.

#![no_std]
#![no_main]

use embassy_executor::Spawner;
use embassy_time::{Instant, Timer};
use emulator_firmware::{Console, say};

// Three cycles a loop, except the last (Cortex-M0+ TRM, section 3.3: SUBS 1, BNE 2 or 1, BX 2).
core::arch::global_asm!(
    ".global count_down",
    ".type count_down, %function",
    ".thumb_func",
    "count_down:",
    "subs r0, #1",
    "bne count_down",
    "bx lr",
    ".size count_down, . - count_down",
);

unsafe extern "C" {
    safe fn count_down(loops: u32);
}

#[embassy_executor::main]
async fn main(_spawner: Spawner) {
    let p = embassy_rp::init(Default::default());
    let mut console = Console::new(p.UART0, p.PIN_0);
    say!(console, "clk_sys {} Hz", embassy_rp::clocks::clk_sys_freq());

    let start = Instant::now();
    Timer::after_millis(25).await;
    say!(console, "slept {} us", start.elapsed().as_micros());
    loop {
        Timer::after_secs(1).await;
        wait();
    }
}

/// Is no function of its own in the program.
#[inline(always)]
fn wait() {
    count_down(1000);
}
