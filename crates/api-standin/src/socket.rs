//! A connection with or without TLS, and its end: closed as TCP closes, reset, or left open in silence.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use crate::plan::End;

/// How long a closed connection is read from, so that unread bytes do not turn its FIN into an RST.
const LINGER: Duration = Duration::from_secs(2);

/// A byte stream to a client.
pub(crate) enum Socket {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Socket {
    /// The connection under any TLS.
    fn tcp(&mut self) -> &mut TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => stream.get_mut().0,
        }
    }

    /// Ends the connection as the fault that cut it says, or in good order.
    pub(crate) async fn finish(mut self, end: Option<End>) {
        let _ = self.flush().await;
        match end {
            None => {
                let _ = self.shutdown().await;
                self.linger().await;
            }
            Some(End::Close) => {
                let _ = self.tcp().shutdown().await;
                self.linger().await;
            }
            Some(End::Reset) => {
                let _ = self.tcp().set_zero_linger();
            }
            Some(End::Stall) => drain(self.tcp()).await,
        }
    }

    async fn linger(&mut self) {
        let _ = tokio::time::timeout(LINGER, drain(self.tcp())).await;
    }
}

async fn drain(stream: &mut TcpStream) {
    let mut scratch = [0; 4096];
    while stream.read(&mut scratch).await.is_ok_and(|n| n > 0) {}
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, out),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, out),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
