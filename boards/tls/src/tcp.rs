//! TCP below TLS, over embassy-net: a host by name or by address, one connection at a time.

use core::fmt;
use core::net::Ipv4Addr;

use embassy_net::dns::{self, DnsQueryType};
use embassy_net::tcp::{self, TcpSocket};
use embassy_net::{IpAddress, IpEndpoint, Stack};
use embassy_time::{Duration, with_timeout};
use embedded_io_async::{ErrorKind, ErrorType, Read, Write};
use sms_alert::{Connect, Host};

/// The port of HTTPS.
const HTTPS_PORT: u16 = 443;

/// How long the other side may be silent.
const PATIENCE: Duration = Duration::from_secs(10);

/// Opens TCP connections to any host; it is for [`TlsConnect`](crate::TlsConnect) to use.
pub struct TcpConnect<'a> {
    stack: Stack<'a>,
    rx: &'a mut [u8],
    tx: &'a mut [u8],
}

impl<'a> TcpConnect<'a> {
    /// Takes a stack and the buffers of a connection, both ways.
    pub const fn new(stack: Stack<'a>, rx: &'a mut [u8], tx: &'a mut [u8]) -> Self {
        Self { stack, rx, tx }
    }
}

impl Connect for TcpConnect<'_> {
    type Error = TcpError;
    type Stream<'s>
        = TcpStream<'s>
    where
        Self: 's;

    async fn connect(&mut self, host: Host<'_>) -> Result<TcpStream<'_>, TcpError> {
        let address = match host.name().parse::<Ipv4Addr>() {
            Ok(address) => address.into(),
            Err(_) => resolve(self.stack, host.name()).await?,
        };
        let server = IpEndpoint::new(address, host.port().unwrap_or(HTTPS_PORT));
        let mut socket = TcpSocket::new(self.stack, self.rx, self.tx);
        socket.set_timeout(Some(PATIENCE));
        match with_timeout(PATIENCE, socket.connect(server)).await {
            Ok(Ok(())) => Ok(TcpStream { socket }),
            Ok(Err(error)) => Err(TcpError::Connect(error)),
            Err(_) => Err(TcpError::Silent),
        }
    }

    fn is_secure(&self) -> bool {
        false
    }
}

async fn resolve(stack: Stack<'_>, name: &str) -> Result<IpAddress, TcpError> {
    match with_timeout(PATIENCE, stack.dns_query(name, DnsQueryType::A)).await {
        Ok(Ok(addresses)) => addresses.first().copied().ok_or(TcpError::NoAddress),
        Ok(Err(error)) => Err(TcpError::Dns(error)),
        Err(_) => Err(TcpError::NoAddress),
    }
}

/// A TCP connection whose reads and writes end when the other side is silent.
pub struct TcpStream<'a> {
    socket: TcpSocket<'a>,
}

impl ErrorType for TcpStream<'_> {
    type Error = TcpError;
}

async fn patiently<T>(work: impl Future<Output = Result<T, tcp::Error>>) -> Result<T, TcpError> {
    match with_timeout(PATIENCE, work).await {
        Ok(done) => done.map_err(TcpError::Broken),
        Err(_) => Err(TcpError::Silent),
    }
}

impl Read for TcpStream<'_> {
    async fn read(&mut self, buf: &mut [u8]) -> Result<usize, TcpError> {
        patiently(self.socket.read(buf)).await
    }
}

impl Write for TcpStream<'_> {
    async fn write(&mut self, buf: &[u8]) -> Result<usize, TcpError> {
        patiently(self.socket.write(buf)).await
    }

    async fn flush(&mut self) -> Result<(), TcpError> {
        patiently(self.socket.flush()).await
    }
}

/// Says why there is no connection, or none any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TcpError {
    /// The name server doesn't know the host, or there is no name server.
    Dns(dns::Error),
    /// The host has no IPv4 address, or the name server is silent.
    NoAddress,
    /// The connection was not established.
    Connect(tcp::ConnectError),
    /// The connection broke.
    Broken(tcp::Error),
    /// The other side was silent for too long.
    Silent,
}

impl fmt::Display for TcpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(error) => write!(f, "the host's name leads nowhere ({error:?}): check it"),
            Self::NoAddress => {
                f.write_str("no name server tells the host's address: check name and network")
            }
            Self::Connect(error) => write!(f, "check the server and the network ({error:?})"),
            Self::Broken(error) => write!(f, "the connection broke ({error:?})"),
            Self::Silent => f.write_str("the other side is silent"),
        }
    }
}

impl core::error::Error for TcpError {}

impl embedded_io_async::Error for TcpError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Dns(_) | Self::NoAddress => ErrorKind::NotFound,
            Self::Connect(_) => ErrorKind::NotConnected,
            Self::Broken(_) => ErrorKind::ConnectionReset,
            Self::Silent => ErrorKind::TimedOut,
        }
    }
}
