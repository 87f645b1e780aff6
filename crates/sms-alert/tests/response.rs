//! The response parser on every split, on hostile heads, and beside other implementations.

use proptest::prelude::*;
use sms_alert::{Response, ResponseError, RetryAfter};

const N: usize = 256;

/// Everything that can be told of a response after `bytes` came in pieces cut at `cuts` and the
/// stream ended.
type Outcome = (
    Result<(), ResponseError>,
    Option<sms_alert::Head>,
    Vec<u8>,
    u64,
    usize,
);

fn receive(bytes: &[u8], cuts: &[usize]) -> Outcome {
    let mut response = Response::<N>::new();
    let mut taken = 0;
    let mut start = 0;
    let mut result = Ok(());
    for &cut in cuts.iter().chain([&bytes.len()]) {
        let cut = cut.clamp(start, bytes.len());
        match response.push(&bytes[start..cut]) {
            Ok(length) => taken += length,
            Err(error) => result = Err(error),
        }
        start = cut;
    }
    let ended = response.end();
    assert!(result.is_ok() || ended == result, "an error stays");
    if result.is_err() {
        taken = 0;
    }
    let head = response.head().cloned();
    (
        ended,
        head,
        response.body().to_vec(),
        response.dropped(),
        taken,
    )
}

fn one_piece(bytes: &[u8]) -> Outcome {
    receive(bytes, &[])
}

const SAMPLES: &[&[u8]] = &[
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and what does not belong to it",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 201 Created\r\nX-Request-Id: a1\r\nContent-Length: 2\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n00A\r\n and more \r\n0\r\nTrailer: x\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
    b"HTTP/1.1 500 \r\n\r\nuntil the stream ends",
    b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\nnot body",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
    b"HTTP/1.1 200 OK\r\nContent-Len",
    b"HTTP/1.1 200 OK\nContent-Length: 0\n\n\r\n\r\n",
    b"\x16\x03\x01 not http at all\r\n\r\n",
    b"",
];

fn sample() -> impl Strategy<Value = Vec<u8>> {
    let long_body = (0..1000_usize).prop_map(|length| {
        let mut bytes = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n").into_bytes();
        bytes.extend(std::iter::repeat_n(b'x', length));
        bytes
    });
    prop_oneof![
        proptest::sample::select(SAMPLES).prop_map(<[u8]>::to_vec),
        long_body,
    ]
}

/// A sample with a few bytes overwritten, removed or put in.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        proptest::sample::select(&b"\r\n:; 0159aAfF,\t\0\xff"[..]),
        any::<u8>(),
    ];
    let edits = prop::collection::vec((any::<prop::sample::Index>(), byte, 0..3_u8), 0..6);
    (sample(), edits).prop_map(|(mut bytes, edits)| {
        for (at, byte, kind) in edits {
            if bytes.is_empty() {
                break;
            }
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => drop(bytes.remove(at)),
            }
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn every_split_gives_the_same(
        bytes in mutated(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.sort_unstable();
        prop_assert_eq!(receive(&bytes, &cuts), one_piece(&bytes));
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let (result, head, ..) = one_piece(&bytes);
        prop_assert!(result.is_err() || head.is_some());
    }
}

#[test]
fn every_single_split_and_byte_by_byte() {
    for bytes in SAMPLES {
        let whole = one_piece(bytes);
        for cut in 0..=bytes.len() {
            assert_eq!(receive(bytes, &[cut]), whole, "cut at {cut}");
        }
        let all: Vec<_> = (0..bytes.len()).collect();
        assert_eq!(receive(bytes, &all), whole);
    }
}

#[test]
fn a_body_ends_where_its_head_says() {
    let body = |bytes: &[u8]| {
        let (result, head, body, dropped, taken) = one_piece(bytes);
        result.unwrap();
        (
            head.unwrap().status,
            String::from_utf8(body).unwrap(),
            dropped,
            bytes.len() - taken,
        )
    };
    assert_eq!(body(SAMPLES[0]), (200, "hello".into(), 0, 0));
    assert_eq!(body(SAMPLES[1]), (200, "hello".into(), 0, 31));
    assert_eq!(body(SAMPLES[2]), (201, "{}".into(), 0, 0));
    assert_eq!(body(SAMPLES[3]), (200, "hello and more ".into(), 0, 0));
    assert_eq!(
        body(SAMPLES[5]),
        (500, "until the stream ends".into(), 0, 0)
    );
    assert_eq!(body(SAMPLES[7]), (204, String::new(), 0, 8));
}

#[test]
fn what_cannot_be_trusted_is_refused() {
    let error = |text: &str| one_piece(text.as_bytes()).0.unwrap_err();
    let ok = "HTTP/1.1 200 OK\r\n";
    for lengths in [
        "5\r\nContent-Length: 6",
        "5, 6",
        "+5",
        "-1",
        "",
        "0x5",
        "18446744073709551616",
    ] {
        let text = format!("{ok}Content-Length: {lengths}\r\n\r\nhello");
        assert_eq!(error(&text), ResponseError::ContentLength, "{lengths:?}");
    }
    for fields in [
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: identity",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    ] {
        let text = format!("{ok}{fields}\r\n\r\n0\r\n\r\n");
        assert_eq!(error(&text), ResponseError::TransferEncoding, "{fields:?}");
    }
    for chunks in [
        "g\r\n",
        "\r\n",
        "5\nhello",
        "5\r\nhelloX",
        "-1\r\n",
        "10000000000000000\r\n",
        "0\r\n\n",
        " 5\r\n",
    ] {
        let text = format!("{ok}Transfer-Encoding: chunked\r\n\r\n{chunks}");
        assert_eq!(error(&text), ResponseError::Chunk, "{chunks:?}");
    }
    assert_eq!(one_piece(SAMPLES[9]).0, Err(ResponseError::Truncated));
    assert_eq!(
        error("HTTP/1.1 101 Switching Protocols\r\n\r\n"),
        ResponseError::Malformed
    );
    assert_eq!(
        error(&"HTTP/1.1 100 \r\n\r\n".repeat(9)),
        ResponseError::Interim
    );
    let long = format!("{ok}X: {}\r\n\r\n", "x".repeat(N));
    assert_eq!(error(&long), ResponseError::HeadTooLong { limit: N });
}

/// It may be a key that was created just now.
#[test]
fn a_body_is_not_shown() {
    let mut response = Response::<N>::new();
    let body = "HTTP/1.1 200 OK\r\nContent-Length: 18\r\n\r\nsk_live_5d2f8a7c11";
    response.push(body.as_bytes()).unwrap();
    let shown = format!("{response:?}");
    assert!(
        !shown.contains("sk_live") && !shown.contains("115"),
        "{shown}"
    );
    assert!(shown.contains("200"), "{shown}");
}

#[test]
fn what_does_not_fit_is_counted() {
    for length in [N - 1, N, N + 1, 10 * N] {
        let text = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{}",
            "x".repeat(length)
        );
        let (result, _, body, dropped, _) = one_piece(text.as_bytes());
        assert_eq!(result, Ok(()));
        assert_eq!(
            (body.len(), dropped),
            (length.min(N), length.saturating_sub(N) as u64)
        );
    }
}

#[test]
fn hints_are_read_and_nonsense_is_ignored() {
    let head = |fields: &str| {
        let text = format!("HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n{fields}\r\n");
        one_piece(text.as_bytes()).1.unwrap()
    };
    // RFC 9110 section 5.6.7 has the date in all three formats.
    for date in [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
    ] {
        let head = head(&format!("Date: {date}\r\nretry-after: {date}\r\n"));
        assert_eq!(head.date, Some(784_111_777));
        assert_eq!(head.retry_after, Some(RetryAfter::At(784_111_777)));
    }
    let hookmesh = head(
        "X-RateLimit-Limit: 100\r\nX-RateLimit-Remaining: 87\r\nX-RateLimit-Reset: 1737380460\r\nRetry-After: 60\r\n",
    );
    assert_eq!(hookmesh.retry_after, Some(RetryAfter::Seconds(60)));
    assert_eq!(hookmesh.rate_limit.limit, Some(100));
    assert_eq!(hookmesh.rate_limit.remaining, Some(87));
    assert_eq!(hookmesh.rate_limit.reset, Some(1_737_380_460));
    // More than any number holds is long, and not nonsense.
    let long = head("Retry-After: 18446744073709551616\r\n");
    assert_eq!(long.retry_after, Some(RetryAfter::Seconds(u64::MAX)));
    let nonsense =
        head("Retry-After: soon\r\nDate: today\r\nX-RateLimit-Reset: -1\r\nX-Request-Id: a b\r\n");
    assert_eq!((nonsense.retry_after, nonsense.date), (None, None));
    assert_eq!(
        (nonsense.rate_limit.reset, nonsense.request_id.as_str()),
        (None, "")
    );
}
