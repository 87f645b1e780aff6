//! The IP stack, whatever link it is over.

use core::fmt::Write as _;
use core::pin::pin;
use core::task::{Context, Poll};

use embassy_executor::Spawner;
use embassy_net::{Config, Runner, Stack, StackResources};
use embassy_net_driver_channel::driver::{Capabilities, Driver, HardwareAddress, LinkState};
use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use embassy_sync::signal::Signal;
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

/// Where a link's driver hands over the device that has answered.
pub type Arrival = Signal<NoopRawMutex, Device<'static>>;

/// The device of a link, which is down until there is one: a board's own may answer late, or never.
struct Awaited {
    arrival: &'static Arrival,
    device: Option<Device<'static>>,
    address: [u8; 6],
}

impl Driver for Awaited {
    type RxToken<'a> = <Device<'static> as Driver>::RxToken<'a>;
    type TxToken<'a> = <Device<'static> as Driver>::TxToken<'a>;

    fn receive(&mut self, cx: &mut Context<'_>) -> Option<(Self::RxToken<'_>, Self::TxToken<'_>)> {
        self.device.as_mut()?.receive(cx)
    }

    fn transmit(&mut self, cx: &mut Context<'_>) -> Option<Self::TxToken<'_>> {
        self.device.as_mut()?.transmit(cx)
    }

    fn link_state(&mut self, cx: &mut Context<'_>) -> LinkState {
        if self.device.is_none()
            && let Poll::Ready(device) = pin!(self.arrival.wait()).poll(cx)
        {
            self.device = Some(device);
        }
        match &mut self.device {
            Some(device) => device.link_state(cx),
            None => LinkState::Down,
        }
    }

    fn capabilities(&self) -> Capabilities {
        match &self.device {
            Some(device) => device.capabilities(),
            None => {
                let mut capabilities = Capabilities::default();
                capabilities.max_transmission_unit = FRAME_LEN;
                capabilities
            }
        }
    }

    fn hardware_address(&self) -> HardwareAddress {
        match &self.device {
            Some(device) => device.hardware_address(),
            None => HardwareAddress::Ethernet(self.address),
        }
    }
}

/// Starts the stack, for a device that is yet to arrive; it has an address by DHCP, until it is given another.
pub fn start(spawner: Spawner, number: [u8; 5]) -> (Stack<'static>, &'static Arrival) {
    static ARRIVAL: StaticCell<Arrival> = StaticCell::new();
    let arrival: &Arrival = ARRIVAL.init(Signal::new());
    let awaited = Awaited {
        arrival,
        device: None,
        address: address(number),
    };
    static RESOURCES: StaticCell<StackResources<SOCKETS>> = StaticCell::new();
    let resources = RESOURCES.init(StackResources::new());
    let seed = u64::from(noise::random()) << 32 | u64::from(noise::random());
    let config = Config::dhcpv4(Default::default());
    let (stack, runner) = embassy_net::new(awaited, config, resources, seed);
    spawner.spawn(run(runner).unwrap());
    (stack, arrival)
}

/// The network over a link.
pub struct Link {
    stack: Stack<'static>,
    trouble: fn() -> Option<&'static str>,
    use_wifi: fn(&Wifi),
}

impl Link {
    /// Takes the stack, what a status line says while the link can't be up, in 64 bytes at the most, and what joins a wireless
    /// network.
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
async fn run(mut runner: Runner<'static, Awaited>) {
    runner.run().await;
}
