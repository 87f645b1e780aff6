//! Counts executed instructions, as far as the emulator advances its clock with them.

/// Counts from one lap to the next, at most 2^24 ticks.
pub struct Counter {
    last: u32,
}

impl Counter {
    /// Starts the first lap.
    pub fn start() -> Self {
        start();
        Self { last: ticks() }
    }

    /// Ends a lap, starts the next and returns how many ticks the lap took.
    pub fn lap(&mut self) -> u32 {
        let ticks = ticks();
        let lap = ticks.wrapping_sub(self.last) & MAX_TICKS;
        self.last = ticks;
        lap
    }
}

const MAX_TICKS: u32 = 0x00ff_ffff;

/// Starts SysTick; at the processor's clock, of which the emulator lets an instruction take a part.
#[cfg(target_arch = "arm")]
fn start() {
    use cortex_m::Peripherals;
    use cortex_m::peripheral::syst::SystClkSource;

    if let Some(mut peripherals) = Peripherals::take() {
        peripherals.SYST.set_clock_source(SystClkSource::Core);
        peripherals.SYST.set_reload(MAX_TICKS);
        peripherals.SYST.clear_current();
        peripherals.SYST.enable_counter();
    }
}

/// Returns SysTick, which counts down.
#[cfg(target_arch = "arm")]
fn ticks() -> u32 {
    MAX_TICKS - cortex_m::peripheral::SYST::get_current()
}

#[cfg(target_arch = "riscv32")]
fn start() {}

/// Returns the number of retired instructions.
#[cfg(target_arch = "riscv32")]
fn ticks() -> u32 {
    riscv::register::minstret::read() as u32
}
