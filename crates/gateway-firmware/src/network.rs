//! The network of a board that has embassy-net's IP stack.

use core::fmt::Write as _;
use core::net::{IpAddr, SocketAddr};

use embassy_net::dns::DnsQueryType;
use embassy_net::udp::{PacketMetadata, UdpSocket};
use embassy_net::{ConfigV4, IpAddress, Ipv4Address, Ipv4Cidr, Stack, StaticConfigV4};
use embassy_time::{Duration, with_timeout};
use heapless::{String, Vec};
use sntpc_net_embassy::UdpSocketWrapper;

use crate::board::Network;
use crate::configuration::StaticAddress;
use crate::sntp;

/// How long a name server and a time server together may take.
const SNTP_PATIENCE: Duration = Duration::from_secs(10);

/// RFC 4330, section 4: the port of (S)NTP.
const NTP_PORT: u16 = 123;

/// An embassy-net stack.
#[derive(Clone, Copy)]
pub struct StackNetwork<'a>(pub Stack<'a>);

impl Network for StackNetwork<'_> {
    fn describe(&self) -> String<64> {
        let mut text = String::new();
        // Always fits: the longest address has 18 characters.
        let _ = match (self.0.is_link_up(), self.0.config_v4()) {
            (false, _) => text.write_str("down"),
            (true, None) => text.write_str("up, no address yet"),
            (true, Some(config)) => write!(text, "up, {}", config.address),
        };
        text
    }

    fn is_up(&self) -> bool {
        self.0.is_link_up() && self.0.is_config_up()
    }

    fn use_address(&self, address: Option<StaticAddress>) {
        let Some(address) = address else {
            self.0.set_config_v4(ConfigV4::Dhcp(Default::default()));
            return;
        };
        let mut dns_servers = Vec::new();
        if let Some(server) = address.name_server {
            // Always fits: there is room for three.
            let _ = dns_servers.push(Ipv4Address::from(server));
        }
        self.0.set_config_v4(ConfigV4::Static(StaticConfigV4 {
            address: Ipv4Cidr::new(Ipv4Address::from(address.address), address.prefix_len),
            gateway: address.router.map(Ipv4Address::from),
            dns_servers,
        }));
    }

    async fn sntp(&self, host: &str, context_secs: u64, nonce: [u8; 8]) -> Option<u64> {
        with_timeout(SNTP_PATIENCE, ask(self.0, host, context_secs, nonce))
            .await
            .ok()?
    }
}

async fn ask(stack: Stack<'_>, host: &str, context_secs: u64, nonce: [u8; 8]) -> Option<u64> {
    let addresses = stack.dns_query(host, DnsQueryType::A).await.ok()?;
    let [IpAddress::Ipv4(address), ..] = addresses.as_slice() else {
        return None;
    };
    let (mut rx_meta, mut tx_meta) = ([PacketMetadata::EMPTY; 2], [PacketMetadata::EMPTY; 2]);
    let (mut rx, mut tx) = ([0; 128], [0; 128]);
    let mut socket = UdpSocket::new(stack, &mut rx_meta, &mut rx, &mut tx_meta, &mut tx);
    socket.bind(0).ok()?;
    let socket = UdpSocketWrapper::new(socket);
    let server = SocketAddr::new(IpAddr::V4(*address), NTP_PORT);
    sntp::ask(&socket, server, context_secs, nonce).await
}
