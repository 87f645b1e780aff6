//! The client loop against a server that follows a script: each verdict, and what is left of the alert.

mod support;

use embedded_io_async::ErrorKind;
use sms_alert::{
    ClockTrouble, DeviceName, ExchangeError, Failure, MAX_DOUBTS, MaybeSentPolicy, Outbox,
    Priority, Reason, Report, Rules, State, Step, Verdict,
};
use support::{Device, DeviceStep, Flash, NOW, PowerCut, Script, Scripted, alert};

type Attempt = Report<ErrorKind, std::convert::Infallible, PowerCut>;

fn device(scripts: impl IntoIterator<Item = Script>, rules: Rules) -> (Device<Scripted>, Scripted) {
    let server = Scripted::new(scripts);
    let device = Device::start(server.clone(), "h", &Flash::default(), rules, NOW).unwrap();
    (device, server)
}

/// Runs until the scripts are used up or nothing is left to do, and returns the attempts made.
fn attempts(device: &mut Device<Scripted>, server: &Scripted) -> Vec<Attempt> {
    let mut attempts = Vec::new();
    device
        .run(|step: &DeviceStep<ErrorKind>| {
            if let Step::Attempt(report) = step {
                attempts.push(report.clone());
            }
            server.scripts.borrow().is_empty()
        })
        .unwrap();
    attempts
}

fn first(script: Script) -> (Attempt, Vec<State>) {
    let (mut device, server) = device([script], Rules::default());
    device.push("Door open").unwrap();
    let mut attempts = attempts(&mut device, &server);
    let states = device.entries().iter().map(|entry| entry.state).collect();
    (attempts.remove(0), states)
}

#[test]
fn an_accepted_alert_is_delivered_and_gone() {
    let (report, left) = first(Script::accepted());
    assert_eq!(
        report.verdict,
        Verdict::Delivered {
            message_id: "99".try_into().unwrap()
        }
    );
    assert_eq!((report.status, report.request_id.as_str()), (200, "a1b2"));
    assert_eq!(left, []);
}

#[test]
fn a_success_without_a_message_is_no_delivery() {
    for script in [
        Script::status(200, "", "{}"),
        Script::status(200, "", "<html>sign in to this hotspot</html>"),
        Script::status(200, "", r#"{"id":null}"#),
        Script::status(204, "", ""),
        Script::Answer("HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n{\"id\":9".into()),
    ] {
        let (report, left) = first(script);
        assert_eq!(
            (report.verdict, left),
            (Verdict::MaybeSent, vec![State::MaybeSent])
        );
    }
}

#[test]
fn no_answer_leaves_a_doubt_and_no_connection_leaves_none() {
    for script in [
        Script::Answer(String::new()),
        Script::Answer("HTTP/1.1 200 OK\r\nContent-Le".into()),
        Script::Answer("\0\0\0\r\n\r\n".into()),
        Script::Stall("HTTP/1.1 200 OK\r\n".into()),
        Script::status(502, "", "<h1>Bad Gateway</h1>"),
        Script::status(504, "", ""),
    ] {
        let (report, left) = first(script.clone());
        assert_eq!(
            (report.verdict, left),
            (Verdict::MaybeSent, vec![State::MaybeSent]),
            "{script:?}"
        );
    }
    let (report, left) = first(Script::Refuse);
    assert!(matches!(report.verdict, Verdict::RetryAt(_)));
    let refused = ExchangeError::Connect(ErrorKind::ConnectionRefused);
    assert_eq!(report.failure, Some(Failure::Exchange(refused)));
    assert_eq!(left, [State::Queued]);
}

/// The head goes first and the body after it, so that only the loss of the body's last write is a doubt.
#[test]
fn a_break_at_every_byte_of_the_request() {
    let (mut whole, server) = device([Script::accepted()], Rules::default());
    whole.push("Door open").unwrap();
    attempts(&mut whole, &server);
    let request = server.requests.borrow()[0].clone();
    let head_len = request.find("\r\n\r\n").unwrap() + 4;
    for length in 0..request.len() {
        let (mut device, server) = device(
            [Script::BreakAfter(length), Script::accepted()],
            Rules::default(),
        );
        device.push("Door open").unwrap();
        let attempts = attempts(&mut device, &server);
        assert_eq!(server.requests.borrow()[0], request[..length]);
        if length < head_len {
            assert!(
                matches!(attempts[0].verdict, Verdict::RetryAt(_)),
                "{length}"
            );
            assert!(
                matches!(attempts[1].verdict, Verdict::Delivered { .. }),
                "{length}"
            );
            assert_eq!(server.requests.borrow()[1], request, "the same local_id");
        } else {
            assert_eq!(attempts[0].verdict, Verdict::MaybeSent, "{length}");
            assert_eq!((attempts.len(), server.requests.borrow().len()), (1, 1));
        }
    }
}

/// A server may refuse a request before it has read all of it, and close (RFC 9112, section 9.5).
#[test]
fn a_refusal_before_the_end_of_the_request_counts() {
    let (mut whole, server) = device([Script::accepted()], Rules::default());
    whole.push("Door open").unwrap();
    attempts(&mut whole, &server);
    let request = server.requests.borrow()[0].clone();
    let body_at = request.find("\r\n\r\n").unwrap() + 4;
    let text = |script| match script {
        Script::Answer(text) => text,
        other => panic!("{other:?}"),
    };
    for length in 0..request.len() {
        let early = |script| first(Script::AnswerAfter(length, text(script)));
        let (report, left) = early(Script::status(413, "", "{}"));
        assert!(
            matches!(report.verdict, Verdict::Rejected(Reason::Server(_))),
            "{length} {report:?}"
        );
        assert_eq!(left, [State::Rejected(413)], "{length}");

        // A success that nobody can have earned yet is none; one to a whole request is.
        let (report, _) = early(Script::accepted());
        match length < body_at {
            true => assert!(matches!(report.verdict, Verdict::RetryAt(_)), "{length}"),
            false => assert!(
                matches!(report.verdict, Verdict::Delivered { .. }),
                "{length}"
            ),
        }

        // An answer that breaks off tells no more than none.
        let cut = Script::Answer("HTTP/1.1 413 X\r\nContent-Le".into());
        let (report, _) = early(cut);
        match length < body_at {
            true => assert!(matches!(report.verdict, Verdict::RetryAt(_)), "{length}"),
            false => assert_eq!(report.verdict, Verdict::MaybeSent, "{length}"),
        }
    }
}

#[test]
fn a_refusal_for_good_is_kept_and_not_repeated() {
    for (status, body, message) in [
        (400, r#"{"error":"bad_data"}"#, "bad_data"),
        (
            403,
            r#"{"message":"no access to inbox 42"}"#,
            "no access to inbox 42",
        ),
        (
            500,
            r#"{"error":"jwt token is missing 'kid' header parameter"}"#,
            "jwt token is missing 'kid' header parameter",
        ),
        (308, "", ""),
    ] {
        let (report, left) = first(Script::status(status, "", body));
        assert!(
            matches!(report.verdict, Verdict::Rejected(Reason::Server(_))),
            "{report:?}"
        );
        assert_eq!(
            (report.status, report.error.message.as_str()),
            (status, message)
        );
        assert_eq!(left, [State::Rejected(status)]);
    }
}

#[test]
fn hints_are_kept_to() {
    let date = "Date: Tue, 16 Apr 2024 00:00:00 GMT\r\n";
    for (status, fields, body, seconds) in [
        (429, "Retry-After: 60\r\n".into(), "", 60),
        (
            503,
            format!("{date}Retry-After: Tue, 16 Apr 2024 00:02:00 GMT\r\n"),
            "",
            120,
        ),
        (
            429,
            String::new(),
            r#"{"error":{"code":"rate_limit_exceeded","message":"","retry_after":45}}"#,
            45,
        ),
        (
            429,
            format!(
                "{date}X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: {}\r\n",
                NOW + 30
            ),
            "",
            30,
        ),
        (429, String::new(), "", 0),
        (500, String::new(), r#"{"error":"internal"}"#, 0),
    ] {
        let (mut device, server) = device(
            [Script::status(status, &fields, body), Script::accepted()],
            Rules::default(),
        );
        device.push("Door open").unwrap();
        device.push("Door shut").unwrap();
        let attempts = attempts(&mut device, &server);
        let waited_ms = device.uptime_ms.get();
        assert!(matches!(attempts[0].verdict, Verdict::RetryAt(_)));
        assert!(matches!(attempts[1].verdict, Verdict::Delivered { .. }));
        let range = seconds * 1_000..=seconds * 1_000 + 1_100;
        assert!(range.contains(&waited_ms), "{waited_ms} ms for {seconds} s");
    }
}

/// The limit is the account's, so the next alert would run into it as well.
#[test]
fn too_many_requests_hold_back_every_alert() {
    let limited = || Script::status(429, "", "{}");
    let (mut device, server) = device(std::iter::repeat_with(limited).take(9), Rules::default());
    device.push("Door open").unwrap();
    device.push("Door shut").unwrap();
    let mut waits = 0;
    device
        .run(|step| {
            waits += usize::from(matches!(step, Step::Wait(_)));
            server.scripts.borrow().is_empty()
        })
        .unwrap();
    assert_eq!(waits, 8, "one between any two requests");
    // Full jitter of ceilings that double from a second on: 255 s in all, half of it on average.
    assert!(device.uptime_ms.get() > 30_000, "the backoff grows");
}

/// A new time or a new credential lets those go on that waited for it, and nobody else.
#[test]
fn a_change_of_the_session_ends_no_wait_that_the_server_asked_for() {
    let limited = Script::status(429, "Retry-After: 90\r\n", "");
    let (mut device, _) = device([limited, Script::accepted()], Rules::default());
    device.push("Door open").unwrap();
    device.step().unwrap();
    device.client.session_mut();
    assert!(matches!(device.step().unwrap(), Step::Wait(until_ms) if until_ms >= 90_000));

    let refusal = || Script::status(401, "", "");
    let scripts = [refusal(), refusal(), Script::accepted()];
    let (mut device, _) = self::device(scripts, Rules::default());
    device.push("Door open").unwrap();
    device.step().unwrap();
    device.step().unwrap();
    assert!(matches!(device.step().unwrap(), Step::Wait(_)));
    device.client.session_mut();
    let Step::Attempt(report) = device.step().unwrap() else {
        panic!("the credential may have been changed")
    };
    assert!(matches!(report.verdict, Verdict::Delivered { .. }));
}

#[test]
fn a_wrong_clock_is_set_and_the_alert_sent_at_once() {
    // 100 s ahead of the device; then the server is content.
    let fields = "Date: Tue, 16 Apr 2024 00:01:40 GMT\r\n";
    let (mut device, server) = device(
        [Script::status(401, fields, ""), Script::accepted()],
        Rules::default(),
    );
    device.push("Door open").unwrap();
    for expected in [
        Verdict::FixClock(ClockTrouble::Corrected),
        Verdict::Delivered {
            message_id: "99".try_into().unwrap(),
        },
    ] {
        match device.step().unwrap() {
            Step::Attempt(report) => assert_eq!(report.verdict, expected),
            other => panic!("{other:?} between the attempts"),
        }
    }
    assert_eq!(server.requests.borrow().len(), 2);
}

#[test]
fn a_refused_secret_gives_way_to_the_other() {
    let refusal = || Script::status(401, "", r#"{"error":"unauthorized"}"#);
    let (mut device, server) = device([refusal(), refusal(), Script::accepted()], Rules::default());
    device.push("Door open").unwrap();
    let attempts = attempts(&mut device, &server);
    assert_eq!(
        attempts[0].verdict,
        Verdict::SwitchSecret(api_auth::Slot::B)
    );
    assert_eq!(attempts[1].verdict, Verdict::Refused);
    assert!(matches!(attempts[2].verdict, Verdict::Delivered { .. }));
    assert!(device.uptime_ms.get() >= 300_000, "both rest");
    let tokens: Vec<_> = server
        .requests
        .borrow()
        .iter()
        .map(|request| {
            request
                .lines()
                .find(|line| line.starts_with("Authorization"))
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_ne!(tokens[0], tokens[1]);
}

#[test]
fn the_policy_decides_on_doubts() {
    let resend = Rules {
        maybe_sent: MaybeSentPolicy::Resend,
        ..Rules::default()
    };
    let lost = || Script::Answer(String::new());
    let (mut device, server) = device([lost(), lost(), Script::accepted()], resend);
    device.push("Door open").unwrap();
    let attempts = attempts(&mut device, &server);
    assert_eq!(attempts[1].verdict, Verdict::MaybeSent);
    assert!(matches!(attempts[2].verdict, Verdict::Delivered { .. }) && attempts[2].doubtful);
    let requests = server.requests.borrow();
    let body = |index: usize| requests[index].split_once("\r\n\r\n").unwrap().1.to_owned();
    assert_eq!(body(0), body(2), "the same local_id");
}

/// A server that acts and never answers would send the same message until the alert expires.
#[test]
fn doubts_come_to_an_end() {
    let resend = Rules {
        maybe_sent: MaybeSentPolicy::Resend,
        ..Rules::default()
    };
    let lost = std::iter::repeat_n(Script::Answer(String::new()), 300);
    let (mut device, server) = device(lost, resend);
    let id = device.push("Door open").unwrap();
    let reports = attempts(&mut device, &server);
    assert_eq!(reports.len(), usize::from(MAX_DOUBTS));
    assert!(reports.iter().all(|one| one.verdict == Verdict::MaybeSent));
    assert_eq!(device.entries()[0].state, State::MaybeSent);
    // A person may begin again.
    device.outbox.borrow_mut().resend(id).unwrap();
    let released = device.entries()[0];
    assert_eq!((released.state, released.doubts), (State::Queued, 0));
}

/// A device that is started again in the middle of each attempt counts on, and one that was released from the start.
#[test]
fn doubts_come_to_an_end_through_restarts() {
    let resend = Rules {
        maybe_sent: MaybeSentPolicy::Resend,
        ..Rules::default()
    };
    let flash = Flash::default();
    let open = || {
        let device = DeviceName::new("gw-7").unwrap();
        Outbox::<_, 3>::open(flash.clone(), device, resend, 0).unwrap()
    };
    let id = open().push(&alert("Door open")).unwrap().id;
    for doubts in 0..MAX_DOUBTS {
        let mut outbox = open();
        let entry = outbox.take(id).unwrap();
        assert_eq!((entry.doubts, entry.doubtful), (doubts, doubts > 0));
        outbox.begin(id).unwrap();
        if doubts % 3 == 1 {
            // What is certainly not sent is no doubt.
            outbox.postpone(id, 0).unwrap();
            drop(outbox);
            outbox = open();
            outbox.take(id).unwrap();
            outbox.begin(id).unwrap();
        }
        if doubts % 3 == 2 {
            outbox.doubt(id, 0).unwrap();
        }
    }
    let held = *open().entry(id).unwrap();
    assert_eq!((held.state, held.doubts), (State::MaybeSent, MAX_DOUBTS));
    open().resend(id).unwrap();
    let released = *open().entry(id).unwrap();
    assert_eq!((released.state, released.doubts), (State::Queued, 0));
}

#[test]
fn a_success_without_a_message_is_not_sent_again_at_once() {
    let resend = Rules {
        maybe_sent: MaybeSentPolicy::Resend,
        ..Rules::default()
    };
    let (mut device, server) = device([Script::status(200, "", "{}"), Script::accepted()], resend);
    device.push("Door open").unwrap();
    assert!(matches!(device.step(), Ok(Step::Attempt(_))));
    match device.step().unwrap() {
        Step::Wait(until_ms) => assert!(until_ms > device.uptime_ms.get()),
        other => panic!("{other:?} though the server was asked just now"),
    }
    assert_eq!(server.requests.borrow().len(), 1);
}

/// With the longest body beside which the head of a request has no room, and the shortest that has none itself.
#[test]
fn an_alert_that_does_not_fit_holds_up_no_other() {
    for controls in [640, 700] {
        let (mut device, server) = device([Script::accepted()], Rules::default());
        let id = device.push(&"\u{1}".repeat(controls)).unwrap();
        device.push("Door open").unwrap();
        let attempts = attempts(&mut device, &server);
        let verdict = Verdict::Rejected(Reason::Unsendable);
        assert_eq!((attempts[0].id, &attempts[0].verdict), (id, &verdict));
        assert!(matches!(attempts[1].verdict, Verdict::Delivered { .. }));
        assert_eq!(device.entries()[0].state, State::Rejected(0));
    }
}

#[test]
fn the_highest_priority_goes_first_and_the_expired_not_at_all() {
    let (mut device, server) = device(
        [Script::accepted(), Script::accepted(), Script::accepted()],
        Rules::default(),
    );
    let mut low = support::alert("low");
    low.priority = Priority::Low;
    let mut high = support::alert("high");
    high.priority = Priority::High;
    let mut late = support::alert("late");
    late.expires_at = Some(NOW);
    for alert in [&low, &late, &support::alert("normal"), &high] {
        device.push_alert(alert).unwrap();
    }
    let mut expired = 0;
    device
        .run(|step| {
            expired += u32::from(matches!(step, Step::Expired(_)));
            false
        })
        .unwrap();
    let order: Vec<_> = server
        .requests
        .borrow()
        .iter()
        .map(|request| {
            let body = request.split_once("\r\n\r\n").unwrap().1;
            serde_json::from_str::<serde_json::Value>(body).unwrap()["text"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(
        (order, expired),
        (vec!["high".into(), "normal".into(), "low".to_owned()], 1)
    );
}

#[test]
fn an_answer_that_drips_is_not_waited_for() {
    // A millisecond passes with each byte.
    let body = "x".repeat(60_000);
    let drip = Script::status(200, "", &body);
    let (mut device, server) = device([drip], Rules::default());
    device.push("Door open").unwrap();
    let attempts = attempts(&mut device, &server);
    assert_eq!(attempts[0].verdict, Verdict::MaybeSent);
    assert_eq!(
        attempts[0].failure,
        Some(Failure::Exchange(ExchangeError::Late))
    );
    assert!(device.uptime_ms.get() < 30_100);
}

#[test]
fn a_dropped_step_is_a_doubt_once_it_has_begun() {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    struct Hanging(bool);
    struct HangingStream;
    impl sms_alert::Connect for Hanging {
        type Error = ErrorKind;
        type Stream<'a> = HangingStream;
        async fn connect(&mut self, _: sms_alert::Host<'_>) -> Result<HangingStream, ErrorKind> {
            if self.0 {
                std::future::pending::<()>().await;
            }
            Ok(HangingStream)
        }
        fn is_secure(&self) -> bool {
            true
        }
    }
    impl embedded_io_async::ErrorType for HangingStream {
        type Error = ErrorKind;
    }
    impl embedded_io_async::Read for HangingStream {
        async fn read(&mut self, _: &mut [u8]) -> Result<usize, ErrorKind> {
            std::future::pending().await
        }
    }
    impl embedded_io_async::Write for HangingStream {
        async fn write(&mut self, buf: &[u8]) -> Result<usize, ErrorKind> {
            Ok(buf.len())
        }
        async fn flush(&mut self) -> Result<(), ErrorKind> {
            Ok(())
        }
    }

    for (before_sending, state) in [(true, State::Queued), (false, State::MaybeSent)] {
        let flash = Flash::default();
        let mut device =
            Device::start(Hanging(before_sending), "h", &flash, Rules::default(), NOW).unwrap();
        let id = device.push("Door open").unwrap();
        {
            let mut step = pin!(device.client.step(&device.outbox));
            let mut context = Context::from_waker(Waker::noop());
            assert!(matches!(step.as_mut().poll(&mut context), Poll::Pending));
            assert_eq!(
                device.outbox.borrow().entry(id).unwrap().state,
                State::Sending
            );
            device
                .outbox
                .borrow_mut()
                .push(&support::alert("meanwhile"))
                .unwrap();
        }
        assert_eq!(device.outbox.borrow().entry(id).unwrap().state, state);
    }
}
