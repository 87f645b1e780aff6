//! Which pin is what, on Espressif's own development board for each chip.
//!
//! UART0 and USB are where the boot ROM has them. Left alone are the pins of the flash and, but for the button, those that
//! the chip looks at when it starts.

use esp_hal::gpio::AnyPin;
use esp_hal::peripherals;

/// The pin of the analogue temperature sensor.
#[cfg(any(feature = "esp32c3", feature = "esp32c6"))]
pub type Sensor = peripherals::GPIO3<'static>;
#[cfg(feature = "esp32s3")]
pub type Sensor = peripherals::GPIO1<'static>;
#[cfg(feature = "esp32")]
pub type Sensor = peripherals::GPIO34<'static>;

/// The pins of a board.
pub struct Pins {
    /// UART0, to whoever reads.
    pub tx: AnyPin<'static>,
    /// UART0, from whoever writes.
    pub rx: AnyPin<'static>,
    /// The door's contact.
    pub door: AnyPin<'static>,
    /// The flood sensor's contact.
    pub flood: AnyPin<'static>,
    /// The button that opens the provisioning window: the board's own, labelled BOOT.
    pub button: AnyPin<'static>,
    /// The light.
    pub light: AnyPin<'static>,
    /// The I2C bus's data line.
    pub sda: AnyPin<'static>,
    /// The I2C bus's clock line.
    pub scl: AnyPin<'static>,
    /// The analogue temperature sensor.
    pub sensor: Sensor,
}

/// Takes the pins out of the chip's peripherals.
#[cfg(feature = "esp32c3")]
#[macro_export]
macro_rules! pins {
    ($p:ident) => {
        $crate::pins::Pins {
            tx: $p.GPIO21.into(),
            rx: $p.GPIO20.into(),
            door: $p.GPIO4.into(),
            flood: $p.GPIO5.into(),
            button: $p.GPIO9.into(),
            light: $p.GPIO10.into(),
            sda: $p.GPIO6.into(),
            scl: $p.GPIO7.into(),
            sensor: $p.GPIO3,
        }
    };
}

/// Takes the pins out of the chip's peripherals.
#[cfg(feature = "esp32c6")]
#[macro_export]
macro_rules! pins {
    ($p:ident) => {
        $crate::pins::Pins {
            tx: $p.GPIO16.into(),
            rx: $p.GPIO17.into(),
            door: $p.GPIO20.into(),
            flood: $p.GPIO21.into(),
            button: $p.GPIO9.into(),
            light: $p.GPIO10.into(),
            sda: $p.GPIO6.into(),
            scl: $p.GPIO7.into(),
            sensor: $p.GPIO3,
        }
    };
}

/// Takes the pins out of the chip's peripherals.
#[cfg(feature = "esp32s3")]
#[macro_export]
macro_rules! pins {
    ($p:ident) => {
        $crate::pins::Pins {
            tx: $p.GPIO43.into(),
            rx: $p.GPIO44.into(),
            door: $p.GPIO4.into(),
            flood: $p.GPIO5.into(),
            button: $p.GPIO0.into(),
            light: $p.GPIO2.into(),
            sda: $p.GPIO8.into(),
            scl: $p.GPIO9.into(),
            sensor: $p.GPIO1,
        }
    };
}

/// Takes the pins out of the chip's peripherals.
#[cfg(feature = "esp32")]
#[macro_export]
macro_rules! pins {
    ($p:ident) => {
        $crate::pins::Pins {
            tx: $p.GPIO1.into(),
            rx: $p.GPIO3.into(),
            door: $p.GPIO25.into(),
            flood: $p.GPIO26.into(),
            button: $p.GPIO0.into(),
            light: $p.GPIO2.into(),
            sda: $p.GPIO21.into(),
            scl: $p.GPIO22.into(),
            sensor: $p.GPIO34,
        }
    };
}
