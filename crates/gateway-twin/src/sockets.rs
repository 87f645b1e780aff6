//! The machine's own TCP, in the clear: for a stand-in on the same machine.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use embedded_io_async::{ErrorType, Read, Write};
use gateway_firmware::Transport;
use sms_alert::{Connect, Host};

/// How long the other side may be silent.
const PATIENCE: Duration = Duration::from_secs(5);

/// Opens TCP connections. They block the application, as a TLS handshake blocks a board's.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sockets;

impl Connect for Sockets {
    type Error = io::Error;
    type Stream<'a> = Socket;

    async fn connect(&mut self, host: Host<'_>) -> io::Result<Socket> {
        let stream = TcpStream::connect(host.as_str())?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Socket(stream))
    }

    fn is_secure(&self) -> bool {
        false
    }
}

impl Transport for Sockets {}

/// A connection.
#[derive(Debug)]
pub struct Socket(TcpStream);

impl ErrorType for Socket {
    type Error = io::Error;
}

impl Read for Socket {
    async fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }
}

impl Write for Socket {
    async fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.write(buf)
    }

    async fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
