//! Responses that hyper would not write: RFC 9112 framing by hand, some of it wrong on purpose.

use std::fmt::Write;

use crate::http::Reply;

/// How a response departs from the plain form with one `Content-Length`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Chunked,
    TwoContentLengths,
    OneHundredContinue,
    /// So many spaces before the body.
    Oversize(usize),
    Garbage,
}

/// Bytes of a chunk's data.
const CHUNK: usize = 7;

/// Bytes that no HTTP parser takes for a status line.
const GARBAGE: &[u8] = b"\x16\x03\x01\x00\xff\x00garbage \xfe\xff\r\nnot a status line\r\n\r\n";

impl Shape {
    /// Whether the connection can't be used after a response of this shape.
    pub(crate) const fn closes(self) -> bool {
        matches!(self, Self::TwoContentLengths | Self::Garbage)
    }

    /// The whole response as it goes over the wire. `reply` has all of its header fields but those of framing.
    pub(crate) fn encode(self, reply: &Reply) -> Vec<u8> {
        let mut out = String::new();
        if self == Self::OneHundredContinue {
            out.push_str("HTTP/1.1 100 Continue\r\n\r\n");
        }
        head(&mut out, reply);
        let length = reply.body.len();
        match self {
            Self::Garbage => return GARBAGE.to_vec(),
            Self::Chunked => chunked(&mut out, &reply.body),
            Self::TwoContentLengths => {
                let other = length + 1;
                let fields = format!("content-length: {length}\r\ncontent-length: {other}\r\n");
                out.push_str(&fields);
                out.push_str("connection: close\r\n\r\n");
                out.push_str(&reply.body);
            }
            Self::OneHundredContinue => sized(&mut out, "", &reply.body),
            Self::Oversize(spaces) => sized(&mut out, &" ".repeat(spaces), &reply.body),
        }
        out.into_bytes()
    }
}

fn head(out: &mut String, reply: &Reply) {
    let reason = hyper::StatusCode::from_u16(reply.status)
        .ok()
        .and_then(|status| status.canonical_reason())
        .unwrap_or("");
    let _ = write!(out, "HTTP/1.1 {} {reason}\r\n", reply.status);
    for (name, value) in &reply.headers {
        let _ = write!(out, "{name}: {value}\r\n");
    }
}

fn sized(out: &mut String, padding: &str, body: &str) {
    let _ = write!(
        out,
        "content-length: {}\r\n\r\n",
        padding.len() + body.len()
    );
    out.push_str(padding);
    out.push_str(body);
}

fn chunked(out: &mut String, body: &str) {
    out.push_str("transfer-encoding: chunked\r\ntrailer: x-standin-trailer\r\n\r\n");
    let mut rest = body;
    while !rest.is_empty() {
        let (chunk, after) = rest.split_at(rest.ceil_char_boundary(CHUNK.min(rest.len())));
        let _ = write!(out, "{:x};standin=1\r\n{chunk}\r\n", chunk.len());
        rest = after;
    }
    out.push_str("0\r\nx-standin-trailer: 1\r\n\r\n");
}
