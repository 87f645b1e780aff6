//! Faults as data: what goes wrong, for which API, and for how many requests.

use std::time::Duration;

use crate::Api;

/// A fault armed in a running stand-in.
///
/// Faults work on different layers: clock, answer, pace, shape, connection. To a request applies, on each layer, the
/// fault that was armed first and is not used up; so a 401 and then a 503 take turns, while a chunked body and a
/// connection that drops inside it work together. A request uses its faults up when its first byte arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The API whose requests it hits; `None` for all four.
    pub api: Option<Api>,
    /// How many requests it hits.
    pub when: When,
    /// What goes wrong.
    pub kind: Kind,
}

/// How many requests a fault hits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// The next so many requests.
    Next(u32),
    /// Every request until the faults are cleared.
    Always,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Clock: the server's clock is wrong by this many seconds, in its `Date` and in how it judges tokens.
    ClockSkew(i64),
    /// Answer: this status, 400 to 599, with the API's error body; the request is not carried out.
    Status(u16),
    /// Answer: 429, with a hint of so many seconds where the API gives hints, or in `Retry-After` where it has none.
    RateLimited {
        /// Seconds to wait; `None` for no hint at all.
        retry_after: Option<u32>,
    },
    /// Pace: the response begins this long after the request was carried out.
    Delay(Duration),
    /// Shape: the body comes in chunks of seven bytes, with a chunk extension and a trailer field.
    ChunkedBody,
    /// Shape: two `Content-Length` fields that differ; then the connection closes.
    TwoContentLengths,
    /// Shape: an interim `100 Continue`, which nobody asked for, precedes the response.
    OneHundredContinue,
    /// Shape: the JSON body is preceded by this many spaces, which JSON allows.
    OversizeBody(usize),
    /// Shape: bytes that are not HTTP, then the connection closes. The request was carried out.
    Garbage,
    /// Connection: closed when this many bytes of the request were read. The request is not carried out, not even if
    /// it is no longer than that; one that is shorter is unharmed.
    DropAfterRequestBytes(usize),
    /// Connection: the same, but reset (RST) instead of closed (FIN).
    ResetAfterRequestBytes(usize),
    /// Connection: closed after this many bytes of the response; the request was carried out. A shorter response is
    /// unharmed.
    DropAfterResponseBytes(usize),
    /// Connection: the same, but reset (RST) instead of closed (FIN).
    ResetAfterResponseBytes(usize),
    /// Connection: silent after this many bytes of the response, and open until the client closes it.
    StallAfterResponseBytes(usize),
}

impl Fault {
    /// A fault for the next `count` requests to any API.
    pub const fn next(count: u32, kind: Kind) -> Self {
        Self {
            api: None,
            when: When::Next(count),
            kind,
        }
    }

    /// A fault for every request to any API.
    pub const fn always(kind: Kind) -> Self {
        Self {
            api: None,
            when: When::Always,
            kind,
        }
    }

    /// The same fault for one API alone.
    pub const fn on(self, api: Api) -> Self {
        Self {
            api: Some(api),
            when: self.when,
            kind: self.kind,
        }
    }
}
