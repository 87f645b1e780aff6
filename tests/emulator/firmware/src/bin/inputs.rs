//! Watches a contact by interrupt, reads the temperature sensor, and echoes lines typed on the console.

#![no_std]
#![no_main]

use embassy_executor::Spawner;
use embassy_futures::select::{Either, select};
use embassy_rp::adc::{self, Adc, Channel};
use embassy_rp::bind_interrupts;
use embassy_rp::gpio::{Input, Level, Output, Pull};
use embassy_rp::peripherals::UART0;
use embassy_rp::uart::{self, BufferedInterruptHandler, BufferedUart};
use embedded_io_async::{Read, Write};
use emulator_firmware as _;
use static_cell::StaticCell;

bind_interrupts!(struct Irqs {
    UART0_IRQ => BufferedInterruptHandler<UART0>;
    ADC_IRQ_FIFO => adc::InterruptHandler;
});

static TX: StaticCell<[u8; 64]> = StaticCell::new();
static RX: StaticCell<[u8; 64]> = StaticCell::new();

#[embassy_executor::main]
async fn main(_spawner: Spawner) {
    let p = embassy_rp::init(Default::default());
    let (tx, rx) = (TX.init([0; 64]), RX.init([0; 64]));
    let config = uart::Config::default();
    let mut console = BufferedUart::new(p.UART0, p.PIN_0, p.PIN_1, Irqs, tx, rx, config);
    let mut contact = Input::new(p.PIN_2, Pull::Up);
    let mut lamp = Output::new(p.PIN_25, Level::Low);
    let mut adc = Adc::new(p.ADC, Irqs, adc::Config::default());
    let mut sensor = Channel::new_temp_sensor(p.ADC_TEMP_SENSOR);

    let temperature = adc.read(&mut sensor).await.unwrap_or(0);
    let digits = [1000, 100, 10, 1].map(|unit| b'0' + (temperature / unit % 10) as u8);
    let _ = console.write_all(b"temperature ").await;
    let _ = console.write_all(&digits).await;
    let _ = console.write_all(b"\n").await;

    loop {
        let mut byte = [0];
        match select(contact.wait_for_any_edge(), console.read(&mut byte)).await {
            Either::First(()) => {
                let closed = contact.is_low();
                lamp.set_level(closed.into());
                let word: &[u8] = if closed { b"closed\n" } else { b"open\n" };
                let _ = console.write_all(word).await;
            }
            Either::Second(_) => {
                let _ = console
                    .write_all(&byte.map(|byte| byte.to_ascii_uppercase()))
                    .await;
            }
        }
    }
}
