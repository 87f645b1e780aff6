//! The IP stack, whatever link it is over.

use core::fmt::Write as _;

use embassy_executor::Spawner;
use embassy_net::{Config, Runner, Stack, StackResources};
use embassy_net_driver_channel::{self as channel, driver::HardwareAddress};
use gateway_firmware::{Network, StackNetwork};
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
pub fn nothing(number: [u8; 5]) -> Device<'static> {
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

/// Returns what a status line says of the stack, and of the memory that TLS has over it.
pub fn describe(stack: Stack<'static>) -> heapless::String<64> {
    let mut text = StackNetwork(stack).describe();
    // Always fits: the longest address has 18 characters.
    let _ = write!(text, "; TLS {}", Memory::now());
    text
}

#[embassy_executor::task]
async fn run(mut runner: Runner<'static, Device<'static>>) {
    runner.run().await;
}
