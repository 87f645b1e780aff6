//! A console beside the first one, such as USB, which may have nobody at its other end.

use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::pipe::Pipe;

/// Bytes that come in before the application reads them: a frame and then some.
const IN_LEN: usize = 512;

/// Bytes that go out before the board sends them.
const OUT_LEN: usize = 1_024;

/// A line whose driver the board runs: it takes bytes in and gets bytes to send; a board has one, in a `static`.
pub struct SideLine {
    incoming: Pipe<CriticalSectionRawMutex, IN_LEN>,
    outgoing: Pipe<CriticalSectionRawMutex, OUT_LEN>,
}

impl SideLine {
    /// Returns a line on which nothing was said.
    pub const fn new() -> Self {
        Self {
            incoming: Pipe::new(),
            outgoing: Pipe::new(),
        }
    }

    /// Takes bytes that have come in; it waits until there is room.
    pub async fn received(&self, bytes: &[u8]) {
        self.incoming.write_all(bytes).await;
    }

    /// Waits for bytes to send, puts them into `buf` and returns how many they are.
    ///
    /// A driver takes them whether or not anybody listens: what stays here keeps later text out.
    pub async fn to_send(&self, buf: &mut [u8]) -> usize {
        self.outgoing.read(buf).await
    }

    pub(crate) async fn read(&self, buf: &mut [u8]) -> usize {
        self.incoming.read(buf).await
    }

    /// Sends all of some bytes, or nothing if there is no room: the application waits for nobody here.
    pub(crate) fn send(&self, mut bytes: &[u8]) {
        if self.outgoing.free_capacity() < bytes.len() {
            return;
        }
        // Nobody else writes, so there is room; it is taken in pieces where the buffer wraps.
        while let Ok(count) = self.outgoing.try_write(bytes) {
            match bytes.get(count..) {
                Some(rest) if !rest.is_empty() => bytes = rest,
                _ => return,
            }
        }
    }
}

impl Default for SideLine {
    fn default() -> Self {
        Self::new()
    }
}
