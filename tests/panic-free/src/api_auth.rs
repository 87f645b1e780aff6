//! Everything `api-auth` exports.

use core::hint::black_box;

use api_auth::{
    AGREEMENT_SECS, Action, Answer, Api, AuthorizeError, Authorizer, BufferTooSmall, Check, Clock,
    ClockError, Credential, CredentialError, ErrorKind, Facts, MAX_AGE_SECS, MAX_CORRECTION_SECS,
    MAX_HINT_SECS, MAX_ID_LEN, MAX_KEY_LEN, Policy, Prefix, Reading, Rejection, Session, Skew,
    Slot, SlotError, SlotState, Slots, Source, State, Step, Time, Uptime, decide, http_date,
    rfc3339,
};
use jwt_core::{HmacKey, MacEngine};

use crate::display;
use crate::jwt_core::Peripheral;

/// Bytes of the longest `Authorization` value in use here.
const N: usize = 256;

pub fn use_all() {
    black_box((MAX_ID_LEN, MAX_KEY_LEN, MAX_HINT_SECS));
    black_box((AGREEMENT_SECS, MAX_AGE_SECS, MAX_CORRECTION_SECS));
    dates();
    clock();
    slots();
    decision();
    credentials();
    authorizers();
}

#[inline(never)]
fn dates() {
    black_box(http_date(black_box("date")));
    black_box(rfc3339(black_box("date")));
}

#[inline(never)]
fn clock() {
    let mut uptime = Uptime::new();
    let now = uptime.at(black_box(1));
    let mut clock = Clock::new(black_box(1), black_box(2));
    let reading = Reading {
        unix_secs: black_box(1),
        source: source(),
        age_secs: black_box(2),
    };
    for result in [
        clock.set(reading, now),
        clock.learn(black_box(1), now),
        clock.now(now).map(drop),
    ] {
        if let Err(error) = result {
            display::<ClockError>(&error);
        }
    }
    clock.confirm(black_box(1), now);
    let skew: Skew = clock.skew(black_box(1), now);
    black_box((skew, clock.floor_secs()));
    if let Ok(time) = clock.now(now) {
        let time: Time = time;
        black_box((time.unix_secs(), time.error_secs()));
        black_box((time.uptime_ms(), time.source()));
    }
}

fn source() -> Source {
    match black_box(0) {
        0 => Source::Build,
        1 => Source::Rtc,
        2 => Source::Host,
        3 => Source::Sntp,
        4 => Source::HttpDate,
        _ => Source::KeyIdTime,
    }
}

fn slot() -> Slot {
    if black_box(true) { Slot::A } else { Slot::B }
}

#[inline(never)]
fn slots() {
    match Slots::from_bytes(black_box(&[0; 4])) {
        Ok(slots) => {
            let _: (SlotState, Step) = black_box((slots.state(slot()), slots.next()));
            black_box((slots.active(), slots.standby(), slot().other()));
            black_box(slots.accepted(slot()).retired().failed_over().to_bytes());
            black_box((slots.deployed(slot()).is_ok(), slots.promoted().is_ok()));
        }
        Err(error) => display::<SlotError>(&error),
    }
}

fn facts() -> Facts {
    Facts {
        repeatable: black_box(true),
        secure: black_box(true),
        date: black_box(Some(1)),
        retry_after_secs: black_box(Some(1)),
        rate_remaining: black_box(Some(1)),
        rate_reset: black_box(Some(1)),
        error: black_box(ErrorKind::MissingKid),
        ..Facts::new(black_box(Answer::Status(401)))
    }
}

fn api() -> &'static Api {
    Api::by_name(black_box("heymarket")).unwrap_or(&Api::HOOKMESH)
}

#[inline(never)]
fn decision() {
    let clock = Clock::new(black_box(1), black_box(2));
    let mut state = State::new(black_box(Slots::EMPTY));
    state.set_slots(black_box(Slots::EMPTY));
    let (action, state) = decide(api(), &facts(), &clock, black_box(1), &state);
    black_box(matches!(action, Action::Rejected(Rejection::Invalid)));
    black_box((action, state.slots()));
    let scheme = api().scheme;
    black_box((scheme.is_token(), scheme.prefix()));
    black_box(scheme.value_len(black_box(1), black_box(2)));
    black_box(scheme.line_len(black_box(1), black_box(2)));
}

#[inline(never)]
fn credentials() {
    for prefix in [Prefix::any("a"), Prefix::live("b"), Prefix::test("c")] {
        black_box(prefix);
    }
    let policy = Policy {
        live_keys: black_box(true),
        test_keys: black_box(true),
        weak_keys: black_box(true),
    };
    match Credential::new(api(), black_box(Some("id")), black_box("key"), policy) {
        Ok(credential) => {
            black_box((credential.id(), credential.api().name));
        }
        Err(error) => display::<CredentialError>(&error),
    }
}

/// Makes an authorizer from a key and one from an engine.
#[inline(never)]
fn authorizers() {
    if let Ok(credential) = Credential::new(api(), Some("id"), black_box("key"), Policy::FIELD) {
        black_box(credential.hmac_key().is_ok());
        match Authorizer::<HmacKey, N>::new(&credential) {
            Ok(authorizer) => session(authorizer),
            Err(error) => display(&error),
        }
    }
    if let Ok(credential) = Credential::new(api(), None, black_box("key"), Policy::FIELD) {
        match Authorizer::<Peripheral, N>::with_sent_key(&credential) {
            Ok(authorizer) => session(authorizer),
            Err(error) => display(&error),
        }
    }
    match Authorizer::<_, N>::with_engine(api(), black_box("id"), Peripheral) {
        Ok(authorizer) => session(authorizer),
        Err(error) => display::<AuthorizeError<_>>(&error),
    }
}

/// Does all that can be done with an authorizer.
#[inline(never)]
fn session<E: MacEngine<Error: 'static>>(mut authorizer: Authorizer<E, N>) {
    authorizer.renew();
    match authorizer.authorize(black_box(Err(ClockError::Unset))) {
        Ok(value) => {
            black_box((value.value(), value.line_len()));
            let mut line = [0; 64];
            if let Err(error) = value.write_line(black_box(line.as_mut_slice())) {
                display::<BufferTooSmall>(&error);
            }
        }
        Err(error) => display(&error),
    }

    let clock = Clock::new(black_box(1), black_box(2));
    let slots = black_box(Slots::EMPTY);
    let mut session = Session::new(api(), clock, slots, None, None);
    black_box((session.api().name, session.clock_mut().floor_secs()));
    black_box((session.clock().floor_secs(), session.slots()));
    black_box(session.promote().is_ok());
    session.retire();
    black_box(session.deploy(slot(), authorizer).is_ok());
    if let Err(error) = session.authorize(black_box(1)) {
        display(&error);
    }
    black_box(session.authorize_standby(black_box(1)).is_ok());
    black_box(session.answered(&facts(), black_box(1)));
    let check: Check = session.standby_answered(&facts(), black_box(1));
    black_box(check);
}
