//! The I2C bus, and what keeps one that a chip or a wire holds down from holding the program.

use core::fmt;
use core::mem::ManuallyDrop;

use embassy_rp::Peri;
use embassy_rp::gpio::{Flex, Pull};
use embassy_rp::i2c::{self, I2c};
use embassy_rp::peripherals::{I2C0, PIN_4, PIN_5};
use embassy_time::{Duration, block_for};
use embedded_hal::i2c::{ErrorKind, ErrorType, NoAcknowledgeSource, Operation};
use embedded_hal_bus::i2c::RefCellDevice;

/// Both lines, as the chip's input register has them.
const LINES: u32 = 1 << 4 | 1 << 5;

/// Clock pulses that a chip which was interrupted in the middle of a byte needs to let go (UM10204, section 3.1.16).
const PULSES: usize = 9;

/// Half a clock period at 100 kHz.
const HALF: Duration = Duration::from_micros(5);

/// The bus for one of the chips on it.
pub type SharedBus = RefCellDevice<'static, Bus>;

/// The bus, at 100 kHz. Nothing is asked of it while a line is low: the driver would wait for it without end.
pub struct Bus(I2c<'static, I2C0, i2c::Blocking>);

impl Bus {
    /// Frees the lines, if a reset has left a chip in the middle of a byte, and takes them.
    pub fn new(
        i2c: Peri<'static, I2C0>,
        mut sda: Peri<'static, PIN_4>,
        mut scl: Peri<'static, PIN_5>,
    ) -> Self {
        free(sda.reborrow(), scl.reborrow());
        Self(I2c::new_blocking(i2c, scl, sda, i2c::Config::default()))
    }
}

fn free(sda: Peri<'_, PIN_4>, scl: Peri<'_, PIN_5>) {
    // The driver sets the pins up from whatever they are.
    let (mut sda, mut scl) = (
        ManuallyDrop::new(Flex::new(sda)),
        ManuallyDrop::new(Flex::new(scl)),
    );
    for line in [&mut sda, &mut scl] {
        line.set_pull(Pull::Up);
        line.set_as_input();
        line.set_low();
    }
    block_for(HALF);
    for _ in 0..PULSES {
        if sda.is_high() {
            return;
        }
        scl.set_as_output();
        block_for(HALF);
        scl.set_as_input();
        block_for(HALF);
    }
    // A stop, so that whoever was spoken to knows that it is over.
    sda.set_as_output();
    block_for(HALF);
    sda.set_as_input();
    block_for(HALF);
}

impl ErrorType for Bus {
    type Error = BusError;
}

impl embedded_hal::i2c::I2c for Bus {
    fn transaction(
        &mut self,
        address: u8,
        operations: &mut [Operation<'_>],
    ) -> Result<(), BusError> {
        if embassy_rp::pac::SIO.gpio_in(0).read() & LINES != LINES {
            return Err(BusError::Held);
        }
        self.0
            .transaction(address, operations)
            .map_err(BusError::Driver)
    }
}

/// Says why nothing was heard on the bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BusError {
    /// Something holds a line down.
    Held,
    /// The driver failed, most often for nobody acknowledged.
    Driver(i2c::Error),
}

impl fmt::Display for BusError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held => f.write_str("a line of the I2C bus is held down: check chips and wires"),
            Self::Driver(error) => write!(f, "the I2C bus failed ({error:?})"),
        }
    }
}

impl core::error::Error for BusError {}

impl embedded_hal::i2c::Error for BusError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Held => ErrorKind::Bus,
            Self::Driver(i2c::Error::Abort(i2c::AbortReason::NoAcknowledge)) => {
                ErrorKind::NoAcknowledge(NoAcknowledgeSource::Unknown)
            }
            Self::Driver(_) => ErrorKind::Other,
        }
    }
}
