//! The stream below TLS: it keeps the error that Mbed TLS only tells the kind of, and lets others run.

use embassy_futures::yield_now;
use embassy_time::{Duration, Instant};
use embedded_io_async::{Error, ErrorKind, ErrorType, Read, Write};

/// How long TLS may compute before others run.
const TURN: Duration = Duration::from_millis(10);

/// A stream that gives the turn away where TLS waits for data, even if they are there already.
///
/// A server's first answer comes in one piece, and Mbed TLS would work through all of it in one go: key
/// agreement, certificates, signature. On a small chip each takes up to seconds.
pub(crate) struct Paced<S: ErrorType> {
    stream: S,
    turn: Instant,
    tired: bool,
    error: Option<S::Error>,
}

impl<S: ErrorType> Paced<S> {
    pub fn new(stream: S) -> Self {
        Self {
            stream,
            turn: Instant::now(),
            tired: false,
            error: None,
        }
    }

    /// Returns the error that ended the last read or write, once.
    pub fn take_error(&mut self) -> Option<S::Error> {
        self.error.take()
    }

    fn keep<T>(&mut self, result: Result<T, S::Error>) -> Result<T, ErrorKind> {
        result.map_err(|error| {
            let kind = error.kind();
            self.error = Some(error);
            kind
        })
    }
}

impl<S: ErrorType> ErrorType for Paced<S> {
    type Error = ErrorKind;
}

impl<S: Read> Read for Paced<S> {
    async fn read(&mut self, buf: &mut [u8]) -> Result<usize, Self::Error> {
        if self.tired || self.turn.elapsed() > TURN {
            // Mbed TLS polls once and drops this future; then the session awaits another, which rests here again.
            self.tired = true;
            yield_now().await;
            self.tired = false;
            self.turn = Instant::now();
        }
        let read = self.stream.read(buf).await;
        self.keep(read)
    }
}

impl<S: Write> Write for Paced<S> {
    async fn write(&mut self, buf: &[u8]) -> Result<usize, Self::Error> {
        let written = self.stream.write(buf).await;
        self.keep(written)
    }

    async fn flush(&mut self) -> Result<(), Self::Error> {
        let flushed = self.stream.flush().await;
        self.keep(flushed)
    }
}
