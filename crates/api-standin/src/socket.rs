//! The end of a connection: closed as TCP closes, reset, or left open in silence.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::plan::End;

/// How long a closed connection is read from, so that unread bytes do not turn its FIN into an RST.
const LINGER: Duration = Duration::from_millis(500);

/// Ends a connection as the fault that cut it says, or in good order.
pub(crate) async fn finish(mut stream: TcpStream, end: Option<End>) {
    let _ = stream.flush().await;
    match end {
        None | Some(End::Close) => {
            let _ = stream.shutdown().await;
            let _ = tokio::time::timeout(LINGER, drain(&mut stream)).await;
        }
        Some(End::Reset) => {
            let _ = stream.set_zero_linger();
        }
        Some(End::Stall) => drain(&mut stream).await,
    }
}

async fn drain(stream: &mut TcpStream) {
    let mut scratch = [0; 4096];
    while stream.read(&mut scratch).await.is_ok_and(|n| n > 0) {}
}
