//! What the application wants of a board.

use embedded_hal::digital::OutputPin;
use embedded_io_async::{Read, Write};
use embedded_storage::nor_flash::MultiwriteNorFlash;
use jwt_core::MacEngine;
use secure_store::{MonotonicCounter, Region, Rtc};

use crate::configuration::{StaticAddress, Wifi};
use crate::lookout::Lookout;
use crate::side::SideLine;
use crate::transport::Transport;
use crate::vitals::Vital;

/// The parts that a kind of board has.
pub trait Board {
    /// The flash with the store in it.
    type Flash: MultiwriteNorFlash;
    /// The receiving half of the console.
    type ConsoleIn: Read;
    /// The sending half of the console.
    type ConsoleOut: Write;
    /// The light; high means on.
    type Light: OutputPin;
    /// What measures the temperature.
    type Thermometer: Thermometer;
    /// The battery-backed clock.
    type Rtc: Rtc;
    /// Where keys are that no software can read.
    type ChipKeys: ChipKeys;
    /// The way to the API's server.
    type Connect: Transport;
    /// The network as seen from above.
    type Network: Network;
}

/// The parts of one board.
pub struct Parts<B: Board> {
    /// The flash with the store in it.
    pub flash: B::Flash,
    /// Where in the flash the store lies.
    pub region: Region,
    /// The receiving half of the console.
    pub console_in: B::ConsoleIn,
    /// The sending half of the console.
    pub console_out: B::ConsoleOut,
    /// A console beside it, if the board has one.
    pub side: Option<&'static SideLine>,
    /// What the contacts and the button come to; the board [keeps](Lookout::keep) it.
    pub lookout: &'static Lookout,
    /// The light.
    pub light: B::Light,
    /// What measures the temperature.
    pub thermometer: B::Thermometer,
    /// The battery-backed clock, if the board has a place for one: whether one answers is seen when it is used, for it may
    /// be a loose wire.
    pub rtc: Option<B::Rtc>,
    /// Where keys are that no software can read.
    pub chip_keys: B::ChipKeys,
    /// The way to the API's server.
    pub connect: B::Connect,
    /// The network as seen from above.
    pub network: B::Network,
    /// Returns numbers drawn evenly from all of `u32`; they may be foreseen.
    pub random: fn() -> u32,
    /// Fills a buffer with bytes that nobody can foresee, or returns false if the source of noise has failed.
    pub entropy: fn(&mut [u8]) -> bool,
    /// The Unix seconds at which the firmware was built.
    pub build_secs: u64,
    /// Why the board has started, as a part of a sentence.
    pub start: &'static str,
    /// What the program before this start died of, empty if it is not known.
    pub last_words: &'static str,
}

/// Where keys are that no software can read: a secure element, or fuses of the chip.
pub trait ChipKeys {
    /// A key in a slot.
    type Key: MacEngine;

    /// Returns the key in a slot, or `None` if there is no such slot.
    ///
    /// Whether the chip answers is seen when the key is used: a loose wire mustn't keep a gateway from starting.
    fn key(&self, slot: u8) -> Option<Self::Key>;

    /// Returns the key that the store is sealed under and that is proved to whoever provisions, or `None` if the
    /// board has no place for one.
    ///
    /// The application uses it once at the start: a key that doesn't work then is as good as none.
    fn device_key(&self) -> Option<Self::Key>;

    /// Returns a counter that only ever grows, by which an old image of a sealed store is told, or `None` if the board
    /// has none.
    fn counter(&self) -> Option<impl MonotonicCounter> {
        None::<NoCounter>
    }
}

/// The counter of a board without one.
enum NoCounter {}

impl MonotonicCounter for NoCounter {
    type Error = core::convert::Infallible;

    fn read(&mut self) -> Result<u32, Self::Error> {
        match *self {}
    }

    fn increment(&mut self) -> Result<u32, Self::Error> {
        match *self {}
    }
}

/// What measures the temperature.
pub trait Thermometer {
    /// Returns thousandths of a degree Celsius, or `None` if there is no measurement now.
    fn millidegrees(&mut self) -> impl Future<Output = Option<i32>>;
}

/// What resets a board unless it is fed.
pub trait Watchdog {
    /// Puts the reset off for some seconds, at least 2.
    fn feed(&mut self);

    /// Notes for the next life what hangs, for it is not fed any more.
    fn abandon(&mut self, hung: Vital);
}

/// The network as seen from above.
pub trait Network {
    /// Returns what a status line says of the link and the address.
    fn describe(&self) -> heapless::String<64>;

    /// Whether there is a link and an address.
    fn is_up(&self) -> bool;

    /// Joins a wireless network, and joins it again whenever it is lost; a board with a cable has no use for it.
    fn use_wifi(&self, _wifi: &Wifi) {}

    /// Takes an address that doesn't come by DHCP, or with `None` asks for one by DHCP, as at the start.
    fn use_address(&self, address: Option<StaticAddress>);

    /// Asks a host for the time by SNTP; `context_secs` is a Unix time less than 68 years away, and `nonce` what nobody can
    /// foresee, for the answer to repeat.
    ///
    /// Returns `None` if there is no answer within some seconds.
    fn sntp(
        &self,
        host: &str,
        context_secs: u64,
        nonce: [u8; 8],
    ) -> impl Future<Output = Option<u64>>;
}
