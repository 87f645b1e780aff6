//! The client loop against a server that follows a script: each verdict, and when what is sent next.

mod support;

use sms_alert::{
    ClockTrouble, ExchangeError, Failure, Priority, Reason, Rules, State, Step, Verdict,
};
use support::{NOW, Script, attempts, device, first};

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
