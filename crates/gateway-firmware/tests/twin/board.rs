//! A board of a program on a desktop: pins are cells, the flash is memory, connections are the machine's own.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

use embassy_time::{Instant, Timer};
use embedded_hal::digital::{ErrorType as PinError, InputPin, OutputPin};
use embedded_io_async::{ErrorType, Read, Write};
use gateway_firmware::{
    Board, ChipKeys, Lookout, Network, Parts, StaticAddress, Thermometer, Transport, Vital,
    Watchdog, Wires,
};
use gateway_twin::{Socket, Sockets};
use jwt_core::HmacKey;
use secure_store::{MonotonicCounter, Region, Rtc};
use sms_alert::{Connect, Host};

use crate::chip::{ChipKey, Silent};
use crate::flash::{Cut, Flash};

/// How long a byte is on its way: ten bits.
const BYTE: embassy_time::Duration = embassy_time::Duration::from_micros(87);

pub const BUILD_SECS: u64 = 1_760_000_000;
pub const REGION: Region = Region {
    start: 0,
    len: 64 * 1024,
};

/// What outlives a program, and what a test reaches into.
#[derive(Clone)]
pub struct Bench {
    pub flash: Rc<RefCell<Vec<u8>>>,
    /// The flash's operations so far, and the one at which the power goes.
    pub operations: Rc<Cell<usize>>,
    pub cut: Rc<Cell<Option<Cut>>>,
    pub door: Rc<Cell<bool>>,
    pub flood: Rc<Cell<bool>>,
    pub button: Rc<Cell<bool>>,
    pub millidegrees: Rc<Cell<i32>>,
    pub rtc: Rc<Cell<Option<u64>>>,
    /// Whether the clock chip answers nobody.
    pub rtc_silent: Rc<Cell<bool>>,
    pub sntp: Rc<Cell<Option<u64>>>,
    /// What answers to questions for the time would repeat.
    pub nonces: Rc<RefCell<Vec<[u8; 8]>>>,
    pub network: Rc<Cell<bool>>,
    /// Whether connections are taken for safe ones.
    pub secure: Rc<Cell<bool>>,
    /// The key in slot 3 of the chip.
    pub chip: HmacKey,
    /// The device key, if the chip has one.
    pub device_key: Option<HmacKey>,
    /// Whether the chip answers nobody.
    pub silent: Rc<Cell<bool>>,
    /// The chip's counter.
    pub counter: Rc<Cell<u32>>,
    /// Whether the counter can be read, and not raised.
    pub stuck: Rc<Cell<bool>>,
    /// Whether the counter can't be read either.
    pub unread: Rc<Cell<bool>>,
    /// The addresses that the network was given.
    pub addresses: Rc<RefCell<Vec<Option<StaticAddress>>>>,
    pub feeds: Rc<Cell<u32>>,
    pub keys: Rc<RefCell<VecDeque<u8>>>,
    pub screen: Rc<RefCell<String>>,
    /// Whether the console takes nothing: its line is slow, and its buffer full.
    pub full: Rc<Cell<bool>>,
    /// What the console said, byte by byte with the moment at which it has left the board, until somebody takes it.
    pub said: Rc<RefCell<VecDeque<(Instant, u8)>>>,
}

impl Bench {
    pub fn new() -> Self {
        Self {
            flash: Rc::new(RefCell::new(vec![0xff; REGION.len as usize])),
            operations: Rc::default(),
            cut: Rc::default(),
            door: Rc::default(),
            flood: Rc::default(),
            button: Rc::default(),
            millidegrees: Rc::new(Cell::new(20_000)),
            rtc: Rc::new(Cell::new(Some(now_secs()))),
            rtc_silent: Rc::default(),
            sntp: Rc::default(),
            nonces: Rc::default(),
            network: Rc::new(Cell::new(true)),
            secure: Rc::default(),
            chip: HmacKey::new(&[7; 32]).unwrap(),
            device_key: None,
            silent: Rc::default(),
            counter: Rc::default(),
            stuck: Rc::default(),
            unread: Rc::default(),
            addresses: Rc::default(),
            feeds: Rc::default(),
            keys: Rc::default(),
            screen: Rc::default(),
            full: Rc::default(),
            said: Rc::default(),
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
        // What hadn't left the board when it was reset is lost.
        let now = Instant::now();
        self.said.borrow_mut().retain(|(left, _)| *left <= now);
        Parts {
            flash: Flash {
                bytes: Rc::clone(&self.flash),
                operations: Rc::clone(&self.operations),
                cut: Rc::clone(&self.cut),
            },
            region: REGION,
            console_in: Keys(Rc::clone(&self.keys)),
            console_out: Screen {
                shown: Rc::clone(&self.screen),
                said: Rc::clone(&self.said),
                full: Rc::clone(&self.full),
            },
            side: None,
            lookout,
            light: Pin(Rc::default()),
            thermometer: Probe(Rc::clone(&self.millidegrees)),
            rtc: Some(Battery {
                secs: Rc::clone(&self.rtc),
                silent: Rc::clone(&self.rtc_silent),
            }),
            chip_keys: Chip {
                slot_3: self.chip.clone(),
                device: self.device_key.clone(),
                silent: Rc::clone(&self.silent),
                counter: Rc::clone(&self.counter),
                stuck: Rc::clone(&self.stuck),
                unread: Rc::clone(&self.unread),
            },
            connect: Way {
                sockets: Sockets,
                secure: Rc::clone(&self.secure),
            },
            network: Cable(self.clone()),
            random: || 0x5eed,
            entropy: |bytes| {
                static COUNT: AtomicU64 = AtomicU64::new(0);
                let count = COUNT.fetch_add(1, Ordering::Relaxed).to_le_bytes();
                for (byte, count) in bytes.iter_mut().zip(count) {
                    *byte = count;
                }
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

    /// Takes a byte that the console said, if one has left the board.
    pub fn hear(&self) -> Option<u8> {
        let mut said = self.said.borrow_mut();
        let (left, byte) = *said.front()?;
        (left <= Instant::now()).then(|| {
            said.pop_front();
            byte
        })
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
    type Connect = Way;
    type Network = Cable;
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

/// A line of 115200 baud behind a buffer that takes all at once, as a UART's driver has it.
pub struct Screen {
    shown: Rc<RefCell<String>>,
    said: Rc<RefCell<VecDeque<(Instant, u8)>>>,
    full: Rc<Cell<bool>>,
}

impl ErrorType for Screen {
    type Error = Infallible;
}

impl Write for Screen {
    async fn write(&mut self, buf: &[u8]) -> Result<usize, Infallible> {
        while self.full.get() {
            Timer::after_millis(5).await;
        }
        let text = String::from_utf8_lossy(buf);
        self.shown.borrow_mut().push_str(&text);
        let mut said = self.said.borrow_mut();
        for byte in buf {
            let last = said.back().map_or(Instant::MIN, |(left, _)| *left);
            said.push_back((last.max(Instant::now()) + BYTE, *byte));
        }
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

pub struct Battery {
    secs: Rc<Cell<Option<u64>>>,
    silent: Rc<Cell<bool>>,
}

impl Battery {
    fn answers(&self) -> Result<(), Silent> {
        match self.silent.get() {
            true => Err(Silent),
            false => Ok(()),
        }
    }
}

impl Rtc for Battery {
    type Error = Silent;
    fn read(&mut self) -> Result<Option<u64>, Silent> {
        self.answers()?;
        Ok(self.secs.get())
    }
    fn set(&mut self, unix_secs: u64) -> Result<(), Silent> {
        self.answers()?;
        self.secs.set(Some(unix_secs));
        Ok(())
    }
}

/// A chip with a key in slot 3, and perhaps a device key.
pub struct Chip {
    slot_3: HmacKey,
    device: Option<HmacKey>,
    silent: Rc<Cell<bool>>,
    counter: Rc<Cell<u32>>,
    stuck: Rc<Cell<bool>>,
    unread: Rc<Cell<bool>>,
}

/// The chip's counter.
pub struct Counter {
    count: Rc<Cell<u32>>,
    stuck: Rc<Cell<bool>>,
    unread: Rc<Cell<bool>>,
}

impl MonotonicCounter for Counter {
    type Error = Silent;
    fn read(&mut self) -> Result<u32, Silent> {
        match self.unread.get() {
            true => Err(Silent),
            false => Ok(self.count.get()),
        }
    }
    fn increment(&mut self) -> Result<u32, Silent> {
        if self.stuck.get() || self.unread.get() {
            return Err(Silent);
        }
        self.count.set(self.count.get() + 1);
        Ok(self.count.get())
    }
}

impl Chip {
    fn engine(&self, key: HmacKey) -> ChipKey {
        ChipKey(key, Rc::clone(&self.silent))
    }
}

impl ChipKeys for Chip {
    type Key = ChipKey;
    fn key(&self, slot: u8) -> Option<ChipKey> {
        (slot == 3).then(|| self.engine(self.slot_3.clone()))
    }
    fn device_key(&self) -> Option<ChipKey> {
        self.device.clone().map(|key| self.engine(key))
    }
    fn counter(&self) -> Option<impl MonotonicCounter> {
        self.device.is_some().then(|| Counter {
            count: Rc::clone(&self.counter),
            stuck: Rc::clone(&self.stuck),
            unread: Rc::clone(&self.unread),
        })
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
    fn use_address(&self, address: Option<StaticAddress>) {
        self.0.addresses.borrow_mut().push(address);
    }
    async fn sntp(&self, host: &str, _: u64, nonce: [u8; 8]) -> Option<u64> {
        assert_eq!(host, "time.example");
        assert!(!self.0.nonces.borrow().contains(&nonce));
        self.0.nonces.borrow_mut().push(nonce);
        self.0.sntp.get()
    }
}

/// The machine's own TCP, which may be taken for safe.
pub struct Way {
    sockets: Sockets,
    secure: Rc<Cell<bool>>,
}

impl Connect for Way {
    type Error = io::Error;
    type Stream<'a> = Socket;

    async fn connect(&mut self, host: Host<'_>) -> io::Result<Socket> {
        self.sockets.connect(host).await
    }
    fn is_secure(&self) -> bool {
        self.secure.get()
    }
}

impl Transport for Way {}
