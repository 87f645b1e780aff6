//! Throws bytes at the response parser, in one piece and in others, and responses that are known to be good.
//!
//! Whatever the bytes and the pieces are, the outcome is the same, and a reason to distrust stays one. A good
//! response gives back the status and the body that it was made from.
#![no_main]

use arbitrary::{Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;
use sms_alert::{ErrorBody, Response, ResponseError};

const ROOM: usize = 512;

/// A response that follows RFC 9112.
#[derive(Arbitrary, Debug)]
struct Good {
    status: u16,
    interim: u8,
    framing: Framing,
    cuts: [u16; 3],
    body: Vec<u8>,
}

#[derive(Arbitrary, Debug)]
enum Framing {
    Length,
    /// Chunks of these sizes, in turn.
    Chunked([u8; 4]),
    UntilClose,
}

fuzz_target!(|bytes: &[u8]| {
    let middle = bytes.last().map_or(0, |last| usize::from(*last));
    let _ = survives(bytes, &[middle, bytes.len() / 2]);

    let Ok(good) = Good::arbitrary(&mut Unstructured::new(bytes)) else {
        return;
    };
    let (result, response) = survives(&good.to_bytes(), &good.cuts.map(usize::from));
    assert_eq!(result, Ok(()));
    assert_eq!(response.head().map(|head| head.status), Some(good.status()));
    let kept = good.body.get(..ROOM).unwrap_or(&good.body);
    assert_eq!(response.body(), kept);
    assert_eq!(response.dropped() as usize, good.body.len() - kept.len());
});

/// Receives the bytes in pieces, and returns what all of the ways to cut them come to.
fn survives(bytes: &[u8], cuts: &[usize]) -> (Result<(), ResponseError>, Response<ROOM>) {
    let whole = receive(bytes, &[]);
    let mut cuts = cuts.to_vec();
    cuts.sort_unstable();
    let single: Vec<usize> = (0..bytes.len()).collect();
    for cuts in [&cuts, &single] {
        let (result, response) = receive(bytes, cuts);
        assert_eq!(result, whole.0);
        assert_eq!(response.head(), whole.1.head());
        assert_eq!(response.body(), whole.1.body());
        assert_eq!(response.dropped(), whole.1.dropped());
    }
    if let Some(head) = whole.1.head() {
        assert!((200..1000).contains(&head.status));
        assert!(head.request_id.bytes().all(|byte| byte.is_ascii_graphic()));
        let said = ErrorBody::read(whole.1.text());
        assert!(!said.message.contains(char::is_control) && !said.code.contains(char::is_control));
    }
    whole
}

/// Pushes the bytes cut into pieces, then ends the stream.
fn receive(bytes: &[u8], cuts: &[usize]) -> (Result<(), ResponseError>, Response<ROOM>) {
    let mut response = Response::new();
    let mut start = 0;
    for cut in cuts.iter().copied().chain([bytes.len()]) {
        let end = cut.clamp(start, bytes.len());
        let result = response.push(&bytes[start..end]);
        if let Err(error) = result {
            assert_eq!(response.push(b"x"), Err(error));
            assert_eq!(response.end(), Err(error));
            return (Err(error), response);
        }
        if let Ok(taken) = result {
            assert!(taken == end - start || response.is_complete());
        }
        start = end;
    }
    (response.end(), response)
}

impl Good {
    /// Neither interim nor one of those that have no body.
    fn status(&self) -> u16 {
        match 200 + self.status % 400 {
            204 | 304 => 200,
            status => status,
        }
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = b"HTTP/1.1 100 Continue\r\n\r\n".repeat(usize::from(self.interim % 9));
        bytes
            .extend(format!("HTTP/1.1 {} x\r\nX-Request-Id: a1b2\r\n", self.status()).into_bytes());
        match &self.framing {
            Framing::Length => {
                bytes.extend(format!("Content-Length: {}\r\n\r\n", self.body.len()).into_bytes());
                bytes.extend(&self.body);
            }
            Framing::UntilClose => {
                bytes.extend(b"\r\n");
                bytes.extend(&self.body);
            }
            Framing::Chunked(sizes) => {
                bytes.extend(b"Transfer-Encoding: chunked\r\n\r\n");
                let mut rest = &self.body[..];
                for size in sizes.iter().cycle() {
                    if rest.is_empty() {
                        break;
                    }
                    let size = usize::from(*size) + 1;
                    let (chunk, after) = rest.split_at(size.min(rest.len()));
                    bytes.extend(format!("{:X}\r\n", chunk.len()).into_bytes());
                    bytes.extend(chunk);
                    bytes.extend(b"\r\n");
                    rest = after;
                }
                bytes.extend(b"0\r\nTrailer: x\r\n\r\n");
            }
        }
        bytes
    }
}
