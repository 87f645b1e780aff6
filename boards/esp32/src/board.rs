//! The parts of an ESP32 board, as the application wants them.

use embassy_time::Timer;
use embedded_hal_bus::i2c::RefCellDevice;
use esp_hal::Blocking;
use esp_hal::analog::adc::{Adc, AdcCalLine, AdcConfig, AdcPin, Attenuation};
use esp_hal::gpio::{AnyPin, Output};
use esp_hal::i2c::master::{Config, I2c, SoftwareTimeout};
use esp_hal::peripherals::{ADC1, I2C0};
use esp_hal::rtc_cntl::reset_reason;
use esp_hal::system::Cpu;
use esp_hal::time::{Duration, Rate};
use esp_storage::FlashStorage;
use gateway_firmware::{Board, Thermometer};
use gateway_tls::{TcpConnect, TlsConnect};
use secure_store::Ds3231;

use crate::chip_keys::Keys;
use crate::console::{Ear, Mouth};
use crate::pins::Sensor;
use crate::wifi::Link;

/// Longest that anything on the I2C bus is waited for.
const BUS_PATIENCE: Duration = Duration::from_millis(50);

/// Times that a measurement is asked for before it is given up.
const MAX_ASKS: u32 = 100;

/// An ESP32 with Wi-Fi.
pub struct Esp32;

impl Board for Esp32 {
    type Flash = FlashStorage<'static>;
    type ConsoleIn = Ear;
    type ConsoleOut = Mouth;
    type Light = Output<'static>;
    type Thermometer = Temperature;
    type Rtc = Ds3231<SharedBus>;
    type ChipKeys = Keys;
    type Connect = TlsConnect<TcpConnect<'static>>;
    type Network = Link;
}

/// The I2C bus, at 100 kHz.
pub type Bus = I2c<'static, Blocking>;

/// The bus for one of the chips on it.
pub type SharedBus = RefCellDevice<'static, Bus>;

/// Takes the bus; a chip or a wire that holds a line down costs a transfer and not the program.
pub fn bus(i2c: I2C0<'static>, sda: AnyPin<'static>, scl: AnyPin<'static>) -> Bus {
    let config = Config::default()
        .with_frequency(Rate::from_khz(100))
        .with_software_timeout(SoftwareTimeout::Transaction(BUS_PATIENCE));
    let bus = I2c::new(i2c, config).unwrap();
    bus.with_sda(sda).with_scl(scl)
}

/// Returns why the board has started, as a part of a sentence.
///
/// The numbers are the boot ROM's, the same on all chips of the family ("Reset and Clock", table of reset sources).
pub fn start_reason() -> &'static str {
    match reset_reason(Cpu::ProCpu).map(|reason| reason as u8) {
        Some(0x01) => "power or the reset pin",
        Some(0x03 | 0x0c) => "its own reset",
        Some(0x07..=0x0b | 0x0d | 0x10..=0x12) => "the watchdog",
        Some(0x0f) => "a brown-out",
        Some(0x13 | 0x17) => "a glitch of clock or power",
        Some(0x15 | 0x16 | 0x18) => "a computer on USB, or a debugger",
        _ => "a reset of unknown cause",
    }
}

/// A TMP36 at the analogue pin: 500 mV at 0 °C and 10 mV a degree (Analog Devices, TMP36 data sheet, figure 6).
pub struct Temperature {
    adc: Adc<'static, ADC1<'static>, Blocking>,
    pin: AdcPin<Sensor, ADC1<'static>, AdcCalLine<ADC1<'static>>>,
}

impl Temperature {
    /// Takes the converter and the sensor's pin.
    pub fn new(adc: ADC1<'static>, sensor: Sensor) -> Self {
        let mut config = AdcConfig::new();
        let pin = config.enable_pin_with_cal(sensor, Attenuation::_11dB);
        Self {
            adc: Adc::new(adc, config),
            pin,
        }
    }
}

impl Thermometer for Temperature {
    async fn millidegrees(&mut self) -> Option<i32> {
        for _ in 0..MAX_ASKS {
            if let Ok(millivolts) = self.adc.read_oneshot(&mut self.pin) {
                return millidegrees(millivolts);
            }
            Timer::after_micros(100).await;
        }
        None
    }
}

/// Returns what a voltage means, or `None` if the sensor gives no such voltage: it measures from -40 to 125 °C.
fn millidegrees(millivolts: u16) -> Option<i32> {
    let measures = (100..=1_750).contains(&millivolts);
    measures.then_some((i32::from(millivolts) - 500) * 100)
}
