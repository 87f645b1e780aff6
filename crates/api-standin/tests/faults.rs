//! Every kind of fault, seen from a raw socket, and what was carried out behind it.

mod client;

use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use api_standin::{Api, Config, Fault, Kind, Standin, Verdict};
use client::{connect, exchange, get, heymarket, now, post, sms, sms_bytes};
use serde_json::{Value, json};

fn start() -> Standin {
    Standin::start(Config::default()).unwrap()
}

/// Sends an SMS on a connection of its own that the server may keep open.
fn send(standin: &Standin) -> (Vec<u8>, std::io::Result<()>) {
    let request = String::from_utf8(sms_bytes(now())).unwrap();
    let request = request.replacen("host:", "connection: close\r\nhost:", 1);
    exchange(standin, Api::Heymarket, request.as_bytes())
}

fn status_line(bytes: &[u8]) -> &str {
    let end = bytes.iter().position(|byte| *byte == b'\r').unwrap();
    std::str::from_utf8(&bytes[..end]).unwrap()
}

/// The length of an undisturbed response; it varies by nothing, for all of its fields have a fixed length.
fn response_len() -> usize {
    let standin = start();
    let (bytes, outcome) = send(&standin);
    assert!(outcome.is_ok() && bytes.starts_with(b"HTTP/1.1 200 OK\r\n"));
    bytes.len()
}

#[test]
fn a_connection_is_closed_after_every_byte_of_the_request() {
    let standin = start();
    let request = sms_bytes(now());
    for n in 0..=request.len() {
        standin.inject(Fault::next(1, Kind::DropAfterRequestBytes(n)));
        let (bytes, outcome) = exchange(&standin, Api::Heymarket, &request);
        assert!(outcome.is_ok(), "reset instead of closed after {n} bytes");
        assert_eq!(bytes, b"", "answered after {n} bytes");
    }
    assert!(standin.messages().is_empty() && standin.log().is_empty());
    assert!(standin.faults().is_empty());
}

#[test]
fn a_request_shorter_than_the_cut_is_unharmed() {
    let standin = start();
    let request = sms_bytes(now());
    standin.inject(Fault::next(
        1,
        Kind::DropAfterRequestBytes(request.len() + 1),
    ));
    let mut stream = connect(&standin, Api::Heymarket);
    stream.write_all(&request).unwrap();
    let mut first = [0; 15];
    stream.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 200 OK");
    assert_eq!(standin.messages().len(), 1);
}

#[test]
fn a_connection_is_closed_after_every_byte_of_the_response() {
    let standin = start();
    let whole = response_len();
    for n in 0..=whole {
        standin.inject(Fault::next(1, Kind::DropAfterResponseBytes(n)));
        let (bytes, outcome) = send(&standin);
        assert!(outcome.is_ok(), "reset instead of closed after {n} bytes");
        assert_eq!(bytes.len(), n);
        assert_eq!(standin.messages().len(), n + 1, "not carried out");
    }
    standin.inject(Fault::next(1, Kind::DropAfterResponseBytes(whole + 1)));
    assert_eq!(send(&standin).0.len(), whole);
}

#[test]
fn a_response_of_exactly_the_cut_closes_a_connection_that_would_stay_open() {
    let standin = start();
    // Without the 19 bytes of "connection: close\r\n".
    let kept = response_len() - "connection: close\r\n".len();
    standin.inject(Fault::next(1, Kind::DropAfterResponseBytes(kept)));
    let (bytes, outcome) = exchange(&standin, Api::Heymarket, &sms_bytes(now()));
    assert!(outcome.is_ok());
    assert_eq!(bytes.len(), kept);
}

#[test]
fn resets_are_resets_after_the_bytes_that_were_let_through() {
    let standin = start();
    for n in [0, 1, 100] {
        standin.inject(Fault::next(1, Kind::ResetAfterRequestBytes(n)));
        let (bytes, outcome) = send(&standin);
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::ConnectionReset);
        assert_eq!(bytes, b"");
    }
    assert!(standin.messages().is_empty());
    for n in [0, 1, 100] {
        standin.inject(Fault::next(1, Kind::ResetAfterResponseBytes(n)));
        let (bytes, outcome) = send(&standin);
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::ConnectionReset);
        assert_eq!(bytes.len(), n);
    }
    assert_eq!(standin.messages().len(), 3);
}

#[test]
fn a_stalled_response_stops_and_the_connection_stays_open() {
    let standin = start();
    for n in [0, 40] {
        standin.inject(Fault::next(1, Kind::StallAfterResponseBytes(n)));
        let mut stream = connect(&standin, Api::Heymarket);
        stream.write_all(&sms_bytes(now())).unwrap();
        stream.read_exact(&mut vec![0; n]).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_millis(300)))
            .unwrap();
        let error = stream.read(&mut [0]).unwrap_err();
        assert!(matches!(
            error.kind(),
            ErrorKind::WouldBlock | ErrorKind::TimedOut
        ));
    }
    assert_eq!(standin.messages().len(), 2);
}

#[test]
fn a_delay_is_waited_for_after_the_request_was_carried_out() {
    let standin = start();
    let delay = Duration::from_secs(3);
    standin.inject(Fault::next(1, Kind::Delay(delay)));
    let mut stream = connect(&standin, Api::Heymarket);
    let begin = Instant::now();
    stream.write_all(&sms_bytes(now())).unwrap();
    while standin.messages().is_empty() {
        std::thread::sleep(Duration::from_millis(1));
    }
    let carried_out = Instant::now();
    let mut first = [0; 15];
    stream.read_exact(&mut first).unwrap();
    assert!(begin.elapsed() >= delay);
    // Most of it, so that a machine which looks late finds it nevertheless.
    assert!(carried_out.elapsed() >= delay / 3, "carried out too late");
    assert_eq!(&first, b"HTTP/1.1 200 OK");
}

#[test]
fn statuses_replace_the_answer_on_every_api() {
    let standin = start();
    for status in [400, 401, 403, 404, 429, 500, 502, 503] {
        standin.inject(Fault::next(4, Kind::Status(status)));
        for api in Api::ALL {
            let answer = get(&standin, api, "/v1/inboxes", &heymarket(now()));
            assert_eq!(answer.status, status);
            assert!(answer.header("x-request-id").is_some());
            assert!(answer.header("date").is_some());
            let hints = ["retry-after", "x-ratelimit-reset"].map(|name| answer.header(name));
            assert_eq!(hints, [None, None]);
            assert_eq!(standin.log().pop().unwrap().verdict, Verdict::Fault(status));
        }
    }
    standin.inject(Fault::next(1, Kind::Status(503)));
    assert_eq!(
        status_line(&send(&standin).0),
        "HTTP/1.1 503 Service Unavailable"
    );
    assert!(standin.messages().is_empty());
}

#[test]
fn a_429_hints_as_its_api_does() {
    let standin = start();
    standin.set_now(1_000);
    standin.inject(Fault::always(Kind::RateLimited {
        retry_after: Some(60),
    }));
    let answer = get(&standin, Api::HookMesh, "/v1/applications", "Bearer a");
    // The vendor's documented example of this error.
    let documented = json!({ "error": {
        "code": "rate_limit_exceeded",
        "message": "Rate limit exceeded. Retry after 60 seconds.",
        "retry_after": 60,
    } });
    assert_eq!((answer.status, answer.json()), (429, documented));
    assert_eq!(answer.header("x-ratelimit-reset"), Some("1060"));
    for api in [Api::Heymarket, Api::KeyId, Api::Heyoo] {
        let answer = get(&standin, api, "/", "Bearer a");
        assert_eq!(
            (answer.status, answer.header("retry-after")),
            (429, Some("60"))
        );
    }
    standin.clear_faults();
    standin.inject(Fault::always(Kind::RateLimited { retry_after: None }));
    for api in Api::ALL {
        let answer = get(&standin, api, "/", "Bearer a");
        assert_eq!((answer.status, answer.header("retry-after")), (429, None));
        assert_eq!(answer.header("x-ratelimit-reset"), None);
    }
}

#[test]
fn a_skewed_clock_shows_in_the_date_and_in_the_judgement() {
    let standin = start();
    standin.set_now(1_713_225_600);
    standin.inject(Fault::next(2, Kind::ClockSkew(3600)));
    let inboxes = |iat| get(&standin, Api::Heymarket, "/v1/inboxes", &heymarket(iat));
    let early = inboxes(1_713_225_600);
    assert_eq!(
        (early.status, early.header("date")),
        (401, Some("Tue, 16 Apr 2024 01:00:00 GMT"))
    );
    assert_eq!(standin.log().pop().unwrap().verdict, Verdict::TooOld(3600));
    assert_eq!(inboxes(1_713_229_200).status, 200);
    assert_eq!(inboxes(1_713_225_600).status, 200);
}

#[test]
fn a_chunked_body_reads_the_same() {
    let standin = start();
    standin.inject(Fault::always(Kind::ChunkedBody));
    let answer = post(
        &standin,
        Api::Heymarket,
        "/v1/message/send",
        &heymarket(now()),
        &sms(),
    );
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["id"], json!(standin.messages()[0].id));
    let (bytes, _) = send(&standin);
    let text = String::from_utf8(bytes).unwrap();
    assert!(
        text.contains("\r\ntransfer-encoding: chunked\r\n") && !text.contains("content-length")
    );
    // Seven bytes a chunk; which member comes first is the JSON library's choice.
    assert!(text.contains("\r\n\r\n7;standin=1\r\n{\""));
    assert!(text.matches("\r\n7;standin=1\r\n").count() > 3);
    assert!(text.ends_with("\r\n0\r\nx-standin-trailer: 1\r\n\r\n"));
}

#[test]
fn a_chunked_body_can_be_cut_inside() {
    let standin = start();
    standin.inject(Fault::always(Kind::ChunkedBody));
    standin.inject(Fault::next(1, Kind::DropAfterResponseBytes(250)));
    let (bytes, outcome) = send(&standin);
    assert!(outcome.is_ok());
    assert_eq!(bytes.len(), 250);
    assert!(!bytes.ends_with(b"0\r\nx-standin-trailer: 1\r\n\r\n"));
}

#[test]
fn two_content_lengths_differ_and_the_connection_closes() {
    let standin = start();
    standin.inject(Fault::next(1, Kind::TwoContentLengths));
    let (bytes, outcome) = exchange(&standin, Api::Heymarket, &sms_bytes(now()));
    assert!(outcome.is_ok());
    let text = String::from_utf8(bytes).unwrap();
    let lengths: Vec<usize> = text
        .lines()
        .filter_map(|line| line.strip_prefix("content-length: ")?.parse().ok())
        .collect();
    let (_, body) = text.split_once("\r\n\r\n").unwrap();
    assert_eq!(lengths, [body.len(), body.len() + 1]);
    assert_eq!(standin.messages().len(), 1);
}

#[test]
fn an_interim_response_precedes_the_answer() {
    let standin = start();
    standin.inject(Fault::next(1, Kind::OneHundredContinue));
    let (bytes, _) = send(&standin);
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"));
    standin.inject(Fault::next(1, Kind::OneHundredContinue));
    assert_eq!(
        get(&standin, Api::Heymarket, "/v1/inboxes", &heymarket(now())).status,
        200
    );
}

#[test]
fn an_oversize_body_is_as_long_as_asked_and_still_json() {
    let standin = start();
    standin.inject(Fault::next(1, Kind::OversizeBody(100_000)));
    let answer = get(&standin, Api::Heymarket, "/v1/inboxes", &heymarket(now()));
    assert!(answer.text.len() > 100_000);
    assert_eq!(answer.json()[0]["id"], json!(42));
}

#[test]
fn garbage_is_no_http_and_hides_an_accepted_send() {
    let standin = start();
    standin.inject(Fault::next(1, Kind::Garbage));
    let (bytes, outcome) = exchange(&standin, Api::Heymarket, &sms_bytes(now()));
    assert!(outcome.is_ok() && !bytes.is_empty() && !bytes.starts_with(b"HTTP/"));
    assert_eq!(standin.messages().len(), 1);
    standin.inject(Fault::next(1, Kind::Garbage));
    let outcome = client::try_get(&standin, Api::Heymarket, "/v1/inboxes", &heymarket(now()));
    assert!(outcome.is_err());
}

#[test]
fn faults_of_one_api_leave_the_others_alone() {
    let standin = start();
    standin.inject(Fault::always(Kind::Status(503)).on(Api::KeyId));
    assert_eq!(status_line(&send(&standin).0), "HTTP/1.1 200 OK");
    assert_eq!(
        get(&standin, Api::KeyId, "/", "standin-key-id-api-token").status,
        503
    );
    standin.clear_faults();
    assert_eq!(
        get(&standin, Api::KeyId, "/", "standin-key-id-api-token").status,
        200
    );
}

#[test]
fn on_a_kept_connection_each_request_has_its_own_faults() {
    let standin = start();
    let mut stream = connect(&standin, Api::Heymarket);
    let length = response_len() - "connection: close\r\n".len();
    let mut response = vec![0; length];
    stream.write_all(&sms_bytes(now())).unwrap();
    stream.read_exact(&mut response).unwrap();
    standin.inject(Fault::next(1, Kind::DropAfterResponseBytes(20)));
    stream.write_all(&sms_bytes(now())).unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, response[..20]);
    assert_eq!(standin.messages().len(), 2);
}

#[test]
fn a_request_in_single_bytes_is_one_request() {
    let standin = start();
    standin.inject(Fault::next(1, Kind::ClockSkew(0)));
    let mut stream = connect(&standin, Api::Heymarket);
    stream.set_nodelay(true).unwrap();
    for byte in sms_bytes(now()) {
        stream.write_all(&[byte]).unwrap();
    }
    let mut first = [0; 15];
    stream.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 200 OK");
    let bodies: Vec<Option<Value>> = standin.log().into_iter().map(|entry| entry.body).collect();
    assert_eq!(bodies, [Some(sms())]);
}

#[test]
fn a_client_that_is_done_writing_still_gets_its_answer() {
    let standin = start();
    standin.inject(Fault::next(1, Kind::Delay(Duration::from_millis(50))));
    let mut stream = connect(&standin, Api::Heymarket);
    stream.write_all(&sms_bytes(now())).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    assert_eq!(status_line(&bytes), "HTTP/1.1 200 OK");
}

#[test]
fn a_closed_connection_takes_in_what_is_still_written() {
    let standin = start();
    standin.inject(Fault::next(1, Kind::DropAfterRequestBytes(1)));
    let mut stream = connect(&standin, Api::Heymarket);
    // More than a loopback connection buffers, so that writing it needs a reader.
    stream.write_all(&vec![b'a'; 16 << 20]).unwrap();
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
}
