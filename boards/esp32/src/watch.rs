//! What interrupts everything else: the watch over contacts, button and watchdog, on an executor of its own.

use embassy_executor::SendSpawner;
use esp_hal::gpio::{AnyPin, Input, InputConfig, Pull};
use esp_hal::interrupt::Priority;
use esp_hal::peripherals::{FROM_CPU_INTR1, RTC_TIMER};
use esp_hal::rtc_cntl::{Rtc, Rwdt, RwdtStage, RwdtStageAction};
use esp_hal::time::Duration;
use esp_rtos::embassy::InterruptExecutor;
use gateway_firmware::{Lookout, Vital, Watchdog, Wires};
use static_cell::StaticCell;

use crate::last_words;

/// How long the board lives without being fed.
const PATIENCE: Duration = Duration::from_secs(8);

/// What was seen.
pub static LOOKOUT: Lookout = Lookout::new();

/// Returns a contact's pin: to GND when it is closed.
pub fn contact(pin: AnyPin<'static>) -> Input<'static> {
    Input::new(pin, InputConfig::default().with_pull(Pull::Up))
}

/// Starts the watchdog and the watch, which is interrupted by drivers alone; returns what else may run as it does.
pub fn start(
    wires: Wires<Input<'static>>,
    rtc: RTC_TIMER<'static>,
    interrupt: FROM_CPU_INTR1<'static>,
) -> SendSpawner {
    static EXECUTOR: StaticCell<InterruptExecutor<1>> = StaticCell::new();
    let executor = EXECUTOR.init(InterruptExecutor::new(interrupt));
    let spawner = executor.start(Priority::Priority2);
    spawner.spawn(keep(wires, Dog::start(rtc)).unwrap());
    spawner
}

#[embassy_executor::task]
async fn keep(wires: Wires<Input<'static>>, dog: Dog) {
    LOOKOUT.keep(wires, dog).await;
}

/// The RTC's watchdog, which resets everything but the RTC: its memory holds the last words.
struct Dog(Rwdt);

impl Dog {
    fn start(rtc: RTC_TIMER<'static>) -> Self {
        let mut rwdt = Rtc::new(rtc).rwdt;
        rwdt.set_stage_action(RwdtStage::Stage0, RwdtStageAction::ResetCore);
        rwdt.set_timeout(RwdtStage::Stage0, PATIENCE);
        rwdt.enable();
        Self(rwdt)
    }
}

impl Watchdog for Dog {
    fn feed(&mut self) {
        self.0.feed();
    }

    fn abandon(&mut self, hung: Vital) {
        last_words::record(format_args!("{hung} hung"));
    }
}
