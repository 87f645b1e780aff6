//! The IP stack, whatever link it is over.

use core::fmt::Write as _;

use embassy_executor::Spawner;
use embassy_net::{Config, Runner, Stack, StackResources};
use embassy_net_driver_channel::{self as channel, driver::HardwareAddress};
use gateway_firmware::{Network, StackNetwork, StaticAddress, Wifi};
use gateway_tls::Memory;
use static_cell::StaticCell;

#[cfg(feature = "pico-w")]
use cyw43::NetDriver as Device;
#[cfg(feature = "w5500")]
use embassy_net_wiznet::Device;

use crate::noise;

/// DHCP, DNS, SNTP and HTTP have a socket each.
const SOCKETS: usize = 4;

/// Bytes of an Ethernet frame, as both links' drivers have it.
const FRAME_LEN: usize = 1514;

/// Returns an Ethernet address, locally administered, of a number that no other board has.
pub fn address([a, b, c, d, e]: [u8; 5]) -> [u8; 6] {
    [0x02, a, b, c, d, e]
}

/// Returns a link that is never up, for a board whose own doesn't answer.
fn nothing(number: [u8; 5]) -> Device<'static> {
    static STATE: StaticCell<channel::State<FRAME_LEN, 1, 1>> = StaticCell::new();
    let state = STATE.init(channel::State::new());
    channel::new(state, HardwareAddress::Ethernet(address(number))).1
}

/// Starts the stack; it has an address by DHCP, until it is given another.
pub fn start(spawner: Spawner, device: Device<'static>) -> Stack<'static> {
    static RESOURCES: StaticCell<StackResources<SOCKETS>> = StaticCell::new();
    let resources = RESOURCES.init(StackResources::new());
    let seed = u64::from(noise::random()) << 32 | u64::from(noise::random());
    let (stack, runner) =
        embassy_net::new(device, Config::dhcpv4(Default::default()), resources, seed);
    spawner.spawn(run(runner).unwrap());
    stack
}

/// The network over a link.
pub struct Link {
    stack: Stack<'static>,
    trouble: fn() -> Option<&'static str>,
    use_wifi: fn(&Wifi),
}

impl Link {
    /// A link that answers: `trouble` is what a status line says while it can't be up, in 64 bytes at the most, and
    /// `use_wifi` joins a wireless network.
    pub(crate) fn new(
        stack: Stack<'static>,
        trouble: fn() -> Option<&'static str>,
        use_wifi: fn(&Wifi),
    ) -> Self {
        Link {
            stack,
            trouble,
            use_wifi,
        }
    }

    /// A link that doesn't answer, and is never up.
    pub(crate) fn broken(
        spawner: Spawner,
        number: [u8; 5],
        trouble: fn() -> Option<&'static str>,
    ) -> Self {
        Link::new(start(spawner, nothing(number)), trouble, |_| ())
    }

    /// Returns the IP stack.
    pub fn stack(&self) -> Stack<'static> {
        self.stack
    }
}

impl Network for Link {
    fn describe(&self) -> heapless::String<64> {
        if let Some(trouble) = (self.trouble)() {
            return trouble.try_into().unwrap_or_default();
        }
        let mut text = StackNetwork(self.stack).describe();
        // Always fits: the longest address has 18 characters.
        let _ = write!(text, "; TLS {}", Memory::now());
        text
    }

    fn is_up(&self) -> bool {
        StackNetwork(self.stack).is_up()
    }

    fn use_wifi(&self, wifi: &Wifi) {
        (self.use_wifi)(wifi);
    }

    fn use_address(&self, address: Option<StaticAddress>) {
        StackNetwork(self.stack).use_address(address);
    }

    async fn sntp(&self, host: &str, context_secs: u64, nonce: [u8; 8]) -> Option<u64> {
        StackNetwork(self.stack)
            .sntp(host, context_secs, nonce)
            .await
    }
}

#[embassy_executor::task]
async fn run(mut runner: Runner<'static, Device<'static>>) {
    runner.run().await;
}
