//! Credentials and time in, `Authorization` header out: for firmware with an HTTP stack of its own.
//!
//! The board is wired and provisioned as the gateway is. UART0 stands for the network: it shows each header, which other firmware
//! sends and shows to nobody. A line of three digits is what a server has answered, a longer number is the time in Unix seconds,
//! and an empty line asks for the next header.

#![no_std]
#![no_main]

use core::cell::RefCell;
use core::fmt::{Display, Write as _};

use api_auth::{Answer, Facts, Policy, Reading, Source};
use embassy_executor::Spawner;
use embassy_rp::flash::{Blocking, Flash};
use embassy_rp::peripherals::{PIN_0, PIN_1, UART0};
use embassy_rp::uart::{BufferedInterruptHandler, BufferedUart, Config};
use embassy_rp::{Peri, bind_interrupts};
use embassy_time::{Instant, Timer};
use embedded_hal_bus::i2c::RefCellDevice;
use embedded_io_async::{Read, Write};
use gateway_firmware::{HeaderParts, Headers};
use gateway_rp2040::BUILD_SECS;
use gateway_rp2040::bus::Bus;
use gateway_rp2040::element::Element;
use gateway_rp2040::memory::{FLASH_LEN, STORE_LEN, STORE_START};
use heapless::String;
use secure_store::{Ds3231, Region, Rtc};
use static_cell::{ConstStaticCell, StaticCell};

bind_interrupts!(struct Irqs {
    UART0_IRQ => BufferedInterruptHandler<UART0>;
});

const STORE: Region = Region {
    start: STORE_START,
    len: STORE_LEN,
};

#[embassy_executor::main]
async fn main(_spawner: Spawner) {
    let p = embassy_rp::init(Default::default());
    let mut console = Console::new(p.UART0, p.PIN_0, p.PIN_1);
    let mut flash = Flash::<_, Blocking, { FLASH_LEN as usize }>::new_blocking(p.FLASH);
    static BUS: StaticCell<RefCell<Bus>> = StaticCell::new();
    let bus: &RefCell<Bus> = BUS.init(RefCell::new(Bus::new(p.I2C0, p.PIN_4, p.PIN_5)));

    // Once: the clock chip is read, the store opened, each key prepared or found in its chip.
    let mut headers = loop {
        let mut rtc = Ds3231::new(RefCellDevice::new(bus));
        match rtc.read() {
            Ok(Some(_)) => {}
            Ok(None) => console.say("the DS3231 was without power: set it").await,
            Err(error) => console.say(error).await,
        }
        let parts = HeaderParts {
            flash: &mut flash,
            region: STORE,
            rtc: Some(rtc),
            chip_keys: Element(bus),
            policy: Policy::FIELD,
            build_secs: BUILD_SECS,
        };
        match Headers::open(parts, uptime_ms()) {
            Ok(headers) => break headers,
            Err(error) => console.say(error).await,
        }
        // It may have been a loose wire.
        Timer::after_secs(10).await;
    };
    let custody = headers.custody();
    console.say(format_args!("custody: {custody}")).await;

    loop {
        // For each request: what is still good is not signed again.
        match headers.authorize(uptime_ms()) {
            Ok(header) => console.header(header.value()).await,
            Err(error) => console.say(error).await,
        }
        match console.hear().await {
            // After each answer.
            Heard::Status(status) => {
                let facts = Facts::new(Answer::Status(status));
                let action = headers.answered(&facts, uptime_ms());
                console.say(format_args!("{action:?}")).await;
            }
            // Whenever somebody tells the time.
            Heard::Time(reading) => {
                if let Err(error) = headers.set_clock(reading, uptime_ms()) {
                    console.say(error).await;
                }
            }
            Heard::Nothing => {}
        }
        // What is to outlast a power cut is written down, if it has changed.
        if let Err(error) = headers.keep(uptime_ms()) {
            console.say(error).await;
        }
    }
}

fn uptime_ms() -> u64 {
    Instant::now().as_millis()
}

/// UART0: 115200 baud, 8N1. Errors are nobody's there: nobody needs to listen.
struct Console(BufferedUart);

impl Console {
    fn new(uart: Peri<'static, UART0>, tx: Peri<'static, PIN_0>, rx: Peri<'static, PIN_1>) -> Self {
        static BUFFERS: ConstStaticCell<[[u8; 64]; 2]> = ConstStaticCell::new([[0; 64]; 2]);
        let [sent, received] = BUFFERS.take();
        let config = Config::default();
        Self(BufferedUart::new(
            uart, tx, rx, Irqs, sent, received, config,
        ))
    }

    async fn say(&mut self, text: impl Display) {
        let mut line = String::<256>::new();
        // What doesn't fit is cut off.
        let _ = write!(line, "{text}");
        let _ = self.0.write_all(line.as_bytes()).await;
        let _ = self.0.write_all(b"\r\n").await;
    }

    /// Stands for a request.
    async fn header(&mut self, value: &str) {
        for part in ["Authorization: ", value, "\r\n"] {
            let _ = self.0.write_all(part.as_bytes()).await;
        }
    }

    /// Waits for a line.
    async fn hear(&mut self) -> Heard {
        let mut line = String::<20>::new();
        let mut byte = [0];
        while self.0.read(&mut byte).await.is_err() || byte != *b"\r" {
            let _ = line.push(char::from(byte[0]));
        }
        match (line.len(), line.parse()) {
            (3, Ok(status)) => Heard::Status(status as u16),
            (_, Ok(unix_secs)) => Heard::Time(Reading {
                unix_secs,
                source: Source::Host,
                age_secs: 0,
            }),
            _ => Heard::Nothing,
        }
    }
}

/// What stands for a server that answers, and for one that tells the time.
enum Heard {
    Status(u16),
    Time(Reading),
    Nothing,
}
