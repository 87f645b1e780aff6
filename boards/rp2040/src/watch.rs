//! What interrupts everything else: the watch over contacts, button and watchdog, on an executor of its own.

use embassy_executor::InterruptExecutor;
use embassy_rp::gpio::Input;
use embassy_rp::interrupt;
use embassy_rp::interrupt::{InterruptExt, Priority};
use embassy_rp::watchdog;
use embassy_time::Duration;
use gateway_firmware::{Lookout, Vital, Watchdog, Wires};

use crate::last_words;

/// How long the board lives without being fed; the chip can count to 8.3 s.
const PATIENCE: Duration = Duration::from_secs(8);

/// What was seen.
pub static LOOKOUT: Lookout = Lookout::new();

static EXECUTOR: InterruptExecutor = InterruptExecutor::new();

#[embassy_rp::interrupt]
unsafe fn SWI_IRQ_0() {
    // SAFETY: this is the interrupt that the executor is started with.
    unsafe { EXECUTOR.on_interrupt() }
}

/// Starts the watchdog and the watch, which is interrupted by drivers alone.
pub fn start(wires: Wires<Input<'static>>, watchdog: watchdog::Watchdog) {
    interrupt::SWI_IRQ_0.set_priority(Priority::P2);
    let dog = Dog::start(watchdog);
    let spawner = EXECUTOR.start(interrupt::SWI_IRQ_0);
    spawner.spawn(keep(wires, dog).unwrap());
}

#[embassy_executor::task]
async fn keep(wires: Wires<Input<'static>>, dog: Dog) {
    LOOKOUT.keep(wires, dog).await;
}

/// The chip's watchdog, which resets everything.
struct Dog(watchdog::Watchdog);

impl Dog {
    fn start(mut watchdog: watchdog::Watchdog) -> Self {
        watchdog.start(PATIENCE);
        Self(watchdog)
    }
}

impl Watchdog for Dog {
    fn feed(&mut self) {
        self.0.feed(PATIENCE);
    }

    fn abandon(&mut self, hung: Vital) {
        last_words::record_hang(format_args!("{hung} hung"));
    }
}
