//! The parts of an RP2040 board, as the application wants them.

use core::cell::RefCell;

use embassy_rp::adc::{self, Adc, Channel};
use embassy_rp::clocks::RoscRng;
use embassy_rp::flash::{self, Flash};
use embassy_rp::gpio::{Input, Output};
use embassy_rp::i2c::{self, I2c};
use embassy_rp::peripherals::{FLASH, I2C0};
use embassy_rp::uart::{BufferedUartRx, BufferedUartTx};
use embassy_rp::watchdog::Watchdog;
use embassy_time::{Delay, Duration};
use embedded_hal_bus::i2c::RefCellDevice;
use gateway_firmware::{Board, ChipKeys, PlainConnect, StackNetwork, Thermometer};
use secure_store::Ds3231;
use secure_store::atecc608::{Atecc608, DEFAULT_ADDRESS, SlotKey};

use crate::memory::FLASH_LEN;

/// How long the board lives without being fed; the chip can count to 8.3 s.
const PATIENCE: Duration = Duration::from_secs(8);

/// An RP2040 with Ethernet.
pub struct Rp2040;

impl Board for Rp2040 {
    type Flash = Flash<'static, FLASH, flash::Blocking, { FLASH_LEN as usize }>;
    type ConsoleIn = BufferedUartRx;
    type ConsoleOut = BufferedUartTx;
    type Contact = Input<'static>;
    type Light = Output<'static>;
    type Thermometer = Temperature;
    type Rtc = Ds3231<SharedBus>;
    type ChipKeys = Element;
    type Watchdog = Dog;
    type Connect = PlainConnect<'static>;
    type Network = StackNetwork<'static>;
}

/// The I2C bus, at 100 kHz.
pub type Bus = I2c<'static, I2C0, i2c::Blocking>;

/// The bus for one of the chips on it.
pub type SharedBus = RefCellDevice<'static, Bus>;

/// The ATECC608 on the bus, if there is one: that is seen when it is used.
pub struct Element(pub &'static RefCell<Bus>);

impl ChipKeys for Element {
    type Key = SlotKey<SharedBus, Delay>;

    fn key(&self, slot: u8) -> Option<Self::Key> {
        let bus = RefCellDevice::new(self.0);
        Atecc608::new(bus, Delay, DEFAULT_ADDRESS)
            .into_key(slot)
            .ok()
    }
}

/// The chip's watchdog, which resets everything.
pub struct Dog(Watchdog);

impl Dog {
    /// Starts it.
    pub fn start(mut watchdog: Watchdog) -> Self {
        watchdog.start(PATIENCE);
        Self(watchdog)
    }
}

impl gateway_firmware::Watchdog for Dog {
    fn feed(&mut self) {
        self.0.feed(PATIENCE);
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

/// Returns a number from the ring oscillator: for retry times and port numbers, not for keys.
pub fn random() -> u32 {
    RoscRng.next_u32()
}
