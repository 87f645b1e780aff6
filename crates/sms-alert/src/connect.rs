//! How the client gets to a server.

use core::future::Future;

use embedded_io_async::{Read, Write};

use crate::field::Host;

/// Opens streams to hosts: TLS on a device, TLS or plain TCP on a desktop, memory in a test.
pub trait Connect {
    /// What can go wrong, in opening a stream and on it.
    type Error: embedded_io::Error;

    /// A stream; it is closed when it is dropped. Its reads and writes end by themselves when the
    /// other side is silent for longer than is to be borne.
    type Stream<'a>: Read<Error = Self::Error> + Write<Error = Self::Error>
    where
        Self: 'a;

    /// Opens a new stream to `host`, at the scheme's port when it names none.
    fn connect(
        &mut self,
        host: Host<'_>,
    ) -> impl Future<Output = Result<Self::Stream<'_>, Self::Error>>;

    /// Says whether the streams are TLS with a verified certificate, so that what the server says of
    /// the time can be believed.
    fn is_secure(&self) -> bool;
}
