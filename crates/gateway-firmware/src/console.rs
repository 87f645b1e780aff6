//! Lines of text to and from a person.

use core::fmt::{self, Write as _};

use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use embassy_sync::mutex::Mutex;
use embedded_io_async::Write;
use heapless::{String, Vec};

use crate::side::SideLine;

/// Bytes of the longest line, either way; the rest of a longer one is dropped.
pub const LINE_LEN: usize = 400;

/// The sending halves, which many speak through.
pub(crate) struct Console<W> {
    out: Mutex<NoopRawMutex, W>,
    side: Option<&'static SideLine>,
}

/// Which of the lines somebody is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    First,
    Side,
}

impl<W: Write> Console<W> {
    pub const fn new(out: W, side: Option<&'static SideLine>) -> Self {
        Self {
            out: Mutex::new(out),
            side,
        }
    }

    /// Writes a line to everybody; what a console doesn't take is lost.
    pub async fn say(&self, text: fmt::Arguments<'_>) {
        let mut line = Line(String::new());
        // A line that doesn't fit is cut off.
        let _ = line.write_fmt(text);
        let mut end = line.0.into_bytes();
        let _ = end.extend_from_slice(b"\r\n");
        self.send(Place::Side, &end).await;
        self.send(Place::First, &end).await;
    }

    /// Writes bytes in one piece to one of the lines.
    pub async fn send(&self, place: Place, bytes: &[u8]) {
        match (place, self.side) {
            (Place::Side, None) => {}
            (Place::Side, Some(side)) => side.send(bytes),
            (Place::First, _) => {
                let mut out = self.out.lock().await;
                if out.write_all(bytes).await.is_ok() {
                    let _ = out.flush().await;
                }
            }
        }
    }
}

/// A line that takes what fits. What others have said can't control the terminal: only printable text is kept.
struct Line(String<{ LINE_LEN + 2 }>);

impl fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for char in text.chars().filter(|char| !char.is_control()) {
            if self.0.len().saturating_add(char.len_utf8()) > LINE_LEN {
                return Err(fmt::Error);
            }
            self.0.push(char).map_err(|_| fmt::Error)?;
        }
        Ok(())
    }
}

/// A line that somebody types.
pub(crate) struct Typed(Vec<u8, LINE_LEN>);

impl Typed {
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Takes a byte, and returns the line without its end when that has come.
    pub fn take(&mut self, byte: u8) -> Option<String<LINE_LEN>> {
        match byte {
            b'\r' | b'\n' if self.0.is_empty() => None,
            b'\r' | b'\n' => String::from_utf8(core::mem::take(&mut self.0)).ok(),
            // Backspace and delete.
            0x08 | 0x7f => {
                self.0.pop();
                None
            }
            byte => {
                // What is too much is dropped.
                let _ = self.0.push(byte);
                None
            }
        }
    }

    /// Forgets what came so far, for there was noise on the line.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

/// What a person can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command<'a> {
    /// How everything is.
    Status,
    /// An alert with this text.
    Alert(&'a str),
    /// That alerts which may have been sent, or were refused, are sent again.
    Resend,
    /// What can be asked for.
    Help,
}

impl<'a> Command<'a> {
    /// What can be asked for, in a line.
    pub const HELP: &'static str =
        "commands: status | test TEXT (sends an alert) | resend (sends held alerts again)";

    /// Understands a line; whatever else it is asks for help.
    ///
    /// ```
    /// use gateway_firmware::Command;
    ///
    /// assert_eq!(Command::parse(" status "), Command::Status);
    /// assert_eq!(Command::parse("test pump 7 is off"), Command::Alert("pump 7 is off"));
    /// assert_eq!(Command::parse("test"), Command::Help);
    /// ```
    pub fn parse(line: &'a str) -> Self {
        let line = line.trim();
        match line
            .split_once(' ')
            .map_or((line, ""), |(verb, rest)| (verb, rest.trim()))
        {
            ("status", "") => Self::Status,
            ("resend", "") => Self::Resend,
            ("test", text) if !text.is_empty() => Self::Alert(text),
            _ => Self::Help,
        }
    }
}
