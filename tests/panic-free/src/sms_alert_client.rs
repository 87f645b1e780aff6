//! What `sms-alert` sends: bodies, and the asynchronous functions over a connection that can do anything.

use core::cell::RefCell;
use core::hint::black_box;

use api_auth::{Api, Authorizer, Clock, Credential, Policy, Session, Slot, Slots};
use embedded_io_async::{ErrorKind, ErrorType, Read, Write};
use jwt_core::HmacKey;
use serde::Serialize;
use sms_alert::{
    Account, BUFFER_LEN, Blocking, Client, Connect, ExchangeError, Failure, Host, MessageError,
    NewApiKey, OutboxError, Request, RequestError, Response, Sending, Step, Target, WebhookJob,
    block_on, exchange, json_body,
};

use crate::display;
use crate::sms_alert::{Flash, alert, backoff, open};

pub fn use_all() {
    bodies();
    if cfg!(feature = "asynchronous") {
        exchanges();
        client();
    }
}

#[derive(Serialize)]
struct Event<'a> {
    pump: &'a str,
}

#[inline(never)]
fn bodies() {
    let mut out = [0; 512];
    let out = black_box(out.as_mut_slice());
    let key = NewApiKey {
        name: black_box("name"),
        scopes: black_box(&["scope"]),
    };
    if let Err(error) = json_body(&key, out) {
        display::<RequestError>(&error);
    }
    let job = WebhookJob {
        application_id: black_box("application"),
        event_type: black_box("event"),
        event_id: black_box(None),
        payload: Event {
            pump: black_box("3"),
        },
    };
    black_box(json_body(&job, out).is_ok());
    let (Ok(alert), Some(outbox)) = (alert(), open(Flash)) else {
        return;
    };
    let sms_alert::Next::Send(id) = outbox.next(black_box(1)) else {
        return;
    };
    if let Err(error) = account().body(&alert, &outbox.local_id(id), out) {
        display::<MessageError>(&error);
    }
}

fn account() -> Account<'static> {
    if black_box(true) {
        Account::Heymarket {
            inbox_id: black_box(1),
            creator_id: black_box(2),
        }
    } else {
        Account::HookMesh {
            application_id: black_box("application"),
            event_type: black_box("event"),
        }
    }
}

/// A connection that can answer anything, or pend.
struct Wire;

impl ErrorType for Wire {
    type Error = ErrorKind;
}

impl Read for Wire {
    async fn read(&mut self, out: &mut [u8]) -> Result<usize, ErrorKind> {
        pend().await;
        black_box(out);
        black_box(Ok(1))
    }
}

impl Write for Wire {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        pend().await;
        black_box(bytes);
        black_box(Ok(1))
    }

    async fn flush(&mut self) -> Result<(), ErrorKind> {
        pend().await;
        black_box(Ok(()))
    }
}

/// Pends as often as it likes.
fn pend() -> impl Future<Output = ()> {
    core::future::poll_fn(|_| match black_box(true) {
        true => core::task::Poll::Ready(()),
        false => core::task::Poll::Pending,
    })
}

/// The same, of blocking functions.
struct BlockingWire;

impl embedded_io::ErrorType for BlockingWire {
    type Error = ErrorKind;
}

impl embedded_io::Read for BlockingWire {
    fn read(&mut self, out: &mut [u8]) -> Result<usize, ErrorKind> {
        black_box(out);
        black_box(Ok(1))
    }
}

impl embedded_io::Write for BlockingWire {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        black_box(bytes);
        black_box(Ok(1))
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        black_box(Ok(()))
    }
}

#[inline(never)]
fn exchanges() {
    exchange_over(&mut Wire);
    exchange_over(&mut Blocking(BlockingWire));
}

fn exchange_over<S: Read<Error = ErrorKind> + Write>(stream: &mut S) {
    let (Ok(host), Ok(target)) = (Host::new(black_box("host")), Target::new(black_box("/"))) else {
        return;
    };
    let request = Request::post(host, target, None, black_box(b"{}"));
    let mut scratch = [0; 512];
    let mut response = Response::<512>::new();
    let expired = || black_box(false);
    let scratch = black_box(scratch.as_mut_slice());
    let exchanged = block_on(exchange(stream, &request, scratch, &mut response, expired));
    if let Err(error) = exchanged {
        display::<ExchangeError<_>>(&error);
    }
    black_box(response.is_complete());
}

/// A way to servers that can lead anywhere.
struct Anywhere;

impl Connect for Anywhere {
    type Error = ErrorKind;
    type Stream<'a> = Wire;

    async fn connect(&mut self, host: Host<'_>) -> Result<Wire, ErrorKind> {
        pend().await;
        black_box(host);
        black_box(true).then_some(Wire).ok_or(ErrorKind::TimedOut)
    }

    fn is_secure(&self) -> bool {
        black_box(true)
    }
}

#[inline(never)]
fn client() {
    let (Some(outbox), Ok(host)) = (open(Flash), Host::new(black_box("host"))) else {
        return;
    };
    let outbox = RefCell::new(outbox);
    let clock = Clock::new(black_box(1), black_box(2));
    let mut session =
        Session::<HmacKey, 256>::new(&Api::HEYMARKET, clock, black_box(Slots::EMPTY), None, None);
    if let Ok(credential) =
        Credential::new(&Api::HEYMARKET, Some("id"), black_box("key"), Policy::FIELD)
        && let Ok(authorizer) = Authorizer::new(&credential)
    {
        black_box(session.deploy(Slot::A, authorizer).is_ok());
    }
    let sending = Sending {
        host,
        account: account(),
        backoff: backoff(),
        patience_ms: black_box(1),
    };
    let mut buffer = [0; BUFFER_LEN];
    let (random, uptime_ms) = (|| black_box(1), || black_box(1));
    let Ok(mut client) = Client::new(session, sending, Anywhere, random, uptime_ms, &mut buffer)
    else {
        return;
    };
    black_box(client.connect_mut());
    black_box(client.session().slots());
    black_box(client.session_mut().slots());
    match block_on(client.step(&outbox)) {
        Ok(Step::Attempt(report)) => match &report.failure {
            Some(failure) => display::<Failure<_, _>>(failure),
            None => {
                black_box(report);
            }
        },
        Ok(step) => {
            black_box(step);
        }
        Err(error) => display::<OutboxError<_>>(&error),
    }
}
