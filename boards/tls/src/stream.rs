//! A connection, and what went wrong with it.

use embassy_time::{Duration, TimeoutError, with_timeout};
use embedded_io_async::{ErrorKind, ErrorType, Read, Write};
use mbedtls_rs::{Session, SessionError};

use crate::error::TlsError;
use crate::heap;
use crate::paced::Paced;

/// How long a read, a write or a flush may take.
///
/// The stream below bears silence only for so long, but a single byte ends silence, and a record has 16 KB of them.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection by TLS, or by plain TCP for a test.
///
/// By TLS, each read, write and flush ends within 10 s, as an error if need be, whatever the other side trickles.
/// A server that ends it without TLS's goodbye has not ended it well: reading is an error then, not the end.
pub struct TlsStream<'a, S: Read + Write>(Inner<'a, S>);

enum Inner<'a, S: Read + Write> {
    Plain(S),
    Tls(Session<'a, Paced<S>>),
}

impl<'a, S: Read + Write> TlsStream<'a, S> {
    pub(crate) const fn plain(stream: S) -> Self {
        Self(Inner::Plain(stream))
    }

    pub(crate) const fn tls(session: Session<'a, Paced<S>>) -> Self {
        Self(Inner::Tls(session))
    }
}

impl<S: Read + Write> ErrorType for TlsStream<'_, S> {
    type Error = TlsError<S::Error>;
}

impl<S: Read + Write> Read for TlsStream<'_, S> {
    async fn read(&mut self, buf: &mut [u8]) -> Result<usize, Self::Error> {
        match &mut self.0 {
            Inner::Plain(stream) => stream.read(buf).await.map_err(TlsError::Stream),
            Inner::Tls(session) => {
                let done = with_timeout(PATIENCE, session.read(buf)).await;
                in_time(done, session)
            }
        }
    }
}

impl<S: Read + Write> Write for TlsStream<'_, S> {
    async fn write(&mut self, buf: &[u8]) -> Result<usize, Self::Error> {
        match &mut self.0 {
            Inner::Plain(stream) => stream.write(buf).await.map_err(TlsError::Stream),
            Inner::Tls(session) => {
                let done = with_timeout(PATIENCE, session.write(buf)).await;
                in_time(done, session)
            }
        }
    }

    async fn flush(&mut self) -> Result<(), Self::Error> {
        match &mut self.0 {
            Inner::Plain(stream) => stream.flush().await.map_err(TlsError::Stream),
            Inner::Tls(session) => {
                let done = with_timeout(PATIENCE, session.flush()).await;
                in_time(done, session)
            }
        }
    }
}

/// Says how a call ended, or that it was given up.
fn in_time<T, S: Read + Write>(
    done: Result<Result<T, SessionError>, TimeoutError>,
    session: &mut Session<'_, Paced<S>>,
) -> Result<T, TlsError<S::Error>> {
    match done {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(of_session(error, session)),
        Err(TimeoutError) => Err(TlsError::Silent),
    }
}

/// What Mbed TLS says of certificates before it has judged them.
const NOT_JUDGED: u32 = u32::MAX;

/// Says why a handshake failed.
pub(crate) fn of_handshake<S: Read + Write>(
    error: SessionError,
    session: &mut Session<'_, Paced<S>>,
) -> TlsError<S::Error> {
    // Judging certificates takes memory too.
    if heap::take_refused() {
        return TlsError::OutOfMemory;
    }
    match session.tls_verification_details() {
        0 | NOT_JUDGED => of_session(error, session),
        flags => TlsError::of_flags(flags),
    }
}

/// Says why reading or writing failed.
fn of_session<S: Read + Write>(
    error: SessionError,
    session: &mut Session<'_, Paced<S>>,
) -> TlsError<S::Error> {
    match session.stream().take_error() {
        Some(error) => TlsError::Stream(error),
        None => TlsError::of_setup(error),
    }
}

impl<E> TlsError<E> {
    /// Takes an error that the stream below has no part in.
    pub(crate) fn of_setup(error: SessionError) -> Self {
        match error {
            _ if heap::take_refused() => Self::OutOfMemory,
            SessionError::MbedTls(error) => Self::of_code(error.code()),
            SessionError::Io(ErrorKind::ConnectionReset) => Self::Cut,
            SessionError::Io(_) => Self::Silent,
        }
    }
}
