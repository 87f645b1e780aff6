//! Plain TCP to a test server, over embassy-net. It goes nowhere else: see [`may_send`](crate::may_send).

use core::fmt;

use embassy_net::tcp::{self, TcpSocket};
use embassy_net::{IpEndpoint, Stack};
use embassy_time::{Duration, with_timeout};
use embedded_io_async::{ErrorKind, ErrorType, Read, Write};
use sms_alert::{Connect, Host};

use crate::transport::{NoTls, Transport, private_address};

/// The port of plain HTTP.
const HTTP_PORT: u16 = 80;

/// How long the other side may be silent.
const PATIENCE: Duration = Duration::from_secs(10);

/// Opens TCP connections, one at a time, to private IPv4 addresses.
pub struct PlainConnect<'a> {
    stack: Stack<'a>,
    rx: &'a mut [u8],
    tx: &'a mut [u8],
}

impl<'a> PlainConnect<'a> {
    /// Takes a stack and the buffers of a connection, both ways.
    pub const fn new(stack: Stack<'a>, rx: &'a mut [u8], tx: &'a mut [u8]) -> Self {
        Self { stack, rx, tx }
    }
}

impl Connect for PlainConnect<'_> {
    type Error = PlainError;
    type Stream<'s>
        = PlainStream<'s>
    where
        Self: 's;

    async fn connect(&mut self, host: Host<'_>) -> Result<PlainStream<'_>, PlainError> {
        let address = private_address(host).ok_or(PlainError::NoTls(NoTls))?;
        let server = IpEndpoint::new(address.into(), host.port().unwrap_or(HTTP_PORT));
        let mut socket = TcpSocket::new(self.stack, self.rx, self.tx);
        socket.set_timeout(Some(PATIENCE));
        match with_timeout(PATIENCE, socket.connect(server)).await {
            Ok(Ok(())) => Ok(PlainStream { socket }),
            Ok(Err(error)) => Err(PlainError::Connect(error)),
            Err(_) => Err(PlainError::Silent),
        }
    }

    fn is_secure(&self) -> bool {
        false
    }
}

impl Transport for PlainConnect<'_> {}

/// A TCP connection whose reads and writes end when the other side is silent.
pub struct PlainStream<'a> {
    socket: TcpSocket<'a>,
}

impl ErrorType for PlainStream<'_> {
    type Error = PlainError;
}

async fn patiently<T>(work: impl Future<Output = Result<T, tcp::Error>>) -> Result<T, PlainError> {
    match with_timeout(PATIENCE, work).await {
        Ok(done) => done.map_err(PlainError::Broken),
        Err(_) => Err(PlainError::Silent),
    }
}

impl Read for PlainStream<'_> {
    async fn read(&mut self, buf: &mut [u8]) -> Result<usize, PlainError> {
        patiently(self.socket.read(buf)).await
    }
}

impl Write for PlainStream<'_> {
    async fn write(&mut self, buf: &[u8]) -> Result<usize, PlainError> {
        patiently(self.socket.write(buf)).await
    }

    async fn flush(&mut self) -> Result<(), PlainError> {
        patiently(self.socket.flush()).await
    }
}

/// Says why there is no connection, or none any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlainError {
    /// The host is none that plain TCP goes to.
    NoTls(NoTls),
    /// The connection was not established.
    Connect(tcp::ConnectError),
    /// The connection broke.
    Broken(tcp::Error),
    /// The other side was silent for too long.
    Silent,
}

impl fmt::Display for PlainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTls(error) => error.fmt(f),
            Self::Connect(error) => write!(f, "check the server and the network ({error:?})"),
            Self::Broken(error) => write!(f, "the connection broke ({error:?})"),
            Self::Silent => f.write_str("the other side is silent"),
        }
    }
}

impl core::error::Error for PlainError {}

impl embedded_io_async::Error for PlainError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoTls(_) => ErrorKind::Unsupported,
            Self::Connect(_) => ErrorKind::NotConnected,
            Self::Broken(_) => ErrorKind::ConnectionReset,
            Self::Silent => ErrorKind::TimedOut,
        }
    }
}
