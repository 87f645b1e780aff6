//! `gateway device` and what is at the other end of the cable but no honest device.
#![cfg(target_os = "linux")]

mod common;

use std::io::{ErrorKind, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use common::{Run, gateway};
use serialport::{SerialPort, TTYPort};

/// Says the same bytes again and again, until it is dropped, and never answers.
struct Talker {
    path: String,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    /// Keeps the name valid while nobody else has the port open.
    _other_end: TTYPort,
}

impl Talker {
    fn start(says: impl Into<Vec<u8>>) -> Self {
        let (mut line, other_end) = TTYPort::pair().unwrap();
        let path = other_end.name().unwrap();
        line.set_timeout(Duration::from_millis(1)).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, says) = (Arc::clone(&stop), says.into());
        let thread = thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                match line.write(&says) {
                    Ok(_) => {}
                    Err(error) if error.kind() == ErrorKind::TimedOut => {}
                    Err(_) => thread::sleep(Duration::from_millis(1)),
                }
                let _ = line.read(&mut [0; 256]);
            }
        });
        Self {
            path,
            stop,
            thread: Some(thread),
            _other_end: other_end,
        }
    }

    fn status(&self) -> Run {
        gateway(["device", "status", "--port", &self.path]).run()
    }
}

impl Drop for Talker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}

/// Another device, a wrong rate, a boot loop: with text, with a frame that never ends, with frames that are none.
#[test]
fn a_device_that_never_stops_talking_is_given_up() {
    let said = [
        &b"$GPGGA,092750.000,5321.6802,N\r\n"[..],
        b"\x02aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        b"\x02\x01\x01\x00\x02\x00",
    ];
    let talkers = said.map(Talker::start);
    thread::scope(|scope| {
        for run in talkers
            .each_ref()
            .map(|talker| scope.spawn(|| talker.status()))
        {
            run.join().unwrap().fails(4, &["no device answers"]);
        }
    });
}
