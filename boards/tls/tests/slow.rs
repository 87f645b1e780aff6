//! A connection that never stands still and gets nowhere: each call ends in time, whatever trickles.

mod support;

use std::cell::Cell;
use std::rc::Rc;

use embassy_futures::select::{Either, select};
use embassy_futures::{block_on, yield_now};
use embassy_time::{Duration, Instant, MockDriver, Timer};
use embedded_io_async::{ErrorType, Read, Write};
use gateway_tls::TlsError;
use rustls::version::{TLS12, TLS13};
use sms_alert::{Connect, Host};
use support::pki::{Kind, NAME, identity, leaf_params, root};
use support::server::{Goodbye, config, serve};
use support::{Device, Tcp, TcpError, TcpSocket};

/// Less than the 10 s for which TCP below bears silence.
const DRIP: Duration = Duration::from_secs(9);

/// What one call may take: the sender's 120 s are divided among them.
const LIMIT: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Call {
    Read,
    Write,
    Flush,
}

/// TCP that takes or gives a byte every 9 s in one of the calls, as soon as it is told which.
struct Dragging(Rc<Cell<Option<Call>>>);

struct Dragged {
    socket: TcpSocket,
    slow: Rc<Cell<Option<Call>>>,
}

impl Connect for Dragging {
    type Error = TcpError;
    type Stream<'a> = Dragged;

    async fn connect(&mut self, host: Host<'_>) -> Result<Dragged, TcpError> {
        let socket = Tcp.connect(host).await?;
        let slow = self.0.clone();
        Ok(Dragged { socket, slow })
    }

    fn is_secure(&self) -> bool {
        false
    }
}

impl Dragged {
    /// Waits if `call` is slow, and returns how many bytes of `len` it may go on with.
    async fn drag(&self, call: Call, len: usize) -> usize {
        if self.slow.get() != Some(call) {
            return len;
        }
        Timer::after(DRIP).await;
        len.min(1)
    }
}

impl ErrorType for Dragged {
    type Error = TcpError;
}

impl Read for Dragged {
    async fn read(&mut self, buf: &mut [u8]) -> Result<usize, TcpError> {
        let len = self.drag(Call::Read, buf.len()).await;
        self.socket.read(&mut buf[..len]).await
    }
}

impl Write for Dragged {
    async fn write(&mut self, buf: &[u8]) -> Result<usize, TcpError> {
        let len = self.drag(Call::Write, buf.len()).await;
        self.socket.write(&buf[..len]).await
    }

    async fn flush(&mut self) -> Result<(), TcpError> {
        // Two drips, for there is no byte to drip with.
        self.drag(Call::Flush, 0).await;
        self.drag(Call::Flush, 0).await;
        self.socket.flush().await
    }
}

/// Lets two hours pass, a second whenever there is nothing else to do.
async fn pass_time() {
    for _ in 0..7_200 {
        yield_now().await;
        MockDriver::get().advance(Duration::from_secs(1));
    }
}

#[test]
fn a_drip_ends_every_call_in_time() {
    for version in [&TLS12, &TLS13] {
        for call in [Call::Read, Call::Write, Call::Flush] {
            let root = root(Kind::P256);
            let identity = identity(leaf_params(), Kind::P256, &root);
            let port = serve(config(identity, version), "welcome\n", Goodbye::Proper);
            let slow = Rc::new(Cell::new(None));
            let mut device = Device::over(Dragging(slow.clone()), &[root.der()]);
            let host = format!("{NAME}:{port}");
            let host = Host::new(&host).unwrap();
            block_on(async {
                let mut stream = device.connect.connect(host).await.unwrap();
                if call != Call::Write {
                    assert_eq!(stream.write(b"hello\n").await, Ok(6));
                }
                slow.set(Some(call));
                let begun = Instant::now();
                let dragged = async {
                    match call {
                        Call::Read => stream.read(&mut [0; 100]).await,
                        Call::Write => stream.write(b"hello\n").await,
                        Call::Flush => stream.flush().await.map(|()| 0),
                    }
                };
                let Either::First(ended) = select(dragged, pass_time()).await else {
                    panic!("{call:?} never ends, {version:?}");
                };
                let took = begun.elapsed();
                println!("{call:?}, {version:?}: {ended:?} after {took:?}");
                assert_eq!(ended, Err(TlsError::Silent), "{call:?}, {version:?}");
                // A second is a step of this clock.
                assert!(took <= LIMIT + Duration::from_secs(1), "{took:?}");
            });
        }
    }
}
