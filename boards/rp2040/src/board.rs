//! The parts of an RP2040 board, as the application wants them.

use embassy_rp::adc::{self, Adc, Channel};
use embassy_rp::flash::{self, Flash};
use embassy_rp::gpio::Output;
use embassy_rp::pac;
use embassy_rp::peripherals::FLASH;
use embassy_rp::uart::{BufferedUartRx, BufferedUartTx};
use embassy_rp::watchdog::{ResetReason, Watchdog};
use gateway_firmware::{Board, Thermometer};
use gateway_tls::{TcpConnect, TlsConnect};
use secure_store::Ds3231;

use crate::bus::SharedBus;
use crate::element::Element;
use crate::link::Link;
use crate::memory::FLASH_LEN;

/// An RP2040 with a network.
pub struct Rp2040;

impl Board for Rp2040 {
    type Flash = Flash<'static, FLASH, flash::Blocking, { FLASH_LEN as usize }>;
    type ConsoleIn = BufferedUartRx;
    type ConsoleOut = BufferedUartTx;
    type Light = Output<'static>;
    type Thermometer = Temperature;
    type Rtc = Ds3231<SharedBus>;
    type ChipKeys = Element;
    type Connect = TlsConnect<TcpConnect<'static>>;
    type Network = Link;
}

/// Returns why the board has started, as a part of a sentence.
///
/// `own` is whether the program before recorded that it reset the board: the registers don't know of that, and may tell of
/// an earlier reset. RP2040 datasheet, section 2.12.7: the chip-level register keeps the last reset of its kind, which a
/// watchdog's is not, so that one is looked for first. The brown-out detector is on from power-on, and its reset looks
/// like one.
pub fn start_reason(watchdog: &Watchdog, own: bool) -> &'static str {
    if own {
        return "its own reset";
    }
    let chip = pac::VREG_AND_CHIP_RESET.chip_reset().read();
    match watchdog.reset_reason() {
        Some(ResetReason::TimedOut) => "the watchdog",
        Some(ResetReason::Forced) => "a forced reset",
        None if chip.had_run() => "the reset pin",
        None if chip.had_psm_restart() => "a debugger",
        None => "power, or a brown-out",
    }
}

/// The chip's own temperature sensor, good to some degrees.
pub struct Temperature {
    adc: Adc<'static, adc::Blocking>,
    sensor: Channel<'static>,
}

impl Temperature {
    /// Takes the converter and its channel of the sensor.
    pub fn new(adc: Adc<'static, adc::Blocking>, sensor: Channel<'static>) -> Self {
        Self { adc, sensor }
    }
}

impl Thermometer for Temperature {
    async fn millidegrees(&mut self) -> Option<i32> {
        let sample = self.adc.blocking_read(&mut self.sensor).ok()?;
        Some(millidegrees(sample))
    }
}

/// RP2040 datasheet, section 4.9.5: 0.706 V at 27 °C, falling by 1.721 mV a degree; 4096 steps of 3.3 V.
fn millidegrees(sample: u16) -> i32 {
    let microvolts = i64::from(sample) * 3_300_000 / 4_096;
    let millidegrees = 27_000 - (microvolts - 706_000) * 1_000 / 1_721;
    // Between -1.1 and 0.5 million.
    millidegrees as i32
}
