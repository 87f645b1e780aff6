//! The parts of the process that stand for a board's.

use std::convert::Infallible;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::pipe::Pipe;
use embedded_hal::digital::{ErrorType as PinError, InputPin, OutputPin};
use embedded_io_async::{ErrorType, Read, Write};
use gateway_firmware::{
    Board, ChipKeys, Lookout, Network, StaticAddress, Thermometer, Vital, Watchdog, Wires,
};
use gateway_twin::{FileFlash, Sockets};
use jwt_core::HmacKey;
use secure_store::FakeRtc;
use serialport::{SerialPort, TTYPort};

/// Contacts and button, by the names that they are pressed by; true is closed.
pub static PINS: [(&str, AtomicBool); 3] = [
    ("door", AtomicBool::new(false)),
    ("flood", AtomicBool::new(false)),
    ("button", AtomicBool::new(false)),
];

pub static LOOKOUT: Lookout = Lookout::new();

/// What was typed and not read yet.
static TYPED: Pipe<CriticalSectionRawMutex, 1024> = Pipe::new();

pub struct Twin;

impl Board for Twin {
    type Flash = FileFlash;
    type ConsoleIn = Keyboard;
    type ConsoleOut = Screen;
    type Light = Light;
    type Thermometer = Room;
    type Rtc = FakeRtc;
    type ChipKeys = Chip;
    type Connect = Sockets;
    type Network = Cable;
}

pub fn wires() -> Wires<Pin> {
    let [door, flood, button] = PINS.each_ref().map(|(_, pin)| Pin(pin));
    Wires {
        door,
        flood,
        button,
    }
}

/// Low while its switch is closed.
pub struct Pin(&'static AtomicBool);

impl PinError for Pin {
    type Error = Infallible;
}

impl InputPin for Pin {
    fn is_high(&mut self) -> Result<bool, Infallible> {
        self.is_low().map(|low| !low)
    }

    fn is_low(&mut self) -> Result<bool, Infallible> {
        Ok(self.0.load(Ordering::Relaxed))
    }
}

/// A pseudo-terminal.
pub struct Console {
    port: TTYPort,
    path: String,
}

impl Console {
    pub fn open() -> io::Result<Self> {
        // The other end is a program's alone, which locks it; until it is opened reading fails here.
        let (port, other) = TTYPort::pair()?;
        let path = other.name().unwrap_or_default();
        drop(other);
        let mut typed = port.try_clone_native()?;
        typed.set_timeout(Duration::from_millis(20))?;
        thread::spawn(move || {
            let mut bytes = [0; 256];
            loop {
                match typed.read(&mut bytes) {
                    Ok(count) => gateway_twin::block_on(TYPED.write_all(&bytes[..count])),
                    Err(error) if error.kind() == ErrorKind::TimedOut => {}
                    Err(_) => thread::sleep(Duration::from_millis(5)),
                }
            }
        });
        Ok(Self { port, path })
    }

    pub fn path(&self) -> &str {
        &self.path
    }

    pub fn halves(&self) -> io::Result<(Keyboard, Screen)> {
        let mut port = self.port.try_clone_native()?;
        port.set_timeout(Duration::from_millis(200))?;
        Ok((Keyboard, Screen(port)))
    }
}

pub struct Keyboard;

impl ErrorType for Keyboard {
    type Error = Infallible;
}

impl Read for Keyboard {
    async fn read(&mut self, buf: &mut [u8]) -> Result<usize, Infallible> {
        Ok(TYPED.read(buf).await)
    }
}

/// What nobody reads is lost.
pub struct Screen(TTYPort);

impl ErrorType for Screen {
    type Error = Infallible;
}

impl Write for Screen {
    async fn write(&mut self, buf: &[u8]) -> Result<usize, Infallible> {
        let _ = self.0.write_all(buf);
        Ok(buf.len())
    }

    async fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

pub struct Light;

impl PinError for Light {
    type Error = Infallible;
}

impl OutputPin for Light {
    fn set_low(&mut self) -> Result<(), Infallible> {
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// A room of 20 °C.
pub struct Room;

impl Thermometer for Room {
    async fn millidegrees(&mut self) -> Option<i32> {
        Some(20_000)
    }
}

/// A chip with a device key, or without.
pub struct Chip(pub Option<HmacKey>);

impl ChipKeys for Chip {
    type Key = HmacKey;

    fn key(&self, _slot: u8) -> Option<HmacKey> {
        None
    }

    fn device_key(&self) -> Option<HmacKey> {
        self.0.clone()
    }
}

pub struct Dog;

impl Watchdog for Dog {
    fn feed(&mut self) {}

    fn abandon(&mut self, hung: Vital) {
        eprintln!("gateway-twin: {hung} hung");
        std::process::exit(3);
    }
}

/// The machine's own network.
pub struct Cable;

impl Network for Cable {
    fn describe(&self) -> heapless::String<64> {
        "the machine's own".try_into().unwrap_or_default()
    }

    fn is_up(&self) -> bool {
        true
    }

    fn use_address(&self, _: Option<StaticAddress>) {}

    async fn sntp(&self, _: &str, _: u64, _: [u8; 8]) -> Option<u64> {
        None
    }
}

pub fn random() -> u32 {
    let mut bytes = [0; 4];
    let _ = getrandom::fill(&mut bytes);
    u32::from_le_bytes(bytes)
}
