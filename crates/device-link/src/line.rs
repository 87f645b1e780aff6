//! What comes over the line, told apart: text for the console, frames, and what is left of damaged ones.

use heapless::Vec;
use zeroize::Zeroize;

use crate::cobs::{self, Decoded};
use crate::frame::{self, END, Header, MAX_CONTENT_LEN, START};

/// Milliseconds of silence after which an unfinished frame is given up, so that a person at the console is heard.
const GAP_MS: u64 = 1000;

/// What a received byte has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// It is part of a frame.
    Nothing,
    /// It is text.
    Text(u8),
    /// It ends a frame.
    Frame,
}

/// The receiving end of a line.
#[derive(Debug)]
pub(crate) struct Line {
    state: State,
    content: Vec<u8, MAX_CONTENT_LEN>,
    heard_ms: u64,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Text,
    Frame(cobs::Decoder),
    /// Too long for a frame: nothing counts until it ends.
    Noise,
}

impl Line {
    pub const fn new() -> Self {
        Self {
            state: State::Text,
            content: Vec::new(),
            heard_ms: 0,
        }
    }

    /// Takes a byte that came at `now_ms`, milliseconds of uptime.
    pub fn receive(&mut self, byte: u8, now_ms: u64) -> Heard {
        if now_ms.saturating_sub(self.heard_ms) > GAP_MS {
            self.reset();
        }
        self.heard_ms = now_ms;
        match (self.state, byte) {
            (State::Text, START) => {
                self.reset();
                self.state = State::Frame(cobs::Decoder::default());
                Heard::Nothing
            }
            (State::Text, END) => Heard::Nothing,
            (State::Text, byte) => Heard::Text(byte),
            (State::Frame(decoder), END) => {
                self.state = State::Text;
                match decoder.is_complete() {
                    true => Heard::Frame,
                    false => Heard::Nothing,
                }
            }
            (State::Frame(mut decoder), byte) => {
                let kept = match decoder.take(byte) {
                    Decoded::Byte(byte) => self.content.push(byte),
                    Decoded::Zero => self.content.push(0),
                    Decoded::Nothing => Ok(()),
                };
                self.state = match kept {
                    Ok(()) => State::Frame(decoder),
                    Err(_) => State::Noise,
                };
                Heard::Nothing
            }
            (State::Noise, END) => {
                self.reset();
                Heard::Nothing
            }
            (State::Noise, _) => Heard::Nothing,
        }
    }

    /// Returns the frame that has just ended, if it is in order; it is there until [`reset`](Self::reset) or more bytes.
    pub fn frame(&mut self) -> Option<(Header, &mut [u8])> {
        frame::parse(&mut self.content)
    }

    /// Forgets the frame, which may have a secret in it.
    pub fn reset(&mut self) {
        self.content.as_mut_slice().zeroize();
        self.content.clear();
        self.state = State::Text;
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.reset();
    }
}
