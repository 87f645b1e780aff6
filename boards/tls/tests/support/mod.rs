//! A TLS client as the boards have it, over the host's TCP, and rustls servers for it.

#![allow(dead_code, reason = "each test uses its part")]

pub mod pki;
pub mod server;

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use embassy_futures::block_on;
use embassy_time::MockDriver;
use embedded_io_async::{ErrorKind, ErrorType, Read, Write};
use gateway_firmware::{Anchors, Transport};
use gateway_tls::{MEMORY_LEN, TlsConnect, TlsError};
use secure_store::Certificates;
use sms_alert::{Connect, Host};

/// 15 November 2026.
pub const NOW: u64 = 1_794_700_800;

/// Mbed TLS's state is one for the whole program, so only one test at a time has a client.
static ALONE: Mutex<()> = Mutex::new(());

/// Longer than TLS may compute before others run.
const TURN: embassy_time::Duration = embassy_time::Duration::from_millis(11);

/// A client that trusts these roots, at a time.
pub struct Device<C: Connect = Tcp> {
    pub connect: TlsConnect<C>,
    _alone: MutexGuard<'static, ()>,
}

impl Device {
    pub fn new(roots: &[&[u8]]) -> Self {
        Self::with(entropy, roots)
    }

    pub fn with(entropy: fn(&mut [u8]) -> bool, roots: &[&[u8]]) -> Self {
        let mut device = Self::made(Tcp, entropy);
        device.trust(roots);
        device
    }

    /// A device that nobody told whom to trust.
    pub fn untaught() -> Self {
        Self::made(Tcp, entropy)
    }

    /// Connects to a port of this machine that is called `name`, sends a line and returns all that comes back.
    pub fn ask(&mut self, name: &str, port: u16) -> Result<String, TlsError<TcpError>> {
        let host = format!("{name}:{port}");
        block_on(async {
            let mut stream = self.connect.connect(Host::new(&host).unwrap()).await?;
            stream.write_all(b"hello\n").await?;
            stream.flush().await?;
            let mut all = Vec::new();
            let mut some = [0; 1000];
            loop {
                match stream.read(&mut some).await? {
                    0 => return Ok(String::from_utf8(all).unwrap()),
                    len => all.extend_from_slice(&some[..len]),
                }
            }
        })
    }
}

impl<C: Connect> Device<C> {
    /// A client over streams of another kind.
    pub fn over(streams: C, roots: &[&[u8]]) -> Self {
        let mut device = Self::made(streams, entropy);
        device.trust(roots);
        device
    }

    fn made(streams: C, entropy: fn(&mut [u8]) -> bool) -> Self {
        let alone = ALONE
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let memory = vec![0; MEMORY_LEN].leak();
        let mut connect = TlsConnect::new(streams, entropy, memory).unwrap();
        connect.tell_time(Some(NOW));
        Self {
            connect,
            _alone: alone,
        }
    }

    pub fn trust(&mut self, roots: &[&[u8]]) {
        let roots = roots.concat();
        let roots = Certificates::new(&roots).unwrap();
        self.connect.trust(Anchors::Provisioned(roots));
    }
}

/// TCP to this machine, whatever the host's name.
pub struct Tcp;

impl Connect for Tcp {
    type Error = TcpError;
    type Stream<'a> = TcpSocket;

    async fn connect(&mut self, host: Host<'_>) -> Result<TcpSocket, TcpError> {
        let stream =
            TcpStream::connect(("127.0.0.1", host.port().unwrap())).map_err(TcpError::of)?;
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        Ok(TcpSocket(stream))
    }

    fn is_secure(&self) -> bool {
        false
    }
}

pub struct TcpSocket(TcpStream);

impl Drop for TcpSocket {
    fn drop(&mut self) {
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

impl ErrorType for TcpSocket {
    type Error = TcpError;
}

impl Read for TcpSocket {
    async fn read(&mut self, buf: &mut [u8]) -> Result<usize, TcpError> {
        // The clock stands still otherwise, and TLS would never be tired.
        MockDriver::get().advance(TURN);
        self.0.read(buf).map_err(TcpError::of)
    }
}

impl Write for TcpSocket {
    async fn write(&mut self, buf: &[u8]) -> Result<usize, TcpError> {
        self.0.write(buf).map_err(TcpError::of)
    }

    async fn flush(&mut self) -> Result<(), TcpError> {
        Ok(())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpError(std::io::ErrorKind);

impl TcpError {
    fn of(error: std::io::Error) -> Self {
        Self(error.kind())
    }
}

impl std::fmt::Display for TcpError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for TcpError {}

impl embedded_io_async::Error for TcpError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}

/// A xorshift's output, which will do for tests.
pub fn entropy(out: &mut [u8]) -> bool {
    let mut state = 0x2545_f491_u32;
    for byte in out {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        *byte = state as u8;
    }
    true
}
