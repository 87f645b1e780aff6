//! A request over a serial port, and its reply.

use std::io::{ErrorKind, Read, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use device_link::{Authority, DesktopLink, Event, LinkError, Refusal, Reply, Request, Upload};
use indicatif::ProgressBar;
use jwt_core::HmacKey;
use serialport::SerialPort;
use zeroize::Zeroizing;

use crate::exit::{Exit, Failure};
use crate::output;
use crate::provision::contents::Record;
use crate::provision::key_file;

/// How long a read waits for a byte before time is looked at again.
const PATIENCE: Duration = Duration::from_millis(50);

/// Most bytes of a line of the device's console that is shown.
const MAX_LINE_LEN: usize = 400;

/// Options of every command that talks to a device.
#[derive(Args, Debug)]
pub struct LineArgs {
    /// The serial port that the device is at, such as /dev/ttyACM0 or COM3
    #[arg(long, value_name = "PORT")]
    port: PathBuf,
    /// Bits a second; a USB device takes any
    #[arg(long, value_name = "RATE", default_value_t = 115_200)]
    baud: u32,
    /// Print a JSON object
    #[arg(long)]
    pub json: bool,
}

/// Options of what entitles to write.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub struct AuthorityArgs {
    /// The device key, in this file of 32 bytes: the device has to prove that it has it
    #[arg(long, value_name = "FILE")]
    pub device_key_file: Option<PathBuf>,
    /// Somebody holds the device's window open: what is sent goes over the cable as it is
    #[arg(long)]
    window: bool,
}

impl AuthorityArgs {
    /// Reads the key, if that is what is named.
    pub fn authority(&self) -> Result<Authority, Failure> {
        match &self.device_key_file {
            Some(path) => key_file::read(path).map(Authority::Key),
            None => Ok(Authority::Window),
        }
    }
}

/// An open port with a device behind it.
pub struct Connection {
    port: Box<dyn SerialPort>,
    name: String,
    link: DesktopLink,
    /// Whether the device proves that it has the device key.
    pub keyed: bool,
    start: Instant,
    /// What was read, and how far it is used.
    unread: (Zeroizing<Vec<u8>>, usize),
    /// The line of the device's console that is not complete yet.
    line: Vec<u8>,
}

impl Connection {
    /// Opens the port; nothing is sent.
    pub fn open(args: &LineArgs, authority: Authority) -> Result<Self, Failure> {
        let name = args.port.display().to_string();
        let port = serialport::new(&name, args.baud)
            .timeout(PATIENCE)
            .open()
            .map_err(|error| {
                Failure::usage(format_args!(
                    "can't open {name}: {error}; check the cable, the name, and that no other program uses it"
                ))
            })?;
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *seed).map_err(|error| {
            Failure::invalid(format_args!("no random numbers can be had: {error}"))
        })?;
        Ok(Self {
            port,
            name,
            keyed: matches!(authority, Authority::Key(_)),
            link: DesktopLink::new(authority, HmacKey::new(&*seed).map_err(Failure::invalid)?),
            start: Instant::now(),
            unread: (Zeroizing::new(Vec::new()), 0),
            line: Vec::new(),
        })
    }

    /// Asks, repeats until there is a reply, and returns what `take` makes of it.
    pub fn ask<T>(
        &mut self,
        request: &Request<'_>,
        take: impl FnOnce(Reply<'_>) -> Option<T>,
    ) -> Result<T, Failure> {
        let taken = self.exchange(request, |reply| reply.map(take))?;
        taken
            .map_err(refused)?
            .ok_or_else(|| failed(LinkError::Strange))
    }

    /// Asks, and returns what `take` makes of the reply or the refusal.
    fn exchange<T>(
        &mut self,
        request: &Request<'_>,
        take: impl FnOnce(Result<Reply<'_>, Refusal>) -> T,
    ) -> Result<T, Failure> {
        let now_ms = self.now_ms();
        let first = self.link.send(request, now_ms).map_err(failed)?;
        let mut out = Some(Zeroizing::new(first.to_vec()));
        loop {
            if let Some(bytes) = out.take() {
                self.write(&bytes)?;
            }
            if let Some(byte) = self.read()? {
                let now_ms = self.now_ms();
                match self.link.receive(byte, now_ms) {
                    Event::Nothing => {}
                    Event::Text(byte) => self.show(byte),
                    Event::Transmit(bytes) => {
                        out = Some(Zeroizing::new(bytes.to_vec()));
                        continue;
                    }
                    Event::Reply(reply) => return Ok(take(reply)),
                    Event::Failed(error) => return Err(failed(error)),
                }
            }
            // A device that talks without end is given up like a silent one.
            match self.link.tick(self.now_ms()) {
                Event::Transmit(bytes) => out = Some(Zeroizing::new(bytes.to_vec())),
                Event::Failed(error) => return Err(failed(error)),
                Event::Nothing | Event::Text(_) | Event::Reply(_) => {}
            }
        }
    }

    /// Sends a record and returns whether the device had it already.
    pub fn upload(&mut self, record: &Record, bar: &ProgressBar) -> Result<bool, Failure> {
        let upload = Upload::new(record.key, record.version, &record.value);
        let mut upload = upload.ok_or_else(|| failed(LinkError::TooLong))?;
        let before = bar.position();
        while let Some(request) = upload.next() {
            self.exchange(&request, |reply| upload.answered(reply))?
                .map_err(refused)?;
            bar.set_position(before + upload.received() as u64);
        }
        Ok(upload.unchanged() == Some(true))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.port
            .write_all(bytes)
            .and_then(|()| self.port.flush())
            .map_err(|error| self.gone(&error))
    }

    /// Returns the next byte, or `None` if there is none for a while.
    fn read(&mut self) -> Result<Option<u8>, Failure> {
        let (bytes, used) = &mut self.unread;
        if *used == bytes.len() {
            bytes.resize(1024, 0);
            let count = match self.port.read(bytes) {
                Ok(count) => count,
                Err(error) => match error.kind() {
                    ErrorKind::TimedOut | ErrorKind::Interrupted | ErrorKind::WouldBlock => 0,
                    _ => {
                        let failure = self.gone(&error);
                        return Err(failure);
                    }
                },
            };
            let (bytes, used) = &mut self.unread;
            bytes.truncate(count);
            *used = 0;
        }
        let (bytes, used) = &mut self.unread;
        let byte = bytes.get(*used).copied();
        *used += usize::from(byte.is_some());
        Ok(byte)
    }

    fn gone(&self, error: &std::io::Error) -> Failure {
        Failure::new(
            Exit::Retry,
            format_args!(
                "{} is gone: {error}; repeat the command when the device is back",
                self.name
            ),
        )
    }

    /// Shows the device's console, line by line, without what could control the terminal.
    fn show(&mut self, byte: u8) {
        match byte {
            b'\n' | b'\r' => {
                let line = output::printable(&String::from_utf8_lossy(&self.line));
                if !line.trim().is_empty() {
                    output::note(format_args!("device: {line}"));
                }
                self.line.clear();
            }
            byte if self.line.len() < MAX_LINE_LEN => self.line.push(byte),
            _ => {}
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

fn failed(error: LinkError) -> Failure {
    let exit = match error {
        LinkError::NoAnswer => Exit::Retry,
        LinkError::WrongKey | LinkError::NoDeviceKey | LinkError::NoAuthority => Exit::Usage,
        LinkError::Refused(refusal) => return refused(refusal),
        _ => Exit::Invalid,
    };
    Failure::new(exit, error)
}

/// Says what the device has refused, with the exit code for it.
pub fn refused(refusal: Refusal) -> Failure {
    let exit = match refusal {
        Refusal::KeyRequired | Refusal::WindowClosed => Exit::Usage,
        Refusal::NoSession | Refusal::NoTransfer | Refusal::Corrupt => Exit::Retry,
        _ => Exit::Rejected,
    };
    Failure::new(exit, refusal)
}
