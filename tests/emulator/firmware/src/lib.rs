//! What every test program shares: a console on UART0 and a panic handler that writes to it.

#![no_std]

use core::fmt;
use core::panic::PanicInfo;

use embassy_rp::Peri;
use embassy_rp::peripherals::{PIN_0, UART0};
use embassy_rp::uart::{Blocking, Config, UartTx};

/// Lines of text out of UART0, on GPIO 0 at 115,200 baud.
pub struct Console(UartTx<'static, Blocking>);

impl Console {
    /// Takes the port.
    pub fn new(uart: Peri<'static, UART0>, pin: Peri<'static, PIN_0>) -> Self {
        Self(UartTx::new_blocking(uart, pin, Config::default()))
    }
}

impl fmt::Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0
            .blocking_write(text.as_bytes())
            .map_err(|_| fmt::Error)
    }
}

/// Writes a line to the console; a failed write is a failed test, seen by the line's absence.
#[macro_export]
macro_rules! say {
    ($console:expr, $($argument:tt)*) => {{
        let _ = core::fmt::Write::write_fmt(&mut $console, format_args!($($argument)*));
        let _ = core::fmt::Write::write_str(&mut $console, "\n");
    }};
}

/// Traps, which the simulated machine turns into a HardFault as the chip does.
#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    cortex_m::asm::udf()
}
