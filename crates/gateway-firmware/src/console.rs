//! Lines of text to and from a person.

use core::fmt::{self, Write as _};

use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use embassy_sync::mutex::Mutex;
use embedded_io_async::{Read, Write};
use heapless::{String, Vec};

/// Bytes of the longest line, either way; the rest of a longer one is dropped.
pub const LINE_LEN: usize = 400;

/// The sending half, which many speak through.
pub(crate) struct Console<W> {
    out: Mutex<NoopRawMutex, W>,
}

impl<W: Write> Console<W> {
    pub const fn new(out: W) -> Self {
        Self {
            out: Mutex::new(out),
        }
    }

    /// Writes a line; what a console doesn't take is lost.
    pub async fn say(&self, text: fmt::Arguments<'_>) {
        let mut line = Line(String::new());
        // A line that doesn't fit is cut off.
        let _ = line.write_fmt(text);
        let mut out = self.out.lock().await;
        for piece in [line.0.as_bytes(), b"\r\n"] {
            if out.write_all(piece).await.is_err() {
                return;
            }
        }
        let _ = out.flush().await;
    }
}

/// A line that takes what fits. What others have said can't control the terminal: only printable text is kept.
struct Line(String<LINE_LEN>);

impl fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for char in text.chars().filter(|char| !char.is_control()) {
            self.0.push(char).map_err(|_| fmt::Error)?;
        }
        Ok(())
    }
}

/// Reads a line, without its end; `None` when the console is gone.
pub(crate) async fn read_line<R: Read>(console: &mut R) -> Option<String<LINE_LEN>> {
    let mut line = Vec::<u8, LINE_LEN>::new();
    loop {
        let mut byte = [0];
        match console.read(&mut byte).await {
            Ok(0) => return None,
            // Noise on the line: what came so far counts for nothing.
            Err(_) => line.clear(),
            Ok(_) => match byte {
                [b'\r' | b'\n'] if line.is_empty() => {}
                [b'\r' | b'\n'] => match String::from_utf8(core::mem::take(&mut line)) {
                    Ok(text) => return Some(text),
                    Err(_) => line.clear(),
                },
                // Backspace and delete.
                [0x08 | 0x7f] => drop(line.pop()),
                [byte] => drop(line.push(byte)),
            },
        }
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
