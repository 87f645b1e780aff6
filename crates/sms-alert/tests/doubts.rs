//! What leaves a doubt whether the server has acted, and what becomes of the alert then.

mod support;

use embedded_io_async::ErrorKind;
use sms_alert::{
    DeviceName, ExchangeError, Failure, MAX_DOUBTS, MaybeSentPolicy, Outbox, Reason, Rules, State,
    Step, Verdict,
};
use support::{Device, Flash, NOW, Script, alert, attempts, device, first};

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
        // An attempt that is given up before it has begun is no doubt, whatever was before it.
        outbox.take(id).unwrap();
        outbox.abandon(id);
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
            outbox.take(id).unwrap();
            outbox.abandon(id);
            assert_eq!(outbox.entry(id).unwrap().doubts, doubts + 1);
        }
    }
    let held = *open().entry(id).unwrap();
    assert_eq!((held.state, held.doubts), (State::MaybeSent, MAX_DOUBTS));
    open().resend(id).unwrap();
    let released = *open().entry(id).unwrap();
    assert_eq!((released.state, released.doubts), (State::Queued, 0));
}

/// An alert that was refused a connection after a doubt is still one that may have been sent.
#[test]
fn another_policy_on_doubts_counts_the_earlier_ones() {
    use MaybeSentPolicy::{Hold, Resend};
    let flash = Flash::default();
    let open = |maybe_sent| {
        let rules = Rules {
            maybe_sent,
            ..Rules::default()
        };
        Outbox::<_, 3>::open(flash.clone(), DeviceName::new("gw-7").unwrap(), rules, 0).unwrap()
    };
    let id = open(Resend).push(&alert("Door open")).unwrap().id;
    let mut outbox = open(Resend);
    for settle in [Outbox::doubt, Outbox::postpone] {
        outbox.take(id).unwrap();
        outbox.begin(id).unwrap();
        settle(&mut outbox, id, 0).unwrap();
    }
    for (policy, state) in [
        (Hold, State::MaybeSent),
        (Resend, State::Queued),
        (Hold, State::MaybeSent),
    ] {
        let held = *open(policy).entry(id).unwrap();
        assert_eq!((held.state, held.doubts), (state, 1));
    }
    open(Hold).resend(id).unwrap();
    for policy in [Resend, Hold] {
        assert_eq!(open(policy).entry(id).unwrap().state, State::Queued);
    }
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
