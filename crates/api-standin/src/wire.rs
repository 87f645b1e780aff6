//! The byte stream under hyper: it counts both directions of an exchange and breaks off where a fault says so.
//!
//! An exchange begins with the first bytes of a request, which is when its faults are chosen, and ends when the next
//! request begins. Pipelined requests are not told apart.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::plan::{Cut, End, Plan, Side};

/// What stream and service know of the exchange under way.
#[derive(Debug, Default)]
pub(crate) struct Exchange {
    plan: Plan,
    read: usize,
    written: usize,
    /// The service has given its response, so the next byte read begins another exchange.
    answered: bool,
    /// Bytes that go out in place of what hyper writes.
    replacement: Option<Bytes>,
    /// How the connection ends, once it has been cut.
    end: Option<End>,
}

/// An exchange that a connection's stream and its service share.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shared(Arc<Mutex<Exchange>>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Exchange> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The faults of the exchange under way.
    pub(crate) fn plan(&self) -> Plan {
        self.lock().plan.clone()
    }

    /// Marks the request as answered, by hyper's rendering of the response or by `replacement`.
    pub(crate) fn answer(&self, replacement: Option<Vec<u8>>) {
        let mut exchange = self.lock();
        exchange.answered = true;
        exchange.replacement = replacement.map(Bytes::from);
    }

    /// How the connection has to end, if it was cut.
    pub(crate) fn end(&self) -> Option<End> {
        self.lock().end
    }
}

impl Exchange {
    /// Bytes that may still pass on this side; `None` for no limit.
    fn budget(&self, side: Side) -> Option<usize> {
        let used = match side {
            Side::Request => self.read,
            Side::Response => self.written,
        };
        let cut = self.plan.cut.filter(|cut| cut.side == side)?;
        Some(cut.after.saturating_sub(used))
    }

    /// Cuts the connection if this side's budget is used up.
    fn cut_if_due(&mut self, side: Side) -> io::Result<()> {
        match (self.budget(side), self.plan.cut) {
            (Some(0), Some(Cut { end, .. })) => {
                self.end = Some(end);
                Err(io::Error::other("cut by a fault"))
            }
            _ => Ok(()),
        }
    }
}

/// A byte stream that faults act on; `next_plan` takes the faults of the request that begins.
pub(crate) struct Wire<S, F> {
    io: S,
    shared: Shared,
    next_plan: F,
    begun: bool,
}

impl<S, F> Wire<S, F> {
    pub(crate) fn new(io: S, shared: Shared, next_plan: F) -> Self {
        Self {
            io,
            shared,
            next_plan,
            begun: false,
        }
    }

    /// The stream underneath.
    pub(crate) fn into_inner(self) -> S {
        self.io
    }
}

impl<S: AsyncRead + Unpin, F: FnMut() -> Plan + Unpin> AsyncRead for Wire<S, F> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = out.filled().len();
        ready!(Pin::new(&mut this.io).poll_read(cx, out))?;
        let read = out.filled().len() - before;
        if read == 0 {
            return Poll::Ready(Ok(()));
        }
        let mut exchange = this.shared.lock();
        if !this.begun || exchange.answered {
            this.begun = true;
            *exchange = Exchange {
                plan: (this.next_plan)(),
                ..Exchange::default()
            };
        }
        exchange.read += read;
        // The error keeps what was read from hyper, so that nothing of it is carried out.
        exchange.cut_if_due(Side::Request)?;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin, F: Unpin> Wire<S, F> {
    /// Writes as much of `bytes` as the faults and the stream let through.
    fn poll_pass(
        io: &mut S,
        exchange: &mut Exchange,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        exchange.cut_if_due(Side::Response)?;
        let room = exchange
            .budget(Side::Response)
            .map_or(bytes.len(), |budget| budget.min(bytes.len()));
        let written = ready!(Pin::new(io).poll_write(cx, bytes.get(..room).unwrap_or(bytes)))?;
        exchange.written += written;
        Poll::Ready(Ok(written))
    }
}

impl<S: AsyncWrite + Unpin, F: Unpin> AsyncWrite for Wire<S, F> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let mut exchange = this.shared.lock();
        if exchange.replacement.is_some() {
            return Poll::Ready(Ok(bytes.len()));
        }
        Self::poll_pass(&mut this.io, &mut exchange, cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let mut exchange = this.shared.lock();
        while let Some(rest) = exchange.replacement.clone().filter(Bytes::has_remaining) {
            let written = ready!(Self::poll_pass(&mut this.io, &mut exchange, cx, &rest))?;
            if let Some(rest) = &mut exchange.replacement {
                rest.advance(written);
            }
        }
        ready!(Pin::new(&mut this.io).poll_flush(cx))?;
        // A response of exactly the allowed length gets no further write that could notice.
        if exchange.answered {
            exchange.cut_if_due(Side::Response)?;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(cx)
    }
}
