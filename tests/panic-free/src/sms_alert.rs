//! What `sms-alert` exports, but what sends.

use core::hint::black_box;

use api_auth::Rate;
use sms_alert::{
    Alert, AlertError, AlertId, Backoff, DeviceName, DeviceNameError, ErrorBody, ExchangeError,
    FieldError, HeaderValue, Host, MAX_RECORD_LEN, Method, Next, Outbox, OutboxError, PhoneError,
    PhoneNumber, Priority, RamStore, RamStoreError, RateLimiter, Recipient, Request, RequestError,
    Response, ResponseError, Rules, Segments, Store, Target, facts, find,
};

use crate::display;

pub fn use_all() {
    texts();
    requests();
    responses();
    pace();
    outbox(Flash);
    outbox(RamStore::<5, MAX_RECORD_LEN>::new());
}

/// A store that can answer anything.
pub struct Flash;

impl Store for Flash {
    type Error = RamStoreError;

    fn put(&mut self, index: u16, record: &[u8]) -> Result<(), RamStoreError> {
        black_box((index, record));
        black_box(Ok(()))
    }

    fn get(&mut self, index: u16, out: &mut [u8]) -> Result<Option<usize>, RamStoreError> {
        black_box((index, out));
        black_box(Ok(Some(1)))
    }

    fn remove(&mut self, index: u16) -> Result<(), RamStoreError> {
        black_box(index);
        black_box(Ok(()))
    }
}

#[inline(never)]
fn texts() {
    match PhoneNumber::new(black_box("15550100")) {
        Ok(phone) => {
            black_box(phone.as_str());
        }
        Err(error) => display::<PhoneError>(&error),
    }
    match DeviceName::new(black_box("gw")) {
        Ok(device) => {
            black_box(device.as_str());
        }
        Err(error) => display::<DeviceNameError>(&error),
    }
    match alert() {
        Ok(alert) => {
            black_box(alert.text());
        }
        Err(error) => display::<AlertError>(&error),
    }
    black_box(Segments::of(black_box("text")));
    black_box(ErrorBody::read(black_box("{}")));
    if let Some(value) = find(black_box("{}"), black_box(&["a", "b"])) {
        black_box(value.integer());
        if let Some(text) = value.text() {
            black_box(text.is(black_box("a")));
            text.chars().for_each(|char| {
                black_box(char);
            });
        }
    }
}

pub fn alert() -> Result<Alert, AlertError> {
    let to = match PhoneNumber::new(black_box("15550100")) {
        Ok(phone) if black_box(true) => Recipient::Phone(phone),
        Ok(phone) => {
            let mut phones = heapless::Vec::new();
            let _ = phones.push(phone);
            Recipient::Phones(phones)
        }
        Err(_) => black_box(Recipient::Chat(1)),
    };
    let mut alert = Alert::new(to, black_box("text"))?;
    alert.priority = black_box(Priority::High);
    alert.expires_at = black_box(Some(1));
    Ok(alert)
}

fn request() -> Result<Request<'static>, FieldError> {
    let host = Host::new(black_box("host:80"))?;
    let target = Target::new(black_box("/v1"))?.with_segment(black_box("id"))?;
    let authorization = HeaderValue::new(black_box("Bearer token"))?;
    black_box((authorization.as_str(), host.port()));
    Ok(match black_box(0) {
        0 => Request::get(host, target, Some(authorization)),
        1 => Request::delete(host, target, None),
        _ => Request::post(host, target, None, black_box(b"{}")),
    })
}

#[inline(never)]
fn requests() {
    let mut out = [0; 512];
    match request() {
        Ok(request) => {
            black_box((request.head_len(), request.method.as_str()));
            black_box(request.method.is_idempotent());
            if let Err(error) = request.write(black_box(out.as_mut_slice())) {
                display::<RequestError>(&error);
            }
            black_box(request.write_head(black_box(out.as_mut_slice())).is_ok());
        }
        Err(error) => display::<FieldError>(&error),
    }
}

#[inline(never)]
fn responses() {
    let mut response = Response::<512>::new();
    for result in [
        response.push(black_box(b"HTTP/1.1 200 OK")).map(drop),
        response.end(),
    ] {
        if let Err(error) = result {
            display::<ResponseError>(&error);
        }
    }
    black_box((response.is_complete(), response.head(), response.body()));
    black_box((response.text(), response.dropped()));

    let exchanged = black_box(Err(ExchangeError::Read(RamStoreError)));
    if let Err(error) = &exchanged {
        black_box(error.may_have_reached());
    }
    let method: Method = black_box(Method::Get);
    let secure = black_box(true);
    black_box(facts(
        method,
        &exchanged,
        &response,
        secure,
        black_box(None),
    ));
}

#[inline(never)]
fn pace() {
    let mut limiter = RateLimiter::new(Rate {
        requests: black_box(1),
        per_secs: black_box(2),
    });
    limiter.count(black_box(1));
    black_box(limiter.wait_ms(black_box(1)));
    black_box(backoff().delay_ms(black_box(1), black_box(2), black_box(3)));
}

pub fn backoff() -> Backoff {
    black_box(Backoff::default())
}

pub fn open<S: Store>(store: S) -> Option<Outbox<S, 4>> {
    let device = DeviceName::new(black_box("gw")).ok()?;
    match Outbox::open(store, device, black_box(Rules::default()), black_box(1)) {
        Ok(outbox) => Some(outbox),
        Err(error) => {
            display::<OutboxError<_>>(&error);
            None
        }
    }
}

#[inline(never)]
fn outbox<S: Store<Error: 'static>>(store: S) {
    let Some(mut outbox) = open(store) else {
        return;
    };
    if let Ok(alert) = alert() {
        black_box(outbox.push(&alert).is_ok());
    }
    black_box(outbox.expire(black_box(1)).is_ok());
    black_box(outbox.entries().count());
    let id: AlertId = match outbox.next(black_box(1)) {
        Next::Send(id) => id,
        _ => return,
    };
    black_box((outbox.entry(id), outbox.local_id(id)));
    black_box((outbox.take(id).is_ok(), outbox.alert(id).is_ok()));
    black_box((outbox.begin(id).is_ok(), outbox.delivered(id).is_ok()));
    black_box((outbox.resend(id).is_ok(), outbox.discard(id).is_ok()));
    black_box(outbox.postpone(id, black_box(1)).is_ok());
    black_box(outbox.doubt(id, black_box(1)).is_ok());
    black_box(outbox.reject(id, black_box(400)).is_ok());
    outbox.abandon(id);
    outbox.into_store();
}
