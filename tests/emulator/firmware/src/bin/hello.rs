//! Boots, says so, sleeps, and says how long it slept.

#![no_std]
#![no_main]

use embassy_executor::Spawner;
use embassy_time::{Instant, Timer};
use emulator_firmware::{Console, say};

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
    }
}
