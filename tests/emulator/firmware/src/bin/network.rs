//! Joins a network through the W5500 and does what the console says: `get HOST PORT TEXT` or `time HOST`.

#![no_std]
#![no_main]

use core::fmt::Write as _;

use embassy_executor::Spawner;
use embassy_net::dns::DnsQueryType;
use embassy_net::tcp::TcpSocket;
use embassy_net::udp::{PacketMetadata, UdpSocket};
use embassy_net::{IpAddress, Stack, StackResources};
use embassy_net_wiznet::chip::W5500;
use embassy_net_wiznet::{Device, Runner, State};
use embassy_rp::gpio::{Input, Level, Output, Pull};
use embassy_rp::peripherals::{DMA_CH0, DMA_CH1, SPI0, UART0};
use embassy_rp::spi::{self, Async, Spi};
use embassy_rp::uart::{self, BufferedInterruptHandler, BufferedUart};
use embassy_rp::{bind_interrupts, dma};
use embassy_time::{Delay, Duration, Instant};
use embedded_hal_bus::spi::ExclusiveDevice;
use embedded_io_async::{Read, Write};
use emulator_firmware as _;
use static_cell::StaticCell;

bind_interrupts!(struct Irqs {
    UART0_IRQ => BufferedInterruptHandler<UART0>;
    DMA_IRQ_0 => dma::InterruptHandler<DMA_CH0>, dma::InterruptHandler<DMA_CH1>;
});

type EthernetSpi = ExclusiveDevice<Spi<'static, SPI0, Async>, Output<'static>, Delay>;

#[embassy_executor::task]
async fn ethernet(runner: Runner<'static, W5500, EthernetSpi, Input<'static>, Output<'static>>) {
    runner.run().await;
}

#[embassy_executor::task]
async fn stack(mut runner: embassy_net::Runner<'static, Device<'static>>) {
    runner.run().await;
}

/// What a command has to say; written to the console in one piece.
type Text = heapless::String<512>;

#[embassy_executor::main]
async fn main(spawner: Spawner) {
    let p = embassy_rp::init(Default::default());
    static TX: StaticCell<[u8; 256]> = StaticCell::new();
    static RX: StaticCell<[u8; 256]> = StaticCell::new();
    let (tx, rx) = (TX.init([0; 256]), RX.init([0; 256]));
    let config = uart::Config::default();
    let mut console = BufferedUart::new(p.UART0, p.PIN_0, p.PIN_1, Irqs, tx, rx, config);

    let mut config = spi::Config::default();
    config.frequency = 20_000_000;
    let bus = Spi::new(
        p.SPI0, p.PIN_18, p.PIN_19, p.PIN_16, p.DMA_CH0, p.DMA_CH1, Irqs, config,
    );
    let select = Output::new(p.PIN_17, Level::High);
    let Ok(device) = ExclusiveDevice::new(bus, select, Delay);
    let interrupt = Input::new(p.PIN_21, Pull::Up);
    let reset = Output::new(p.PIN_20, Level::High);
    static STATE: StaticCell<State<4, 4>> = StaticCell::new();
    let mac = [0x02, 0x00, 0x00, 0x12, 0x34, 0x56];
    let made = embassy_net_wiznet::new(mac, STATE.init(State::new()), device, interrupt, reset);
    let (device, runner) = match made.await {
        Ok(made) => made,
        Err(error) => panic!("{error:?}"),
    };
    static RESOURCES: StaticCell<StackResources<4>> = StaticCell::new();
    let resources = RESOURCES.init(StackResources::new());
    let config = embassy_net::Config::dhcpv4(Default::default());
    let (net, net_runner) = embassy_net::new(device, config, resources, 1);
    spawner.spawn(ethernet(runner).unwrap());
    spawner.spawn(stack(net_runner).unwrap());

    net.wait_config_up().await;
    let mut text = Text::new();
    if let Some(config) = net.config_v4() {
        let _ = writeln!(text, "address {}", config.address);
    }
    loop {
        let _ = console.write_all(text.as_bytes()).await;
        text.clear();
        let line = read_line(&mut console).await;
        let mut words = line.splitn(4, ' ');
        let result = match (words.next(), words.next(), words.next(), words.next()) {
            (Some("get"), Some(host), Some(port), Some(body)) => {
                get(net, host, port.parse().unwrap_or(0), body, &mut text).await
            }
            (Some("time"), Some(host), None, None) => time(net, host, &mut text).await,
            _ => Err("command"),
        };
        if let Err(failed) = result {
            let _ = writeln!(text, "failed: {failed}");
        }
    }
}

async fn read_line(console: &mut BufferedUart) -> heapless::String<256> {
    let mut line = heapless::String::new();
    loop {
        let mut byte = [0];
        if console.read(&mut byte).await.is_err() {
            continue;
        }
        match byte {
            [b'\n'] => return line,
            [byte] => drop(line.push(char::from(byte))),
        }
    }
}

async fn resolve(net: Stack<'_>, host: &str) -> Result<IpAddress, &'static str> {
    let found = net
        .dns_query(host, DnsQueryType::A)
        .await
        .map_err(|_| "resolve")?;
    found.first().copied().ok_or("resolve")
}

/// Sends a line over TCP, and collects what comes back until the server closes.
async fn get(
    net: Stack<'_>,
    host: &str,
    port: u16,
    body: &str,
    text: &mut Text,
) -> Result<(), &'static str> {
    let start = Instant::now();
    let address = resolve(net, host).await?;
    let (mut rx, mut tx) = ([0; 1024], [0; 1024]);
    let mut socket = TcpSocket::new(net, &mut rx, &mut tx);
    socket.set_timeout(Some(Duration::from_secs(10)));
    socket
        .connect((address, port))
        .await
        .map_err(|_| "connect")?;
    socket
        .write_all(body.as_bytes())
        .await
        .map_err(|_| "write")?;
    socket.write_all(b"\n").await.map_err(|_| "write")?;
    let mut received = 0;
    let mut last = 0;
    loop {
        let mut bytes = [0; 256];
        let count = socket.read(&mut bytes).await.map_err(|_| "read")?;
        if count == 0 {
            break;
        }
        received += count;
        last = bytes[count - 1];
    }
    let elapsed = start.elapsed().as_millis();
    let _ = writeln!(
        *text,
        "received {received} bytes, the last {last:02x}, in {elapsed} ms"
    );
    Ok(())
}

/// Asks for the time by SNTP and prints its seconds.
async fn time(net: Stack<'_>, host: &str, text: &mut Text) -> Result<(), &'static str> {
    let address = resolve(net, host).await?;
    let (mut rx_meta, mut tx_meta) = ([PacketMetadata::EMPTY; 1], [PacketMetadata::EMPTY; 1]);
    let (mut rx, mut tx) = ([0; 64], [0; 64]);
    let mut socket = UdpSocket::new(net, &mut rx_meta, &mut rx, &mut tx_meta, &mut tx);
    socket.bind(4123).map_err(|_| "bind")?;
    let mut packet = [0; 48];
    packet[0] = 0x23;
    socket
        .send_to(&packet, (address, 123))
        .await
        .map_err(|_| "send")?;
    let answer = embassy_time::with_timeout(Duration::from_secs(5), socket.recv_from(&mut packet));
    answer
        .await
        .map_err(|_| "timeout")?
        .map_err(|_| "receive")?;
    let seconds = u32::from_be_bytes([packet[40], packet[41], packet[42], packet[43]]);
    let _ = writeln!(text, "seconds {seconds}");
    Ok(())
}
