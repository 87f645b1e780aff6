//! A connection to an endpoint: TCP within a deadline, TLS on top unless it stays on this machine.
//!
//! The bytes of requests and responses are `sms-alert`'s. This module hands them on and says for each failure
//! whether it came before the first of them, so that "not sent" and "may have been sent" can be told apart.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use std::{fmt, thread};

use rustls::pki_types::ServerName;
use rustls::{CertificateError, ClientConnection};

use crate::endpoint::Endpoint;
use crate::exit::Failure;
use crate::trust::Trust;

/// Connects to an endpoint, whose certificate `trust` has to vouch for, until `deadline`, which also bounds the
/// connection's later use.
///
/// # Errors
/// Why there is no connection; nothing of a request has been sent then.
pub fn connect(endpoint: &Endpoint, trust: &Trust, deadline: Instant) -> Result<Stream, LinkError> {
    let addresses = resolve(endpoint, deadline)?;
    let mut socket = Socket {
        tcp: reach(&addresses, deadline)?,
        deadline,
    };
    // A request is written in two pieces, of which the second should not wait for an acknowledgement.
    let _ = socket.tcp.set_nodelay(true);
    if !endpoint.tls {
        return Ok(Stream(Layer::Plain(socket)));
    }
    let name = ServerName::try_from(endpoint.name.clone())
        .map_err(|_invalid| LinkError::Resolve("it is not a host name".into()))?;
    let config = trust.config().map_err(LinkError::Trust)?;
    let mut session = ClientConnection::new(config, name).map_err(LinkError::Tls)?;
    while session.is_handshaking() {
        session.complete_io(&mut socket).map_err(handshake_error)?;
    }
    Ok(Stream(Layer::Tls(Box::new(session), socket)))
}

/// Looks the host up, which the operating system may take its time for.
fn resolve(endpoint: &Endpoint, deadline: Instant) -> Result<Vec<SocketAddr>, LinkError> {
    let wanted = (endpoint.name.clone(), endpoint.port);
    let (done, answer) = mpsc::channel();
    thread::spawn(move || {
        let addresses = wanted.to_socket_addrs().map(Iterator::collect::<Vec<_>>);
        // Nobody waits any more after the deadline.
        let _ = done.send(addresses);
    });
    let addresses = answer
        .recv_timeout(remaining(deadline))
        .map_err(|_late| LinkError::Resolve("the name server did not answer in time".into()))?
        .map_err(|error| LinkError::Resolve(error.to_string()))?;
    let allowed = |address: &SocketAddr| endpoint.tls || is_loopback(address.ip());
    let addresses: Vec<_> = addresses.into_iter().filter(allowed).collect();
    match addresses.is_empty() {
        true => Err(LinkError::Resolve("it has no usable address".into())),
        false => Ok(addresses),
    }
}

fn is_loopback(address: IpAddr) -> bool {
    address.is_loopback()
}

/// Tries every address, each with its share of the time that is left.
fn reach(addresses: &[SocketAddr], deadline: Instant) -> Result<TcpStream, LinkError> {
    let mut last = io::Error::from(ErrorKind::TimedOut);
    for (address, untried) in addresses.iter().zip((1..=addresses.len() as u32).rev()) {
        let share = remaining(deadline) / untried;
        if share.is_zero() {
            break;
        }
        match TcpStream::connect_timeout(address, share) {
            Ok(tcp) => return Ok(tcp),
            Err(error) => last = error,
        }
    }
    Err(LinkError::Unreachable(last))
}

fn remaining(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

fn handshake_error(error: io::Error) -> LinkError {
    match error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>())
    {
        Some(tls) => LinkError::Tls(tls.clone()),
        None => LinkError::Handshake(error),
    }
}

/// A TCP connection none of whose operations outlasts the deadline.
#[derive(Debug)]
struct Socket {
    tcp: TcpStream,
    deadline: Instant,
}

impl Socket {
    fn time_left(&self) -> io::Result<Option<Duration>> {
        match remaining(self.deadline) {
            Duration::ZERO => Err(ErrorKind::TimedOut.into()),
            left => Ok(Some(left)),
        }
    }
}

/// A timeout shows as `WouldBlock` on Unix.
fn named(error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => {
            io::Error::new(ErrorKind::TimedOut, "timed out")
        }
        _ => error,
    }
}

impl Read for Socket {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.tcp.set_read_timeout(self.time_left()?)?;
        self.tcp.read(buf).map_err(named)
    }
}

impl Write for Socket {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.tcp.set_write_timeout(self.time_left()?)?;
        self.tcp.write(buf).map_err(named)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tcp.flush()
    }
}

/// An open connection, for one request.
#[derive(Debug)]
pub struct Stream(Layer);

#[derive(Debug)]
enum Layer {
    Plain(Socket),
    Tls(Box<ClientConnection>, Socket),
}

impl Stream {
    fn receive(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let (session, socket) = match &mut self.0 {
            Layer::Plain(socket) => return retried(|| socket.read(buf)),
            Layer::Tls(session, socket) => (session, socket),
        };
        loop {
            match session.reader().read(buf) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                result => return result,
            }
            // An end without close_notify is an error of the reader: somebody may have cut the answer short.
            retried(|| session.read_tls(socket))?;
            session
                .process_new_packets()
                .map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
            send_records(session, socket)?;
        }
    }

    /// Returns after what it says was sent is in the hands of the operating system, also under TLS.
    fn send(&mut self, buf: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Layer::Plain(socket) => retried(|| socket.write(buf)),
            Layer::Tls(session, socket) => {
                let written = session.writer().write(buf)?;
                send_records(session, socket)?;
                Ok(written)
            }
        }
    }
}

impl embedded_io::ErrorType for Stream {
    type Error = LinkError;
}

impl embedded_io::Read for Stream {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, LinkError> {
        self.receive(buf).map_err(LinkError::Broken)
    }
}

impl embedded_io::Write for Stream {
    fn write(&mut self, buf: &[u8]) -> Result<usize, LinkError> {
        self.send(buf).map_err(LinkError::Broken)
    }

    /// Nothing is held back.
    fn flush(&mut self) -> Result<(), LinkError> {
        Ok(())
    }
}

fn send_records(session: &mut ClientConnection, socket: &mut Socket) -> io::Result<()> {
    while session.wants_write() {
        if retried(|| session.write_tls(socket))? == 0 {
            return Err(ErrorKind::WriteZero.into());
        }
    }
    Ok(())
}

fn retried(mut operation: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match operation() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Why there is no connection, or no longer.
#[derive(Debug)]
pub enum LinkError {
    /// The host has no address.
    Resolve(String),
    /// No address answers.
    Unreachable(io::Error),
    /// The connection broke before TLS was established.
    Handshake(io::Error),
    /// There is no TLS to be had with this server, above all because its certificate is not to be trusted.
    Tls(rustls::Error),
    /// The certificates to trust could not be read.
    Trust(Failure),
    /// The connection broke, or the time ran out, after it was established.
    Broken(io::Error),
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resolve(why) => write!(
                f,
                "the host is not found ({why}): check the name and the network"
            ),
            Self::Unreachable(error) if error.kind() == ErrorKind::TimedOut => {
                f.write_str("it did not answer in time: check the host, the port and the network")
            }
            Self::Unreachable(error) => {
                write!(
                    f,
                    "it can't be reached ({error}): check the host, the port and the network"
                )
            }
            Self::Handshake(error) => write!(
                f,
                "the TLS handshake broke off ({error}): check that the port speaks TLS"
            ),
            Self::Tls(rustls::Error::InvalidCertificate(error)) => certificate(error, f),
            Self::Tls(rustls::Error::InvalidMessage(_)) => f.write_str(
                "it does not speak TLS: check the port, and use http:// only for this machine",
            ),
            Self::Tls(error) => write!(f, "TLS failed: {error}"),
            Self::Trust(failure) => failure.fmt(f),
            Self::Broken(error) if error.kind() == ErrorKind::TimedOut => {
                f.write_str("the time ran out")
            }
            Self::Broken(error) => write!(f, "the connection broke: {error}"),
        }
    }
}

impl std::error::Error for LinkError {}

impl embedded_io::Error for LinkError {
    fn kind(&self) -> embedded_io::ErrorKind {
        match self {
            Self::Resolve(_) => embedded_io::ErrorKind::AddrNotAvailable,
            Self::Unreachable(error) | Self::Handshake(error) | Self::Broken(error) => {
                embedded_io::Error::kind(error)
            }
            Self::Tls(_) | Self::Trust(_) => embedded_io::ErrorKind::PermissionDenied,
        }
    }
}

fn certificate(error: &CertificateError, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => f.write_str(
            "its certificate has expired: check this machine's clock, then have the certificate renewed",
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            f.write_str("its certificate is not valid yet: check this machine's clock")
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            f.write_str("its certificate is another host's: check the host in the base URL")
        }
        CertificateError::UnknownIssuer => f.write_str(
            "its certificate was issued by nobody whom this machine trusts: \
             if the issuer is your own, name its certificate with --ca FILE",
        ),
        other => write!(f, "its certificate is refused: {other}"),
    }
}
