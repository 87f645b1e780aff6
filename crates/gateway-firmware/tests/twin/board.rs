//! A board of a program on a desktop: pins are cells, the flash is memory, connections are the machine's own.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::rc::Rc;
use std::time::Duration;

use embassy_time::Timer;
use embedded_hal::digital::{ErrorType as PinError, InputPin, OutputPin};
use embedded_io_async::{ErrorType, Read, Write};
use gateway_firmware::{
    Board, ChipKeys, Lookout, Network, Parts, StaticAddress, Thermometer, Transport, Vital,
    Watchdog, Wires,
};
use jwt_core::HmacKey;
use secure_store::{Image, Region, Rtc};
use sms_alert::{Connect, Host};

pub const BUILD_SECS: u64 = 1_760_000_000;
pub const REGION: Region = Region {
    start: 0,
    len: 64 * 1024,
};

/// What outlives a program, and what a test reaches into.
#[derive(Clone)]
pub struct Bench {
    pub flash: Rc<RefCell<Vec<u8>>>,
    pub door: Rc<Cell<bool>>,
    pub flood: Rc<Cell<bool>>,
    pub button: Rc<Cell<bool>>,
    pub millidegrees: Rc<Cell<i32>>,
    pub rtc: Rc<Cell<Option<u64>>>,
    pub sntp: Rc<Cell<Option<u64>>>,
    pub network: Rc<Cell<bool>>,
    /// The key in slot 3 of the chip.
    pub chip: HmacKey,
    /// The device key, if the chip has one.
    pub device_key: Option<HmacKey>,
    pub feeds: Rc<Cell<u32>>,
    pub keys: Rc<RefCell<VecDeque<u8>>>,
    pub screen: Rc<RefCell<String>>,
}

impl Bench {
    pub fn new() -> Self {
        Self {
            flash: Rc::new(RefCell::new(vec![0xff; REGION.len as usize])),
            door: Rc::default(),
            flood: Rc::default(),
            button: Rc::default(),
            millidegrees: Rc::new(Cell::new(20_000)),
            rtc: Rc::new(Cell::new(Some(now_secs()))),
            sntp: Rc::default(),
            network: Rc::new(Cell::new(true)),
            chip: HmacKey::new(&[7; 32]).unwrap(),
            device_key: None,
            feeds: Rc::default(),
            keys: Rc::default(),
            screen: Rc::default(),
        }
    }

    pub fn wires(&self) -> Wires<Pin> {
        Wires {
            door: Pin(Rc::clone(&self.door)),
            flood: Pin(Rc::clone(&self.flood)),
            button: Pin(Rc::clone(&self.button)),
        }
    }

    pub fn watchdog(&self) -> Dog {
        Dog(Rc::clone(&self.feeds))
    }

    pub fn parts(&self, lookout: &'static Lookout) -> Parts<Twin> {
        Parts {
            flash: Flash(Rc::clone(&self.flash)),
            region: REGION,
            console_in: Keys(Rc::clone(&self.keys)),
            console_out: Screen(Rc::clone(&self.screen)),
            side: None,
            lookout,
            light: Pin(Rc::default()),
            thermometer: Probe(Rc::clone(&self.millidegrees)),
            rtc: Some(Battery(Rc::clone(&self.rtc))),
            chip_keys: Chip {
                slot_3: self.chip.clone(),
                device: self.device_key.clone(),
            },
            connect: Sockets,
            network: Cable(self.clone()),
            random: || 0x5eed,
            entropy: |bytes| {
                bytes.fill(0x5e);
                true
            },
            build_secs: BUILD_SECS,
            start: "power",
            last_words: "",
        }
    }

    pub fn type_line(&self, line: &str) {
        self.keys.borrow_mut().extend(line.bytes().chain([b'\r']));
    }

    pub fn screen(&self) -> String {
        self.screen.borrow().clone()
    }
}

pub fn now_secs() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap().as_secs()
}

pub struct Twin;

impl Board for Twin {
    type Flash = Flash;
    type ConsoleIn = Keys;
    type ConsoleOut = Screen;
    type Light = Pin;
    type Thermometer = Probe;
    type Rtc = Battery;
    type ChipKeys = Chip;
    type Connect = Sockets;
    type Network = Cable;
}

pub struct Flash(Rc<RefCell<Vec<u8>>>);

impl embedded_storage::nor_flash::ErrorType for Flash {
    type Error = secure_store::ImageError;
}

impl embedded_storage::nor_flash::ReadNorFlash for Flash {
    const READ_SIZE: usize = 1;
    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
        Image::new(&mut self.0.borrow_mut()).read(offset, bytes)
    }
    fn capacity(&self) -> usize {
        self.0.borrow().len()
    }
}

impl embedded_storage::nor_flash::MultiwriteNorFlash for Flash {}

impl embedded_storage::nor_flash::NorFlash for Flash {
    const WRITE_SIZE: usize = 1;
    const ERASE_SIZE: usize = 4096;
    fn erase(&mut self, from: u32, to: u32) -> Result<(), Self::Error> {
        Image::new(&mut self.0.borrow_mut()).erase(from, to)
    }
    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Self::Error> {
        Image::new(&mut self.0.borrow_mut()).write(offset, bytes)
    }
}

pub struct Keys(Rc<RefCell<VecDeque<u8>>>);

impl ErrorType for Keys {
    type Error = Infallible;
}

impl Read for Keys {
    async fn read(&mut self, buf: &mut [u8]) -> Result<usize, Infallible> {
        loop {
            if let Some(key) = self.0.borrow_mut().pop_front() {
                buf[0] = key;
                return Ok(1);
            }
            Timer::after_millis(5).await;
        }
    }
}

pub struct Screen(Rc<RefCell<String>>);

impl ErrorType for Screen {
    type Error = Infallible;
}

impl Write for Screen {
    async fn write(&mut self, buf: &[u8]) -> Result<usize, Infallible> {
        self.0
            .borrow_mut()
            .push_str(std::str::from_utf8(buf).unwrap());
        Ok(buf.len())
    }
    async fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// True is low on a contact, and high on the light.
pub struct Pin(Rc<Cell<bool>>);

impl PinError for Pin {
    type Error = Infallible;
}

impl InputPin for Pin {
    fn is_high(&mut self) -> Result<bool, Infallible> {
        Ok(!self.0.get())
    }
    fn is_low(&mut self) -> Result<bool, Infallible> {
        Ok(self.0.get())
    }
}

impl OutputPin for Pin {
    fn set_low(&mut self) -> Result<(), Infallible> {
        self.0.set(false);
        Ok(())
    }
    fn set_high(&mut self) -> Result<(), Infallible> {
        self.0.set(true);
        Ok(())
    }
}

pub struct Probe(Rc<Cell<i32>>);

impl Thermometer for Probe {
    async fn millidegrees(&mut self) -> Option<i32> {
        Some(self.0.get())
    }
}

pub struct Battery(Rc<Cell<Option<u64>>>);

impl Rtc for Battery {
    type Error = Infallible;
    fn read(&mut self) -> Result<Option<u64>, Infallible> {
        Ok(self.0.get())
    }
    fn set(&mut self, unix_secs: u64) -> Result<(), Infallible> {
        self.0.set(Some(unix_secs));
        Ok(())
    }
}

/// A chip with a key in slot 3, and perhaps a device key.
pub struct Chip {
    slot_3: HmacKey,
    device: Option<HmacKey>,
}

impl ChipKeys for Chip {
    type Key = HmacKey;
    fn key(&self, slot: u8) -> Option<HmacKey> {
        (slot == 3).then(|| self.slot_3.clone())
    }
    fn device_key(&self) -> Option<HmacKey> {
        self.device.clone()
    }
}

pub struct Dog(Rc<Cell<u32>>);

impl Watchdog for Dog {
    fn feed(&mut self) {
        self.0.set(self.0.get() + 1);
    }
    fn abandon(&mut self, hung: Vital) {
        panic!("{hung} hangs");
    }
}

pub struct Cable(Bench);

impl Network for Cable {
    fn describe(&self) -> heapless::String<64> {
        "the machine's own".try_into().unwrap()
    }
    fn is_up(&self) -> bool {
        self.0.network.get()
    }
    fn use_address(&self, _: StaticAddress) {}
    async fn sntp(&self, host: &str, _: u64) -> Option<u64> {
        assert_eq!(host, "time.example");
        self.0.sntp.get()
    }
}

pub struct Sockets;

impl Connect for Sockets {
    type Error = io::Error;
    type Stream<'a> = Socket;

    async fn connect(&mut self, host: Host<'_>) -> io::Result<Socket> {
        let stream = TcpStream::connect(host.as_str())?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        Ok(Socket(stream))
    }
    fn is_secure(&self) -> bool {
        false
    }
}

impl Transport for Sockets {}

pub struct Socket(TcpStream);

impl ErrorType for Socket {
    type Error = io::Error;
}

impl Read for Socket {
    async fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }
}

impl Write for Socket {
    async fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.write(buf)
    }
    async fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
